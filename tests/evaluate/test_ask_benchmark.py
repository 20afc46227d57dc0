"""Simulated annotators on two true pairs, and the share of sides that keypoints find."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from apu.body.anny import AnnyBody
from apu.contact.end import End
from apu.contact.measured import TOUCHING_M
from apu.contact.votes import Answered, pool
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import AnsweredContact, SimulatedAnswer, answers_about, simulate_answers
from apu.dataset.synthetic.coarse_contacts import coarse_contacts
from apu.dataset.synthetic.observation_settings import AnswerSettings, KeypointSettings, ObservationSettings
from apu.dataset.synthetic.observe import Observed, observe
from apu.evaluate.ask_annotators import KS, RHOS, SINGLE, TRUTH, said_by, simulated_annotators
from apu.evaluate.ask_benchmark import AskMeasured, measure_annotators, true_contacts
from apu.evaluate.ask_chirality import SideCase, recoveries, side_cases
from apu.evaluate.ask_findings import find_annotators
from apu.evaluate.ask_rows import contacts_csv
from apu.evaluate.trusted_answers import named_contacts
from apu.scene.true_pair import TruePair

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture(scope="module")
def pairs() -> list[TruePair]:
    return [record.to_true_pair() for record in list(PairStore(FIXTURE).records())[:2]]


@pytest.fixture(scope="module")
def measured(body: AnnyBody, pairs) -> AskMeasured:
    return measure_annotators(body, pairs, (0,))


def test_every_annotator_is_asked_about_every_pair(measured, pairs):
    names = [one.name for one in simulated_annotators()]
    assert [(one.row.pair, one.row.method) for one in measured.rows] == list(product([p.id for p in pairs], names))
    assert SINGLE in names
    assert {f"{k} answer{'s' * (k > 1)}, rho {rho:g}" for k in KS for rho in RHOS} <= set(names)


def test_a_perfect_answer_is_perfect_as_said(measured):
    truth = next(one for one in find_annotators(measured.rows) if one.annotator == TRUTH)
    for level in ("side-blind", "side-aware"):
        assert truth.precision[level].value == truth.recall[level].value == truth.f1[level].value == 1.0
        assert truth.calibration[level].brier.value == 0.0
    assert truth.detection.value == 1.0


def test_the_same_seed_gives_the_same_contacts_whatever_else_is_measured(measured, body, pairs):
    again = measure_annotators(body, pairs[::-1], (0,))
    mine = [one for one in measured.rows if one.row.pair == pairs[0].id and "worse" not in one.row.method]
    theirs = [one for one in again.rows if one.row.pair == pairs[0].id and "worse" not in one.row.method]
    assert contacts_csv(mine) == contacts_csv(theirs)
    other = measure_annotators(body, pairs[:1], (1,))
    assert [one.said for one in other.rows] != [one.said for one in mine]


def test_true_contacts_are_the_region_pairs_that_touch_grouped_by_parts(pairs, body):
    for pair in pairs:
        found = true_contacts(pair, None)
        touching = {(c.region_a, c.region_b) for c in pair.contacts if c.distance_m <= TOUCHING_M}
        assert frozenset().union(*(one.pairs for one in found)) == touching
        assert sum(len(one.pairs) for one in found) == len(touching)
        assert len(found) == len(coarse_contacts(pair, body.surface))


def test_a_single_answer_is_taken_as_it_is_and_several_by_votes(pairs, body):
    answers = simulate_answers(pairs[0], body.surface, 5, 0).answers
    assert all(contact.weight == 1 for contact in said_by([answers[:1]]))
    pooled = pool([Answered(named_contacts(one), one.model) for one in answers], "simulated")
    assert said_by([answers]) == pooled.named()
    assert min(contact.weight for contact in said_by([answers])) < 1


def test_reliability_moves_the_weights_towards_the_better_model():
    ends = {"good": (End("hand", "left"), End("back")), "bad": (End("neck"), End("chest"))}
    good, bad = (SimulatedAnswer((AnsweredContact(a, b, None, frozenset()),), name, 0) for name, (a, b) in ends.items())
    equal: Mapping[str, float] = {c.a.part: c.weight for c in said_by([(good,), (bad,)])}
    weighted = {c.a.part: c.weight for c in said_by([(good,), (bad,)], {"good": 5.0, "bad": 0.5})}
    assert equal["hand"] == equal["neck"]
    assert weighted["hand"] > equal["hand"] > weighted["neck"] > 0


def test_an_answer_about_words_is_the_answer_about_the_pair(pairs, body):
    words = coarse_contacts(pairs[0], body.surface)
    assert answers_about(pairs[0].id, words, 3, 7) == simulate_answers(pairs[0], body.surface, 3, 7)


# ---- sides


@pytest.fixture(scope="module")
def clear(body: AnnyBody, pairs) -> list[Observed]:
    """The pairs as a detector without error sees them."""
    return observe(body, pairs, 0, ObservationSettings(keypoints=KeypointSettings(on=False)))


def flipped(seen: Observed, body: AnnyBody, errors: AnswerSettings) -> list[SideCase]:
    answer = simulate_answers(seen.truth, body.surface, 1, 0, errors).answers[0]
    return side_cases(seen, answer, 0)


QUIET = AnswerSettings(
    missed=0.0, invented=0.0, swapped=0.0, wider=0.0, both_flipped=0.0, one_flipped=0.0, sided_flipped=0.0
)


def test_noise_free_keypoints_recover_every_decidable_side(clear, body):
    flips = replace(QUIET, both_flipped=1.0, sided_flipped=1.0)
    cases = [case for seen in clear for case in flipped(seen, body, flips)]
    decidable = [case for case in cases if case.decidable]
    assert len(decidable) >= 4
    assert all(case.right for case in decidable)
    assert all(case.flipped == "both" for case in cases)


def test_a_wrong_relation_is_decidable_only_for_the_variant_that_does_not_believe_it(clear, body):
    one_end = replace(QUIET, one_flipped=1.0)
    cases = [case for seen in clear for case in flipped(seen, body, one_end) if case.ends == 2]
    assert cases
    assert not any(case.decidable for case in cases if case.variant == "relation")
    assert any(case.decidable and case.right for case in cases if case.variant == "all-four")


def test_right_answers_count_as_kept_and_people_that_are_exchanged_do_not_count(clear, body):
    assert all(case.flipped == "none" for seen in clear for case in flipped(seen, body, QUIET))
    assert not [case for seen in clear for case in flipped(seen, body, replace(QUIET, swapped=1.0))]


def test_recoveries_are_counted_by_hand():
    cases = [
        SideCase("p", 0, "relation", 2, "both", True, True),
        SideCase("p", 0, "relation", 2, "none", True, False),
        SideCase("q", 0, "relation", 1, "none", True, True),
        SideCase("q", 0, "relation", 2, "one", False, False),
        SideCase("q", 0, "all-four", 2, "one", True, True),
    ]
    every, one_end, two_ends, *rest = recoveries(cases)
    assert (every.contacts, every.decidable.above, every.recovered.above, every.recovered.below) == (4, 3, 2, 3)
    assert (every.mended.above, every.mended.below, every.kept.above, every.kept.below) == (1, 1, 1, 2)
    assert (every.before.value, every.after.value) == (0.5, 0.5)
    assert (one_end.contacts, two_ends.contacts) == (1, 3)
    assert rest[0].recovered.value == 1.0
    assert np.isnan(rest[1].recovered.value)
