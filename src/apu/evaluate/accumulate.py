"""Collects what was measured pair by pair, and says what it amounts to: never a mean without what is missing in it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from apu.errors import InputError
from apu.evaluate.bootstrap import DRAWS, Interval, mean_interval, median_interval, ratio_of_means_interval

Key = tuple[str, int]
"""A pair's id, and the seed of how it was observed or reconstructed."""


@dataclass(frozen=True)
class Row:
    """What was measured on one observation of one pair.

    Attributes:
        values: metric -> value, in the unit that its name says; empty when the pair was lost.
        lost: nothing came out for this pair, e.g. because a person was not detected.
        group: e.g. its class of interaction.
    """

    values: Mapping[str, float]
    lost: bool = False
    group: str = ""


@dataclass(frozen=True)
class Summary:
    """One metric over pairs; observations of the same pair were averaged first.

    `n + undefined + lost` is the number of pairs.

    Attributes:
        mean, median: over `n` pairs; NaN when there is none.
        interval, median_interval: 95 % bootstrap intervals of them, over pairs.
        n: pairs with a value.
        undefined: pairs that were not lost, but have no value, e.g. no true contact to find.
        lost: pairs all of whose observations were lost.
        coverage_percent: share of the observations that were not lost, averaged over all pairs.
    """

    mean: float
    interval: Interval
    median: float
    median_interval: Interval
    n: int
    undefined: int
    lost: int
    coverage_percent: float


@dataclass(frozen=True)
class Comparison:
    """One metric of two methods, over the observations on which both have a value; averaged by pair first.

    Attributes:
        mean_a, mean_b: over `n` pairs.
        difference: mean of a - b over pairs.
        difference_interval: 95 % bootstrap interval of it, over pairs.
        ratio: mean_a / mean_b; NaN when mean_b is 0.
        ratio_interval: 95 % bootstrap interval of it, over pairs.
        n: common pairs.
        only_a, only_b: pairs that a, or b, has a value for, but not on a common observation.
    """

    mean_a: float
    mean_b: float
    difference: float
    difference_interval: Interval
    ratio: float
    ratio_interval: Interval
    n: int
    only_a: int
    only_b: int


class Accumulator:
    """Rows of one method on one benchmark. The order in which they come does not matter."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}

    def add(self, pair: str, values: Mapping[str, float], *, seed: int = 0, group: str = "") -> None:
        """Note what was measured on one observation; a value that is not finite is undefined.

        Raises:
            InputError: the observation was noted before.
        """
        self._note((pair, seed), Row(dict(values), group=group))

    def add_lost(self, pair: str, *, seed: int = 0, group: str = "") -> None:
        """Note that nothing came out for an observation.

        Raises:
            InputError: the observation was noted before.
        """
        self._note((pair, seed), Row({}, lost=True, group=group))

    def add_batch(
        self, pairs: Sequence[str], values: Mapping[str, Float[Tensor, " p"]], *, seed: int = 0, group: str = ""
    ) -> None:
        """Note a batch of pairs, none of them lost.

        Args:
            pairs: their ids.
            values: metric -> (p,).
            seed: of these observations.
            group: of all of them.

        Raises:
            InputError: a metric has another number of values, or an observation was noted before.
        """
        columns = {name: column.tolist() for name, column in values.items()}
        for name, column in columns.items():
            if len(column) != len(pairs):
                raise InputError(
                    "A metric does not have one value for each pair.",
                    where=f"metric {name!r}",
                    expected=f"{len(pairs)} values",
                    got=len(column),
                    remedy="give only the pairs that were measured, and note lost ones with add_lost.",
                )
        for i, pair in enumerate(pairs):
            self.add(pair, {name: column[i] for name, column in columns.items()}, seed=seed, group=group)

    @property
    def rows(self) -> Mapping[Key, Row]:
        """All rows, in the order of their keys."""
        return dict(sorted(self._rows.items()))

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that any row has, in alphabetical order."""
        return tuple(sorted({name for row in self._rows.values() for name in row.values}))

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group, in alphabetical order."""
        return tuple(sorted({row.group for row in self._rows.values()}))

    def summary(self, metric: str, *, group: str | None = None, draws: int = DRAWS, seed: int = 0) -> Summary:
        """One metric over all pairs, or over those of a group.

        Args:
            metric: a name out of `metrics`.
            group: a name out of `groups`; None for all.
            draws: of the bootstrap.
            seed: of the bootstrap.

        Raises:
            InputError: no row has this metric, or this group.
        """
        self._check(metric, group)
        chosen = {key: row for key, row in self._rows.items() if group in (None, row.group)}
        kept = _by_pair((key, float(not row.lost)) for key, row in chosen.items())
        means = _by_pair((key, value) for key, value in _values(chosen, metric).items())
        values = np.array(list(means.values()), dtype=np.float64)
        lost = sum(share == 0 for share in kept.values())
        return Summary(
            mean=_mean(values),
            interval=mean_interval(values, draws=draws, seed=seed),
            median=float(np.median(values)) if len(values) else math.nan,
            median_interval=median_interval(values, draws=draws, seed=seed),
            n=len(values),
            undefined=len(kept) - lost - len(values),
            lost=lost,
            coverage_percent=100 * _mean(np.array(list(kept.values()))),
        )

    def summaries(self, *, group: str | None = None, draws: int = DRAWS, seed: int = 0) -> dict[str, Summary]:
        """Every metric; arguments as for `summary`."""
        return {name: self.summary(name, group=group, draws=draws, seed=seed) for name in self.metrics}

    def _note(self, key: Key, row: Row) -> None:
        if key in self._rows:
            raise InputError(
                "An observation is noted twice.",
                where=f"pair {key[0]!r}, seed {key[1]}",
                expected="one row for each pair and seed",
                got="another row",
                remedy="give each observation of a pair its own seed.",
            )
        self._rows[key] = row

    def _check(self, metric: str, group: str | None) -> None:
        for what, name, known in (("metric", metric, self.metrics), ("group", group, self.groups)):
            if name is not None and name not in known:
                raise InputError(
                    f"No row has this {what}.",
                    expected=f"one of {', '.join(known) or 'none: no row has any'}",
                    got=repr(name),
                    remedy=f"check the {what}'s name.",
                )


def compare(
    a: Accumulator, b: Accumulator, metric: str, *, group: str | None = None, draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Two methods by one metric, on what both have a value for.

    Args:
        a, b: of the same benchmark.
        metric: a name.
        group: of pairs; None for all.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """
    mine, other = (
        _values({key: row for key, row in one.rows.items() if group in (None, row.group)}, metric) for one in (a, b)
    )
    common = mine.keys() & other.keys()
    above, below = (
        np.array(list(_by_pair((key, one[key]) for key in common).values()), dtype=np.float64) for one in (mine, other)
    )
    pairs, pairs_a, pairs_b = ({pair for pair, _ in keys} for keys in (common, mine, other))
    mean_a, mean_b = _mean(above), _mean(below)
    return Comparison(
        mean_a=mean_a,
        mean_b=mean_b,
        difference=_mean(above - below),
        difference_interval=mean_interval(above - below, draws=draws, seed=seed),
        ratio=mean_a / mean_b if mean_b else math.nan,
        ratio_interval=ratio_of_means_interval(above, below, draws=draws, seed=seed),
        n=len(pairs),
        only_a=len(pairs_a - pairs),
        only_b=len(pairs_b - pairs),
    )


def _values(rows: Mapping[Key, Row], metric: str) -> dict[Key, float]:
    """The finite values of a metric."""
    return {key: row.values[metric] for key, row in rows.items() if math.isfinite(row.values.get(metric, math.nan))}


def _by_pair(values: Iterable[tuple[Key, float]]) -> dict[str, float]:
    """Mean of each pair's values, pairs in the order of their ids."""
    collected: dict[str, list[float]] = {}
    for (pair, _), value in sorted(values):
        collected.setdefault(pair, []).append(value)
    return {pair: float(np.mean(own)) for pair, own in collected.items()}


def _mean(values: Float[np.ndarray, " n"]) -> float:
    return float(values.mean()) if len(values) else math.nan
