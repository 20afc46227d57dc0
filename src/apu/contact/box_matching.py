"""Who is who: boxes of one source and boxes of another, matched by overlap."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from apu.contact.annotated_pair import Box


def box_overlaps(first: Sequence[Box], second: Sequence[Box]) -> Float[np.ndarray, "n m"]:
    """Intersection over union of every box of the one list with every box of the other.

    Args:
        first, second: n and m boxes, pixels. One without an area, or with numbers beyond use, overlaps nothing.

    Returns:
        (n, m) in [0, 1].
    """
    a = np.array(first, dtype=np.float64).reshape(-1, 1, 4)
    b = np.array(second, dtype=np.float64).reshape(1, -1, 4)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shared = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]))
        ratio = shared / (_area(a[..., :2], a[..., 2:]) + _area(b[..., :2], b[..., 2:]) - shared)
    return np.where(np.isfinite(ratio), ratio, 0.0)


def match_boxes(overlaps: Float[np.ndarray, "n m"], least: float) -> dict[int, int]:
    """The one-to-one matching with the largest total overlap.

    Args:
        overlaps: (n, m) as `box_overlaps` gives them.
        least: pairs of boxes that overlap less are never matched, and do not count.

    Returns:
        Index in the first list -> index in the second, for those that were matched.
    """
    allowed = overlaps >= least
    rows, columns = linear_sum_assignment(np.where(allowed, overlaps, 0.0), maximize=True)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if allowed[i, j]}


def _area(low: Float[np.ndarray, "*n 2"], high: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
    return np.prod(np.maximum(high - low, 0.0), axis=-1)
