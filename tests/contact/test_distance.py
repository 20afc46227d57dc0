"""Region distance: its definition by brute force, its invariances, and its gradient."""

import itertools

import igl
import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances, region_of_face

MAP = ContactMap(
    (
        Contact(frozenset({"left_hand_palm", "left_fingers_palm"}), frozenset({"right_upper_back"})),
        Contact(frozenset({"right_head_front"}), frozenset({"left_head_back"})),
        Contact(frozenset({"pelvis_front"}), frozenset({"left_foot_sole", "right_foot_sole", "left_foot_top"})),
    ),
    "annotation",
)


@pytest.fixture(scope="module")
def vertices(body: AnnyBody) -> torch.Tensor:
    """(2, 2, v, 3): two pairs of bodies, some distance apart."""
    parameters = default_parameters(body.parameter_spec, (2, 2))
    generator = torch.Generator().manual_seed(3)
    parameters["pose"] += 0.2 * torch.randn(parameters["pose"].shape, generator=generator)
    parameters["translation"] += torch.tensor([[[0.0, 0, 0], [0.4, 0.1, 0.3]], [[5.0, 0, 1], [5.3, 0, 1.4]]])
    result = body.forward(parameters, Parts(vertices="all")).vertices
    assert result is not None
    return result


def brute_force(body: AnnyBody, pair: torch.Tensor, contact: Contact) -> float:
    """The definition, literally, by libigl's point to mesh distance."""
    surface = body.surface
    names = list(surface.region_names)
    face_region = region_of_face(surface)
    points = pair.double().numpy()
    sets = [[names.index(n) for n in regions] for regions in (contact.regions_a, contact.regions_b)]
    ways = []
    for mine, other in ((0, 1), (1, 0)):
        chosen = np.flatnonzero(np.isin(surface.region_of_vertex.numpy(), sets[mine]))
        faces = surface.faces.numpy()[np.isin(face_region.numpy(), sets[other])]
        ways.append(igl.point_mesh_squared_distance(points[mine][chosen], points[other], faces)[0].min())
    return float(np.sqrt(min(ways)))


def test_it_is_the_smallest_vertex_to_triangle_distance_both_ways(body: AnnyBody, vertices: torch.Tensor):
    found = ContactDistances(body.surface, [MAP, MAP]).smallest(vertices)
    expected = [brute_force(body, pair, contact) for pair, contact in itertools.product(vertices, MAP.contacts)]
    np.testing.assert_allclose(found, expected, atol=5e-6)


def test_a_triangle_belongs_to_the_region_of_two_of_its_vertices_else_of_its_first(body: AnnyBody):
    regions = body.surface.region_of_vertex[body.surface.faces].tolist()
    for (a, b, c), found in zip(regions, region_of_face(body.surface).tolist(), strict=True):
        expected = b if b == c and a != b else a
        assert found == expected


def test_swapping_the_people_changes_nothing(body: AnnyBody, vertices: torch.Tensor):
    straight = ContactDistances(body.surface, [MAP, MAP]).smallest(vertices)
    swapped = ContactDistances(body.surface, [MAP.swapped()] * 2).smallest(vertices.flip(1))
    torch.testing.assert_close(straight, swapped, atol=1e-6, rtol=0)


def test_moving_both_people_together_changes_nothing(body: AnnyBody, vertices: torch.Tensor):
    distances = ContactDistances(body.surface, [MAP, MAP])
    here = distances.smallest(vertices)
    there = distances.smallest(vertices + torch.tensor([1.0, -2.0, 0.5]))
    torch.testing.assert_close(here, there, atol=2e-6, rtol=0)


def test_a_short_reach_leaves_out_the_far_vertices_and_only_those(body: AnnyBody, vertices: torch.Tensor):
    distances = ContactDistances(body.surface, [MAP, MAP])
    everything = distances.of_points(vertices)
    smallest = torch.zeros(everything.tasks).scatter_reduce(
        0, everything.task, everything.distance_m, "amin", include_self=False
    )
    reach = smallest + 0.02
    near = everything.distance_m < reach[everything.task]
    assert 0 < int(near.sum()) < len(near)
    some = distances.held(vertices, distances.nearest(vertices, reach))
    torch.testing.assert_close(some.distance_m, everything.distance_m[near], atol=1e-6, rtol=0)
    assert torch.equal(some.task, everything.task[near])


def test_places_that_are_held_bound_the_distances_after_a_move(body: AnnyBody, vertices: torch.Tensor):
    distances = ContactDistances(body.surface, [MAP, MAP])
    places = distances.nearest(vertices)
    generator = torch.Generator().manual_seed(0)
    moved = vertices + 0.003 * torch.randn(2, 2, 1, 3, generator=generator)
    held, fresh = distances.held(moved, places), distances.of_points(moved)
    assert bool((held.distance_m >= fresh.distance_m - 1e-6).all())
    torch.testing.assert_close(held.distance_m, fresh.distance_m, atol=5e-3, rtol=0)


def test_pairs_without_contacts_have_no_distances(body: AnnyBody, vertices: torch.Tensor):
    empty = ContactMap((), "annotation")
    distances = ContactDistances(body.surface, [empty, empty])
    assert distances.smallest(vertices).shape == (0,)
    mixed = ContactDistances(body.surface, [empty, MAP])
    assert mixed.pair_of_contact.tolist() == [1, 1, 1]
    full = ContactDistances(body.surface, [MAP, MAP]).smallest(vertices)
    torch.testing.assert_close(mixed.smallest(vertices), full[3:], atol=1e-6, rtol=0)


def test_the_gradient_draws_two_regions_together(body: AnnyBody, vertices: torch.Tensor):
    distances = ContactDistances(body.surface, [MAP, MAP])
    moving = vertices.clone().requires_grad_()
    distances.of_points(moving).distance_m.sum().backward()
    assert moving.grad is not None
    nearer = distances.of_points(vertices - 1e-3 * moving.grad).distance_m.sum()
    assert float(nearer) < float(distances.of_points(vertices).distance_m.sum())
