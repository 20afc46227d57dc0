"""How sure a mean over pairs and trainings is: pairs and training seeds are drawn again, each with replacement.

A bootstrap of few seeds makes their spread too small, by (k - 1) / k of its square on average; with three seeds, read
the means of the seeds beside the interval.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from apu.evaluate.bootstrap import DRAWS, LEVEL, Interval

Values = Float[np.ndarray, "n _"]
"""One row for each pair, one column for each training seed."""


@dataclass(frozen=True)
class CrossedDifference:
    """The means of two groups of trainings on the same pairs.

    Attributes:
        mean_a, mean_b: over pairs and seeds; NaN without pairs.
        difference: mean_a - mean_b.
        difference_interval: 95 % interval of it, over pairs and the seeds of either.
        percent: the difference in per cent of mean_b; NaN where that is 0.
        percent_interval: 95 % interval of it.
    """

    mean_a: float
    mean_b: float
    difference: float
    difference_interval: Interval
    percent: float
    percent_interval: Interval


def crossed_difference(a: Values, b: Values, *, draws: int = DRAWS, seed: int = 0) -> CrossedDifference:
    """Compare two groups; a pair is drawn for both at once, seeds of either by themselves.

    Args:
        a, b: of the same pairs, in the same order.
        draws: of pairs and seeds.
        seed: of the draws.
    """
    nothing = Interval(math.nan, math.nan)
    if len(a) == 0:
        return CrossedDifference(math.nan, math.nan, math.nan, nothing, math.nan, nothing)
    mean_a, mean_b = float(a.mean()), float(b.mean())
    drawn_a, drawn_b = drawn_means(a, draws, seed, 0), drawn_means(b, draws, seed, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        percents = 100 * (drawn_a / drawn_b - 1)
    return CrossedDifference(
        mean_a,
        mean_b,
        mean_a - mean_b,
        _interval(drawn_a - drawn_b),
        100 * (mean_a / mean_b - 1) if mean_b else math.nan,
        _interval(percents) if np.isfinite(percents).all() else nothing,
    )


def crossed_mean_interval(values: Values, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Interval of the mean over pairs and seeds; NaN without pairs."""
    return _interval(drawn_means(values, draws, seed, 0)) if len(values) else Interval(math.nan, math.nan)


def drawn_means(values: Values, draws: int, seed: int, side: int) -> Float[np.ndarray, " d"]:
    """Means of drawn pairs and drawn seeds; the pairs of a draw are the same on either side.

    Args:
        values: at least one pair and one seed.
        draws: how many.
        seed: of the draws.
        side: 0 or 1: which seeds are drawn; those of the sides have nothing to do with each other.
    """
    pairs, seeds = _shares(len(values), draws, (seed, 0)), _shares(values.shape[1], draws, (seed, 1 + side))
    return ((pairs @ values) * seeds).sum(1)


@lru_cache(maxsize=16)
def _shares(count: int, draws: int, seed: tuple[int, int]) -> Float[np.ndarray, "d n"]:
    """How often each of some things is in a draw of as many, as a share."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws) / count


def _interval(drawn: Float[np.ndarray, " d"]) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
