"""Fits are judged with every kind of answer, the work goes on after a kill, and the numbers are those of the rows."""

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.body.anny import AnnyBody
from apu.dataset.engine import SerialEngine
from apu.errors import InputError
from apu.evaluate import verdict_benchmark
from apu.evaluate.batches import Batch, Benchmark, Part, run_benchmark
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.verdict_benchmark import (
    ACCEPTED,
    CHANCE_PERCENT,
    CLUE,
    ERROR,
    KEPT,
    REJECTED_BY,
    Verdict,
    check_answers,
    method_name,
)
from apu.evaluate.verdict_findings import find_verdict
from apu.evaluate.verdict_plot import draw_verdict
from apu.evaluate.verdict_tables import verdict_tables
from apu.prior.named import loaded_prior
from apu.prior.shipped import SHIPPED_FOLDER
from apu.scene.true_pair import TruePair
from apu.unite.confidence import shipped
from apu.unite.weights import UniteWeights

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"
QUICK = UniteWeights(
    first=replace(UniteWeights().first, steps=2),
    contact=replace(UniteWeights().contact, steps=3),
    penetration=replace(UniteWeights().penetration, steps=3),
)


@pytest.fixture(scope="module")
def pairs(body: AnnyBody) -> tuple[TruePair, ...]:
    spec = importlib.util.spec_from_file_location("posed_pairs_of_verdict", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    made = [posed.posed_pair(body, number, "hug") for number in (0, 1)]
    return tuple(replace(one, interaction="hug", split="validation") for one in made)


def test_every_kind_of_answer_is_fitted_from_one_first_fit_and_judged(
    body: AnnyBody, pairs, monkeypatch: pytest.MonkeyPatch
):
    looks, given = [], []

    def look(body, observations):
        looks.append(found := plain_look(body, observations, QUICK))
        return found

    def unite(body, first, maps, guidance):
        assert guidance is None
        given.append((first, maps))
        return plain_unite(body, first, maps, QUICK)

    plain_look, plain_unite = verdict_benchmark.look, verdict_benchmark.unite
    monkeypatch.setattr(verdict_benchmark, "look", look)
    monkeypatch.setattr(verdict_benchmark, "unite", unite)
    rows = Verdict(("0", "1", "oracle")).measure(body, Part(pairs[:1], pairs[1:], 0))
    assert [row.method for row in rows] == ["noise x 0", "noise x 1", "oracle"]
    assert len(looks) == 1
    assert all(first is looks[0] for first, _ in given)
    assert len({repr(maps) for _, maps in given}) == 3, "two kinds of answers are the same"
    clues = {clue.name for clue in shipped().clues}
    for row in rows:
        assert not row.lost
        assert math.isfinite(row.values[ERROR])
        assert row.values[ACCEPTED] == float(
            all(value == 0.0 for name, value in row.values.items() if name.startswith(REJECTED_BY))
        )
        assert clues <= {name.removeprefix(CLUE) for name in row.values if name.startswith(CLUE)}
        assert set(row.values) & set(KEPT) == set(KEPT)
    assert 0 < rows[1].values[CHANCE_PERCENT] < 100


def test_a_named_prior_guides_every_fit_and_a_folder_without_one_is_refused(
    body: AnnyBody, pairs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    heard = []

    def unite(body, first, maps, guidance):
        heard.append(guidance)
        raise ArithmeticError("enough")

    plain_look = verdict_benchmark.look
    monkeypatch.setattr(verdict_benchmark, "look", lambda body, seen: plain_look(body, seen, QUICK))
    monkeypatch.setattr(verdict_benchmark, "unite", unite)
    asked = Verdict(("1",), SHIPPED_FOLDER)
    asked.check()
    assert all(row.lost for row in asked.measure(body, Part(pairs[:1], pairs[1:], 5)))
    assert all(one.prior is loaded_prior(SHIPPED_FOLDER, body) and one.seed == 5 for one in heard)
    assert heard
    with pytest.raises(InputError, match="no prior in the folder"):
        Verdict(("1",), tmp_path).check()


def test_kinds_of_answers_are_checked_and_written_in_one_way():
    assert check_answers(["1.0", "0.50", "oracle", "1"]) == ("1", "0.5", "oracle")
    for wrong in (["1", "keypoints"], ["-1"], ["nan"], ["inf"], []):
        with pytest.raises(InputError, match="no such kind"):
            check_answers(wrong)


def test_a_killed_run_goes_on_and_a_batch_that_fails_is_lost(pairs, tmp_path: Path):
    asked = Benchmark(pairs, (3, 1), Verdict(("1", "oracle")))
    done: list[Batch[Verdict]] = []

    def work(batch: Batch[Verdict]) -> tuple[BenchmarkRow, ...]:
        done.append(batch)
        if batch.seed == 1 and len(done) < 3:
            raise RuntimeError("killed")
        return tuple(
            BenchmarkRow(id, "hug", "seen", batch.seed, method_name(kind), {ERROR: 50.0})
            for kind in batch.question.answers
            for id, _ in batch.pairs
        )

    try:
        first = run_benchmark(asked, tmp_path, SerialEngine(), work)
    except RuntimeError:
        first = []
    rows = run_benchmark(asked, tmp_path, SerialEngine(), work)
    assert [batch.seed for batch in done] == [3, 1, 1]
    assert [(r.pair, r.seed, r.method) for r in rows] == [
        (pair.id, seed, method) for pair in pairs for seed in (3, 1) for method in ("noise x 1", "oracle")
    ]
    assert not any(row.lost for row in rows)
    assert all(row.lost for row in first if row.seed == 1)


def made_up(n: int = 200) -> list[BenchmarkRow]:
    """Fits whose chance is right, two of each pair, and a rule that rejects at random."""
    random = np.random.default_rng(0)
    chance = random.uniform(0, 1, n)
    wrong, spoilt = random.uniform(0, 1, n) > chance, random.uniform(0, 1, n) < 0.1
    return [
        BenchmarkRow(
            f"p{i // 2}", "hug", "seen", i % 2, "noise x 1",
            {
                ERROR: 40.0 + 40.0 * wrong[i], ACCEPTED: float(chance[i] >= 0.8 and not spoilt[i]),
                CHANCE_PERCENT: 100 * chance[i], f"{REJECTED_BY}chance": float(chance[i] < 0.8),
                f"{REJECTED_BY}luck": float(spoilt[i]),
            },
        )
        for i in range(n)
    ]  # fmt: skip


def test_findings_are_shares_of_the_rows():
    rows = made_up()
    lost = BenchmarkRow("p0", "hug", "seen", 9, "noise x 1", {}, lost="why")
    (found,) = find_verdict([*rows, lost], 60.0)
    kept = [row for row in rows if row.values[ACCEPTED]]
    right = [row for row in kept if row.values[ERROR] < 60]
    accurate = [row for row in rows if row.values[ERROR] < 60]
    assert found.n == 200
    assert found.accepted == pytest.approx(len(kept) / 200)
    assert found.precision == pytest.approx(len(right) / len(kept))
    assert found.recall == pytest.approx(len(right) / len(accurate))
    assert found.accepted_interval.low < found.accepted < found.accepted_interval.high
    assert found.precision_interval.low < found.precision < found.precision_interval.high
    rule = {one.name: one for one in found.rules}
    assert rule["chance"].rejects == pytest.approx(np.mean([row.values[CHANCE_PERCENT] < 80 for row in rows]))
    assert rule["luck"].alone == pytest.approx(
        np.mean([row.values[f"{REJECTED_BY}luck"] and row.values[CHANCE_PERCENT] >= 80 for row in rows])
    )
    assert sum(one.n for one in found.bins) == 200
    assert all(abs(one.chance - one.accurate) < 0.2 for one in found.bins)
    assert found.curve.precision(1.0) == pytest.approx(found.accurate)


def test_fits_without_a_chance_or_an_acceptance_leave_no_number_where_there_is_none():
    row = BenchmarkRow("p", "hug", "seen", 0, "oracle", {ERROR: 80.0, ACCEPTED: 0.0, CHANCE_PERCENT: math.nan})
    (found,) = find_verdict([row], 60.0)
    assert found.accepted == 0.0
    assert math.isnan(found.precision)
    assert math.isnan(found.recall)
    assert [table.rows[0][4] for table in verdict_tables([found], 60.0)[:1]] == ["-"]


def test_tables_and_picture_tell_the_findings(tmp_path: Path):
    found = find_verdict(made_up(), 60.0)
    main, curves, rules, bins = verdict_tables(found, 60.0)
    assert main.rows[0][:3] == ("noise x 1", "200", f"{100 * found[0].accurate:.1f}")
    assert main.rows[0][4].startswith(f"{100 * found[0].precision:.1f} [")
    assert curves.rows[0][3] == f"{100 * found[0].curve.precision(0.5):.1f}"
    assert [row[1] for row in rules.rows] == ["chance", "luck"]
    assert sum(int(row[2]) for row in bins.rows) == 200
    info = BenchmarkInfo("Verdict", "apu eval verdict", {"pairs": 1}, {"apu": "1"})
    draw_verdict(tmp_path / "a.png", info, found)
    draw_verdict(tmp_path / "b.png", info, found)
    draw_verdict(tmp_path / "c.png", info, find_verdict(made_up(100), 60.0))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "c.png").read_bytes()
