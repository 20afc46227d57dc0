import math

import pytest

from apu.contact.contact import Contact, ContactMap
from apu.contact.measured import MeasuredContact
from apu.evaluate.annotated_contacts import annotated_part_pairs, annotation_rows, part_shares
from apu.evaluate.contact_agreement import side_aware_part

HAND_BACK = ("left hand", "back")
HAND_HEAD = ("right hand", "head")


def contacts(*pairs: tuple[set[str], set[str]]) -> ContactMap:
    return ContactMap(tuple(Contact(frozenset(a), frozenset(b)) for a, b in pairs), "annotation")


def test_a_contact_over_several_parts_is_found_by_any_of_them():
    wide = frozenset({HAND_BACK, ("left hand", "left shoulder")})
    assert part_shares({HAND_BACK}, {wide}) == (1.0, 1.0, 1.0)
    assert part_shares({HAND_HEAD}, {wide}) == (0.0, 0.0, 0.0)


def test_shares_by_hand():
    goals = {frozenset({HAND_BACK}), frozenset({HAND_HEAD}), frozenset({("belly", "belly")})}
    touching = {HAND_BACK, ("left foot", "right foot")}
    precision, recall, f1 = part_shares(touching, goals)
    assert (precision, recall) == (1 / 2, 1 / 3)
    assert f1 == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))


def test_shares_of_nothing_are_nan_and_silence_costs_f1():
    precision, recall, f1 = part_shares(set(), {frozenset({HAND_BACK})})
    assert math.isnan(precision)
    assert (recall, f1) == (0.0, 0.0)
    assert all(math.isnan(x) for x in part_shares(set(), set()))


def test_contacts_with_the_same_parts_count_once():
    one = contacts(
        ({"left_hand_palm"}, {"left_lower_back"}), ({"left_fingers_palm", "left_hand_back"}, {"right_middle_back"})
    )
    assert annotated_part_pairs(one, side_aware_part) == {frozenset({HAND_BACK})}


def test_rows_know_sides_and_thresholds():
    annotated = contacts(({"left_hand_palm"}, {"left_lower_back"}))
    measured = (
        MeasuredContact("right_hand_palm", "left_lower_back", 0.002),
        MeasuredContact("left_hand_palm", "right_lower_back", 0.012),
    )
    rows = {name: float(value[0]) for name, value in annotation_rows([measured], [annotated]).items()}
    assert rows["part_recall_10mm_percent"] == 0
    assert rows["part_recall_13mm_percent"] == 100
    assert rows["part_precision_13mm_percent"] == 50
    assert rows["part_side_blind_f1_10mm_percent"] == 100
