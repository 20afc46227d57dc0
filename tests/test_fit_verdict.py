"""The calibration of the verdict recovers what is planted in made-up fits, and promises no more than it keeps."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.optimize import minimize

from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.verdict_benchmark import CLUE, ERROR
from apu.unite.confidence import calibration_of, chance_of

FILE = Path(__file__).resolve().parents[1] / "training" / "fit_verdict.py"
ACCURATE_MM = 60.0


@pytest.fixture(scope="module")
def training() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_verdict_under_test", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rows(count: int, signal: float, seed: int = 0) -> list[BenchmarkRow]:
    """Two observations of each pair; clue `a` tells the error, `b` nothing, and `c` never varies."""
    random = np.random.default_rng(seed)
    a, b = random.normal(2.0, 3.0, count), random.normal(0, 1, count)
    error = 55.0 * np.exp(-signal * (a - 2) / 3 + 0.2 * random.normal(0, 1, count))
    return [
        BenchmarkRow(
            f"p{i // 2}", f"class {i // 2 % 6}", "seen", i % 2, "noise x 1",
            {ERROR: error[i], f"{CLUE}x: a": a[i], f"{CLUE}x: b": b[i], f"{CLUE}x: c": 1.0},
        )
        for i in range(count)
    ]  # fmt: skip


def test_the_score_is_ridge_regression(training):
    data = training.data_of(rows(60, 0.3), ACCURATE_MM)
    score = training.fitted_score(data.clues, data.error, 7.0)
    z = np.clip((data.clues - data.clues.mean(0)) / data.clues.std(0), -training.CLIP, training.CLIP)
    target = -np.log(np.clip(data.error, *training.ERROR_RANGE))

    def loss(x: np.ndarray) -> float:
        return float(((x[0] + z @ x[1:] - target) ** 2).sum() + 7.0 * (x[1:] ** 2).sum())

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    assert [score.intercept, *score.weight] == pytest.approx(best, abs=1e-5)
    assert score.of(data.clues) == pytest.approx(best[0] + z @ best[1:], abs=1e-5)


def test_the_chance_is_the_logistic_curve_of_largest_likelihood(training):
    random = np.random.default_rng(3)
    score = random.normal(-4, 0.2, 400)
    accurate = random.uniform(0, 1, 400) < 1 / (1 + np.exp(-6 * (score + 4)))

    def loss(x: np.ndarray) -> float:
        logit = x[0] * (score - score.mean()) + x[1]
        return float(np.logaddexp(0, np.where(accurate, -logit, logit)).sum())

    slope, offset = minimize(loss, np.zeros(2)).x
    assert training.platt(score, accurate) == pytest.approx((slope, offset - slope * score.mean()), rel=1e-3)


def test_a_planted_clue_is_found_and_its_calibration_holds_on_new_fits(training):
    found = training.calibrate(training.data_of(rows(600, 0.4), ACCURATE_MM), ACCURATE_MM, 0.9, 0.25)
    assert [clue.name for clue in found.clues] == ["x: a", "x: b"]
    a, b = found.clues
    assert a.weight > 10 * abs(b.weight)
    assert (a.mean, a.spread) == pytest.approx((2.0, 3.0), abs=0.3)
    crossed = found.facts["cross_validated"]
    assert crossed["precision"] >= 0.9
    assert crossed["discrimination"] > 0.9
    fresh = rows(600, 0.4, seed=1)
    chance = np.array([chance_of({n.removeprefix(CLUE): v for n, v in r.values.items()}, found).value for r in fresh])
    accurate = np.array([r.values[ERROR] < ACCURATE_MM for r in fresh])
    assert accurate[chance >= found.least_chance].mean() > 0.85
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        inside = (chance >= low) & (chance < high)
        assert accurate[inside].mean() == pytest.approx(chance[inside].mean(), abs=0.12)


def test_clues_that_know_nothing_are_told_as_such_and_leave_the_coverage_that_is_kept_in_any_case(training):
    data = training.data_of(rows(400, 0.0), ACCURATE_MM * 0.85)
    found = training.calibrate(data, ACCURATE_MM * 0.85, 0.9, 0.25)
    crossed = found.facts["cross_validated"]
    assert abs(crossed["discrimination"] - 0.5) < 0.1
    assert crossed["coverage"] == pytest.approx(0.25, abs=0.02)
    assert crossed["precision"] < 0.9


def test_a_score_of_a_fit_has_not_seen_its_pair(training):
    """A clue that names the pair tells the error of the pair's other observation, and nothing of a new pair."""
    random = np.random.default_rng(0)
    pair = np.repeat(np.arange(100), 2)
    error = np.repeat(np.exp(random.normal(0, 0.3, 100)), 2)
    clues = np.eye(100)[pair] + 1e-3 * random.normal(0, 1, (200, 100))
    data = training.Data(tuple(map(str, range(100))), clues, error, pair, pair)
    seen = training.fitted_score(clues, error, 3.0).of(clues)
    held = training.cross_validated(data, pair, 3.0)
    target = -np.log(error)
    assert np.corrcoef(seen, target)[0, 1] > 0.8
    assert np.corrcoef(held, target)[0, 1] < 0.2


def test_the_file_is_what_the_package_reads(training, tmp_path: Path):
    found = training.calibrate(training.data_of(rows(80, 0.4), ACCURATE_MM), ACCURATE_MM, 0.9, 0.25)
    training.write_calibration(tmp_path / "v.json", found)
    again = calibration_of(json.loads((tmp_path / "v.json").read_text()))
    assert again == found
