"""Contacts are doubted by how far apart they lie in the picture, and by nothing else. Cases of bodies of 4 vertices."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apu.body.anny import AnnyBody
from apu.body.protocol import Surface
from apu.body.region_samples import sample_regions
from apu.contact.contact import CERTAIN, Contact, ContactMap
from apu.unite.plausible import LEAST_TRUST, distances_across, plausible

F64 = torch.float64
PALM, BACK = frozenset({"left_hand_palm"}), frozenset({"right_upper_back"})
REST = torch.tensor([[0.0, 0, 0], [0.2, 0, 0], [1.0, 0, 0], [1.2, 0, 0]], dtype=F64)
SURFACE = Surface(
    torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([[0, 1, 2], [1, 2, 3]]), REST, torch.tensor([0, 0, 1, 1]),
    ("left_hand_palm", "right_upper_back"),
)  # fmt: skip
"""Vertices 0 and 1 are the palm, 2 and 3 the back, a metre aside."""
SAMPLES = sample_regions(SURFACE)


def one(source: str = "gpt", weight: float = 1.0, a: frozenset[str] = PALM, b: frozenset[str] = BACK) -> ContactMap:
    return ContactMap((Contact(a, b, weight, source),), source)


def bodies(shift: tuple[float, float] = (0.0, 0.0), depths: tuple[float, float] = (3.0, 3.0)) -> torch.Tensor:
    """(2, 4, 3) B's back lies before A's palm at `shift`, metres at depth 1, each body at a depth of its own."""
    flat = torch.stack([REST, REST - REST[2]])[..., :2] / 3
    flat[1] += torch.tensor(shift, dtype=F64)
    depth = torch.tensor(depths, dtype=F64)[:, None, None].expand(2, 4, 1)
    return torch.cat([flat * depth, depth], -1)


def across(vertices: torch.Tensor, contacts: ContactMap) -> list[float]:
    return distances_across(SURFACE, SAMPLES, vertices, contacts).tolist()


@given(near=st.floats(0.7, 20), far=st.floats(0.7, 20))
def test_regions_at_one_place_of_the_picture_keep_their_weight_however_deep_the_bodies_are(near: float, far: float):
    contacts = one(weight=0.7)
    distance = across(bodies(depths=(near, far)), contacts)
    assert distance == pytest.approx([0.0], abs=1e-12)
    used, trust = plausible(contacts, distance, 0.06)
    assert trust == pytest.approx((1.0,), abs=1e-9)
    assert used.contacts[0].weight == pytest.approx(0.7, abs=1e-9)


def test_the_distance_is_that_at_the_mean_depth():
    shift = (0.0, 0.02)  # straight down, so that the nearest vertices stay the same
    assert across(bodies(shift, (2.0, 4.0)), one()) == pytest.approx([0.02 * 3.0])


def test_only_the_named_regions_count():
    aside = one(a=BACK, b=PALM)  # A's back lies a metre to the one side, B's palm to the other
    assert across(bodies(), aside) == pytest.approx([1.8])
    both = one(a=PALM | BACK, b=BACK)
    assert across(bodies(), both) == pytest.approx([0.0], abs=1e-12)


@given(scale=st.floats(0.2, 5), depths=st.tuples(st.floats(1, 6), st.floats(1, 6)))
def test_a_scene_of_another_scale_is_doubted_at_that_scale(scale: float, depths: tuple[float, float]):
    vertices = bodies((0.03, 0.01), depths)
    assert across(scale * vertices, one())[0] == pytest.approx(scale * across(vertices, one())[0])


@given(shift=st.floats(-0.5, 0.5))
def test_moving_people_along_their_rays_changes_nothing_while_the_mean_depth_stays(shift: float):
    still, moved = bodies((0.03, 0.01), (3.0, 3.0)), bodies((0.03, 0.01), (3.0 + shift, 3.0 - shift))
    assert across(moved, one()) == pytest.approx(across(still, one()))


def test_swapping_the_people_and_the_map_changes_nothing():
    vertices = bodies((0.03, 0.02), (2.0, 3.0))
    contacts = ContactMap((*one().contacts, *one(a=BACK).contacts), "gpt")
    assert across(vertices.flip(0), contacts.swapped()) == pytest.approx(across(vertices, contacts))


def test_on_a_real_body_touching_places_are_near_and_back_and_foot_are_far(body: AnnyBody):
    person = body.surface.rest_vertices + torch.tensor([0.0, 0.0, 3.0])
    contacts = ContactMap(
        (
            Contact(frozenset({"left_elbow_back"}), frozenset({"left_elbow_back"}), source="gpt"),
            Contact(frozenset({"left_upper_back"}), frozenset({"right_foot_sole"}), source="gpt"),
        ),
        "gpt",
    )
    found = distances_across(body.surface, sample_regions(body.surface), torch.stack([person, 1.3 * person]), contacts)
    assert float(found[0]) < 1e-6
    assert float(found[1]) > 1.0


def test_far_contacts_are_not_used_and_near_ones_lose_the_share_of_a_gaussian():
    contacts = ContactMap((*one(weight=0.5).contacts, *one(a=BACK).contacts, *one(b=PALM).contacts), "gpt")
    used, trust = plausible(contacts, (0.06, 1.0, 0.0), 0.06)
    assert trust == pytest.approx((math.exp(-0.5), 0.0, 1.0))
    assert [c.regions_a for c in used.contacts] == [PALM, PALM]
    assert [c.weight for c in used.contacts] == pytest.approx([0.5 * math.exp(-0.5), 1.0])


def test_a_contact_is_dropped_where_its_share_falls_below_the_least():
    limit = 0.06 * math.sqrt(-2 * math.log(LEAST_TRUST))
    assert plausible(one(), (limit - 1e-6,), 0.06)[1] == pytest.approx((LEAST_TRUST,), abs=1e-4)
    assert plausible(one(), (limit + 1e-6,), 0.06) == (ContactMap((), "gpt"), (0.0,))


def test_whether_a_contact_is_dropped_does_not_depend_on_its_own_weight():
    light, heavy = (plausible(one(weight=w), (0.1,), 0.06) for w in (0.01, 1.0))
    assert light[1] == heavy[1]
    assert light[0].contacts[0].weight == pytest.approx(0.01 * heavy[0].contacts[0].weight)


@pytest.mark.parametrize("source", sorted(CERTAIN))
def test_certain_sources_are_never_doubted(source: str):
    contacts = one(source, 0.8)
    assert plausible(contacts, (5.0,), 0.06) == (contacts, (1.0,))


def test_the_source_is_that_of_each_contact_not_of_the_map():
    mixed = ContactMap((*one("annotation").contacts, *one("gpt").contacts), "annotation")
    assert plausible(mixed, (5.0, 5.0), 0.06)[1] == (1.0, 0.0)


def test_an_empty_map_stays_empty():
    empty = ContactMap((), "gpt")
    assert distances_across(SURFACE, SAMPLES, bodies(), empty).shape == (0,)
    assert plausible(empty, (), 0.06) == (empty, ())
