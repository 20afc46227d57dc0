"""Sides by keypoints: hand-made people, every kind of contact, hidden limbs, and what must not depend on A or left."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stick_people import exchanged, stick, unseen

from apu.contact.body_points import BodyPoints
from apu.contact.chirality import ChiralityOptions, agreed, denoise, denoise_in_space, side_candidates
from apu.contact.chirality_explained import FROM_FIT, FROM_IMAGE, Decisions
from apu.contact.end import END_SIDES, End
from apu.contact.named_contact import NamedContact
from apu.contact.parts import OTHER_PARTS, PARTS
from apu.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

PAIRED = sorted(name for name, part in {**PARTS, **OTHER_PARTS}.items() if part.paired)
ALL_FOUR = ChiralityOptions("all-four")

ends = st.builds(End, st.sampled_from([*PARTS, *OTHER_PARTS]), st.sampled_from(END_SIDES))
named = st.builds(NamedContact, ends, ends, st.floats(0.01, 1.0), st.just("m"))
seeds = st.integers(0, 2**32 - 1)
options = st.builds(ChiralityOptions, st.sampled_from(["relation", "all-four"]), st.sampled_from([0.0, 0.05, 0.2]))

Side = tuple[str, str]


def anybody(seed: int) -> BodyPoints:
    """Joints anywhere, about a quarter of them hardly seen; drawn by numpy, which is quicker than hypothesis."""
    random = np.random.default_rng(seed)
    return BodyPoints(random.normal(0, 150, (25, 2)), random.choice([0.1, 0.5, 0.7, 0.9], 25))


bodies = seeds.map(anybody)


def said(a: str, side_a: str, b: str = "hand", side_b: str = "none") -> NamedContact:
    return NamedContact(End(a, side_a), End(b, side_b), 0.5, "model")


def hands(side_a: str, side_b: str) -> NamedContact:
    return said("hand", side_a, "hand", side_b)


def sides(decisions: Decisions) -> list[Side]:
    return [(c.a.side, c.b.side) for c in decisions.contacts]


@pytest.fixture
def holding() -> tuple[BodyPoints, BodyPoints]:
    """B stands to the left of A, on the picture's right; A's left hand holds B's right."""
    return stick(0.0, left_wrist=(100.0, 0.0)), stick(200.0, right_wrist=(105.0, 0.0))


@pytest.fixture
def crossed() -> tuple[BodyPoints, BodyPoints]:
    """A's left hand holds B's left, as in a handshake of left hands."""
    return stick(0.0, left_wrist=(100.0, 0.0)), stick(200.0, left_wrist=(105.0, 0.0))


# ---- which combinations are compared


@pytest.mark.parametrize(
    ("contact", "relation", "all_four"),
    [
        (hands("left", "left"), {"LL", "RR"}, {"LL", "RR", "LR", "RL"}),
        (hands("left", "right"), {"LR", "RL"}, {"LL", "RR", "LR", "RL"}),
        (hands("unknown", "right"), {"LL", "RR", "LR", "RL"}, {"LL", "RR", "LR", "RL"}),
        (hands("none", "none"), {"LL", "RR", "LR", "RL"}, {"LL", "RR", "LR", "RL"}),
        (said("hand", "left", "back"), {"L", "R"}, {"L", "R"}),
        (said("hand", "unknown", "back"), {"L", "R"}, {"L", "R"}),
        (hands("both", "both"), {"LL+RR", "LR+RL"}, {"LL+RR", "LR+RL"}),
        (hands("both", "left"), {"LL+RL"}, {"LL+RL"}),
        (said("hand", "both", "back"), {"L+R"}, {"L+R"}),
        (hands("both", "unknown"), {"LL+RL", "LL+RR", "LR+RL", "LR+RR"}, {"LL+RL", "LL+RR", "LR+RL", "LR+RR"}),
        (said("chest", "none", "back"), {""}, {""}),
        (said("chest", "both", "back", "unknown"), {""}, {""}),
    ],
)
def test_the_combinations_of_every_kind_of_contact(contact: NamedContact, relation: set[str], all_four: set[str]):
    letters = {"left": "L", "right": "R", "none": ""}

    def short(variant) -> list[str]:
        return ["+".join(letters[a] + letters[b] for a, b in way) for way in side_candidates(contact, variant)]

    for found, expected in ((short("relation"), relation), (short("all-four"), all_four)):
        assert set(found) == expected
        assert len(found) == len(expected)


@pytest.mark.parametrize("variant", ["relation", "all-four"])
def test_known_sides_as_answered_are_the_first_candidate(variant):
    for side_a in ("left", "right"):
        for side_b in ("left", "right"):
            assert side_candidates(hands(side_a, side_b), variant)[0] == ((side_a, side_b),)


# ---- hand-made people


def test_an_opposite_side_contact_is_put_right(holding):
    found = denoise([hands("right", "left")], *holding)
    assert sides(found) == [("left", "right")]
    (decision,) = found.decisions
    assert decision.changed
    # 5 px against 335 px, (from right wrist -35 to left wrist 235 is 270); torso 100 px, confidence 0.9
    assert [c.distance_torsos for c in decision.candidates] == pytest.approx([2.7, 0.05], abs=0.01)
    assert decision.margin == pytest.approx((2.7 - 0.05) * 0.9, abs=0.02)


def test_a_same_side_contact_is_put_right(crossed):
    assert sides(denoise([hands("right", "right")], *crossed)) == [("left", "left")]


def test_a_right_answer_is_confirmed_and_is_the_same_contact(holding):
    contact = hands("left", "right")
    (decision,) = denoise([contact], *holding).decisions
    assert decision.choice == (contact,)
    assert not decision.changed
    assert decision.confident


def test_a_wrong_relation_is_believed_by_one_variant_and_put_right_by_the_other(holding):
    contact = hands("left", "left")
    assert sides(denoise([contact], *holding))[0] in {("left", "left"), ("right", "right")}
    assert sides(denoise([contact], *holding, ALL_FOUR)) == [("left", "right")]


@pytest.mark.parametrize("contact", [hands("unknown", "unknown"), hands("unknown", "left"), hands("none", "none")])
def test_unknown_sides_are_found_among_all_four(contact: NamedContact, holding):
    assert sides(denoise([contact], *holding)) == [("left", "right")]


def test_a_hand_on_a_back_is_the_nearer_hand():
    a, b = stick(0.0, right_wrist=(205.0, -60.0)), stick(200.0)
    for side in ("left", "right", "unknown"):
        assert sides(denoise([said("hand", side, "back")], a, b)) == [("right", "none")]


@pytest.mark.parametrize(("swap", "expected"), [(False, {("left", "left"), ("right", "right")}),
                                                (True, {("left", "right"), ("right", "left")})])  # fmt: skip
def test_both_with_both_becomes_the_closer_matching(swap: bool, expected: set[Side]):
    wrists = {"left_wrist": (140.0, 0.0), "right_wrist": (60.0, 0.0)}
    if swap:
        wrists = {"left_wrist": (60.0, 0.0), "right_wrist": (140.0, 0.0)}
    a, b = stick(0.0, left_wrist=(135.0, 0.0), right_wrist=(65.0, 0.0)), stick(200.0, **wrists)
    found = denoise([hands("both", "both")], a, b)
    assert set(sides(found)) == expected
    assert len(found.contact_map("m").contacts) == 2


def test_both_with_one_side_leaves_nothing_to_choose(holding):
    for contact in (said("hand", "both", "back"), hands("both", "left"), said("chest", "none", "back")):
        (decision,) = denoise([contact], *holding).decisions
        assert decision.choice == (contact,)
        assert decision.candidates == ()
        assert "nothing to choose" in decision.why


def test_both_hands_on_an_unknown_shoulder_choose_it_each():
    a = stick(0.0, left_wrist=(163.0, -100.0), right_wrist=(167.0, -98.0))
    found = denoise([said("hand", "both", "shoulder", "unknown")], a, stick(200.0))
    assert sides(found) == [("left", "right"), ("right", "right")]


# ---- small margins and hidden limbs


def test_the_answer_stands_when_two_combinations_are_alike():
    a, b = stick(0.0, left_wrist=(100.0, 0.0), right_wrist=(100.0, 2.0)), stick(200.0)
    (decision,) = denoise([said("hand", "left", "back")], a, b).decisions
    assert decision.choice == (said("hand", "left", "back"),)
    assert decision.margin is not None
    assert 0 <= decision.margin < 0.05
    assert "margin" in decision.why


def test_an_unknown_side_that_is_not_clear_stays_one_contact_over_both():
    a, b = stick(0.0, left_wrist=(100.0, 0.0), right_wrist=(100.0, 2.0)), stick(200.0)
    contact = said("hand", "unknown", "back")
    (only,) = denoise([contact], a, b).contact_map("m").contacts
    assert only.regions_a == contact.a.regions
    both = hands("both", "both")
    level = stick(200.0, left_wrist=(200.0, 0.0), right_wrist=(200.0, 0.0))
    assert denoise([both], a, level).contacts == (both,)


@pytest.mark.parametrize("hidden", [("left_wrist", "right_wrist"), ("left_wrist",), ("right_wrist",)])
def test_nothing_changes_when_the_limbs_are_not_seen(hidden: tuple[str, ...], holding):
    contact = hands("right", "left")
    for confidence in (0.0, 0.19):
        (decision,) = denoise([contact], unseen(holding[0], *hidden, confidence=confidence), holding[1]).decisions
        assert decision.choice == (contact,)
        assert decision.margin is None
        assert "seen" in decision.why


def test_a_keypoint_that_is_just_seen_is_compared_and_lowers_the_margin(holding):
    doubtful = unseen(holding[0], "right_wrist", confidence=0.2)
    (decision,) = denoise([hands("right", "left")], doubtful, holding[1]).decisions
    assert sides(denoise([hands("right", "left")], doubtful, holding[1])) == [("left", "right")]
    assert decision.margin == pytest.approx((2.7 - 0.05) * 0.2, abs=0.01)


def test_a_side_stays_unknown_where_the_other_one_is_not_seen(holding):
    a = unseen(holding[0], "right_wrist")
    assert sides(denoise([hands("unknown", "unknown")], a, holding[1])) == [("unknown", "right")]


def test_sides_that_are_not_seen_are_not_replaced_by_others_that_are(holding):
    a = unseen(holding[0], "right_wrist")
    assert sides(denoise([hands("right", "left")], a, holding[1], ALL_FOUR)) == [("right", "left")]


def test_people_without_any_keypoint_change_nothing_and_say_why():
    nobody = BodyPoints(np.full((25, 2), np.nan), np.full(25, np.nan))
    contacts = [hands("left", "right"), hands("unknown", "unknown"), hands("both", "both"), said("chest", "none")]
    found = denoise(contacts, nobody, stick())
    assert found.contacts == tuple(contacts)
    assert found.torso is None
    assert "no torso" in found.decisions[0].why
    json.dumps(found.recorded(), allow_nan=False)


def test_nothing_answered_is_nothing_decided(holding):
    assert denoise([], *holding).contacts == ()


# ---- a detector that takes left for right


def test_of_exchanged_keypoints_the_choice_follows_the_keypoints(holding):
    truth = hands("left", "right")
    a, b = holding
    assert sides(denoise([truth], exchanged(a), exchanged(b))) == [("right", "left")]
    assert sides(denoise([truth], exchanged(a), b, ALL_FOUR)) == [("right", "right")]


# ---- the second vote


def lifted(body: BodyPoints, **depth: float) -> BodyPoints:
    """In space, metres: 100 pixels are half a metre; some joints at another depth."""
    z = np.array([2.0 + depth.get(name, 0.0) for name in body.names])
    return BodyPoints(np.column_stack([body.places * 0.005, z]), body.confidence)


def test_depth_tells_what_the_image_does_not():
    a = stick(0.0, left_wrist=(200.0, -52.0), right_wrist=(201.0, -48.0))
    b = stick(200.0)
    contact = said("hand", "right", "back")
    flat = denoise([contact], a, b)
    deep = denoise_in_space([contact], lifted(a, right_wrist=-0.6), lifted(b))
    assert not flat.decisions[0].confident
    assert sides(deep) == [("left", "none")]
    both = agreed(flat, deep)
    assert sides(both) == [("left", "none")]
    assert FROM_FIT in both.decisions[0].why
    assert both.decisions[0].evidence == both.evidence == f"{FROM_IMAGE} and {FROM_FIT}"
    assert sides(agreed(deep, flat)) == [("left", "none")]


def test_two_votes_that_agree_are_followed_and_two_that_contradict_are_not(holding):
    a, b = holding
    contact = hands("right", "left")
    image, space = denoise([contact], a, b), denoise_in_space([contact], lifted(a), lifted(b))
    assert sides(agreed(image, space)) == [("left", "right")]
    far = denoise_in_space([contact], lifted(a, left_wrist=5.0), lifted(b))
    assert sides(far) == [("right", "left")]
    (decision,) = agreed(image, far).decisions
    assert decision.choice == (contact,)
    assert "contradict" in decision.why
    assert [vote.choice for vote in decision.votes] == [d.choice for x in (image, far) for d in x.decisions]


def test_a_side_that_one_vote_leaves_open_is_taken_from_the_other(holding):
    a, b = holding
    contact = hands("unknown", "unknown")
    image = denoise([contact], unseen(a, "right_wrist"), b)
    space = denoise_in_space([contact], lifted(a), lifted(b))
    for found in (agreed(image, space), agreed(space, image)):
        assert sides(found) == [("left", "right")]


def test_votes_on_different_contacts_are_not_combined(holding):
    with pytest.raises(InputError, match="different contacts"):
        agreed(denoise([hands("left", "left")], *holding), denoise([hands("left", "right")], *holding))


# ---- the record


def test_the_record_explains_every_decision_in_json(holding):
    contacts = [hands("right", "left"), said("hand", "both", "back"), hands("unknown", "unknown")]
    image = denoise(contacts, *holding)
    record = json.loads(json.dumps(agreed(image, image).recorded(), allow_nan=False))
    assert record["variant"] == "relation"
    assert record["torso"] == pytest.approx(100.0, rel=0.5)
    first = record["decisions"][0]
    assert first["answered"]["a"] == {"part": "hand", "side": "right"}
    assert first["choice"] == [first["answered"] | {"a": {"part": "hand", "side": "left"},
                                                    "b": {"part": "hand", "side": "right"}}]  # fmt: skip
    assert first["changed"] is True
    near = min(c["distance_torsos"] for c in first["candidates"])
    far = max(c["distance_torsos"] for c in first["candidates"])
    lowest = min(c["confidence"] for c in first["candidates"])
    assert first["margin"] == pytest.approx((far - near) * lowest, rel=1e-4)
    assert len(first["votes"]) == 2
    assert record["decisions"][1]["candidates"] == []
    assert len(record["decisions"][2]["candidates"]) == 4


@pytest.mark.parametrize("margin", [-0.1, math.nan, math.inf])
def test_a_margin_without_meaning_is_refused(margin: float):
    with pytest.raises(InputError, match="with this margin"):
        ChiralityOptions(min_margin=margin)


# ---- what must not matter


def same(found: Decisions, expected: Decisions, change: Callable[[NamedContact], NamedContact]) -> None:
    """Equal, up to the digits of sums in another order; a margin on the very edge proves nothing."""
    for one, other in zip(found.decisions, expected.decisions, strict=True):
        assume(other.margin is None or abs(other.margin - expected.min_margin) > 1e-6)
        assume(other.margin is None or other.margin > 1e-6)
        assert set(one.choice) == {change(contact) for contact in other.choice}
        assert one.confident == other.confident
        assert one.margin == (None if other.margin is None else pytest.approx(other.margin, rel=1e-6, abs=1e-6))


@settings(max_examples=80, deadline=None)
@given(st.lists(named, max_size=3), bodies, bodies, options)
def test_a_mirrored_scene_has_mirrored_decisions(contacts, a, b, how):
    found = denoise([c.mirrored() for c in contacts], a.mirrored(), b.mirrored(), how)
    same(found, denoise(contacts, a, b, how), NamedContact.mirrored)


@settings(max_examples=80, deadline=None)
@given(st.lists(named, max_size=3), bodies, bodies, options)
def test_exchanged_people_have_exchanged_decisions(contacts, a, b, how):
    found = denoise([c.swapped() for c in contacts], b, a, how)
    same(found, denoise(contacts, a, b, how), NamedContact.swapped)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(named, max_size=3), bodies, bodies, st.floats(0.1, 10), st.tuples(st.floats(-99, 99), st.floats(-99, 99))
)
def test_the_size_and_place_of_the_picture_do_not_matter(contacts, a, b, scale, shift):
    def moved(body: BodyPoints) -> BodyPoints:
        return BodyPoints(body.places * scale + np.array(shift), body.confidence)

    same(denoise(contacts, moved(a), moved(b)), denoise(contacts, a, b), lambda c: c)


@settings(max_examples=80, deadline=None)
@given(st.lists(named, max_size=4), bodies, bodies, options)
def test_parts_weights_and_known_relations_are_kept(contacts, a, b, how):
    found = denoise(contacts, a, b, how)
    json.dumps(found.recorded(), allow_nan=False)
    for decision in found.decisions:
        before = decision.answered
        for after in decision.choice:
            assert (after.a.part, after.b.part, after.weight, after.source) == (
                before.a.part, before.b.part, before.weight, before.source,
            )  # fmt: skip
            if how.variant == "relation" and before.a.sided and before.b.sided:
                assert (after.a.side == after.b.side) == (before.a.side == before.b.side)
            if decision.margin is not None and decision.changed:
                assert decision.margin >= how.min_margin


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(PAIRED), st.sampled_from(PAIRED), st.sampled_from(["left", "right"]),
    st.sampled_from(["left", "right"]), seeds, seeds,
)  # fmt: skip
def test_noise_free_keypoints_bring_back_flipped_sides(part_a, part_b, side_a, side_b, seed_a, seed_b):
    """Where the true sides are the closer ones of their relation, a flip of both ends is undone."""
    a, b = (BodyPoints(anybody(seed).places, np.ones(25)) for seed in (seed_a, seed_b))
    (seen,) = denoise([NamedContact(End(part_a, side_a), End(part_b, side_b))], a, b).decisions
    assume(seen.margin is not None and seen.margin > 0.1)
    ((true_a, true_b),) = min(seen.candidates, key=lambda c: c.distance_torsos).sides
    truth = NamedContact(End(part_a, true_a), End(part_b, true_b))
    assert denoise([truth.mirrored()], a, b).contacts == denoise([truth], a, b).contacts == (truth,)
