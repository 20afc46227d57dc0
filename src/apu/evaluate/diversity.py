"""How various two data sets are, side by side: numbers at the same number of pairs, and how sure they are.

Entropies, counts of kinds and nearest neighbours depend on the number of pairs, so both sets are measured as if they
had as many as the smaller one:

- entropies and counts are means over subsamples of the larger set, drawn without replacement;
- the distance to the nearest other pair is its expectation over all subsamples of that size, which has a closed form
  (the k-th nearest is the nearest that is drawn with a hypergeometric probability; ours);
- means over pairs, and over pairs of pairs, do not depend on the size, and use all.

Intervals: pairs get Poisson(1) weights (the bootstrap for streams, Chamandy et al. 2012), a pair that is in both sets
the same weight in either. Repeated pairs make a set look less various than it is, so draws are shifted to have the
estimate as their mean. A repeated pair is never its own neighbour. All of this is ours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.evaluate.bootstrap import LEVEL, Interval
from apu.evaluate.diversity_measures import (
    MEASURES,
    DiversityNumbers,
    diversity_numbers,
    measured,
    of_kinds,
)
from apu.evaluate.diversity_pairs import DiversityPairs

DRAWS = 1000
SUBSAMPLES = 50
FEWEST_FOR_INTERVALS = 10
"""Pairs; of two pairs, there is one distance, and every draw has the same."""


@dataclass(frozen=True)
class Compared:
    """One measure of both sets; NaN where it is undefined, such as classes that nobody knows.

    Intervals are NaN of measures that have none, and of sets with fewer than `FEWEST_FOR_INTERVALS` pairs.

    Attributes:
        a, b: at the size of the smaller set.
        a_interval, b_interval: 95 % intervals of them.
        difference: b - a.
        difference_interval: of it.
        a_whole, b_whole: at each set's own size.
    """

    a: float
    b: float
    a_interval: Interval
    b_interval: Interval
    difference: float
    difference_interval: Interval
    a_whole: float
    b_whole: float


@torch.no_grad()
def compare(a: DiversityPairs, b: DiversityPairs, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Compared]:
    """All measures of two data sets. Their order of records does not matter; a set equals itself to the bit.

    Args:
        a, b: two or more pairs each.
        draws: of the bootstrap.
        seed: of the draws and of the subsamples.
    """
    size = min(len(a), len(b))
    estimates, wholes, drawn = [], [], []
    for one, weights in zip((a, b), _common_weights(a.ids, b.ids, draws, seed), strict=True):
        numbers = diversity_numbers(one)
        everybody = torch.ones(1, len(one))
        estimates.append(_at_size(numbers, len(one), size, seed))
        wholes.append({k: float(v) for k, v in measured(numbers, everybody, len(one)).items()})
        drawn.append({k: v.double().numpy() for k, v in measured(numbers, weights, size).items()})
    few = size < FEWEST_FOR_INTERVALS
    for key, measure in MEASURES.items():
        if few or not measure.interval:
            drawn[0][key], drawn[1][key] = np.empty(0), np.empty(0)
    return {key: _compared(key, estimates, wholes, drawn) for key in MEASURES}


def _compared(
    key: str,
    estimates: Sequence[dict[str, float]],
    wholes: Sequence[dict[str, float]],
    drawn: Sequence[dict[str, np.ndarray]],
) -> Compared:
    (a, b), difference = (one[key] for one in estimates), estimates[1][key] - estimates[0][key]
    return Compared(
        a=a,
        b=b,
        a_interval=_interval(a, drawn[0][key]),
        b_interval=_interval(b, drawn[1][key]),
        difference=difference,
        difference_interval=_interval(difference, drawn[1][key] - drawn[0][key]),
        a_whole=wholes[0][key],
        b_whole=wholes[1][key],
    )


def _at_size(numbers: DiversityNumbers, n: int, size: int, seed: int) -> dict[str, float]:
    """The estimates, as if there were `size` of the `n` pairs."""
    found = {name: float(value) for name, value in measured(numbers, torch.ones(1, n), size).items()}
    if size < n:
        random = np.random.default_rng([seed, 1])
        masks = torch.zeros(SUBSAMPLES, n)
        for mask in masks:
            mask[torch.from_numpy(random.permutation(n)[:size])] = 1.0
        found |= {name: float(values.mean()) for name, values in of_kinds(numbers, masks).items()}
    return found


def _common_weights(
    a: Sequence[str], b: Sequence[str], draws: int, seed: int
) -> tuple[Float[Tensor, "d a"], Float[Tensor, "d b"]]:
    """Poisson weights of all pairs; an id has one weight in a draw, whichever set it is in."""
    place = {id: i for i, id in enumerate(sorted({*a, *b}))}
    drawn = np.random.default_rng([seed, 0]).poisson(1.0, (draws, len(place))).astype(np.float32)
    first, second = (torch.from_numpy(drawn[:, [place[id] for id in ids]]) for ids in (a, b))
    return first, second


def _interval(estimate: float, drawn: Float[np.ndarray, " d"]) -> Interval:
    """Of draws that are shifted to have the estimate as their mean; draws of too few pairs are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or not math.isfinite(estimate):
        return Interval(math.nan, math.nan)
    low, high = np.quantile(drawn - drawn.mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(estimate + low), float(estimate + high))
