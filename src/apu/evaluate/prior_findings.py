"""What rows with and without priors amount to: trainings of several seeds together, and any two priors compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Float

from apu.evaluate.accumulate import Summary
from apu.evaluate.findings import COMPARED_METRICS, Findings, find
from apu.evaluate.prior_arms import Arm
from apu.evaluate.prior_bootstrap import CrossedDifference, crossed_difference, crossed_mean_interval
from apu.evaluate.rows import BenchmarkRow

ALL = "all pairs"
Kind = str
"""`all`, `group` or `class`."""


@dataclass(frozen=True)
class PriorComparison:
    """One metric of a method with two priors, or with one and without any, on some of the pairs.

    Attributes:
        method: `keypoints` or `contacts`.
        prior, against: what is heard; `difference` is the first minus the second, `against` may be `none`.
        kind, part: which pairs: `all`; `group` and its name; `class` and its name.
        metric: its name.
        found: means, difference and intervals.
        pairs: that all trainings of both have a value for.
        seeds, seeds_against: trainings of either.
    """

    method: str
    prior: str
    against: str
    kind: Kind
    part: str
    metric: str
    found: CrossedDifference
    pairs: int
    seeds: int
    seeds_against: int


@dataclass(frozen=True)
class SeedSpread:
    """One metric of every training of a prior.

    Attributes:
        method, prior, kind, part, metric: as in `PriorComparison`.
        means: training seed -> mean over pairs.
        spread: standard deviation of the means (n - 1).
        pairs: that all trainings have a value for.
    """

    method: str
    prior: str
    kind: Kind
    part: str
    metric: str
    means: Mapping[int, float]
    spread: float
    pairs: int


@dataclass(frozen=True)
class PriorFindings:
    """Everything that tables and files tell.

    Attributes:
        findings: of rows in which the trainings of a prior are one; intervals of these are over pairs and seeds.
        comparisons: any two priors with the same recipe, any prior against none, any two recipes of a prior.
        spreads: of priors with several trainings.
        lost: single rows of which nothing came out.
    """

    findings: Findings
    comparisons: tuple[PriorComparison, ...]
    spreads: tuple[SeedSpread, ...]
    lost: tuple[BenchmarkRow, ...]

    def comparison(self, method: str, prior: str, against: str, metric: str, part: str = ALL) -> PriorComparison | None:
        """The one that is meant; None where it was not measured."""
        meant = (method, prior, against, metric, part)
        both = (c for c in self.comparisons if (c.method, c.prior, c.against, c.metric, c.part) == meant)
        return next(both, None)


def find_priors(rows: Sequence[BenchmarkRow], arms: Sequence[Arm]) -> PriorFindings:
    """Summarise and compare.

    Args:
        rows: whose methods are the names of the arms.
        arms: all of them, in the order of the tables.
    """
    together = combined(rows, arms)
    measured = _Measured(rows, arms)
    found = find(together, ())
    return PriorFindings(
        replace(
            found,
            overall=measured.sure(found.overall, "all", ALL),
            groups={name: measured.sure(one, "group", name) for name, one in found.groups.items()},
            classes={name: measured.sure(one, "class", name) for name, one in found.classes.items()},
        ),
        tuple(measured.comparisons()),
        tuple(measured.spreads()),
        tuple(row for row in rows if row.lost),
    )


def combined(rows: Sequence[BenchmarkRow], arms: Sequence[Arm]) -> list[BenchmarkRow]:
    """Rows in which the trainings of a prior are one: the mean of their values.

    An observation that one of them has lost is lost, and so is a value that one does not have: priors with other
    numbers of losses would not be compared on the same.
    """
    of_arm = {arm.name: arm for arm in arms}
    parts: dict[tuple[str, int, str], list[BenchmarkRow]] = {}
    for row in rows:
        parts.setdefault((row.pair, row.seed, of_arm[row.method].without_seed), []).append(row)
    return [_mean_row(method, some) for (_, _, method), some in parts.items()]


def _mean_row(method: str, rows: Sequence[BenchmarkRow]) -> BenchmarkRow:
    lost = next((row for row in rows if row.lost), None)
    if lost is not None:
        return replace(lost, method=method, lost=lost.lost if len(rows) == 1 else f"{lost.method}: {lost.lost}")
    names = [name for name in rows[0].values if all(name in row.values for row in rows)]
    values = {name: float(np.mean([row.values[name] for row in rows])) for name in names}
    return replace(rows[0], method=method, values=values, seconds=float(np.mean([row.seconds for row in rows])))


class _Measured:
    """Values of every metric by what was heard, as arrays of pairs and training seeds."""

    def __init__(self, rows: Sequence[BenchmarkRow], arms: Sequence[Arm]) -> None:
        self._arms: dict[str, list[Arm]] = {}
        for arm in arms:
            self._arms.setdefault(arm.without_seed, []).append(arm)
        self._rows = {(row.method, row.pair, row.seed): row for row in rows if not row.lost}
        pairs = {row.pair: row for row in rows}
        self._parts: dict[tuple[Kind, str], list[str]] = {("all", ALL): sorted(pairs)}
        for kind, name_of in (("group", lambda row: row.group), ("class", lambda row: row.interaction)):
            for name in sorted({name_of(row) for row in pairs.values()}):
                self._parts[kind, name] = sorted(id for id, row in pairs.items() if name_of(row) == name)
        self._observations = sorted({row.seed for row in rows})

    def comparisons(self) -> list[PriorComparison]:
        """Of every metric and part."""
        pairs = [
            (one, other)
            for other, one in combinations([arms[0] for arms in self._arms.values()], 2)
            if one.method == other.method and _comparable(one, other)
        ]
        return [
            self._compared(one, other, kind, part, metric)
            for one, other in pairs
            for kind, part in self._parts
            for metric in COMPARED_METRICS
        ]

    def spreads(self) -> list[SeedSpread]:
        """Of the main errors, where there are several trainings."""
        found = []
        for name, arms in self._arms.items():
            if len(arms) < 2:
                continue
            for kind, part in (key for key in self._parts if key[0] != "class"):
                for metric in COMPARED_METRICS:
                    values = _array([self._values(name, id, metric) for id in self._parts[kind, part]], len(arms))
                    means = values.mean(0) if len(values) else np.full(len(arms), math.nan)
                    seeds = [arm.prior.seed or 0 for arm in arms if arm.prior is not None]
                    found.append(
                        SeedSpread(
                            arms[0].method, arms[0].heard, kind, part, metric,
                            dict(zip(seeds, means.tolist(), strict=True)), float(means.std(ddof=1)), len(values),
                        )
                    )  # fmt: skip
        return found

    def sure(self, found: Mapping[str, Mapping[str, Summary]], kind: Kind, part: str) -> dict[str, dict[str, Summary]]:
        """Summaries whose intervals of means are over pairs and seeds, where there are several."""
        out = {}
        for name, metrics in found.items():
            out[name] = dict(metrics)
            for metric, summary in metrics.items() if len(self._arms[name]) > 1 else ():
                values = _array([self._values(name, i, metric) for i in self._parts[kind, part]], len(self._arms[name]))
                out[name][metric] = replace(summary, interval=crossed_mean_interval(values))
        return out

    def _compared(self, one: Arm, other: Arm, kind: Kind, part: str, metric: str) -> PriorComparison:
        rows = []
        for id in self._parts[kind, part]:
            mine, theirs = (self._values(arm.without_seed, id, metric) for arm in (one, other))
            rows.append({seed: np.concatenate([mine[seed], theirs[seed]]) for seed in mine.keys() & theirs.keys()})
        count, against = len(self._arms[one.without_seed]), len(self._arms[other.without_seed])
        values = _array(rows, count + against)
        return PriorComparison(
            one.method, one.heard, other.heard, kind, part, metric,
            crossed_difference(values[:, :count], values[:, count:]), len(values), count, against,
        )  # fmt: skip

    def _values(self, name: str, pair: str, metric: str) -> dict[int, Float[np.ndarray, " k"]]:
        """Observation seed -> the value of every training, where all have a finite one."""
        out = {}
        for seed in self._observations:
            rows = [self._rows.get((arm.name, pair, seed)) for arm in self._arms[name]]
            values = np.array([math.nan if row is None else row.values.get(metric, math.nan) for row in rows])
            if np.isfinite(values).all():
                out[seed] = values
        return out


def _comparable(one: Arm, other: Arm) -> bool:
    """Two priors by the same recipe, two recipes of a prior, or one against none."""
    if one.prior is None or other.prior is None:
        return True
    return one.recipe == other.recipe or one.prior.name == other.prior.name


def _array(rows: Sequence[Mapping[int, Float[np.ndarray, " k"]]], width: int) -> Float[np.ndarray, "n k"]:
    """Mean over the observations of each pair; pairs without any are left out."""
    means = [np.mean([row[seed] for seed in sorted(row)], 0) for row in rows if row]
    return np.array(means) if means else np.zeros((0, width))
