"""What touches what in two meshes: every region pair by brute force, its invariances, and a case by hand."""

import math

import igl
import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, Surface, default_parameters
from apu.contact.distance import region_of_face
from apu.contact.measured import TOUCHING_M, TOUCHING_WIDE_M, MeasuredContact, measure_contacts

CLEAR_M = 1e-5
"""Float32 and the libraries agree better than this."""


@pytest.fixture(scope="module")
def vertices(body: AnnyBody) -> torch.Tensor:
    """(3, 2, v, 3): face to face with trunks in each other, side by side with arms in touch, and out of reach."""
    parameters = default_parameters(body.parameter_spec, (3, 2))
    generator = torch.Generator().manual_seed(5)
    parameters["pose"] += 0.2 * torch.randn(parameters["pose"].shape, generator=generator)
    parameters["orientation"][0, 1, 1] = math.pi
    parameters["translation"][:, 1] += torch.tensor([[0.02, 0.0, -0.24], [0.42, 0.0, 0.03], [3.0, 0.0, 0.0]])
    result = body.forward(parameters, Parts(vertices="all")).vertices
    assert result is not None
    return result


@pytest.fixture(scope="module")
def measured(body: AnnyBody, vertices: torch.Tensor) -> list[tuple[MeasuredContact, ...]]:
    return measure_contacts(body.surface, vertices)


def by_regions(contacts: tuple[MeasuredContact, ...]) -> dict[tuple[str, str], float]:
    return {(c.region_a, c.region_b): c.distance_m for c in contacts}


def all_by_libigl(surface: Surface, pair: torch.Tensor) -> np.ndarray:
    """(75, 75) region distances: every vertex of one body against the triangles of each region of the other."""
    points, face_region = pair.double().numpy(), region_of_face(surface).numpy()
    own, faces = surface.region_of_vertex.numpy(), surface.faces.numpy()
    out = np.full((75, 75), np.inf)
    for mine, other, rows in ((0, 1, out.T), (1, 0, out)):  # a row: one region's triangles
        for region, row in enumerate(rows):
            squared = igl.point_mesh_squared_distance(points[mine], points[other], faces[face_region == region])[0]
            np.minimum.at(row, own, np.sqrt(squared))
    return out


def assert_same(found: dict[tuple[str, str], float], expected: dict[tuple[str, str], float], within_m: float) -> None:
    """The same pairs at the same distances; only what lies on the threshold may be there or not."""
    clear = within_m - CLEAR_M
    assert {k for k, d in found.items() if d < clear} == {k for k, d in expected.items() if d < clear}
    for key in found.keys() & expected.keys():
        assert found[key] == pytest.approx(expected[key], abs=CLEAR_M), key


def test_of_all_75_by_75_region_pairs_it_finds_those_that_libigl_finds(body: AnnyBody, vertices, measured):
    names = list(body.surface.region_names)
    for i, at_least in ((0, 20), (1, 3)):
        distance = all_by_libigl(body.surface, vertices[i])
        near = zip(*np.nonzero(distance <= TOUCHING_WIDE_M), strict=True)
        expected = {(names[a], names[b]): float(distance[a, b]) for a, b in near}
        assert len(expected) >= at_least
        assert_same(by_regions(measured[i]), expected, TOUCHING_WIDE_M)


def test_swapped_people_have_the_transposed_contacts(body: AnnyBody, vertices, measured):
    for straight, swapped in zip(measured, measure_contacts(body.surface, vertices.flip(1)), strict=True):
        back = {(a, b): d for (b, a), d in by_regions(swapped).items()}
        assert_same(by_regions(straight), back, TOUCHING_WIDE_M)


def test_a_rigid_motion_of_both_changes_nothing(body: AnnyBody, vertices, measured):
    rotation = roma.rotvec_to_rotmat(torch.tensor([0.7, -1.1, 0.4]))
    moved = vertices @ rotation.T + torch.tensor([1.0, -2.0, 4.0])
    for here, there in zip(measured, measure_contacts(body.surface, moved), strict=True):
        assert_same(by_regions(here), by_regions(there), TOUCHING_WIDE_M)


@pytest.mark.parametrize("within_m", [0.003, TOUCHING_M])
def test_a_smaller_threshold_gives_the_nearer_ones_of_a_larger(body: AnnyBody, vertices, measured, within_m: float):
    for fewer, more in zip(measure_contacts(body.surface, vertices, within_m), measured, strict=True):
        nearer = {key: d for key, d in by_regions(more).items() if d <= within_m}
        assert_same(by_regions(fewer), nearer, within_m)


def test_they_come_nearest_first_and_each_region_pair_once(measured):
    for contacts in measured:
        assert [c.distance_m for c in contacts] == sorted(c.distance_m for c in contacts)
        assert len(by_regions(contacts)) == len(contacts)


def test_a_pair_has_the_contacts_that_it_has_alone(body: AnnyBody, vertices, measured):
    for i, together in enumerate(measured):
        (alone,) = measure_contacts(body.surface, vertices[i : i + 1])
        assert_same(by_regions(together), by_regions(alone), TOUCHING_WIDE_M)


def test_people_out_of_reach_touch_nowhere(body: AnnyBody, vertices, measured):
    assert measured[2] == ()
    assert measure_contacts(body.surface, vertices[2:].expand(2, -1, -1, -1)) == [(), ()]


def test_two_patches_five_millimetres_apart_are_measured_as_such():
    left = torch.tensor([[0.0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], dtype=torch.float64)
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])
    body = torch.cat([left, left + torch.tensor([5.0, 0, 0])])
    names = ("left_hand_palm", "right_hand_palm")
    surface = Surface(faces, faces, body, torch.tensor([0, 0, 0, 1, 1, 1]), names)
    other = body + torch.tensor([0.01, 0.01, 0.005])  # moved within the planes: the gap stays 5 mm
    other[3:, 2] += 0.004  # the right one lies 9 mm away
    pair = torch.stack([body, other])[None]
    (found,) = measure_contacts(surface, pair)
    assert [(c.region_a, c.region_b) for c in found] == [(n, n) for n in names]
    np.testing.assert_allclose([c.distance_m for c in found], [0.005, 0.009], atol=2e-6)
    assert [c.region_a for c in measure_contacts(surface, pair, 0.006)[0]] == ["left_hand_palm"]
    assert measure_contacts(surface, pair, 0.004) == [()]
