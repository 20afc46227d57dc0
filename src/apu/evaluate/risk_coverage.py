"""How well a score tells accurate fits from the others: risk against coverage (Geifman and El-Yaniv, NeurIPS 2017).

Whoever keeps the fits of the highest scores only covers a share of them, the coverage; the share of wrong ones among
those kept is the risk. Fits of equal score cannot be told apart: they count as if their order were drawn at random.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class RiskCoverage:
    """The curve of `n` fits, one point for each number of fits that are kept.

    Attributes:
        coverage: (n,) share of the fits that are kept, ascending to 1.
        risk: (n,) share of the kept ones that are wrong.
    """

    coverage: Float[np.ndarray, " n"]
    risk: Float[np.ndarray, " n"]

    @property
    def area(self) -> float:
        """Mean risk over all coverages, 0 at best; the share of wrong fits for a score that knows nothing."""
        return float(self.risk.mean()) if len(self.risk) else math.nan

    def precision(self, coverage: float) -> float:
        """Share of accurate fits among the best `coverage` of all; NaN without fits.

        Args:
            coverage: in (0, 1]; rounded up to whole fits.
        """
        if not len(self.risk):
            return math.nan
        kept = math.ceil(round(coverage * len(self.risk), 9))  # rounded first: 0.1 * 30 is a little more than 3
        return 1.0 - float(self.risk[max(kept, 1) - 1])

    def most_coverage(self, precision: float) -> float:
        """The largest coverage with at least this precision; 0 where there is none."""
        enough = self.coverage[1.0 - self.risk >= precision - 1e-12]
        return float(enough[-1]) if len(enough) else 0.0


def risk_coverage(score: Float[np.ndarray, " n"], accurate: Bool[np.ndarray, " n"]) -> RiskCoverage:
    """The curve of a score.

    Args:
        score: (n,) higher for fits that are thought to be better; NaN counts as the worst.
        accurate: (n,) whether each one is accurate.
    """
    score = np.where(np.isnan(score), -np.inf, score)
    order = np.argsort(-score, kind="stable")
    _, tied = np.unique(-score[order], return_inverse=True)
    wrong = ~accurate[order]
    share = np.bincount(tied, wrong) / np.maximum(np.bincount(tied), 1)
    kept = np.arange(1, len(score) + 1)
    return RiskCoverage(kept / max(len(score), 1), np.cumsum(share[tied]) / kept)


def limit_for(score: Float[np.ndarray, " n"], accurate: Bool[np.ndarray, " n"], precision: float) -> float:
    """The lowest score such that the fits from it on are accurate in at least this share; infinite where none is.

    Args:
        score: (n,) of fits.
        accurate: (n,) whether each one is accurate.
        precision: in (0, 1].
    """
    for limit in np.unique(score[~np.isnan(score)]):
        if accurate[score >= limit].mean() >= precision:
            return float(limit)
    return math.inf


def discrimination(score: Float[np.ndarray, " n"], accurate: Bool[np.ndarray, " n"]) -> float:
    """How often an accurate fit has the higher score than a wrong one (area under the ROC curve; ties count half).

    NaN where all fits are accurate, or none.

    Args:
        score: (n,) without NaN.
        accurate: (n,) whether each one is accurate.
    """
    good, bad = score[accurate], np.sort(score[~accurate])
    if not len(good) or not len(bad):
        return math.nan
    below = np.searchsorted(bad, good, "left") + np.searchsorted(bad, good, "right")
    return float(below.mean() / (2 * len(bad)))
