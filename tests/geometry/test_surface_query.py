"""Nearest points and signs against libigl, on closed meshes that move, alone and in batches."""

import igl
import numpy as np
import pytest
import torch
import trimesh

from apu.geometry.surface_query import SurfaceQuery, surface_points


def _sphere(subdivisions: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    return torch.tensor(np.asarray(ball.vertices), dtype=torch.float32), torch.tensor(np.asarray(ball.faces))


def _scene(count: int, points: int = 400) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ellipsoids of different sizes at different places, and points around each."""
    generator = torch.Generator().manual_seed(count)
    ball, faces = _sphere()
    size = 0.3 + torch.rand(count, 1, 3, generator=generator)
    place = 20 * torch.rand(count, 1, 3, generator=generator)
    around = 1.5 * (2 * torch.rand(count, points, 3, generator=generator) - 1)
    return ball[None] * size + place, faces, around + place


@pytest.mark.parametrize("exact_sign", [False, True])
def test_distance_and_sign_are_those_of_libigl(exact_sign: bool):
    vertices, faces, points = _scene(3)
    found = SurfaceQuery(faces, vertices, exact_sign=exact_sign).nearest(points)
    distance = (points - surface_points(vertices, faces, found)).norm(dim=-1)
    for i in range(3):
        v, f, p = vertices[i].double().numpy(), faces.numpy(), points[i].double().numpy()
        squared = igl.point_mesh_squared_distance(p, v, f)[0]
        np.testing.assert_allclose(distance[i], np.sqrt(squared), atol=2e-5)  # float32, metres from the origin
        clear = np.sqrt(squared) > 1e-4
        np.testing.assert_array_equal(found.inside[i][clear], (igl.winding_number(v, f, p) > 0.5)[clear])


def test_a_batch_answers_as_its_meshes_alone():
    vertices, faces, points = _scene(9)
    batch = SurfaceQuery(faces, vertices).nearest(points)
    for i in range(9):
        alone = SurfaceQuery(faces, vertices[i : i + 1]).nearest(points[i : i + 1])
        assert torch.equal(batch.inside[i], alone.inside[0])
        ways = [
            (points[i] - surface_points(vertices, faces, batch)[i]).norm(dim=-1),
            (points[i] - surface_points(vertices[i : i + 1], faces, alone)[0]).norm(dim=-1),
        ]
        torch.testing.assert_close(*ways, atol=2e-5, rtol=0)


def test_moved_meshes_answer_as_new_ones_also_after_a_long_way():
    vertices, faces, points = _scene(2)
    query = SurfaceQuery(faces, vertices)
    for way in (0.01, 0.5, 300.0):
        query.move(vertices + way)
        moved = query.nearest(points + way)
        fresh = SurfaceQuery(faces, vertices + way).nearest(points + way)
        ways = [(points + way - surface_points(vertices + way, faces, n)).norm(dim=-1) for n in (moved, fresh)]
        torch.testing.assert_close(*ways, atol=1e-4, rtol=0)
        clear = ways[0] > 1e-3
        assert torch.equal(moved.inside[clear], fresh.inside[clear])


def test_nothing_is_found_out_of_reach():
    vertices, faces, points = _scene(2)
    query = SurfaceQuery(faces, vertices)
    unbounded = query.nearest(points)
    distance = (points - surface_points(vertices, faces, unbounded)).norm(dim=-1)
    reach = torch.full(points.shape[:2], 0.1)
    bounded = query.nearest(points, reach)
    clear = (distance - 0.1).abs() > 1e-4
    assert torch.equal((bounded.face >= 0)[clear], (distance < 0.1)[clear])
    assert not bounded.inside[bounded.face < 0].any()
    assert torch.equal(bounded.face[(distance < 0.09)], unbounded.face[distance < 0.09])


def test_the_gradient_of_the_distance_is_that_of_finite_differences():
    vertices, faces, points = _scene(1, points=40)
    vertices, points = vertices.double(), points.double()
    query = SurfaceQuery(faces, vertices)

    def squared(v: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        query.move(v)
        return (p - surface_points(v, faces, query.nearest(p))).square().sum()

    v, p = vertices.clone().requires_grad_(), points.clone().requires_grad_()
    to_vertices, to_points = torch.autograd.grad(squared(v, p), [v, p])
    generator = torch.Generator().manual_seed(0)
    for moving, gradient in ((vertices, to_vertices), (points, to_points)):
        way = torch.randn(moving.shape, generator=generator, dtype=torch.float64) * 1e-4
        ends = [
            squared(*((moving + s * way, points) if moving is vertices else (vertices, moving + s * way)))
            for s in (1, -1)
        ]
        numeric = (ends[0] - ends[1]) / 2
        torch.testing.assert_close((gradient * way).sum(), numeric, rtol=1e-3, atol=1e-9)
