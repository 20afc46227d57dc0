"""Similarity alignment of corresponding points without reflection: a mirrored body does not fit.

The closed form is Umeyama's (1991). Evaluation only: no gradient is promised.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

COINCIDENT = 1e-9
"""Points that differ by less than this share of their largest coordinate are one point."""


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + translation, one for each of `n` point sets.

    Attributes:
        rotation: (n, 3, 3) with determinant +1.
        scale: (n,) not negative.
        translation: (n, 3) in the unit of the points.
    """

    rotation: Float[Tensor, "n 3 3"]
    scale: Float[Tensor, " n"]
    translation: Float[Tensor, "n 3"]

    def apply(self, points: Float[Tensor, "n k 3"]) -> Float[Tensor, "n k 3"]:
        """Move the points, in float64."""
        return self.scale[:, None, None] * points.double() @ self.rotation.mT + self.translation[:, None]


def similarity(source: Float[Tensor, "n k 3"], target: Float[Tensor, "n k 3"]) -> Similarity:
    """The similarity that brings each source nearest to its target, in least squares; never a reflection.

    A set with a number that is not finite gives NaN, and leaves the others alone. Where points coincide or lie on a
    line or in a plane, the best rotation may not be unique, but the error after alignment is: a source of coincident
    points goes to the target's mean with scale 1, a target of coincident points draws the source together.

    Args:
        source: (n, k, 3) `n` sets of `k` points, k at least 1.
        target: (n, k, 3) the points that they correspond to.

    Returns:
        In float64.
    """
    source, source_middle, source_size = _normalised(source)
    target, target_middle, target_size = _normalised(target)
    covariance = source.mT @ target
    known = covariance.isfinite().all(-1).all(-1)
    u, stretch, v_transposed = torch.linalg.svd(torch.where(known[:, None, None], covariance, torch.zeros(())))
    mirror = torch.ones_like(stretch)
    mirror[:, 2] = torch.linalg.det(u @ v_transposed).sign()
    rotation = (v_transposed.mT * mirror[:, None]) @ u.mT
    spread = source.square().sum((1, 2))
    one_point = spread == 0
    scale = (stretch * mirror).sum(-1) / torch.where(one_point, 1, spread) * target_size / source_size
    scale = torch.where(one_point, 1, scale)
    translation = target_middle - scale[:, None] * (rotation @ source_middle[..., None])[..., 0]
    unknown = torch.where(known, 0.0, torch.nan).to(scale)
    return Similarity(rotation + unknown[:, None, None], scale + unknown, translation + unknown[:, None])


def aligned(source: Float[Tensor, "n k 3"], target: Float[Tensor, "n k 3"]) -> Float[Tensor, "n k 3"]:
    """The source points after `similarity`, float64."""
    return similarity(source, target).apply(source)


def _normalised(
    points: Float[Tensor, "n k 3"],
) -> tuple[Float[Tensor, "n k 3"], Float[Tensor, "n 3"], Float[Tensor, " n"]]:
    """Points about their mean and of size one, the mean, the size; zeros and size 1 where all points coincide."""
    points = points.double()
    middle = points.mean(1)
    centred = points - middle[:, None]
    size = centred.abs().amax((1, 2))
    one_point = size <= COINCIDENT * points.abs().amax((1, 2))
    size = torch.where(one_point, 1, size)
    return torch.where(one_point[:, None, None], 0, centred / size[:, None, None]), middle, size
