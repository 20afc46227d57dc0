"""Two synthetic pairs are observed, fitted and judged: what the records say holds, and a prior can learn from them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.dataset.build import FAILED, Built
from apu.dataset.build_record import UNTOUCHED, Acceptance
from apu.dataset.build_synthetic import SyntheticBuild, SyntheticPiece, pair_name, pieces_of
from apu.dataset.measure_again import differences
from apu.dataset.prior_pairs import prior_pairs
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import simulate_answers
from apu.dataset.synthetic.observe import observe
from apu.prior.pairs import joined
from apu.scene.verdict import RuleResult, Verdict

FOLDER = Path(__file__).parent / "fixture_pairs"
SEED = 5
VERSIONS = {"apu": "test"}


@pytest.fixture(scope="module")
def sources() -> list[PairRecord]:
    return list(PairStore(FOLDER).records())[:2]


@pytest.fixture(scope="module")
def piece(sources) -> SyntheticPiece:
    return SyntheticPiece(tuple(map(pair_name, sources)), SEED, acceptance=Acceptance(min_chance=0.25))


@pytest.fixture(scope="module")
def built(sources, piece) -> Built:
    return SyntheticBuild({r.id: r.to_true_pair() for r in sources}, VERSIONS)(piece)


def test_records_tell_of_fits_and_not_of_the_truth(built: Built, sources):
    for record, source in zip(built.records, sources, strict=True):
        assert (record.kind, record.frame, record.interaction) == ("simulated", "camera", source.interaction)
        assert record.id == f"{source.id}-seen-{SEED}"
        assert record.parameters["pose"] != source.parameters["pose"]
        assert record.seeds == {"observation": SEED, "pair": source.seeds["pair"]}
        assert record.versions == VERSIONS


def test_observation_and_answers_are_those_of_the_seed(built: Built, sources, body):
    seen = observe(body, [source.to_true_pair() for source in sources], SEED)
    for record, one in zip(built.records, seen, strict=True):
        assert record.initial is not None
        assert record.initial["pose"][1] == one.initial[1].parameters["pose"].tolist()
        assert record.keypoints is not None
        xy = one.observation.people[0].keypoints.as_set("body25").xy
        assert record.keypoints[0][4][:2] == pytest.approx(xy[4].tolist())
        answer = simulate_answers(one.truth, body.surface, 1, SEED).answers[0].contact_map()
        assert [set(c.regions_a) for c in record.intended] == [set(c.regions_a) for c in answer.contacts]
        assert {c.source for c in record.intended} <= {"simulated"}


def test_what_was_decided_is_all_there(built: Built):
    for record in built.records:
        assert record.decisions is not None
        assert record.answers is not None
        assert record.losses is not None
        decisions = json.loads(record.decisions)
        assert [stage["name"] for stage in decisions["stages"]] == ["joints", "contact", "penetration"]
        assert len(decisions["contacts"]) == len(record.intended)
        assert all(0 <= contact["trust"] <= 1 for contact in decisions["contacts"])
        assert decisions["hypothesis"]["tried"]
        assert json.loads(record.answers)[0]["model"] == "simulated"
        assert {name.partition("/")[0] for name in record.losses} >= {"contact", "penetration"}
        assert "seconds" not in record.decisions
        limits = {rule.name: rule.limit for rule in record.verdict.rules}
        assert limits["chance of an accurate fit"] == pytest.approx(25.0)


def test_contacts_and_penetration_are_those_of_the_bodies(built: Built, body):
    assert list(differences(body, built.records)) == []


def test_a_fit_is_taken_exactly_when_its_rules_hold_and_it_touches(built: Built):
    for record, entry in zip(built.records, built.entries, strict=True):
        rules = record.verdict.rules
        holds = [r.value <= r.limit if r.sense == "at most" else r.value >= r.limit for r in rules]
        assert entry.taken == (all(holds) and bool(record.contacts))
        assert record.verdict.accepted == all(holds)


def test_reasons(built: Built):
    record = next(r for r in built.records if r.contacts)
    bad = Verdict((RuleResult("penetration", 9.0, 3.0, "cm"), RuleResult("contacts met", math.nan, 60.0, "%")))
    assert Acceptance().why_not(record, bad)[0] == "penetration"
    assert "contacts met" in Acceptance().why_not(record, bad)[1]
    assert Acceptance(verdict=False).why_not(record, bad) == ("", "")
    apart = record.model_copy(update={"contacts": []})
    assert Acceptance(verdict=False).why_not(apart, None)[0] == UNTOUCHED


def test_a_prior_can_learn_from_them(built: Built):
    pairs = joined(prior_pairs(built.records))
    assert pairs.initial_known.all()
    assert all(bool(value.isfinite().all()) for value in pairs.parameters.values())
    assert bool((pairs.contacts.weight > 0).any())


def test_a_pair_that_cannot_be_observed_costs_only_itself(sources, piece, built: Built):
    pairs = {record.id: record.to_true_pair() for record in sources}
    second = sources[1].id
    pairs[second] = replace(pairs[second], body_model="another")
    found = SyntheticBuild(pairs, VERSIONS)(piece)
    assert [entry.why for entry in found.entries][1] == FAILED
    assert "another body model" in found.entries[1].detail
    assert [record.id for record in found.records] == [built.records[0].id]
    a, b = (torch.tensor(r.parameters["translation"]) for r in (found.records[0], built.records[0]))
    assert torch.allclose(a, b, atol=0.05)  # alone, the last digits differ


def test_pieces_are_the_pairs_in_order(sources):
    names = [replace(pair_name(sources[0]), id=str(i)) for i in range(19)]
    pieces = pieces_of(names, seed=1)
    assert [len(one.pairs) for one in pieces] == [8, 8, 3]
    assert tuple(name for one in pieces for name in one.pairs) == tuple(names)
