"""How far projected joints are from where they ought to be in the photo, percent of the person's size there."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from apu.geometry.camera import NEAR_M, project
from apu.scene.pair import PairObservation
from apu.unite.problem import reprojection_percent


def true_reprojection_error_percent(
    predicted: Float[Tensor, "p 2 k 3"],
    true: Float[Tensor, "p 2 k 3"],
    focal_px: Float[Tensor, " p"],
    center_px: Float[Tensor, "p 2"],
) -> Float[Tensor, "p 2"]:
    """Mean pixel distance of the projected joints to the true joints' projections, percent of the true joints' box.

    Unlike the error that a fit reports, this one knows no detector: it counts every joint, seen or hidden, in the
    picture or out of it. NaN where a true joint is not in front of the camera.

    Args:
        predicted: (p, 2, k, 3) joints in the camera frame, metres.
        true: (p, 2, k, 3) the same joints, truly.
        focal_px: (p,) of the camera.
        center_px: (p, 2) principal point.

    Returns:
        (p, 2) percent of the diagonal of the box around the person's true joints.
    """
    focal, center = focal_px.double()[:, None, None], center_px.double()[:, None, None]
    pixels, goal = (project(joints.double(), focal, center) for joints in (predicted, true))
    diagonal = (goal.amax(-2) - goal.amin(-2)).norm(dim=-1)
    error = 100 * (pixels - goal).norm(dim=-1).mean(-1) / diagonal
    return torch.where((true[..., 2] >= NEAR_M).all(-1) & error.isfinite(), error, torch.nan)


def observed_reprojection_error_percent(
    observations: Sequence[PairObservation], joints: Float[Tensor, "p 2 25 3"]
) -> Float[Tensor, "p 2"]:
    """Mean distance to the observed keypoints, percent of their box (`apu.unite.problem.reprojection_percent`).

    Args:
        observations: `p` pairs as they were seen.
        joints: (p, 2, 25, 3) BODY_25 in the camera frame, metres.
    """
    rows = [reprojection_percent(seen, mine) for seen, mine in zip(observations, joints, strict=True)]
    return torch.tensor(rows, dtype=torch.float64, device=joints.device).reshape(-1, 2)
