"""What rows of the verdict's benchmark amount to: coverage and precision of the filter, and the chance's curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from apu.evaluate.bootstrap import Interval, mean_interval, ratio_of_means_interval
from apu.evaluate.risk_coverage import RiskCoverage, discrimination, risk_coverage
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.verdict_benchmark import ACCEPTED, CHANCE_PERCENT, ERROR, REJECTED_BY

BINS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
"""Ends of the ranges of chance, percent, in which it is compared with what was accurate."""


@dataclass(frozen=True)
class RuleFinding:
    """One rule: the share of the fits it rejects, and how many of those are wrong; `alone` is without another rule."""

    name: str
    rejects: float
    wrong: float
    alone: float


@dataclass(frozen=True)
class ChanceBin:
    """Fits whose chance lies in a range: how many, their mean chance, and the share that is accurate."""

    low: float
    high: float
    n: int
    chance: float
    accurate: float


@dataclass(frozen=True)
class VerdictFinding:
    """One kind of answers; all shares in (0, 1), NaN where there is nothing to share.

    Attributes:
        method: the rows' name of it.
        n: fits that were judged.
        accurate: share of them that is accurate.
        accepted, accepted_interval: share that the verdict accepts (its coverage).
        precision, precision_interval: share of the accepted ones that is accurate.
        recall: share of the accurate ones that is accepted.
        curve: of the chance alone.
        discrimination: of the chance alone.
        rules: each rule that was asked.
        bins: calibration of the chance.
    """

    method: str
    n: int
    accurate: float
    accepted: float
    accepted_interval: Interval
    precision: float
    precision_interval: Interval
    recall: float
    curve: RiskCoverage
    discrimination: float
    rules: tuple[RuleFinding, ...]
    bins: tuple[ChanceBin, ...]


def find_verdict(rows: Sequence[BenchmarkRow], accurate_mm: float) -> list[VerdictFinding]:
    """Every kind of answers, in the order in which they come up; lost rows count nowhere.

    Args:
        rows: of the benchmark.
        accurate_mm: a fit is accurate with a smaller pair PA-MPJPE.
    """
    methods = list(dict.fromkeys(row.method for row in rows))
    return [_find([r for r in rows if r.method == m and not r.lost], m, accurate_mm) for m in methods]


def _find(rows: Sequence[BenchmarkRow], method: str, accurate_mm: float) -> VerdictFinding:
    error, chance, accepted = (_column(rows, name) for name in (ERROR, CHANCE_PERCENT, ACCEPTED))
    accurate, kept = error < accurate_mm, accepted > 0.5
    right = accurate & kept
    pairs = list(dict.fromkeys(row.pair for row in rows))
    mine = [np.array([row.pair == pair for row in rows]) for pair in pairs]
    accepted_of, right_of = (np.array([x[m].mean() for m in mine]) for x in (kept, right))
    known = ~np.isnan(chance)
    return VerdictFinding(
        method=method,
        n=len(rows),
        accurate=_mean(accurate),
        accepted=_mean(kept),
        accepted_interval=mean_interval(accepted_of),
        precision=_mean(accurate[kept]),
        precision_interval=ratio_of_means_interval(right_of, accepted_of),
        recall=_mean(kept[accurate]),
        curve=risk_coverage(chance, accurate),
        discrimination=discrimination(chance[known], accurate[known]),
        rules=_rules(rows, accurate),
        bins=tuple(_bin(chance, accurate, low, high) for low, high in pairwise(BINS)),
    )


def _rules(rows: Sequence[BenchmarkRow], accurate: np.ndarray) -> tuple[RuleFinding, ...]:
    names = list(dict.fromkeys(name for row in rows for name in row.values if name.startswith(REJECTED_BY)))
    fails = {name: np.nan_to_num(_column(rows, name)) > 0.5 for name in names}
    count = sum((one.astype(int) for one in fails.values()), np.zeros(len(rows), int))
    return tuple(
        RuleFinding(name.removeprefix(REJECTED_BY), _mean(one), _mean(~accurate[one]), _mean(one & (count == 1)))
        for name, one in fails.items()
    )


def _bin(chance: np.ndarray, accurate: np.ndarray, low: float, high: float) -> ChanceBin:
    inside = (chance >= low) & ((chance < high) | ((high == BINS[-1]) & (chance <= high)))
    return ChanceBin(low, high, int(inside.sum()), _mean(chance[inside] / 100), _mean(accurate[inside]))


def _column(rows: Sequence[BenchmarkRow], name: str) -> np.ndarray:
    return np.array([row.values.get(name, math.nan) for row in rows], dtype=np.float64)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
