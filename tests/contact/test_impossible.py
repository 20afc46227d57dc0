"""Contacts that the image denies, and answers that took A for B."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stick_people import stick, unseen

from apu.contact.body_points import BodyPoints
from apu.contact.end import END_SIDES, End
from apu.contact.impossible import SLACK, in_order, people_order, possible_contacts, reach_of
from apu.contact.named_contact import NamedContact
from apu.contact.part_keypoints import PART_JOINTS
from apu.contact.parts import OTHER_PARTS, PARTS

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

ends = st.builds(End, st.sampled_from([*PARTS, *OTHER_PARTS]), st.sampled_from(END_SIDES))
named = st.builds(NamedContact, ends, ends, st.floats(0.01, 1.0), st.just("m"))
NOBODY = BodyPoints(np.full((25, 2), np.nan), np.zeros(25))


def said(a: str, side_a: str, b: str, side_b: str = "none", weight: float = 1.0) -> NamedContact:
    return NamedContact(End(a, side_a), End(b, side_b), weight)


def anybody(seed: int) -> BodyPoints:
    random = np.random.default_rng(seed)
    return BodyPoints(random.normal(0, 150, (25, 2)), random.choice([0.0, 0.1, 0.5, 0.9], 25))


bodies = st.integers(0, 2**32 - 1).map(anybody)

# ---- out of reach


def test_feet_do_not_touch_a_head_that_is_two_metres_above_them():
    found = reach_of(said("foot", "left", "head"), stick(), stick(80.0))
    assert found.impossible
    assert found.share > 2
    assert "beyond" in found.why


def test_the_bound_is_what_both_parts_reach_by_hand():
    """Torsos of 100 and 50 pixels."""
    found = reach_of(said("hand", "left", "knee", "right"), stick(), stick(300.0, scale=0.5))
    reach = PART_JOINTS["hand"].reach * 100 + PART_JOINTS["knee"].reach * 50
    assert found.bound == pytest.approx(SLACK * reach)
    assert found.distance == pytest.approx(math.hypot(292.5 - 35.0, 39.5 - 3.0))


@pytest.mark.parametrize("part", sorted({**PARTS, **OTHER_PARTS}))
def test_parts_at_one_place_can_always_touch(part: str):
    found = reach_of(NamedContact(End(part, "left"), End(part, "left")), stick(), stick())
    assert found.share == 0.0
    assert not found.impossible


def test_the_side_that_was_not_said_counts_as_sides_are_often_wrong():
    a, b = stick(left_wrist=(400.0, -50.0)), stick(400.0)
    assert not reach_of(said("hand", "left", "back"), a, b).impossible
    assert not reach_of(said("hand", "right", "back"), a, b).impossible
    assert reach_of(said("hand", "right", "back"), a, b, any_side=False).impossible


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (unseen(stick(), "left_wrist"), stick(900.0)),
        (unseen(stick(), "left_wrist", "right_wrist"), stick(900.0)),
        (NOBODY, stick(900.0)),
        (stick(), NOBODY),
    ],
)
def test_what_is_not_seen_is_not_denied(a: BodyPoints, b: BodyPoints):
    found = reach_of(said("hand", "right", "back"), a, b)
    assert not found.impossible
    assert found.share is None
    assert "Not judged" in found.why


def test_impossible_contacts_are_taken_out_and_all_are_explained():
    near, far = said("hand", "left", "shoulder front", "right"), said("foot", "left", "head")
    kept, verdicts = possible_contacts([far, near], stick(left_wrist=(40.0, -60.0)), stick(75.0))
    assert kept == (near,)
    assert [v.impossible for v in verdicts] == [True, False]
    json.dumps([v.recorded() for v in verdicts], allow_nan=False)


@given(named, bodies, bodies)
def test_reach_does_not_depend_on_who_is_a_or_on_left_and_right(contact, a, b):
    here = reach_of(contact, a, b)
    for there in (reach_of(contact.swapped(), b, a), reach_of(contact.mirrored(), a.mirrored(), b.mirrored())):
        assert there.impossible == here.impossible
        assert there.share == (None if here.share is None else pytest.approx(here.share))


# ---- who is who


@pytest.fixture
def reaching() -> tuple[BodyPoints, BodyPoints]:
    """A's hands lie on B's back; B's hang down."""
    return stick(left_wrist=(190.0, -50.0), right_wrist=(210.0, -50.0)), stick(200.0)


def test_an_answer_with_a_and_b_exchanged_is_turned_round(reaching):
    right = [said("hand", "left", "back"), said("hand", "right", "back")]
    wrong = [c.swapped() for c in right]
    found = people_order(wrong, *reaching)
    assert found.exchange
    assert found.compared == 2
    assert found.exchanged < 0.2 < 1 < found.as_answered
    assert in_order(wrong, found) == tuple(right)
    kept = people_order(right, *reaching)
    assert not kept.exchange
    assert in_order(right, kept) == tuple(right)


def test_heavier_contacts_count_more(reaching):
    right, wrong = said("hand", "left", "back"), said("back", "none", "hand", "left")
    light = NamedContact(right.a, right.b, 0.05)
    assert people_order([light, wrong], *reaching).exchange
    assert not people_order([right, NamedContact(wrong.a, wrong.b, 0.05)], *reaching).exchange


@pytest.mark.parametrize("contact", [said("hand", "left", "hand", "left"), said("chest", "none", "chest")])
def test_like_parts_do_not_tell_who_is_who(contact: NamedContact, reaching):
    found = people_order([contact], *reaching)
    assert found.margin == pytest.approx(0.0)
    assert not found.exchange


def test_a_small_margin_and_doubtful_keypoints_leave_the_order(reaching):
    wrong = [said("back", "none", "hand", "left")]
    clear = people_order(wrong, *reaching)
    assert not people_order(wrong, *reaching, min_margin=clear.margin + 0.01).exchange
    assert people_order(wrong, *reaching, min_margin=clear.margin - 0.01).exchange
    doubtful = unseen(reaching[1], "right_wrist", confidence=0.3)
    assert people_order(wrong, reaching[0], doubtful).margin == pytest.approx(clear.margin / 3)


@pytest.mark.parametrize(
    ("contacts", "a", "why"),
    [([], stick(), "no contact"), ([said("hand", "left", "back")], NOBODY, "no torso"),
     ([said("hand", "left", "back")], unseen(stick(), "left_wrist"), "no contact")],
)  # fmt: skip
def test_the_order_stands_where_nothing_can_be_compared(contacts, a: BodyPoints, why: str):
    found = people_order(contacts, a, stick(200.0))
    assert not found.exchange
    assert found.margin is None
    assert why in found.why
    json.dumps(found.recorded(), allow_nan=False)


@given(st.lists(named, max_size=4), bodies, bodies)
def test_the_margin_of_the_exchanged_answer_is_the_opposite(contacts, a, b):
    here, there = people_order(contacts, a, b), people_order([c.swapped() for c in contacts], a, b)
    if here.margin is None:
        assert there.margin is None
    else:
        assert there.margin == pytest.approx(-here.margin, abs=1e-9)
        assert not (here.exchange and there.exchange)
