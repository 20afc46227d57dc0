"""Views: where points of space come to lie in a picture, and which way each view looks."""

import numpy as np
import pytest

from apu.geometry.views import (
    X_RIGHT,
    Y_DOWN,
    Z_FORWARD,
    PerspectiveView,
    fitting_scale,
    side_view,
    top_view,
)


@pytest.fixture
def view() -> PerspectiveView:
    return PerspectiveView(500.0, (320.0, 240.0), 640, 480)


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 3)) * [0.6, 0.9, 0.4] + [0.2, 0.1, 3.0]


def test_a_pinhole_divides_by_depth(view, points):
    pixels, depth = view.project(points)
    assert np.allclose(pixels, 500 * points[:, :2] / points[:, 2:] + [320, 240])
    assert np.array_equal(depth, points[:, 2])


def test_points_that_are_not_in_front_have_no_pixel(view):
    pixels, _ = view.project(np.array([[0.0, 0, -1], [0, 0, 0], [0, 0, 1]]))
    assert np.isnan(pixels[:2]).all()
    assert np.array_equal(pixels[2], [320, 240])


def test_the_ray_through_a_points_pixel_goes_through_the_point(view, points):
    pixels, _ = view.project(points)
    rays = view.rays(pixels)
    assert np.allclose(np.linalg.norm(rays, axis=1), 1)
    assert np.allclose(np.cross(rays, points), 0, atol=1e-9)


def test_a_magnified_view_has_the_same_picture_in_more_pixels(view, points):
    for some_view in (view, side_view(points, 200, 300), top_view(points, 200, 300)):
        small, depth = some_view.project(points)
        large, same = some_view.magnified(3).project(points)
        assert np.allclose(large, 3 * small)
        assert np.allclose(same, depth)
        assert some_view.magnified(3).width == 3 * some_view.width


def test_a_window_is_cut_out_and_enlarged(view, points):
    pixels, _ = view.project(points)
    inside, _ = view.window((100.0, 50.0), 2.5, 300, 200).project(points)
    assert np.allclose(inside, (pixels - [100, 50]) * 2.5)


def test_the_side_view_shows_depth_to_the_right_and_height_upright(points):
    view = side_view(points, 400, 300)
    (near, far, above), depth = view.project(np.array([[0.0, 0, 2], [0, 0, 3], [0, -1, 2]]))
    assert far[0] > near[0]
    assert far[1] == near[1]
    assert above[1] < near[1]
    assert depth[0] == depth[1]


def test_the_side_view_stands_on_the_pictures_right(points):
    """What is further right in the photo is nearer to this viewer, and hides the rest."""
    _, depth = side_view(points, 400, 300).project(np.array([[1.0, 0, 3], [-1.0, 0, 3]]))
    assert depth[0] < depth[1]


def test_the_top_view_shows_the_photos_right_on_the_right_and_depth_upwards(points):
    view = top_view(points, 400, 300)
    (left, right, far), depth = view.project(np.array([[-1.0, 0, 3], [1.0, 0, 3], [-1.0, 0, 4]]))
    assert right[0] > left[0]
    assert far[1] < left[1]
    assert depth[0] == depth[1]
    _, (head, feet) = view.project(np.array([[0.0, -1, 3], [0.0, 1, 3]]))
    assert head < feet  # seen from above


@pytest.mark.parametrize("make", [side_view, top_view])
def test_axes_of_a_flat_view_are_a_right_handed_frame(points, make):
    axes = make(points, 100, 100).axes
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1.0)


@pytest.mark.parametrize("make", [side_view, top_view])
@pytest.mark.parametrize(("width", "height"), [(400, 300), (120, 500)])
def test_a_flat_view_holds_all_points_in_its_middle(points, make, width, height):
    pixels, _ = make(points, width, height).project(points)
    assert (pixels >= 0).all()
    assert (pixels <= [width, height]).all()
    assert np.allclose((pixels.min(0) + pixels.max(0)) / 2, [width / 2, height / 2])
    assert (np.ptp(pixels, axis=0) / [width, height]).max() == pytest.approx(0.84)


def test_a_given_scale_is_metres_to_pixels(points):
    view = side_view(points, 400, 300, pixels_per_m=50.0)
    (a, b), _ = view.project(np.array([[0.0, 0, 2], [0, 0, 3]]))
    assert b[0] - a[0] == pytest.approx(50.0)


def test_points_at_one_place_still_have_a_scale():
    assert np.isfinite(fitting_scale(np.ones((4, 3)), X_RIGHT, Y_DOWN, 100, 100))


def test_rays_of_a_flat_view_are_all_the_same(points):
    view = side_view(points, 40, 30)
    rays = view.rays(np.random.default_rng(1).uniform(0, 30, (5, 2)))
    assert np.array_equal(rays, np.tile(Z_FORWARD, (5, 1)))
    assert np.allclose(view.axes.T @ rays[0], view.axes[2])
