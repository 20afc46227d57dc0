"""How sure a mean over pairs is: percentile bootstrap intervals (Efron, 1979). Equal inputs give equal intervals."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

DRAWS = 4000
LEVEL = 0.95
_AT_ONCE = 2_000_000
"""Numbers in memory; many pairs are drawn in blocks."""

Values = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, in the unit of the values; NaN where there is nothing to draw from."""

    low: float
    high: float


def mean_interval(values: Values, *, draws: int = DRAWS, seed: int = 0, level: float = LEVEL) -> Interval:
    """Interval of the mean of independent values.

    Args:
        values: (n,) one for each pair.
        draws: resamples of all pairs, with replacement.
        seed: of the draws.
        level: share of the draws that lie in it.
    """
    return _interval(values[:, None], lambda drawn: drawn[..., 0].mean(1), draws, seed, level)


def median_interval(values: Values, *, draws: int = DRAWS, seed: int = 0, level: float = LEVEL) -> Interval:
    """Interval of the median of independent values; arguments as for `mean_interval`."""
    return _interval(values[:, None], lambda drawn: np.median(drawn[..., 0], 1), draws, seed, level)


def ratio_of_means_interval(
    above: Values, below: Values, *, draws: int = DRAWS, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Interval of mean(above) / mean(below); a pair's two values are drawn together.

    NaN when a draw has the mean 0 below.

    Args:
        above, below: (n,) of the same pairs, in the same order.
        draws: resamples of all pairs, with replacement.
        seed: of the draws.
        level: share of the draws that lie in it.
    """

    def ratio(drawn: Float[np.ndarray, "d n 2"]) -> Float[np.ndarray, " d"]:
        means = drawn.mean(1)
        return np.divide(means[:, 0], means[:, 1], out=np.full(len(means), np.nan), where=means[:, 1] != 0)

    return _interval(np.stack([above, below], -1), ratio, draws, seed, level)


def statistic_interval(
    values: Float[np.ndarray, "n m"],
    statistic: Callable[[Float[np.ndarray, "d n m"]], Float[np.ndarray, " d"]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval:
    """Interval of any number that follows from independent rows; NaN when it is NaN for a draw.

    Args:
        values: (n, m) one row for each pair.
        statistic: of `d` draws of all rows.
        draws: resamples of all pairs, with replacement.
        seed: of the draws.
        level: share of the draws that lie in it.
    """
    return _interval(values, statistic, draws, seed, level)


def _interval(
    values: Float[np.ndarray, "n m"],
    statistic: Callable[[Float[np.ndarray, "d n m"]], Float[np.ndarray, " d"]],
    draws: int,
    seed: int,
    level: float,
) -> Interval:
    count = len(values)
    if count == 0:
        return Interval(math.nan, math.nan)
    generator = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // values.size)
    found = [
        statistic(values[generator.integers(0, count, (min(block, draws - start), count))])
        for start in range(0, draws, block)
    ]
    low, high = np.quantile(np.concatenate(found), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
