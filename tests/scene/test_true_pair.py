"""The contact map of a true pair: what was measured, within a threshold."""

import pytest
import torch

from apu.contact.measured import TOUCHING_M, TOUCHING_WIDE_M, MeasuredContact
from apu.scene.true_pair import TruePair

MEASURED = (
    MeasuredContact("left_hand_palm", "right_upper_back", 0.0),
    MeasuredContact("left_hand_palm", "right_shoulder_blade", TOUCHING_M),
    MeasuredContact("left_hand_palm", "left_hand_palm", 0.0101),
    MeasuredContact("pelvis_front", "pelvis_front", TOUCHING_WIDE_M),
)


@pytest.fixture
def pair() -> TruePair:
    return TruePair(
        "train-1-hug-00000-00", "hug", "seen", "train", ("density", "analytic"), "stub-1",
        {"pose": torch.zeros(2, 3)}, MEASURED, (), 0.0, 1,
    )  # fmt: skip


@pytest.mark.parametrize(("within_m", "count"), [(0.0, 1), (TOUCHING_M, 2), (0.012, 3), (TOUCHING_WIDE_M, 4)])
def test_the_map_has_what_lies_within_the_threshold_in_the_measured_order(pair: TruePair, within_m: float, count: int):
    found = pair.contact_map(within_m)
    assert [(c.regions_a, c.regions_b) for c in found.contacts] == [
        (frozenset({c.region_a}), frozenset({c.region_b})) for c in MEASURED[:count]
    ]


def test_the_map_is_that_of_the_narrower_threshold_unless_another_is_asked_for(pair: TruePair):
    assert pair.contact_map() == pair.contact_map(TOUCHING_M)
    assert len(pair.contact_map().contacts) == 2


def test_the_map_is_certain_and_says_that_it_is_the_truth(pair: TruePair):
    found = pair.contact_map()
    assert {found.source, *(c.source for c in found.contacts)} == {"truth"}
    assert {c.weight for c in found.contacts} == {1.0}


def test_a_pair_without_measured_contacts_has_an_empty_map(pair: TruePair):
    assert pair.contact_map(-1.0).contacts == ()
