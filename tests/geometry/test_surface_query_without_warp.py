"""The query in torch alone against libigl and against warp, its formulas against brute force."""

import igl
import numpy as np
import pytest
import torch
import trimesh

from apu.body.anny import AnnyBody
from apu.geometry import surface_query
from apu.geometry.dense_query import DenseQuery, barycentric, solid_angles
from apu.geometry.surface_query import SurfaceQuery, surface_points


@pytest.fixture
def no_warp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface_query, "warp_knows", lambda device: False)


def balls() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two ellipsoids far from each other, and points around each."""
    generator = torch.Generator().manual_seed(0)
    ball = trimesh.creation.icosphere(subdivisions=2)
    size = torch.tensor([[[0.4, 0.9, 0.5]], [[1.1, 0.3, 0.7]]])
    place = torch.tensor([[[0.0, 1.0, 3.0]], [[9.0, -2.0, 4.0]]])
    points = 1.5 * (2 * torch.rand(2, 300, 3, generator=generator) - 1)
    vertices = torch.tensor(np.asarray(ball.vertices), dtype=torch.float32)
    return vertices * size + place, torch.tensor(np.asarray(ball.faces)), points + place


@pytest.mark.usefixtures("no_warp")
def test_distance_and_sign_are_those_of_libigl():
    vertices, faces, points = balls()
    query = SurfaceQuery(faces, vertices + 5.0)
    query.move(vertices)
    found = query.nearest(points)
    distance = (points - surface_points(vertices, faces, found)).norm(dim=-1)
    for i in range(2):
        v, f, p = vertices[i].double().numpy(), faces.numpy(), points[i].double().numpy()
        squared = igl.point_mesh_squared_distance(p, v, f)[0]
        np.testing.assert_allclose(distance[i], np.sqrt(squared), atol=2e-6)
        np.testing.assert_array_equal(found.inside[i], igl.winding_number(v, f, p) > 0.5)


@pytest.mark.usefixtures("no_warp")
def test_nothing_is_found_out_of_reach():
    vertices, faces, points = balls()
    query = SurfaceQuery(faces, vertices)
    anywhere, near = query.nearest(points), query.nearest(points, 0.2)
    distance = (points - surface_points(vertices, faces, anywhere)).norm(dim=-1)
    assert torch.equal(near.face >= 0, distance <= 0.2)
    assert not near.inside[distance > 0.2].any()
    assert bool((near.barycentric[distance > 0.2] == 0).all())
    assert torch.equal(near.face[distance <= 0.2], anywhere.face[distance <= 0.2])


def test_on_a_body_it_answers_as_warp_does(body: AnnyBody):
    surface = body.surface
    vertices, faces = surface.rest_vertices[None], surface.collision_faces
    generator = torch.Generator().manual_seed(1)
    chosen = torch.randint(0, vertices.shape[1], (200,), generator=generator)
    points = vertices[:, chosen] + 0.03 * torch.randn(1, 200, 3, generator=generator)
    by_warp = SurfaceQuery(faces, vertices, exact_sign=True).nearest(points)
    face, share, inside = DenseQuery(faces, vertices).nearest_of(
        torch.zeros(200, dtype=torch.int64), points[0], torch.full((200,), 1.0)
    )
    assert 40 < int(inside.sum()) < 160
    assert torch.equal(inside, by_warp.inside[0])
    mine = (vertices[0, faces[face]] * share[..., None]).sum(1)
    ways = [(points[0] - x).norm(dim=-1) for x in (mine, surface_points(vertices, faces, by_warp)[0])]
    torch.testing.assert_close(*ways, atol=2e-6, rtol=0)


def test_the_nearest_point_of_a_triangle_is_no_farther_than_any_of_a_fine_grid():
    generator = torch.Generator().manual_seed(2)
    corners = torch.rand(50, 3, 3, generator=generator, dtype=torch.float64)
    point = 2 * torch.rand(50, 3, generator=generator, dtype=torch.float64) - 0.5
    share = barycentric(point, corners)
    assert bool((share >= 0).all())
    torch.testing.assert_close(share.sum(-1), torch.ones(50, dtype=torch.float64))
    steps = torch.linspace(0, 1, 101, dtype=torch.float64)
    u, v = (x.flatten() for x in torch.meshgrid(steps, steps, indexing="ij"))
    grid = torch.stack([u, v, 1 - u - v], -1)[u + v <= 1 + 1e-9]
    everywhere = (point[:, None] - torch.einsum("gc,tcd->tgd", grid, corners)).norm(dim=-1).amin(1)
    mine = (point - (share[..., None] * corners).sum(1)).norm(dim=-1)
    assert bool((mine <= everywhere + 1e-12).all())
    assert bool((mine > everywhere - 0.02).all())


def test_the_solid_angle_of_an_octant_is_half_pi():
    corners = torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(
        solid_angles(torch.zeros(3, dtype=torch.float64), corners), torch.tensor(torch.pi / 2, dtype=torch.float64)
    )
