"""Contacts on samples and at full resolution tell the same story, and padding tells none."""

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.region_samples import sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.unite.contact_terms import FullContacts, SampledContacts
from apu.unite.weights import Reach

REACH = Reach(0.2, 0.2)

HANDS = ContactMap((Contact(frozenset({"left_hand_palm"}), frozenset({"right_hand_palm", "right_fingers_palm"})),), "x")
TWO = ContactMap(
    (*HANDS.contacts, Contact(frozenset({"left_upper_arm_front"}), frozenset({"right_shoulder_front"}))), "x"
)
NOTHING = ContactMap((), "x")


@pytest.fixture(scope="module")
def vertices(pair) -> torch.Tensor:
    """(1, 2, v, 3)"""
    return pair.vertices[None]


def test_samples_and_full_resolution_agree_within_the_samples_spacing(body: AnnyBody, vertices: torch.Tensor):
    samples = sample_regions(body.surface)
    coarse = SampledContacts(body.surface, samples, [TWO])(vertices[:, :, samples.vertices], 1e-3, Reach(10.0, 10.0))
    full = FullContacts(body.surface, [TWO])(vertices, 1e-3, Reach(10.0, 10.0))
    assert float(full) > 1e-3
    assert float(coarse.sqrt()) == pytest.approx(float(full.sqrt()), abs=0.03)


@pytest.mark.parametrize("term", ["sampled", "full"])
def test_a_pair_costs_the_same_beside_pairs_with_more_or_no_contacts(body: AnnyBody, vertices: torch.Tensor, term: str):
    samples = sample_regions(body.surface)

    def cost(maps: list[ContactMap]) -> torch.Tensor:
        many = vertices.expand(len(maps), -1, -1, -1)
        if term == "full":
            return FullContacts(body.surface, maps)(many, 0.01, REACH)
        return SampledContacts(body.surface, samples, maps)(many[:, :, samples.vertices], 0.01, REACH)

    alone, batch = cost([HANDS]), cost([TWO, HANDS, NOTHING])
    torch.testing.assert_close(batch[1], alone[0], rtol=1e-4, atol=1e-7)
    assert float(batch[2]) == 0.0


def test_no_contacts_at_all_cost_nothing(body: AnnyBody, vertices: torch.Tensor):
    samples = sample_regions(body.surface)
    assert SampledContacts(body.surface, samples, [NOTHING])(
        vertices[:, :, samples.vertices], 0.01, REACH
    ).tolist() == [0.0]
    assert FullContacts(body.surface, [NOTHING])(vertices, 0.01, REACH).tolist() == [0.0]


def test_looking_only_at_near_vertices_changes_little(body: AnnyBody, vertices: torch.Tensor):
    term = FullContacts(body.surface, [TWO])
    first = term(vertices, 0.005, REACH)
    fresh = FullContacts(body.surface, [TWO])(vertices, 0.005, REACH)
    torch.testing.assert_close(term(vertices, 0.005, REACH), first)
    torch.testing.assert_close(first, fresh)
    everything = FullContacts(body.surface, [TWO])
    everything._near = everything._distances.nearest(vertices)
    everything._calls = 1
    torch.testing.assert_close(everything(vertices, 0.005, REACH), first, rtol=2e-3, atol=1e-7)


def test_every_region_has_its_samples_and_they_are_its_own(body: AnnyBody):
    samples = sample_regions(body.surface, 16)
    region = body.surface.region_of_vertex
    assert bool(samples.filled.any(1).all())
    for r in range(len(samples.rows)):
        mine = samples.vertices[samples.rows[r][samples.filled[r]]]
        assert set(region[mine].tolist()) == {r}
        assert len(set(mine.tolist())) == len(mine)
