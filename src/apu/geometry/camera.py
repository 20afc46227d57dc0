"""Pinhole projection: x right, y down, z forward."""

import torch
from jaxtyping import Float
from torch import Tensor

NEAR_M = 0.1
"""Depths below this are projected as if they lay there, so that nothing divides by zero."""


def project(
    points: Float[Tensor, "*batch 3"], focal_px: Float[Tensor, "*#batch"], center_px: Float[Tensor, "*#batch 2"]
) -> Float[Tensor, "*batch 2"]:
    """Pixels of points in the camera frame (metres)."""
    depth = points[..., 2:].clamp_min(NEAR_M)
    return points[..., :2] / depth * focal_px[..., None] + center_px


def projection_jacobian(
    points: Float[Tensor, "*batch 3"], focal_px: Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch 2 3"]:
    """d pixels / d point, pixels per metre; by depth it is 0 before `NEAR_M`, where `project` holds the depth."""
    x, y, depth = points.unbind(-1)
    z = depth.clamp_min(NEAR_M)
    zero = torch.zeros_like(x)
    by_depth = torch.where(depth > NEAR_M, -1 / z**2, zero)
    rows = torch.stack([1 / z, zero, x * by_depth, zero, 1 / z, y * by_depth], -1)
    return rows.unflatten(-1, (2, 3)) * focal_px[..., None, None]


def translation_from_projection(
    points: Float[Tensor, "n k 3"],
    pixels: Float[Tensor, "n k 2"],
    weights: Float[Tensor, "n k"],
    focal_px: Float[Tensor, " n"],
    center_px: Float[Tensor, "n 2"],
) -> Float[Tensor, "n 3"]:
    """The shift that makes points project best onto pixels, by linear least squares on x - u z = 0.

    Needs two points with weight at different pixels; otherwise the depth is whatever rounding leaves, or not finite.
    """
    u = (pixels - center_px[:, None]) / focal_px[:, None, None]
    one, zero = torch.ones_like(weights), torch.zeros_like(weights)
    rows = torch.stack([torch.stack([one, zero, -u[..., 0]], -1), torch.stack([zero, one, -u[..., 1]], -1)], 2)
    target = u * points[..., 2:] - points[..., :2]
    scale = weights[..., None, None]
    a, b = (rows * scale).flatten(1, 2), (target[..., None] * scale).flatten(1, 2)
    eye = 1e-6 * torch.eye(3, dtype=a.dtype, device=a.device)
    return torch.linalg.solve_ex(a.mT @ a + eye, a.mT @ b).result[..., 0]
