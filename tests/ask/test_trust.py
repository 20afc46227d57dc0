"""What several answers share is trusted, what the photo denies is not, and all of it is told."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import heard, person, touch
from stick_people import NAMES, stick, unseen

from apu.ask.answer import OFFERED_PARTS
from apu.ask.heard import Heard
from apu.ask.sides import with_first_fit
from apu.ask.trust import TrustOptions, trusted
from apu.contact.contact import ContactMap
from apu.contact.end import is_paired
from apu.scene.annotation import Annotation
from apu.scene.camera import Camera
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Person

NEAR = (person(0, stick(0.0, left_wrist=(120.0, -50.0))), person(1, stick(120.0)))
"""A's left hand lies on B."""

AS_SAID = TrustOptions(sides="answer")
REFUSED, PROSE = heard(status="refused"), heard(status="unparsable")


def weights(annotation: Annotation) -> dict[str, float]:
    assert annotation.contacts is not None
    return {contact.name: contact.weight for contact in annotation.contacts.contacts}


def record(annotation: Annotation) -> dict:
    assert annotation.answer is not None
    assert annotation.answer.trust is not None
    return json.loads(json.dumps(annotation.answer.trust, allow_nan=False))


# ---- votes


def test_one_answer_weighs_by_its_own_words():
    said = trusted([heard(touch("left hand", "back", "medium"))], NEAR)
    assert weights(said) == {"left hand - back": 0.5}
    assert record(said)["votes"] is None
    assert said.words.ages == ("adult", "child")


def test_a_share_of_the_votes_weighs_by_wilsons_bound_times_the_mean_confidence():
    back, arm = touch("left hand", "back"), [touch("left forearm", "belly", word) for word in ("high", "low")]
    said = trusted([heard(back, arm[0]), heard(back, arm[1]), heard(back)], NEAR)
    n, p = 3, 2 / 3
    lower = (p + 1 / (2 * n) - math.sqrt(p * (1 - p) / n + 1 / (4 * n * n))) / (1 + 1 / n)
    share = lower * (n + 1) / n
    expected = {"left hand - back": 0.75, "left forearm - belly": share * (0.75 + 0.25) / 2}
    assert weights(said) == pytest.approx(expected, rel=1e-5)


def test_missing_answers_count_neither_for_nor_against():
    said = [heard(touch("left hand", "back", word)) for word in ("high", "high", "medium")]
    pooled = trusted([said[0], REFUSED, said[1], PROSE, said[2]], NEAR)
    assert weights(pooled) == pytest.approx({"left hand - back": 2 / 3})
    votes = record(pooled)["votes"]
    assert (votes["asked"], votes["missing"], votes["contacts"][0]["votes"]) == (3, 2, 3)
    unsure = heard(decision="cannot tell")
    assert weights(trusted([said[0], unsure], NEAR)) == weights(trusted(said[:1], NEAR))


def test_an_answer_of_no_contact_does_count_against():
    back = heard(touch("left hand", "back"))
    assert 0 < weights(trusted([back, heard()], NEAR))["left hand - back"] < 0.75
    assert trusted([heard(), heard(), REFUSED], NEAR).contacts == ContactMap((), "m")


def test_where_nobody_can_tell_the_contacts_stay_open_and_the_note_says_why():
    said = trusted([REFUSED, PROSE, REFUSED], NEAR)
    assert said.contacts is None
    assert "2: it refused to answer" in said.note
    assert record(said)["votes"]["asked"] == 0
    assert trusted([REFUSED], NEAR).note == REFUSED.note


def test_what_one_of_five_says_is_left_out_and_recorded():
    back = touch("left hand", "back")
    said = trusted([heard(back)] * 4 + [heard(back, touch("head", "head"))], NEAR)
    assert set(weights(said)) == {"left hand - back"}
    (removed,) = record(said)["removed"]
    assert removed["contact"]["a"]["part"] == "head"
    assert "1 of 5" in removed["why"]


def test_words_on_people_are_those_of_most_answers():
    one, other = heard(touch("left hand", "back")), heard(touch("left hand", "back"))
    assert other.said is not None
    turned = replace(
        other, said=other.said.model_copy(update={"person_a": other.said.person_b, "person_b": other.said.person_a})
    )
    assert trusted([one, one, turned], NEAR).words.ages == ("adult", "child")
    assert trusted([one, turned], NEAR).words.ages == ("unknown", "unknown")


# ---- what the photo says


def test_a_wrong_side_is_mended_and_the_choice_is_explained():
    wrong = heard(touch("right hand", "back"))
    said = trusted([wrong], NEAR)
    assert weights(said) == {"left hand - back": 0.75}
    (decision,) = record(said)["sides"]["decisions"]
    assert decision["changed"] is True
    assert decision["margin"] > 0.05
    assert "left" in decision["why"]
    assert weights(trusted([wrong], NEAR, AS_SAID)) == {"right hand - back": 0.75}


def test_the_relation_is_kept_unless_all_four_are_compared():
    wrong = heard(touch("right hand", "right hand"))
    bodies = (person(0, stick(0.0, left_wrist=(60.0, 0.0))), person(1, stick(120.0, right_wrist=(62.0, 0.0))))
    every = TrustOptions(sides="all-four")
    assert set(weights(trusted([wrong], bodies, every))) == {"left hand - right hand"}
    relation = trusted([wrong], bodies)
    assert set(weights(relation)) <= {"left hand - left hand", "right hand - right hand"}


def test_both_hands_that_are_told_one_by_one_stay_two():
    said = trusted([heard(touch("left hand", "back"), touch("right hand", "back"))], NEAR)
    assert set(weights(said)) == {"left hand - back", "right hand - back"}
    assert {decision["changed"] for decision in record(said)["sides"]["decisions"]} == {False}


def test_what_the_photo_denies_is_removed_with_its_distance():
    far = (NEAR[0], person(1, stick(500.0)))
    said = trusted([heard(touch("left hand", "back"))], far)
    assert said.contacts == ContactMap((), "m")
    (removed,) = record(said)["removed"]
    assert "denies" in removed["why"]
    (reach,) = record(said)["reach"]
    assert reach["impossible"] is True
    assert reach["share"] > 1


def test_an_answer_that_took_a_for_b_is_turned_with_its_words():
    right, turned = heard(touch("left hand", "back")), heard(touch("back", "left hand"))
    said = trusted([turned], NEAR)
    assert set(weights(said)) == {"left hand - back"}
    assert said.words.ages == ("child", "adult")
    (order,) = record(said)["order"]
    assert order["exchange"] is True
    pooled = trusted([right, turned, REFUSED], NEAR)
    assert weights(pooled) == {"left hand - back": 0.75}
    assert [one and one["exchange"] for one in record(pooled)["order"]] == [False, True, None]


def test_people_without_keypoints_change_nothing():
    hidden = tuple(person(i, unseen(stick(), *NAMES)) for i in (0, 1))
    said = trusted([heard(touch("right hand", "left knee"))], (hidden[0], hidden[1]))
    assert weights(said) == {"right hand - left knee": 0.75}
    assert record(said)["reach"][0]["share"] is None


# ---- adversaries


def everything(model: str = "m") -> Heard:
    """As many contacts as an answer may have, over all of both bodies."""
    side = {part: "unknown " if is_paired(part) else "" for part in OFFERED_PARTS}
    return heard(*(touch(side[part] + part, side[part] + part) for part in OFFERED_PARTS), model=model)


def test_one_that_says_that_everything_touches_weighs_next_to_nothing():
    said = trusted([everything()], NEAR)
    assert 0 < max(weights(said).values()) < 0.05
    assert "names 100 %" in record(said)["notes"][0]


def test_among_usual_answers_a_copied_vocabulary_changes_nothing_but_a_little_weight():
    back = heard(touch("left hand", "back"))
    usual, with_noise = trusted([back] * 4, NEAR), trusted([back] * 4 + [everything("parrot")], NEAR)
    assert set(weights(with_noise)) == set(weights(usual))
    assert weights(with_noise)["left hand - back"] == pytest.approx(0.75, abs=0.05)
    assert any("parrot" in note for note in record(with_noise)["notes"])


def test_many_who_say_that_everything_touches_still_weigh_little():
    said = trusted([everything()] * 5, NEAR)
    assert all(0 < weight < 0.05 for weight in weights(said).values())


def test_contradicting_sides_leave_the_side_to_the_keypoints():
    said = trusted([heard(touch("left hand", "back")), heard(touch("right hand", "back"))], NEAR)
    assert set(weights(said)) == {"left hand - back"}
    open_ = trusted([heard(touch("left hand", "back")), heard(touch("right hand", "back"))], NEAR, AS_SAID)
    assert set(weights(open_)) == {"hand - back"}


# ---- the first fit


BETWEEN = (
    person(0, stick(0.0, left_wrist=(118.0, -40.0), right_wrist=(122.0, -40.0))),
    person(1, stick(120.0)),
)
"""In the photo, both of A's hands lie on B."""


def first_fit(people: tuple[Person, Person], **depths: float) -> Estimate:
    """The sticks in space, 1 m for 200 pixels, all at one depth but these joints of A."""
    xy = np.stack([one.keypoints.xy for one in people]) / 200
    joints = np.concatenate([xy, np.full((2, 25, 1), 3.0)], 2)
    for name, depth in depths.items():
        joints[0, NAMES.index(name), 2] += depth
    return Estimate(torch.zeros(2, 4, 3), torch.tensor(joints), {}, "first fit")


def observed(people: tuple[Person, Person]) -> PairObservation:
    return PairObservation("hug", Camera.of_image(400, 300), people)


@pytest.mark.parametrize(("behind", "chosen"), [("right_wrist", "left"), ("left_wrist", "right")])
def test_a_side_that_the_photo_leaves_open_is_chosen_by_the_first_fit(behind: str, chosen: str):
    said = trusted([heard(touch("left hand", "back"))], BETWEEN)
    assert said.sides is not None
    assert not said.sides.decisions[0].confident
    voted = with_first_fit(said, observed(BETWEEN), first_fit(BETWEEN, **{behind: 0.6}))
    assert set(weights(voted)) == {f"{chosen} hand - back"}
    (decision,) = record(voted)["sides"]["decisions"]
    assert [vote["evidence"] for vote in decision["votes"]] == ["2D keypoints", "3D after first fit"]
    assert decision["choice"][0]["a"]["side"] == chosen


def test_a_side_that_is_clear_in_the_photo_stays_whatever_the_first_fit_says():
    said = trusted([heard(touch("right hand", "back"))], NEAR)
    assert with_first_fit(said, observed(NEAR), first_fit(NEAR, left_wrist=3.0)) == said


def test_without_decisions_a_first_fit_changes_nothing():
    for said in (
        trusted([REFUSED], NEAR),
        trusted([heard(touch("left hand", "back"))], BETWEEN, AS_SAID),
        Annotation(),
    ):
        assert with_first_fit(said, observed(BETWEEN), first_fit(BETWEEN)) is said
