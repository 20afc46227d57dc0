"""Ends of contacts and named contacts: sides in words, and what they become."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.body.region_names import REGION_NAMES, mirrored
from apu.contact.contact import Contact
from apu.contact.end import END_SIDES, End, end_of_region, is_paired
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.parts import OTHER_PARTS, PARTS, part_regions, regions_of
from apu.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

ends = st.builds(End, st.sampled_from([*PARTS, *OTHER_PARTS]), st.sampled_from(END_SIDES))
named = st.builds(NamedContact, ends, ends, st.floats(0.01, 1.0), st.sampled_from(["m", "n"]))

HANDS_L, HANDS_R = part_regions("hand", "left"), part_regions("hand", "right")
BACK = part_regions("back", "none")


def said(a: str, side_a: str, b: str, side_b: str, weight: float = 1.0) -> NamedContact:
    return NamedContact(End(a, side_a), End(b, side_b), weight, "model")


def regions(contact: NamedContact) -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(c.regions_a, c.regions_b) for c in contact.contacts()]


@given(ends)
def test_flipping_an_end_mirrors_its_regions_and_undoes_itself(end: End):
    assert end.flipped().regions == {mirrored(region) for region in end.regions}
    assert end.flipped().flipped() == end


@given(ends)
def test_a_label_is_understood_as_the_same_regions(end: End):
    assert regions_of(end.label)[0] == end.regions


@given(ends)
def test_what_is_meant_has_the_same_regions_and_fits_the_part(end: End):
    meant = end.meant
    assert meant.regions == end.regions
    assert meant.meant == meant
    assert meant.side in ({"left", "right", "both", "unknown"} if end.paired else {"left", "right", "none"})
    assert end.sided == meant.sided


@pytest.mark.parametrize(
    ("end", "sides", "label"),
    [
        (End("hand", "left"), ("left",), "left hand"),
        (End("hand", "unknown"), ("left", "right"), "hand"),
        (End("hand", "none"), ("left", "right"), "hand"),
        (End("hand", "both"), ("left", "right"), "both hands"),
        (End("back", "none"), ("none",), "back"),
        (End("back", "both"), ("none",), "back"),
        (End("back", "unknown"), ("none",), "back"),
        (End("back", "right"), ("right",), "right back"),
    ],
)
def test_the_single_sides_that_an_end_may_be_on(end: End, sides: tuple[str, ...], label: str):
    assert (end.sides, end.label) == (sides, label)


def test_every_region_has_its_part_and_side():
    for region in REGION_NAMES:
        end = end_of_region(region)
        assert region in end.regions
        assert end.sided == is_paired(end.part)


@pytest.mark.parametrize(("part", "side", "expected"), [("hnd", "left", "hand"), ("hand", "lft", "left, right, both")])
def test_unknown_words_are_refused_with_what_was_expected(part: str, side: str, expected: str):
    with pytest.raises(InputError, match=expected):
        End(part, side)


@pytest.mark.parametrize("weight", [0.0, -1.0, 1.1, math.nan, math.inf])
def test_a_weight_out_of_range_is_refused_with_the_contact_named(weight: float):
    with pytest.raises(InputError, match="left hand - back"):
        said("hand", "left", "back", "none", weight)


@given(named)
def test_swapping_and_mirroring_undo_themselves_and_commute(contact: NamedContact):
    assert contact.swapped().swapped() == contact
    assert contact.mirrored().mirrored() == contact
    assert contact.swapped().mirrored() == contact.mirrored().swapped()


@given(named)
def test_swapping_exchanges_the_regions_of_all_contacts(contact: NamedContact):
    assert set(regions(contact.swapped())) == {(b, a) for a, b in regions(contact)}


@given(named)
def test_mirroring_mirrors_the_regions_of_all_contacts(contact: NamedContact):
    assert set(regions(contact.mirrored())) == {
        (frozenset(map(mirrored, a)), frozenset(map(mirrored, b))) for a, b in regions(contact)
    }


@given(named)
def test_no_way_of_saying_sides_leaves_the_parts(contact: NamedContact):
    everywhere = contact.a.on_side("none").regions, contact.b.on_side("none").regions
    for a, b in regions(contact):
        assert a <= everywhere[0]
        assert b <= everywhere[1]


def test_an_unknown_side_is_one_contact_over_both():
    assert regions(said("hand", "unknown", "back", "none")) == [(HANDS_L | HANDS_R, BACK)]


def test_both_at_one_end_is_a_contact_for_each_side():
    assert regions(said("hand", "both", "back", "none")) == [(HANDS_L, BACK), (HANDS_R, BACK)]
    knee = part_regions("knee", "left")
    assert regions(said("knee", "left", "hand", "both")) == [(knee, HANDS_L), (knee, HANDS_R)]
    assert regions(said("back", "both", "hand", "left")) == [(BACK, HANDS_L)]


def test_both_at_both_ends_stays_open_until_somebody_chooses():
    contact = said("hand", "both", "hand", "both", 0.5)
    (only,) = contact.contacts()
    assert only == Contact(HANDS_L | HANDS_R, HANDS_L | HANDS_R, 0.5, "model", "both hands", "both hands")


def test_a_map_keeps_the_larger_weight_of_what_is_said_twice():
    both, left = said("hand", "both", "back", "none", 0.3), said("hand", "left", "back", "none", 0.8)
    found = contact_map([both, left], "votes")
    assert found.source == "votes"
    assert [(c.label_a, c.weight) for c in found.contacts] == [("left hand", 0.8), ("right hand", 0.3)]
