"""Projection, its derivative, and the way back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apu.geometry.camera import NEAR_M, project, projection_jacobian, translation_from_projection
from apu.scene.camera import Camera


def cloud(n: int, k: int, seed: int) -> torch.Tensor:
    """Points a few metres in front of the camera."""
    random = torch.Generator().manual_seed(seed)
    points = torch.randn(n, k, 3, generator=random, dtype=torch.float64)
    return points * torch.tensor([0.5, 0.8, 0.3]) + torch.tensor([0.0, 0.0, 3.0])


FOCAL = torch.tensor([600.0, 900.0], dtype=torch.float64)
CENTER = torch.tensor([[320.0, 240.0], [500.0, 300.0]], dtype=torch.float64)


def test_the_optical_axis_hits_the_principal_point():
    point = torch.tensor([0.0, 0.0, 2.0])
    assert torch.equal(project(point, torch.tensor(500.0), torch.tensor([320.0, 240.0])), torch.tensor([320.0, 240.0]))


def test_right_and_down_in_space_are_right_and_down_in_the_picture():
    u, v = project(torch.tensor([1.0, 2.0, 4.0]), torch.tensor(100.0), torch.tensor([0.0, 0.0]))
    assert (float(u), float(v)) == (25.0, 50.0)


def test_a_point_behind_the_camera_gives_finite_pixels_and_gradients():
    point = torch.tensor([0.2, 0.1, -1.0], requires_grad=True)
    pixel = project(point, torch.tensor(500.0), torch.zeros(2))
    pixel.sum().backward()
    assert bool(torch.isfinite(pixel).all())
    assert point.grad is not None
    assert bool(torch.isfinite(point.grad).all())


def test_the_jacobian_equals_finite_differences():
    points, step = cloud(2, 5, 0), 1e-6
    found = projection_jacobian(points, FOCAL[:, None])
    for axis in range(3):
        by = torch.zeros(3, dtype=torch.float64)
        by[axis] = step
        there, back = (project(points + s * by, FOCAL[:, None], CENTER[:, None]) for s in (1, -1))
        assert torch.allclose(found[..., axis], (there - back) / (2 * step), rtol=1e-6, atol=1e-4)


def test_the_jacobian_is_finite_at_the_camera():
    assert bool(torch.isfinite(projection_jacobian(torch.zeros(3), torch.tensor(500.0))).all())


def test_the_jacobian_knows_that_depth_is_held_before_the_near_plane():
    """Nearer than the near plane `project` does not depend on depth any more."""
    near = torch.tensor([0.3, 0.2, NEAR_M / 2], dtype=torch.float64)
    focal, center, step = torch.tensor(500.0).double(), torch.zeros(2).double(), 1e-6
    by = torch.tensor([0.0, 0.0, step]).double()
    expected = (project(near + by, focal, center) - project(near - by, focal, center)) / (2 * step)
    assert torch.allclose(projection_jacobian(near, focal)[..., 2], expected)


@given(st.integers(0, 10_000), st.floats(-1, 1), st.floats(-1, 1), st.floats(0.5, 8))
def test_a_known_shift_is_recovered_from_its_projection(seed, x, y, z):
    points = cloud(2, 6, seed) - torch.tensor([0.0, 0.0, 3.0])
    shift = torch.tensor([[x, y, z + 2], [-x, y, z + 3]], dtype=torch.float64)
    pixels = project(points + shift[:, None], FOCAL[:, None], CENTER[:, None])
    found = translation_from_projection(points, pixels, torch.ones(2, 6, dtype=torch.float64), FOCAL, CENTER)
    assert torch.allclose(found, shift, atol=2e-3)


def test_points_without_weight_do_not_matter_even_if_they_are_wild():
    points, shift = cloud(2, 6, 1), torch.tensor([[0.2, -0.1, 1.0], [0.0, 0.3, 2.0]], dtype=torch.float64)
    pixels = project(points + shift[:, None], FOCAL[:, None], CENTER[:, None])
    weights = torch.ones(2, 6, dtype=torch.float64)
    pixels[:, 3], weights[:, 3] = 1e6, 0.0
    assert torch.allclose(translation_from_projection(points, pixels, weights, FOCAL, CENTER), shift, atol=2e-3)


def test_without_any_weight_the_shift_is_finite():
    points = cloud(2, 4, 2)
    found = translation_from_projection(
        points, torch.zeros(2, 4, 2).double(), torch.zeros(2, 4).double(), FOCAL, CENTER
    )
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (100, 100)])
def test_the_default_camera_sees_60_degrees_over_the_longer_side(width, height):
    camera = Camera.of_image(width, height)
    half = max(width, height) / 2 / camera.focal_px
    assert 2 * torch.rad2deg(torch.atan(torch.tensor(half))) == pytest.approx(60.0)
    assert camera.center_px == (width / 2, height / 2)


def test_a_known_focal_length_is_used_as_it_is():
    assert Camera.of_image(640, 480, focal_px=123.0).focal_px == 123.0
