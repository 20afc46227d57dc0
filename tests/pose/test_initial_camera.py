"""Cameras of other programs: what a person's pixels say survives every change of camera."""

import numpy as np
import pytest

from apu.pose.initial_camera import crop_to_full, of_padded_square, pixels_of, place_in, seen_camera
from apu.scene.camera import Camera

OURS = Camera.of_image(640, 480)
POINTS = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32) * 0.5 + np.float32([0.2, 0.0, 4.0])
ALL = np.ones(30, bool)


@pytest.mark.parametrize("focal_px", [300.0, 900.0, 12_500.0])
def test_a_place_keeps_its_pixel_in_a_camera_with_another_field_of_view_and_middle(focal_px: float):
    theirs = Camera(focal_px, (300.0, 260.0), 640, 480)
    moved = place_in(POINTS, theirs, OURS)
    assert np.allclose(pixels_of(moved, ALL, OURS), pixels_of(POINTS, ALL, theirs), atol=0.01 * focal_px / 300)
    assert np.allclose(moved[:, 2] / POINTS[:, 2], OURS.focal_px / focal_px)
    assert np.allclose(place_in(moved, OURS, theirs), POINTS, atol=1e-4)


def test_the_camera_is_found_by_what_it_sees():
    theirs = Camera(700.0, (310.0, 250.0), 640, 480)
    focal, center, left = seen_camera(POINTS, pixels_of(POINTS, ALL, theirs))
    assert focal == pytest.approx(700.0, rel=1e-4)
    assert center == pytest.approx((310.0, 250.0), abs=0.01)
    assert left < 1e-3
    noise = np.random.default_rng(1).normal(size=(30, 2)) * 20
    assert 10 < seen_camera(POINTS, pixels_of(POINTS, ALL, theirs) + noise)[2] < 40


def test_a_crop_worked_out_by_hand():
    """Half a side is 100 px; at s = 0.5 a metre has 50 px, so f = 1000 is seen at 20 m; 60 px are 1.2 m."""
    camera = Camera.of_image(640, 480, focal_px=1000.0)
    crop = np.array([[0.5, 0.1, -0.2]], np.float32)
    found = crop_to_full(crop, np.array([[380.0, 240.0]], np.float32), np.array([200.0], np.float32), camera)
    assert np.allclose(found, [[1.3, -0.2, 20.0]], atol=1e-5)


def test_a_square_of_896_pixels_has_the_photos_field_of_view():
    theirs = of_padded_square(896.0, 896.0, OURS)
    assert theirs == Camera(640.0, (320.0, 240.0), 640, 480)


def test_joints_that_are_unknown_have_no_pixel_and_divide_nothing():
    points = np.array([[1.0, 1.0, 2.0], [5.0, 5.0, 0.0]], np.float32)
    with np.errstate(all="raise"):
        pixels = pixels_of(points, np.array([True, False]), OURS)
    assert np.allclose(pixels, [[320 + OURS.focal_px / 2, 240 + OURS.focal_px / 2], [0, 0]], atol=1e-3)
