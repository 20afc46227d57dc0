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
from apu.dataset.engine import SerialEngine
from apu.evaluate import synthetic_benchmark
from apu.evaluate.methods import Outcome
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import (
    BATCH,
    MEASURING,
    Batch,
    Evaluation,
    SyntheticBenchmark,
    batch_folder,
    digest,
    evaluate_batch,
    run_benchmark,
)
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


def without_seconds(rows: list[BenchmarkRow]) -> list[tuple]:
    """Rows as they can be compared: NaN is unlike itself."""
    return [
        (r.pair, r.interaction, r.group, r.seed, r.method, r.lost, sorted((n, repr(v)) for n, v in r.values.items()))
        for r in rows
    ]


def many(pairs: tuple[TruePair, ...], count: int) -> tuple[TruePair, ...]:
    return tuple(replace(pairs[0], id=f"pair-{i:02d}") for i in range(count))


def test_batches_have_at_most_eight_pairs_in_their_order_for_every_seed(pairs):
    batches = SyntheticBenchmark(many(pairs, 11), (3, 5), ("init",)).batches()
    assert [(b.seed, len(b.pairs)) for b in batches] == [(3, BATCH), (3, 3), (5, BATCH), (5, 3)]
    assert [id for b in batches[:2] for id, _ in b.pairs] == [f"pair-{i:02d}" for i in range(11)]


def test_work_is_addressed_by_pairs_seed_and_methods(pairs, tmp_path: Path):
    def places(**changes) -> list[Path]:
        asked = replace(SyntheticBenchmark(pairs, (0,), ("init", "keypoints")), **changes)
        return [batch_folder(tmp_path).place(batch) for batch in asked.batches()]

    nearer = (replace(pairs[0], contacts=pairs[0].contacts[1:]), *pairs[1:])
    assert places() == places()
    others = [places(seeds=(1,)), places(methods=("init",)), places(pairs=nearer), places(pairs=pairs[::-1])]
    assert len({str(one) for one in [places(), *others]}) == 5


def test_the_digest_of_a_pair_sees_its_last_bit(pairs):
    moved = {**pairs[0].parameters, "translation": pairs[0].parameters["translation"].nextafter(torch.tensor(9.0))}
    assert digest(replace(pairs[0], parameters=moved)) != digest(pairs[0]) == digest(replace(pairs[0]))


def test_a_killed_run_that_is_resumed_ends_with_the_same_rows(pairs, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(synthetic_benchmark, "BATCH", 1)
    asked = SyntheticBenchmark(pairs[1:], (1,), ("init",))
    whole = run_benchmark(asked, tmp_path / "whole", SerialEngine())
    evaluate, calls = Evaluation({p.id: p for p in asked.pairs}), []

    def killed(batch: Batch):
        calls.append(batch)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(batch)

    with pytest.raises(KeyboardInterrupt):
        run_benchmark(asked, tmp_path / "killed", SerialEngine(), killed)
    told = []
    resumed = run_benchmark(
        asked, tmp_path / "killed", SerialEngine(), killed, lambda done, total: told.append((done, total))
    )
    assert len(calls) == 2 + 1  # one batch was taken over
    assert told == [(1, 2), (2, 2)]
    assert without_seconds(resumed) == without_seconds(whole)
    assert [(r.pair, r.seed) for r in whole] == [(p.id, 1) for p in asked.pairs]


def test_a_batch_that_cannot_be_computed_is_lost_and_not_kept(pairs, tmp_path: Path):
    def broken(batch: Batch):
        raise TypeError("a mistake")

    asked = SyntheticBenchmark(pairs[:1], (0,), ("init",))
    (row,) = run_benchmark(asked, tmp_path, SerialEngine(), broken)
    assert row.lost == "TypeError: a mistake"
    assert run_benchmark(asked, tmp_path, SerialEngine())[0].lost == ""


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
    (row,) = evaluate_batch(body, pairs[:1], pairs[1:2], 0, ["keypoints"])
    assert row.values["pair_pa_mpjpe_mm"] < 0.01
    assert row.values["pcc_2cm_percent"] == 100
    assert row.values["contact_f1_10mm_percent"] > 90
    assert "seconds" not in row.values
    assert row.seconds == 2.0


def test_a_pair_that_fails_is_lost_to_its_method_alone(body: AnnyBody, pairs, fragile):
    fragile |= {pairs[0].id: "raise", pairs[1].id: "nan"}
    rows = evaluate_batch(body, pairs, (pairs[1], pairs[2], pairs[0]), 0, ["init", "keypoints"])
    assert {(r.pair, r.method): r.lost for r in rows if r.lost} == {
        (pairs[0].id, "keypoints"): "RuntimeError: no fit",
        (pairs[1].id, "keypoints"): "The bodies are not finite.",
    }
    assert [(r.pair, r.method) for r in rows] == [(p.id, m) for m in ("init", "keypoints") for p in pairs]
    assert all(r.values["pair_pa_mpjpe_mm"] < 0.01 for r in rows if not r.lost)


def test_a_pair_that_cannot_be_observed_is_lost_to_every_method(body: AnnyBody, pairs, fragile):
    strange = replace(pairs[0], id="strange", body_model="another")
    rows = evaluate_batch(body, [strange, pairs[1]], [pairs[1], pairs[2]], 0, ["init", "keypoints"])
    assert {r.pair for r in rows if r.lost} == {"strange"}
    assert sum(bool(r.lost) for r in rows) == 2


def test_a_fit_of_keypoints_is_nearer_than_where_it_started(body: AnnyBody, pairs):
    start, fitted = evaluate_batch(body, pairs[:1], pairs[1:2], 0, ["init", "keypoints"])
    assert fitted.values["reprojection_error_percent"] < 0.5 * start.values["reprojection_error_percent"]
    assert fitted.seconds > 0


def test_modules_that_measure_are_there():
    folder = Path(synthetic_benchmark.__file__).parent
    presenting = {"__init__", "ablation", "ablation_table", "ablation_variants", "annotated_contacts",
                  "annotated_photos", "ask_agreement", "ask_annotators", "ask_benchmark", "ask_chirality",
                  "ask_findings", "ask_photos", "ask_plot", "ask_rows", "ask_tables", "bootstrap", "findings",
                  "named_of_map", "photo_tables", "photos_benchmark", "plots", "report", "risk_coverage", "rows",
                  "synthetic_tables", "tables", "verdict_benchmark", "verdict_findings", "verdict_plot",
                  "verdict_tables"}  # fmt: skip
    assert {path.stem for path in folder.glob("*.py")} - presenting == set(MEASURING)
