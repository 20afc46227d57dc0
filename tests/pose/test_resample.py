"""Pictures cut and turned: places stay where they are, whatever the scale."""

import numpy as np
import pytest

from apu.pose.resample import cut, resized, sampled

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0, x], [0, 1, y]])


def ramp(width: int, height: int) -> np.ndarray:
    """Red is a pixel's middle in x, green in y."""
    y, x = np.indices((height, width)) + 0.5
    return np.stack([x, y, np.zeros_like(x)], 2).round().astype(np.uint8)


def test_a_square_cut_without_scaling_is_the_photos_own_pixels():
    photo = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    np.testing.assert_array_equal(cut(photo, moved(20, 10), 16), photo[10:26, 20:36])


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7, 3.5, 6.0])
def test_a_place_in_the_square_shows_that_place_of_the_photo(scale: float):
    angle = 0.4
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    to_photo = np.column_stack([turn, np.array([120.0, 110.0]) - turn @ (16, 16)])
    square = cut(ramp(240, 230), to_photo, 32)
    for x, y in ((16, 16), (20, 12), (11, 21)):
        place = to_photo @ (x + 0.5, y + 0.5, 1)
        np.testing.assert_allclose(square[y, x, :2], place, atol=1.6)


def test_outside_the_photo_is_black():
    white = np.full((20, 20, 3), 255, np.uint8)
    assert (cut(white, moved(500, 0), 8) == 0).all()
    half = cut(white, moved(-8, 0), 16)
    assert (half[:, :7] == 0).all()
    assert (half[:, 9:] == 255).all()


def test_fine_stripes_of_a_large_photo_are_averaged_and_do_not_flicker():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    square = cut(stripes, np.array([[10.0, 0, 3], [0, 10, 5]]), 32)
    assert np.abs(square[2:-2, 2:-2].astype(int) - 100).max() <= 12


def test_values_come_back_to_where_they_were_taken_from():
    values = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    np.testing.assert_allclose(sampled(values, IDENTITY, 30, 20), values, atol=1e-6)
    part = sampled(values, moved(4, 3), 10, 10)
    np.testing.assert_allclose(part, values[3:13, 4:14], atol=1e-6)


def test_shrinking_averages():
    checks = np.indices((40, 40)).sum(0)[..., None].repeat(3, 2) % 2 * 200
    assert set(np.unique(resized(checks.astype(np.uint8), 20, 20))) == {100}
