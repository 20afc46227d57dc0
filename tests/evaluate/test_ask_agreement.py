"""Hand-made cases of what is right and of each kind of wrong."""

import pytest

from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact, ContactMap
from apu.contact.end import End
from apu.contact.named_contact import NamedContact, contact_map
from apu.evaluate.ask_agreement import KINDS, TrueContact, judge


def true(*pairs: tuple[str, str], wanted: bool = True) -> TrueContact:
    return TrueContact(frozenset(pairs), wanted)


def said(*contacts: tuple[str, str, str, str]) -> ContactMap:
    """Part and side of A, of B."""
    return contact_map([NamedContact(End(a, x), End(b, y)) for a, x, b, y in contacts], "somebody")


HAND_ON_BACK = true(("left_hand_palm", "right_upper_back"), ("left_fingers_palm", "right_upper_back"))


@pytest.mark.parametrize(
    ("contact", "kind"),
    [
        (("hand", "left", "back", "none"), "right"),
        (("fingers", "left", "back", "none"), "right"),  # finer words, one region is shared
        (("hand", "left", "back", "left"), "right"),  # halves of what a body has once are no sides
        (("hand", "unknown", "back", "none"), "side open"),
        (("hand", "both", "back", "none"), "right"),  # the left one is; the right one is judged by itself
        (("hand", "right", "back", "none"), "side"),
        (("back", "none", "hand", "left"), "people"),
        (("back", "none", "hand", "right"), "people"),
        (("hand", "left", "chest", "none"), "one end"),
        (("elbow", "left", "back", "none"), "one end"),
        (("knee", "left", "foot", "left"), "unsupported"),
    ],
)
def test_every_contact_is_of_one_kind(contact: tuple[str, str, str, str], kind: str):
    assert judge(said(contact), [HAND_ON_BACK]).kinds[0] == kind


def test_both_sides_are_right_where_both_are_true():
    both = [HAND_ON_BACK, true(("right_hand_palm", "left_upper_back"))]
    assert judge(said(("hand", "unknown", "back", "none")), both).kinds == ("right",)
    assert judge(said(("hand", "both", "back", "none")), both).kinds == ("right", "right")
    assert judge(said(("hand", "both", "back", "none")), [HAND_ON_BACK]).kinds == ("right", "side")


def test_a_relation_between_limbs_needs_both_sides():
    held = [true(("left_hand_palm", "right_hand_palm"))]
    sides = {("left", "right"): "right", ("right", "left"): "side", ("left", "left"): "side"}
    for (a, b), kind in sides.items():
        assert judge(said(("hand", a, "hand", b)), held).kinds == (kind,)
    assert judge(said(("hand", "left", "hand", "unknown")), held).kinds == ("side open",)


def test_recall_counts_wanted_contacts_once_however_often_they_are_said():
    truth = [
        HAND_ON_BACK,
        true(("left_knee_front", "right_buttock")),
        true(("left_head_front", "left_head_front"), wanted=False),
    ]
    answer = said(
        ("hand", "left", "back", "none"), ("fingers", "left", "back", "none"), ("head", "none", "head", "none")
    )
    judged = judge(answer, truth)
    assert (judged.found, judged.found_blind, judged.wanted) == (1, 1, 2)
    assert judged.right == (True, True, True)  # what is too small to be wanted is right nevertheless


def test_a_wrong_side_finds_the_contact_only_blind_to_sides():
    judged = judge(said(("hand", "right", "back", "none")), [HAND_ON_BACK])
    assert (judged.found, judged.found_blind) == (0, 1)
    assert (judged.right, judged.right_blind) == ((False,), (True,))


def test_nothing_said_and_nothing_true():
    judged = judge(ContactMap((), "nobody"), [])
    assert (judged.kinds, judged.wanted, judged.touching) == ((), 0, False)
    assert judge(said(("hand", "left", "back", "none")), []).kinds == ("unsupported",)


def test_the_truth_is_right_by_itself_in_every_region():
    contacts = [
        Contact(frozenset({region}), frozenset({other})) for region in REGION_NAMES for other in REGION_NAMES[:9]
    ]
    truth = [TrueContact.of(contact) for contact in contacts]
    judged = judge(ContactMap(tuple(contacts), "truth"), truth)
    assert set(judged.kinds) == {"right"}
    assert judged.found == judged.found_blind == len(contacts)


def test_exchanging_people_in_answer_and_truth_changes_nothing():
    truth = [HAND_ON_BACK, true(("left_knee_front", "right_lower_thigh_front"))]
    answer = said(
        ("hand", "right", "back", "none"), ("chest", "none", "hand", "left"), ("knee", "left", "thigh", "right")
    )
    swapped = [TrueContact(frozenset((b, a) for a, b in one.pairs)) for one in truth]
    assert judge(answer, truth) == judge(answer.swapped(), swapped)


def test_kinds_are_in_the_order_in_which_they_are_tried():
    assert KINDS[0] == "right"
    assert KINDS[-1] == "unsupported"
