"""Fit the chance of an accurate fit that the verdict asks for, on synthetic validation pairs.

    python training/fit_verdict.py DATA... [--pairs 130] [--seeds 0,1] [--rows FILE] [--jobs 1] [--out FILE]

DATA are data sets of `apu synth --split validation`. Every pair is observed with each seed, fitted with one noisy
simulated answer at the default noise, guided by the shipped prior and again without it (`--prior` names others), and
judged (`apu.evaluate.verdict_benchmark`); finished batches stay in the work
folder, so an interrupted run goes on. With `--rows`, clues and errors of all fits are written to that file, or read
from it when it is there: fitting anew takes seconds. A fit is called accurate when its pair PA-MPJPE is below 1.5 times
the median of fits with the true contact map, which every pair is fitted with once, too: the median of 64 pairs is known
to 16 % only, and whether the wanted precision can be had depends on it.

1. The logarithm of the pair PA-MPJPE is regressed on the clues of `apu.unite.clues`, standardised and clipped, with an
   L2 penalty (ridge regression). The error itself teaches more than whether it lies below a limit: on 210 fits the
   area under the ROC curve was 0.80 this way, and 0.78 by a logistic regression on the same clues. Products of clues
   added nothing.
2. The score is made a chance by a logistic curve of two parameters (Platt, 1999), fitted on cross-validated scores.
3. The least chance is the lowest one from which on cross-validated fits reach the wanted precision, or the one that
   keeps half of them where that precision cannot be had of so many.

All that is reported is cross-validated: folds part pairs, and once more whole classes.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from apu.cache import cache_dir, written_whole
from apu.dataset.engine import LocalEngine, SerialEngine
from apu.dataset.store import PairStore
from apu.evaluate.batches import Benchmark, run_benchmark
from apu.evaluate.risk_coverage import discrimination, limit_for, risk_coverage
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.verdict_benchmark import CLUE, ERROR, Verdict, method_name
from apu.prior.shipped import SHIPPED_FOLDER, prior_of_word
from apu.scene.true_pair import TruePair
from apu.unite.confidence import FILE, Calibration, Clue, content_of

NOISE, TRUTH = "1", "oracle"
ACCURATE = 1.5
"""An accurate fit is at most so many times as far off as the median fit with the true contact map."""
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
CLIP = 2.5
"""Clues count up to so many spreads from their mean; few fits lie beyond."""
ERROR_RANGE = (0.6, 1.7)
"""Errors are cut off here, in shares of the accurate one, before their logarithm: how good a good fit is, or how wrong
a hopeless one, should not sway the regression. On 498 fits (0.33, 3.3) gave an area of 0.819, this one 0.827."""
FOLDS, REPEATS = 10, 5


@dataclass(frozen=True)
class Data:
    """Fits with their truth.

    Attributes:
        names: of the clues.
        clues: (n, c).
        error: (n,) pair PA-MPJPE as a share of the largest that is called accurate.
        pairs, classes: (n,) of each fit.
    """

    names: tuple[str, ...]
    clues: np.ndarray
    error: np.ndarray
    pairs: np.ndarray
    classes: np.ndarray


def data_of(rows: Sequence[BenchmarkRow], accurate_mm: float) -> Data:
    """The fits of one kind of answers; lost rows are left out, and clues that do not vary."""
    rows = [row for row in rows if not row.lost]
    names = [name.removeprefix(CLUE) for name in rows[0].values if name.startswith(CLUE)]
    clues = np.array([[row.values[CLUE + name] for name in names] for row in rows])
    varies = np.isfinite(clues).all(0) & (clues.std(0) > 1e-9)
    return Data(
        tuple(name for name, good in zip(names, varies, strict=True) if good),
        clues[:, varies],
        np.array([row.values[ERROR] for row in rows]) / accurate_mm,
        np.array([row.pair for row in rows]),
        np.array([row.interaction for row in rows]),
    )


@dataclass(frozen=True)
class Score:
    """A linear score; higher for better fits."""

    mean: np.ndarray
    spread: np.ndarray
    weight: np.ndarray
    intercept: float

    def of(self, clues: np.ndarray) -> np.ndarray:
        """(n,) of clues (n, c)."""
        return self.intercept + np.clip((clues - self.mean) / self.spread, -CLIP, CLIP) @ self.weight


def fitted_score(clues: np.ndarray, error: np.ndarray, penalty: float) -> Score:
    """Ridge regression of minus the logarithm of the error on standardised clues."""
    mean, spread = clues.mean(0), clues.std(0) + 1e-9
    z = np.clip((clues - mean) / spread, -CLIP, CLIP)
    target = -np.log(np.clip(error, *ERROR_RANGE))
    middle = z.mean(0)
    gram = (z - middle).T @ (z - middle) + penalty * np.eye(z.shape[1])
    weight = np.linalg.solve(gram, (z - middle).T @ (target - target.mean()))
    return Score(mean, spread, weight, float(target.mean() - middle @ weight))


def cross_validated(data: Data, groups: np.ndarray, penalty: float) -> np.ndarray:
    """(n,) score of every fit by regressions that have not seen its group, averaged over repeats."""
    total, unique = np.zeros(len(groups)), np.unique(groups)
    for repeat in range(REPEATS):
        order = np.random.default_rng(repeat).permutation(unique)
        for fold in range(min(FOLDS, len(unique))):
            held = np.isin(groups, order[fold::FOLDS])
            score = fitted_score(data.clues[~held], data.error[~held], penalty)
            total[held] += score.of(data.clues[held])
    return total / REPEATS


def platt(score: np.ndarray, accurate: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the logistic curve of largest likelihood, by Newton's method."""
    design, beta = np.stack([score - score.mean(), np.ones(len(score))], 1), np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (p - accurate) + 1e-6 * beta)
        beta = beta - step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1] - beta[0] * score.mean())


def calibrate(data: Data, accurate_mm: float, precision: float, coverage: float) -> Calibration:
    """The whole fit; its cross-validated qualities stand in the facts.

    Args:
        data: fits with noisy answers.
        accurate_mm: the largest pair PA-MPJPE that is called accurate.
        precision: wanted share of accurate fits among those that are kept.
        coverage: share of all fits that is kept in any case, where the precision cannot be had.
    """
    accurate = data.error < 1.0
    tried = {penalty: cross_validated(data, data.pairs, penalty) for penalty in PENALTIES}
    penalty = max(tried, key=lambda one: discrimination(tried[one], accurate))
    slope, offset = platt(tried[penalty], accurate)
    chance = 1 / (1 + np.exp(-(slope * tried[penalty] + offset)))
    limit = limit_for(chance, accurate, precision)
    least = min(limit, float(np.quantile(chance, 1 - coverage)))
    kept = chance >= least
    curve = risk_coverage(chance, accurate)
    new_class = cross_validated(data, data.classes, penalty)
    score = fitted_score(data.clues, data.error, penalty)
    facts = {
        "fits": len(accurate),
        "pairs": len(np.unique(data.pairs)),
        "classes": len(np.unique(data.classes)),
        "accurate_share": float(accurate.mean()),
        "penalty": penalty,
        "cross_validated": {
            "wanted_precision": precision,
            "coverage_at_wanted_precision": curve.most_coverage(precision),
            "precision": float(accurate[kept].mean()),
            "coverage": float(kept.mean()),
            "precision_at_half_coverage": curve.precision(0.5),
            "area_under_risk_coverage": curve.area,
            "discrimination": discrimination(chance, accurate),
            "discrimination_new_classes": discrimination(new_class, accurate),
        },
    }
    clues = [
        Clue(name, *(float(f"{x:.6g}") for x in numbers))
        for name, *numbers in zip(data.names, score.mean, score.spread, slope * score.weight, strict=True)
    ]
    return Calibration(
        clues=tuple(clues), intercept=round(slope * score.intercept + offset, 6), clip=CLIP,
        least_chance=math.floor(1000 * least) / 1000, accurate_mm=accurate_mm, facts=_rounded(facts),
    )  # fmt: skip


def collected(
    pairs: Sequence[TruePair], seeds: tuple[int, ...], work: Path, jobs: int, prior: Path | None, *, truth: bool
) -> list[BenchmarkRow]:
    """The rows of all fits: with noisy answers and, where `truth` is wanted, with the true map and the first seed.

    Raises:
        SystemExit: a pair is not of the validation split.
    """
    if {pair.split for pair in pairs} != {"validation"}:
        raise SystemExit("The verdict is calibrated on validation pairs alone: make them with `--split validation`.")
    asked = [Benchmark(tuple(pairs), seeds, Verdict((NOISE,), prior))]
    asked += [Benchmark(tuple(pairs), seeds[:1], Verdict((TRUTH,)))] if truth else []
    engine, rows = SerialEngine() if jobs == 1 else LocalEngine(jobs), []
    for one in asked:
        rows += run_benchmark(one, work, engine, watch=_counted(*one.question.methods))
    return rows


def _counted(name: str) -> Callable[[int, int], None]:
    return lambda done, total: print(f"{name}: {done} of {total} batches", flush=True)


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write the file that the package reads."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content_of(calibration), indent=1) + "\n", encoding="utf-8")
    path.chmod(0o644)


def report(calibration: Calibration) -> None:
    """Print what holds, and which clues count most."""
    print(json.dumps(content_of(calibration)["facts"], indent=1))
    print(f"accurate: below {calibration.accurate_mm:.1f} mm; accepted from {100 * calibration.least_chance:.1f} % on")
    for clue in sorted(calibration.clues, key=lambda one: -abs(one.weight)):
        print(f"{clue.weight:+8.3f}  {clue.name}")


def main() -> None:
    """Collect, fit, save, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", help="data sets of validation pairs")
    parser.add_argument("--pairs", type=int, default=130, help="of all together; the shipped file has 520")
    parser.add_argument("--seeds", default="0,1", help="of the observations")
    parser.add_argument("--precision", type=float, default=0.9)
    parser.add_argument("--coverage", type=float, default=0.5, help="is kept where the precision cannot be had")
    parser.add_argument("--accurate-mm", type=float, help="instead of fitting with the true contact maps")
    parser.add_argument("--rows", type=Path, help="of all fits; is read when it is there, else written")
    parser.add_argument("--prior", type=_prior, action="append", help="none, shipped or a folder; may be repeated")
    parser.add_argument("--work", type=Path, default=cache_dir() / "eval", help="folder of finished batches")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FILE, help="file to write (default: the package's own)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = tuple(int(seed) for seed in options.seeds.split(","))
    if options.rows is not None and options.rows.is_file():
        rows = read_rows(options.rows)
    else:
        if not options.data:
            parser.error("name the data sets, or a file of rows that is there")
        found = [record.to_true_pair() for folder in options.data for record in PairStore(folder).records()]
        rows, truth = [], options.accurate_mm is None
        for prior in options.prior or (SHIPPED_FOLDER, None):
            rows += collected(found[: options.pairs], seeds, options.work, options.jobs, prior, truth=truth)
            truth = False
        if options.rows is not None:
            write_rows(options.rows, rows)
    noisy, true = ([r for r in rows if r.method == method_name(kind) and not r.lost] for kind in (NOISE, TRUTH))
    accurate_mm = options.accurate_mm or ACCURATE * float(np.median([row.values[ERROR] for row in true]))
    accurate_mm = round(accurate_mm, 1)
    calibration = calibrate(data_of(noisy, accurate_mm), accurate_mm, options.precision, options.coverage)
    made = {
        "true_map_fits": len(true),
        "seeds": sorted({row.seed for row in noisy}),
        "groups": sorted({row.group for row in noisy}),
    }
    calibration = Calibration(**{**vars(calibration), "facts": {**calibration.facts, **made}})
    write_calibration(options.out, calibration)
    report(calibration)


def _prior(word: str) -> Path | None:
    named = prior_of_word(word)
    return SHIPPED_FOLDER if named == "shipped" else named


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
