"""Evenly spread subsets of point sets."""

import numpy as np
from jaxtyping import Float, Int


def farthest_points(points: Float[np.ndarray, "n 3"], count: int) -> Int[np.ndarray, " m"]:
    """Indices of at most `count` points, each as far as possible from those before it; deterministic, none twice.

    Starts at the point nearest to the mean.
    """
    if len(points) == 0 or count < 1:
        return np.zeros(0, np.int64)
    start = int(np.argmin(((points - points.mean(0)) ** 2).sum(1)))
    chosen = [start]
    nearest = ((points - points[start]) ** 2).sum(1)
    nearest[start] = -1.0  # taken: never again, even where points coincide
    for _ in range(min(count, len(points)) - 1):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(1))
        nearest[chosen[-1]] = -1.0
    return np.array(chosen)
