"""Contacts and contact maps."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact, ContactMap
from apu.errors import InputError

# beartype picks the elements that it checks at random, also while hypothesis builds a contact
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

PALM, BACK = frozenset({"left_hand_palm"}), frozenset({"right_upper_back", "right_middle_back"})

region_sets = st.frozensets(st.sampled_from(REGION_NAMES), min_size=1, max_size=6)
weights = st.floats(0.0, 1.0, exclude_min=True)
contacts = st.builds(Contact, region_sets, region_sets, weights, st.text(max_size=5), st.text(max_size=5), st.text())
maps = st.builds(ContactMap, st.lists(contacts, max_size=5).map(tuple), st.text(max_size=5))


@pytest.mark.parametrize(
    ("regions_a", "regions_b", "got"),
    [
        (frozenset(), BACK, "on A"),
        (PALM, frozenset(), "on B"),
        (PALM | {"third_hand"}, BACK, "on A"),
        (PALM, frozenset({"hand_palm"}), "on B"),
        (PALM, frozenset({"Left_hand_palm"}), "on B"),
    ],
)
def test_a_contact_needs_known_regions_on_both_people(regions_a, regions_b, got):
    with pytest.raises(InputError, match=got):
        Contact(regions_a, regions_b)


@pytest.mark.parametrize("weight", [0.0, -0.5, 1.0000001, 2.0, math.inf, -math.inf, math.nan])
def test_a_weight_lies_between_zero_and_one(weight: float):
    with pytest.raises(InputError, match="weight") as caught:
        Contact(PALM, BACK, weight, "a model")
    assert "a model" in str(caught.value)


def test_a_certain_and_a_barely_believed_contact_are_allowed():
    assert Contact(PALM, BACK).weight == 1.0
    assert Contact(PALM, BACK, math.ulp(0.0)).weight > 0


def test_a_name_has_the_labels_and_else_the_regions():
    assert Contact(PALM, BACK).name == "left hand palm - right middle back / right upper back"
    assert Contact(PALM, BACK, label_a="left hand").name == "left hand - right middle back / right upper back"
    assert Contact(PALM, BACK, label_a="left hand", label_b="back").name == "left hand - back"


def test_contacts_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Contact(PALM, BACK).weight = 0.5  # type: ignore[misc]


@given(maps)
def test_swapping_twice_is_the_same_map(contact_map: ContactMap):
    assert contact_map.swapped().swapped() == contact_map


@given(maps)
def test_swapping_transposes_the_matrix_and_exchanges_the_people(contact_map: ContactMap):
    swapped = contact_map.swapped()
    np.testing.assert_array_equal(np.array(swapped.matrix()), np.array(contact_map.matrix()).T)
    assert (swapped.regions(0), swapped.regions(1)) == (contact_map.regions(1), contact_map.regions(0))


@given(maps)
def test_the_matrix_agrees_with_looking_at_every_contact(contact_map: ContactMap):
    matrix = contact_map.matrix()
    for i, a in enumerate(REGION_NAMES):
        for j, b in enumerate(REGION_NAMES):
            covering = [c.weight for c in contact_map.contacts if a in c.regions_a and b in c.regions_b]
            assert matrix[i][j] == max(covering, default=0.0)


def test_an_empty_map_names_no_region_and_has_a_zero_matrix():
    empty = ContactMap((), "annotation")
    assert empty.regions(0) == empty.regions(1) == frozenset()
    assert np.array(empty.matrix()).shape == (75, 75)
    assert not np.array(empty.matrix()).any()
