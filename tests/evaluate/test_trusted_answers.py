"""From answers to contact maps; and annotators that are no help must do no harm."""

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.contact.contact import ContactMap
from apu.contact.end import END_SIDES, End
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.parts import PARTS
from apu.contact.votes import Answered, pool
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import AnsweredContact, SimulatedAnswer
from apu.evaluate.ask_benchmark import true_contacts
from apu.evaluate.ask_rows import Subject, ask_row
from apu.evaluate.cases import make_cases
from apu.evaluate.methods import EVERY_METHOD, METHODS, ON_FLOOR, TRUST, VOTES, Case, baselines, contacts_of
from apu.evaluate.trusted_answers import Trust, named_contacts, sides_decided, trusted_contacts, trusted_map
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture(scope="module")
def case(body: AnnyBody) -> Case:
    pairs = [record.to_true_pair() for record in list(PairStore(FIXTURE).records())[:2]]
    return make_cases(body, pairs, pairs[::-1], seed=3)[0]


def answer(*contacts: tuple[str, str, str, str]) -> SimulatedAnswer:
    told = tuple(AnsweredContact(End(a, x), End(b, y), None, frozenset()) for a, x, b, y in contacts)
    return SimulatedAnswer(told, "somebody", 0)


EVERYTHING = answer(*((a, "unknown", b, "unknown") for a, b in product(PARTS, PARTS)))
VOCABULARY = answer(*((part, side, part, side) for part in PARTS for side in END_SIDES))
NOTHING = answer()
CONTRADICTORY = answer(*(("hand", x, "upper arm", y) for x in END_SIDES for y in END_SIDES))
USUAL = answer(("hand", "left", "back", "none"))
ADVERSARIES = {
    "everything": [EVERYTHING] * 5,
    "nothing": [NOTHING] * 5,
    "vocabulary": [VOCABULARY] * 5,
    "contradictory": [CONTRADICTORY] * 5,
    "one voice against four that say everything": [USUAL, *[EVERYTHING] * 4],
}


def blind(seen: PairObservation) -> PairObservation:
    """The pair with no limb keypoint seen."""
    people = tuple(
        Person(p.index, Keypoints("body25", np.full((25, 2), np.nan), np.zeros(25)), 0.5, "nobody") for p in seen.people
    )
    return PairObservation(seen.photo, seen.camera, (people[0], people[1]))


@pytest.mark.parametrize("method", list(TRUST))
@pytest.mark.parametrize("who", ADVERSARIES)
@pytest.mark.parametrize("visible", [True, False])
def test_no_annotator_breaks_a_method(case: Case, method, who: str, visible: bool):
    seen = case.observed.observation if visible else blind(case.observed.observation)
    found = trusted_map(ADVERSARIES[who], seen, TRUST[method])
    assert all(math.isfinite(c.weight) and 0 < c.weight <= 1 for c in found.contacts)
    assert found.source == "simulated"
    if who == "nothing":
        assert found.contacts == ()
    subject = Subject("p", "hug", "seen", 0, true_contacts(case.observed.truth, 6))
    values = ask_row(subject, who, found, found, 0.2).row.values
    assert all(math.isfinite(value) for value in values.values())
    assert values["right"] <= values["right_blind"] <= values["said"]


def test_who_says_everything_or_copies_the_vocabulary_is_recorded_and_hardly_counts():
    for one in (EVERYTHING, VOCABULARY):
        pooled = pool([Answered(named_contacts(one), "liar")] * 2 + [Answered(named_contacts(USUAL), "good")])
        assert any("liar" in note for note in pooled.notes)
        weights = {c.contact.name: c.contact.weight for c in pooled.contacts}
        best = max(weights, key=lambda name: weights[name])
        assert best == "left hand - back"
        assert sum(weight > 0.2 for weight in weights.values()) == 1


def test_one_answer_of_five_that_can_be_read_is_taken_as_one_and_the_others_as_missing():
    pooled = pool([Answered(named_contacts(USUAL), "m"), *[Answered(None, "m")] * 4])
    assert (pooled.asked, pooled.missing) == (1, 4)
    assert [c.contact.weight for c in pooled.contacts] == [1.0]
    assert any("4 of 5 answers are missing" in note for note in pooled.notes)


def test_without_visible_limbs_every_answer_stands_and_says_why(case: Case):
    seen = blind(case.observed.observation)
    contacts = named_contacts(answer(("hand", "left", "hand", "right"), ("hand", "left", "back", "none")))
    decided = sides_decided(contacts, seen, "relation")
    assert decided.contacts == contacts
    assert all("stands" in decision.why for decision in decided.decisions)


def test_sides_that_contradict_each_other_are_left_open():
    left, right = (answer(("hand", side, "back", "none")) for side in ("left", "right"))
    pooled = pool([Answered(named_contacts(one), "m") for one in (left, right)])
    (only,) = pooled.contacts
    assert only.contact.a.side == "unknown"
    assert only.votes == 2


def test_the_first_answer_is_the_single_one_and_five_are_pooled(case: Case):
    assert len(case.answers) == VOTES
    assert case.answers[0] == case.answer
    assert trusted_map(case.answers, case.observed.observation, Trust()) == contact_map(
        named_contacts(case.answer), "simulated"
    )
    votes = trusted_contacts(case.answers, case.observed.observation, TRUST["contacts+votes"])
    everything = pool([Answered(named_contacts(one), "m") for one in case.answers], "simulated").named(0.2)
    assert votes == everything


def test_open_sides_keep_the_parts_and_drop_every_side(case: Case):
    opened = trusted_contacts(case.answers, case.observed.observation, TRUST["contacts+open-sides"])
    assert [(c.a.part, c.b.part) for c in opened] == [(c.a.part, c.b.part) for c in named_contacts(case.answer)]
    assert not any(end.sided for c in opened for end in (c.a, c.b))


def test_denoising_changes_sides_alone(case: Case):
    before = named_contacts(case.answer)
    after = trusted_contacts(case.answers, case.observed.observation, TRUST["contacts+chirality"])
    assert {(c.a.part, c.b.part) for c in after} == {(c.a.part, c.b.part) for c in before}


def test_the_vote_in_space_is_heard(case: Case):
    observed = case.observed
    truth = Estimate(torch.zeros(2, 1, 3), observed.true_joints, {}, "truth")
    contacts: tuple[NamedContact, ...] = named_contacts(case.answer)
    both = sides_decided(contacts, observed.observation, "relation and 3D", truth)
    assert both.evidence == "2D keypoints and 3D after first fit"
    assert sides_decided(contacts, observed.observation, "relation and 3D").evidence == "2D keypoints"
    assert contacts_of("contacts+chirality3d", case, truth) == contact_map(both.contacts, "simulated")


def test_methods_with_trust_run_only_when_they_are_named():
    assert not set(METHODS) & set(TRUST)
    assert set(EVERY_METHOD) == set(METHODS) | set(TRUST) | set(ON_FLOOR)
    assert baselines(METHODS) == ("keypoints", "mindist")
    assert baselines(("contacts", "contacts+votes")) == ("keypoints", "mindist", "contacts")
    assert baselines(("contacts", "contacts+floor")) == ("keypoints", "mindist", "contacts")
    assert baselines(("keypoints", "keypoints+floor")) == ("keypoints", "mindist")
    assert baselines(("contacts+votes", "oracle+floor")) == ("keypoints", "mindist", "contacts", "oracle")


def test_nobody_asked_gives_an_empty_map(case: Case):
    assert trusted_map((), case.observed.observation, Trust()) == ContactMap((), "simulated")
    assert trusted_map((), case.observed.observation, Trust(answers=5)) == ContactMap((), "simulated")
