"""Cases are observed and answered about reproducibly, the control is given another pair, and the truth scores best."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.dataset.store import PairStore
from apu.dataset.synthetic.observation_settings import AnswerSettings, ObservationSettings
from apu.evaluate.cases import make_cases, partners, score
from apu.evaluate.methods import Case, Outcome
from apu.scene.true_pair import TruePair

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture(scope="module")
def pairs() -> list[TruePair]:
    return [record.to_true_pair() for record in PairStore(FIXTURE).records()]


@pytest.fixture(scope="module")
def cases(body: AnnyBody, pairs) -> list[Case]:
    return make_cases(body, pairs[:2], pairs[2:4], seed=5)


def ids(found: dict[str, TruePair]) -> dict[str, str]:
    return {id: other.id for id, other in found.items()}


def test_every_pair_has_a_partner_of_another_class(pairs):
    found = partners(pairs)
    assert set(found) == {pair.id for pair in pairs}
    assert all(found[pair.id].interaction != pair.interaction for pair in pairs)


def test_partners_do_not_depend_on_the_order_of_the_pairs(pairs):
    shuffled = list(pairs)
    random.Random(1).shuffle(shuffled)
    assert ids(partners(shuffled)) == ids(partners(pairs))


def test_no_pair_is_the_partner_of_very_many(pairs):
    assert max(Counter(ids(partners(pairs)).values()).values()) <= 4


def test_in_one_class_alone_the_partner_is_still_another_pair(pairs):
    alike = [replace(pair, interaction="hug") for pair in pairs]
    found = ids(partners(alike))
    assert all(id != other for id, other in found.items())
    assert len(set(found.values())) == len(pairs), "a ring: everybody is the partner of one"


def test_a_single_pair_is_its_own_partner(pairs):
    assert ids(partners(pairs[:1])) == {pairs[0].id: pairs[0].id}
    assert partners([]) == {}


def test_a_case_is_about_its_pair_and_carries_the_answer_about_the_other(body: AnnyBody, pairs, cases):
    back = make_cases(body, pairs[2:4], pairs[:2], seed=5)
    for case, mirrored, pair in zip(cases, back, pairs, strict=False):
        assert case.observed.truth.id == pair.id
        assert case.seed == 5
        assert case.other == mirrored.answer
        assert mirrored.other == case.answer
        assert case.answer != case.other


def test_a_case_is_the_same_alone_and_in_a_batch_and_another_with_another_seed(body: AnnyBody, pairs, cases):
    (alone,) = make_cases(body, pairs[1:2], pairs[3:4], seed=5)
    assert alone.answer == cases[1].answer
    assert all(
        torch.equal(alone.observed.true_parameters[n], value) for n, value in cases[1].observed.true_parameters.items()
    )
    (other,) = make_cases(body, pairs[1:2], pairs[3:4], seed=6)
    assert not torch.equal(
        other.observed.true_parameters["translation"], cases[1].observed.true_parameters["translation"]
    )


def test_without_answer_noise_the_answer_is_the_truth(body: AnnyBody, pairs):
    quiet = ObservationSettings(answers=AnswerSettings(on=False))
    (case,) = make_cases(body, pairs[:1], pairs[1:2], seed=5, settings=quiet)
    assert all(c.truth is not None and not c.errors for c in case.answer.contacts)
    near = case.observed.truth.contact_map(0.013)
    for told in case.answer.contact_map().contacts:
        assert any(c.regions_a <= told.regions_a and c.regions_b <= told.regions_b for c in near.contacts)


def outcomes(cases: list[Case], **changes: torch.Tensor) -> list[Outcome]:
    """The true bodies, with some parameters moved."""
    return [
        Outcome({n: v + changes.get(n, torch.zeros(1)) for n, v in c.observed.true_parameters.items()}, 1.5)
        for c in cases
    ]


@pytest.fixture(scope="module")
def perfect(body: AnnyBody, cases) -> list[dict[str, float]]:
    return score(body, cases, outcomes(cases))


ERRORS_MM = (
    "pa_mpjpe_mm",
    "mpjpe_mm",
    "pair_pa_mpjpe_mm",
    "pair_mpjpe_mm",
    "vertex_error_mm",
    "relative_depth_error_mm",
)
AGREEMENTS = ("contact_f1_10mm_percent", "contact_f1_13mm_percent", "part_f1_10mm_percent", "pcc_2cm_percent")


def test_the_true_bodies_have_no_error_and_all_contacts(perfect):
    for row in perfect:
        assert [row[name] for name in ERRORS_MM] == pytest.approx([0.0] * len(ERRORS_MM), abs=0.01)
        assert [row[name] for name in AGREEMENTS] == pytest.approx([100.0] * len(AGREEMENTS), abs=3.0)
        assert 0 < row["reprojection_error_percent"] < 5, "the noise of the keypoints"
        assert row["seconds"] == 1.5


def test_penetration_is_that_of_the_stored_pair(perfect, pairs):
    for row, pair in zip(perfect, pairs, strict=False):
        assert row["penetration_worst_mm"] == pytest.approx(1000 * pair.penetration_max_m, abs=0.2)


def test_a_body_set_half_a_metre_aside_is_told_as_such(body: AnnyBody, cases, perfect):
    aside = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    for good, bad in zip(perfect, score(body, cases, outcomes(cases, translation=aside)), strict=True):
        assert good.keys() == bad.keys()
        assert bad["relative_translation_error_mm"] == pytest.approx(500.0, abs=0.1)
        assert bad["pair_mpjpe_mm"] == pytest.approx(250.0, abs=0.1), "one person of the two, after A's root"
        assert bad["pa_mpjpe_mm"] == pytest.approx(0.0, abs=0.01)
        assert bad["pair_pa_mpjpe_mm"] > 100
        assert bad["contact_f1_13mm_percent"] == 0.0
        assert bad["penetration_worst_mm"] == 0.0
        assert bad["reprojection_error_percent"] > good["reprojection_error_percent"] + 5


def test_a_case_scores_the_same_alone_and_in_a_batch(body: AnnyBody, cases, perfect):
    (alone,) = score(body, cases[1:], outcomes(cases[1:]))
    assert alone == pytest.approx(perfect[1], abs=0.05, nan_ok=True)
