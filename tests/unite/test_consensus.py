"""Contacts that agree on the depth between two people keep their weight; one that wants another depth loses it."""

import pytest
import torch

from apu.body.protocol import Surface
from apu.body.region_samples import sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.unite.consensus import LEAST_SHARE, agreeing, distances_after_moves, moves

NAMES = ("left_hand_palm", "right_hand_palm", "left_upper_back", "right_upper_back")
PLACES = torch.tensor([[0.0, 0.0, 3.0], [0.1, 0.0, 3.0], [0.2, 0.0, 3.0], [0.3, 0.0, 3.3]])


@pytest.fixture
def surface() -> Surface:
    """A body of four points, each a region of its own."""
    faces = torch.tensor([[0, 1, 2], [1, 2, 3]])
    return Surface(faces, faces, PLACES, torch.arange(4), NAMES)


def contact(a: int, b: int, weight: float = 1.0, source: str = "simulated") -> Contact:
    return Contact(frozenset({NAMES[a]}), frozenset({NAMES[b]}), weight, source)


def pair(deeper: float) -> torch.Tensor:
    """A, and the same body seen at the same pixels but deeper, by so many metres of its mean depth."""
    return torch.stack([PLACES, PLACES * (1 + deeper / PLACES[:, 2].mean())])


def told(*contacts: Contact) -> ContactMap:
    return ContactMap(contacts, "simulated")


def test_moves_are_symmetric_and_hold_standing_still():
    assert torch.equal(moves(), -moves().flip(0))
    assert 0.0 in moves().tolist()
    assert moves().max() == pytest.approx(0.8)


def test_distances_are_those_of_the_moved_body(surface: Surface):
    shift = torch.tensor([0.0, -0.3, 0.2])
    found = distances_after_moves(
        surface, sample_regions(surface), pair(0.3), told(contact(0, 0), contact(3, 1)), shift
    )
    for row, one in zip(found, shift.tolist(), strict=True):
        b = pair(0.3)[1] * (1 + one / float(pair(0.3)[1, :, 2].mean()))
        expected = [float((PLACES[i] - b[j]).norm()) for i, j in ((0, 0), (3, 1))]
        assert row.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_contact_that_wants_another_depth_loses_its_weight(surface: Surface):
    """Three want B 30 cm nearer; the fourth, of regions that lie one behind the other, wants it where it is."""
    wrong = Contact(frozenset({NAMES[3]}), frozenset({NAMES[2]}), 1.0, "simulated")
    vertices = pair(0.3)
    vertices[1, 2] = vertices[0, 3]
    given = told(contact(0, 0), contact(1, 1), contact(3, 3), wrong)
    kept = agreeing(surface, sample_regions(surface), vertices, given)
    weights = [one.weight for one in kept.contacts]
    assert min(weights[:3]) > 0.9
    assert weights[3] == pytest.approx(LEAST_SHARE)


def test_two_contacts_and_certain_ones_stay_as_they_are(surface: Surface):
    few = told(contact(0, 0), contact(1, 3))
    assert agreeing(surface, sample_regions(surface), pair(0.3), few) == few
    sure = told(*(contact(0, b, source="truth") for b in (0, 1, 3)))
    assert agreeing(surface, sample_regions(surface), pair(0.3), sure) == sure
