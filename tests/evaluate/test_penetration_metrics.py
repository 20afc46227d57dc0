"""Depth and volume of overlap: analytic for spheres and boxes, and on bodies against libigl's winding number."""

import math

import igl
import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial.transform import Rotation

from apu.body.anny import AnnyBody
from apu.evaluate import penetration_metrics
from apu.evaluate.penetration_metrics import penetration_depths_mm, penetration_rows, penetration_volume_cm3

from .conftest import Pairs, closed_surface


@pytest.fixture(scope="module")
def rows(body: AnnyBody, true: Pairs) -> dict[str, torch.Tensor]:
    """Of the first two pairs."""
    return penetration_rows(body.surface, true.vertices[:2])


def shape(mesh: trimesh.Trimesh) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(np.asarray(mesh.vertices), dtype=torch.float32), torch.tensor(np.asarray(mesh.faces))


def apart(vertices: torch.Tensor, *ways: tuple[float, float, float]) -> torch.Tensor:
    """(p, 2, v, 3): B away from A, a pair for each way."""
    return torch.stack([torch.stack([vertices, vertices + torch.tensor(way)]) for way in ways])


def lens_cm3(radius: float, distance: float) -> float:
    return 1e6 * math.pi * (4 * radius + distance) * (2 * radius - distance) ** 2 / 12


def test_the_volume_of_two_spheres_is_that_of_a_lens():
    radius = 0.15
    vertices, faces = shape(trimesh.creation.icosphere(subdivisions=4, radius=radius))
    direction = np.array([0.48, 0.6, 0.64])
    distances = (0.0, 0.1, 0.2, 0.31)
    pairs = apart(vertices, *(tuple(d * direction) for d in distances))
    expected = [lens_cm3(radius, min(d, 2 * radius)) for d in distances]
    found = penetration_volume_cm3(closed_surface(vertices, faces), pairs)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=1e-9)
    finer = penetration_volume_cm3(closed_surface(vertices, faces), pairs[1:3], 0.004)
    np.testing.assert_allclose(finer, expected[1:3], rtol=0.01)


def test_the_volume_of_two_upright_boxes_is_exact():
    vertices, faces = shape(trimesh.creation.box(extents=(0.3, 0.2, 0.4)))
    pairs = apart(vertices, (0.17, -0.113, 0.1), (0.31, 0, 0), (0, 0, 0))
    found = penetration_volume_cm3(closed_surface(vertices, faces), pairs)
    np.testing.assert_allclose(found, [130 * 87 * 300 / 1000, 0, 24_000], rtol=1e-4)


def test_a_small_body_inside_a_large_one_overlaps_with_all_its_volume():
    vertices, faces = shape(trimesh.creation.icosphere(subdivisions=3, radius=0.4))
    pair = torch.stack([vertices, 0.25 * vertices + 0.05])[None]
    expected = 1e6 * trimesh.Trimesh(pair[0, 1], faces).volume
    surface = closed_surface(vertices, faces)
    assert float(penetration_volume_cm3(surface, pair)) == pytest.approx(expected, rel=0.02)
    assert float(penetration_volume_cm3(surface, pair.flip(1))) == pytest.approx(expected, rel=0.02)


def test_the_depth_of_two_spheres_is_that_of_the_lens_and_the_mean_that_of_its_vertices():
    radius, distance = 0.15, 0.2
    vertices, faces = shape(trimesh.creation.icosphere(subdivisions=4, radius=radius))
    worst, mean = penetration_depths_mm(closed_surface(vertices, faces), apart(vertices, (distance, 0, 0), (0.4, 0, 0)))
    assert worst.tolist() == pytest.approx([1000 * (2 * radius - distance), 0.0], abs=1.0)
    sunk = radius - (vertices - torch.tensor([distance, 0, 0])).norm(dim=-1)
    assert mean.tolist() == pytest.approx([1000 * float(sunk[sunk > 0].mean()), 0.0], abs=0.5)


def brute_force_volume_cm3(body: AnnyBody, pair: torch.Tensor, step_m: float) -> float:
    """Every point of the grid by libigl, none left out."""
    faces = body.surface.collision_faces.numpy()
    skins = pair.double()[:, torch.unique(body.surface.collision_faces)]
    low, high = skins.amin(1).amax(0).numpy(), skins.amax(1).amin(0).numpy()
    counts = np.ceil((high - low) / step_m).astype(int)
    cell = (high - low) / counts
    points = low + (np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), -1).reshape(-1, 3) + 0.5) * cell
    for skin in pair.double().numpy():
        points = points[igl.fast_winding_number(np.ascontiguousarray(skin), faces, points) > 0.5]
    return 1e6 * float(cell.prod()) * len(points)


def test_on_bodies_it_counts_the_grid_points_that_libigl_finds_inside_both(body: AnnyBody, true: Pairs):
    found = penetration_volume_cm3(body.surface, true.vertices[1:], 0.012)
    expected = [brute_force_volume_cm3(body, pair, 0.012) for pair in true.vertices[1:]]
    assert min(expected) > 50
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_on_bodies_the_depths_are_those_of_libigl(body: AnnyBody, true: Pairs):
    used, faces = torch.unique(body.surface.collision_faces, return_inverse=True)
    worst, mean = penetration_depths_mm(body.surface, true.vertices[:1])
    a, b = true.vertices[0].double()[:, used].numpy()
    depths = []
    for mine, other in ((a, b), (b, a)):
        inside = mine[igl.fast_winding_number(other, faces.numpy(), mine) > 0.5]
        depths.append(np.sqrt(igl.point_mesh_squared_distance(inside, other, faces.numpy())[0]))
    expected = 1000 * np.concatenate(depths)
    assert float(worst) == pytest.approx(expected.max(), abs=0.05)
    assert float(mean) == pytest.approx(expected.mean(), rel=0.01)


def test_a_rigid_motion_changes_the_depth_not_at_all_and_the_volume_little(
    body: AnnyBody, true: Pairs, rows: dict[str, torch.Tensor]
):
    turn = torch.tensor(Rotation.random(rng=4).as_matrix(), dtype=torch.float32)
    moved = penetration_rows(body.surface, true.vertices[:1] @ turn.mT + 2)
    for name in ("penetration_worst_mm", "penetration_mean_mm"):
        torch.testing.assert_close(moved[name], rows[name][:1], rtol=0.01, atol=0.05)
    name = "penetration_volume_cm3"
    torch.testing.assert_close(moved[name], rows[name][:1], rtol=0.05, atol=0)


def test_exchanging_the_people_changes_nothing(body: AnnyBody, true: Pairs, rows: dict[str, torch.Tensor]):
    swapped = penetration_rows(body.surface, true.vertices[:2].flip(1))
    for name, values in rows.items():
        torch.testing.assert_close(values, swapped[name], rtol=1e-3, atol=1e-2)


def test_a_broken_pair_is_nan_and_leaves_the_others_alone(body: AnnyBody, true: Pairs, rows: dict[str, torch.Tensor]):
    broken = true.vertices[:2].clone()
    broken[1, 0, 100, 2] = torch.nan
    for name, values in penetration_rows(body.surface, broken).items():
        assert values.isnan().tolist() == [False, True]
        torch.testing.assert_close(values[0], rows[name][0], rtol=1e-5, atol=1e-3)


def test_a_mesh_that_exploded_gets_wider_cells_not_all_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(penetration_metrics, "MOST_CELLS", 20_000)
    vertices, faces = shape(trimesh.creation.icosphere(subdivisions=4, radius=50.0))
    found = penetration_volume_cm3(closed_surface(vertices, faces), apart(vertices, (0, 0, 0)))
    assert float(found) == pytest.approx(lens_cm3(50.0, 0.0), rel=0.03)


def test_no_pairs_give_no_rows(body: AnnyBody, true: Pairs):
    assert all(values.shape == (0,) for values in penetration_rows(body.surface, true.vertices[:0]).values())
