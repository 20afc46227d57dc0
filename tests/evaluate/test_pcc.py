"""Percentage of correct contacts, by hand on two triangles and against measured distances on bodies."""

import igl
import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import region_of_face
from apu.evaluate.pcc import (
    FIELD_RADII_M,
    pcc_field_average_percent,
    pcc_percent,
    pcc_rows,
    sampled_vertices,
)

from .conftest import Pairs

LEFT, RIGHT = frozenset({"left_hand_palm"}), frozenset({"right_hand_palm"})
BOTH = ContactMap((Contact(LEFT, LEFT), Contact(RIGHT, RIGHT)), "truth")
NONE = ContactMap((), "truth")


def palms(surface: Surface, left_m: float, right_m: float) -> torch.Tensor:
    """(1, 2, 6, 3): B's left palm so far from A's, and B's right palm from A's."""
    other = surface.rest_vertices.clone()
    other[:3, 2] += left_m
    other[3:, 2] += right_m
    return torch.stack([surface.rest_vertices, other])[None]


def test_by_hand_palms_3_and_12_cm_apart(two_triangles: Surface):
    pair = palms(two_triangles, 0.03, 0.12)
    found = pcc_percent(two_triangles, [BOTH], pair)
    assert found.tolist() == [[0.0, 50.0, 50.0, 100.0]]
    # 3 cm is less than 19 of the radii 0, 5, ..., 95 cm, and 12 cm than 17
    assert pcc_field_average_percent(two_triangles, [BOTH], pair).tolist() == [90.0]
    assert {name: float(values) for name, values in pcc_rows(two_triangles, [BOTH], pair).items()} == {
        "pcc_2cm_percent": 0.0,
        "pcc_5cm_percent": 50.0,
        "pcc_10cm_percent": 50.0,
        "pcc_20cm_percent": 100.0,
        "pcc_field_average_percent": 90.0,
    }


def test_the_fields_variant_is_strict_so_touching_palms_do_not_count_at_radius_zero(two_triangles: Surface):
    touching = palms(two_triangles, 0.0, FIELD_RADII_M[1])
    assert FIELD_RADII_M[0] == 0
    assert len(FIELD_RADII_M) == 20
    assert abs(FIELD_RADII_M[-1] - 0.95) < 1e-12
    assert pcc_field_average_percent(two_triangles, [BOTH], touching).tolist() == [100 * (19 + 18) / 40]


def test_between_vertices_only_the_exact_distance_is_small(two_triangles: Surface):
    pair = palms(two_triangles, 0.0, 0.0)
    pair[0, 1] += torch.tensor([0.03, 0.03, 0.01])  # B's corner above the middle of A's triangle
    assert pcc_percent(two_triangles, [BOTH], pair, [0.015]).tolist() == [[100.0]]
    nearest_vertex = (2 * 0.03**2 + 0.01**2) ** 0.5
    assert pcc_percent(two_triangles, [BOTH], pair, [nearest_vertex - 1e-3]).tolist() == [[100.0]]
    assert pcc_field_average_percent(two_triangles, [BOTH], pair).tolist() == [95.0]


def test_pairs_without_true_contacts_or_with_broken_meshes_are_nan_and_leave_the_others_alone(two_triangles: Surface):
    pairs = palms(two_triangles, 0.03, 0.12).repeat(3, 1, 1, 1)
    pairs[2, 0, 0, 0] = torch.nan
    maps = [NONE, BOTH, BOTH]
    assert pcc_percent(two_triangles, maps, pairs).isnan().all(1).tolist() == [True, False, True]
    assert pcc_percent(two_triangles, maps, pairs)[1].tolist() == [0.0, 50.0, 50.0, 100.0]
    average = pcc_field_average_percent(two_triangles, maps, pairs)
    assert average.isnan().tolist() == [True, False, True]
    assert float(average[1]) == 90.0
    assert pcc_percent(two_triangles, [], pairs[:0]).shape == (0, 4)
    assert pcc_field_average_percent(two_triangles, [], pairs[:0]).shape == (0,)


def near_contacts(body: AnnyBody, pair: torch.Tensor, count: int = 30) -> list[tuple[int, int]]:
    """The region pairs whose middles are nearest to each other."""
    region = body.surface.region_of_vertex
    a, b = (torch.stack([one[region == r].mean(0) for r in range(75)]) for one in pair)
    return [(n // 75, n % 75) for n in torch.cdist(a, b).flatten().argsort()[:count].tolist()]


def as_map(body: AnnyBody, contacts: list[tuple[int, int]]) -> ContactMap:
    names = body.surface.region_names
    return ContactMap(tuple(Contact(frozenset({names[a]}), frozenset({names[b]})) for a, b in contacts), "truth")


def region_distance(body: AnnyBody, pair: torch.Tensor, contact: tuple[int, int]) -> float:
    """By libigl, both ways."""
    of_vertex, of_face = body.surface.region_of_vertex.numpy(), region_of_face(body.surface).numpy()
    ways = []
    for mine, other in ((0, 1), (1, 0)):
        vertices = pair[mine].double().numpy()[of_vertex == contact[mine]]
        faces = body.surface.faces.numpy()[of_face == contact[other]]
        ways.append(igl.point_mesh_squared_distance(vertices, pair[other].double().numpy(), faces)[0].min())
    return float(np.sqrt(min(ways)))


def test_on_bodies_it_counts_the_region_distances_of_libigl(body: AnnyBody, true: Pairs, predicted: Pairs):
    contacts = near_contacts(body, true.vertices[0])
    moved = predicted.vertices[:1]
    distances = np.array([region_distance(body, moved[0], contact) for contact in contacts])
    radii = [0.02, 0.05, 0.10, 0.20]
    assert np.abs(distances[:, None] - radii).min() > 1e-5  # no contact on the edge of a radius
    expected = [100 * float((distances <= radius).mean()) for radius in radii]
    assert 0 < expected[0] < expected[2] < 100
    found = pcc_percent(body.surface, [as_map(body, contacts)], moved)[0]
    np.testing.assert_allclose(found, expected)


def test_the_fields_variant_on_bodies_is_the_smallest_distance_of_the_sampled_vertices(
    body: AnnyBody, true: Pairs, predicted: Pairs
):
    samples = sampled_vertices(body.surface, 0)
    contacts = near_contacts(body, true.vertices[0])
    a, b = predicted.vertices[0].double()
    shares = []
    for of_a, of_b in contacts:
        least = min(float((x - y).norm()) for x in a[samples[of_a]] for y in b[samples[of_b]])
        shares.append(sum(least < 0.05 * i for i in range(20)) / 20)
    found = pcc_field_average_percent(body.surface, [as_map(body, contacts)], predicted.vertices[:1])
    assert abs(float(found) - 100 * sum(shares) / len(shares)) < 1e-9


def test_samples_are_five_different_vertices_of_their_region_and_follow_the_seed(body: AnnyBody):
    samples = sampled_vertices(body.surface, 0)
    assert samples.shape == (75, 5)
    for region, row in enumerate(samples.tolist()):
        assert len(set(row)) == 5
        assert {int(body.surface.region_of_vertex[v]) for v in row} == {region}
    sampled_vertices.cache_clear()
    assert torch.equal(sampled_vertices(body.surface, 0), samples)
    assert not torch.equal(sampled_vertices(body.surface, 1), samples)


def test_a_contact_of_whole_parts_is_met_by_its_nearest_regions(two_triangles: Surface):
    pair = palms(two_triangles, 0.03, 0.12)
    whole = [ContactMap((Contact(LEFT | RIGHT, LEFT | RIGHT),), "annotation")]
    assert pcc_percent(two_triangles, whole, pair).tolist() == [[0.0, 100.0, 100.0, 100.0]]
    assert pcc_field_average_percent(two_triangles, whole, pair).tolist() == [95.0]
