"""On pairs that are posed by hand. The initial estimates as a method cost nothing; a single test fits a pair."""

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.contact.measured import measure_contacts
from apu.evaluate import synthetic_benchmark
from apu.evaluate.batches import Part
from apu.evaluate.methods import Outcome
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.scene.true_pair import TruePair

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


@pytest.fixture(scope="module")
def pairs(body: AnnyBody) -> tuple[TruePair, ...]:
    """Three pairs, with their measured contacts, of two classes."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_benchmark", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    made = [posed.posed_pair(body, number, kind) for number, kind in ((0, "hug"), (1, "side"), (2, "hug"))]
    stacked = {name: torch.stack([one.parameters[name] for one in made]) for name in made[0].parameters}
    vertices = body.forward(stacked, Parts(vertices="all")).vertices
    assert vertices is not None
    touching = measure_contacts(body.surface, vertices)
    return tuple(
        replace(one, contacts=found, interaction=kind, split="test")
        for one, found, kind in zip(made, touching, ("hug", "side_hug", "hug"), strict=True)
    )


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """`keypoints` gives the truth, but for the pairs that are named here with what happens to them."""
    bad: dict[str, str] = {}

    def solve(body, cases, methods):
        if "keypoints" in methods and any(bad.get(c.observed.truth.id) == "raise" for c in cases):
            raise RuntimeError("no fit")
        out = {m: [Outcome(c.observed.true_parameters, 2.0) for c in cases] for m in methods}
        for i, case in enumerate(cases):
            if "keypoints" in methods and bad.get(case.observed.truth.id) == "nan":
                out["keypoints"][i] = Outcome({n: v * math.nan for n, v in case.observed.true_parameters.items()}, 2.0)
        return out

    monkeypatch.setattr(synthetic_benchmark, "solve", solve)
    return bad


def test_the_truth_has_no_error_and_seconds_are_kept_apart(body: AnnyBody, pairs, fragile):
    (row,) = evaluate_batch(body, Part(pairs[:1], pairs[1:2], 0), ["keypoints"])
    assert row.values["pair_pa_mpjpe_mm"] < 0.01
    assert row.values["pcc_2cm_percent"] == 100
    assert row.values["contact_f1_10mm_percent"] > 90
    assert "seconds" not in row.values
    assert row.seconds == 2.0


def test_a_pair_that_fails_is_lost_to_its_method_alone(body: AnnyBody, pairs, fragile):
    fragile |= {pairs[0].id: "raise", pairs[1].id: "nan"}
    rows = evaluate_batch(body, Part(pairs, (pairs[1], pairs[2], pairs[0]), 0), ["init", "keypoints"])
    assert {(r.pair, r.method): r.lost for r in rows if r.lost} == {
        (pairs[0].id, "keypoints"): "RuntimeError: no fit",
        (pairs[1].id, "keypoints"): "The bodies are not finite.",
    }
    assert [(r.pair, r.method) for r in rows] == [(p.id, m) for m in ("init", "keypoints") for p in pairs]
    assert all(r.values["pair_pa_mpjpe_mm"] < 0.01 for r in rows if not r.lost)


def test_a_pair_that_cannot_be_observed_is_lost_to_every_method(body: AnnyBody, pairs, fragile):
    strange = replace(pairs[0], id="strange", body_model="another")
    rows = evaluate_batch(body, Part([strange, pairs[1]], [pairs[1], pairs[2]], 0), ["init", "keypoints"])
    assert {r.pair for r in rows if r.lost} == {"strange"}
    assert sum(bool(r.lost) for r in rows) == 2


def test_a_fit_of_keypoints_is_nearer_than_where_it_started(body: AnnyBody, pairs):
    start, fitted = evaluate_batch(body, Part(pairs[:1], pairs[1:2], 0), ["init", "keypoints"])
    assert fitted.values["reprojection_error_percent"] < 0.5 * start.values["reprojection_error_percent"]
    assert fitted.seconds > 0
