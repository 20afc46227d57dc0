"""Standing: where the centre of mass is, and what it stands on. The floor is y = 0, y points down."""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

SUPPORT_M = 0.03
"""Skin this near to the floor carries weight."""
SLACK_M = 0.04
"""While solving, the centre of mass may be this far from the middle of the support."""


def balance_excess(
    vertices: Float[Tensor, "n 2 v 3"], standing: tuple[bool, bool], balanced: str
) -> Float[Tensor, " n"]:
    """Squared distance, m^2, of the centre of mass from the support's middle beyond a slack: a smooth stand-in.

    The centre of mass is that of well spread surface samples, and the support's middle is weighted by nearness to the
    floor. What is accepted is decided by `support_distance`.
    """
    flat = vertices[..., [0, 2]]
    load = torch.exp(vertices[..., 1] / 0.02)
    carried = not all(standing)
    if balanced == "together" and carried:
        who = standing.index(True)
        middle = flat.mean((1, 2))
        foot = (flat[:, who] * load[:, who, :, None]).sum(1) / load[:, who].sum(1, keepdim=True)
        return torch.relu((middle - foot).norm(dim=-1) - SLACK_M).square()
    foot = (flat * load[..., None]).sum(2) / load.sum(2, keepdim=True)
    return torch.relu((flat.mean(2) - foot).norm(dim=-1) - SLACK_M).square().sum(1)


def centre_of_mass(vertices: Float[Tensor, "b v 3"], faces: Int[Tensor, "f 3"]) -> tuple[Tensor, Tensor]:
    """Centre (b, 3) and volume (b,) of closed meshes of one density, by the divergence theorem."""
    a, b, c = vertices[:, faces].unbind(2)
    volume = (a * torch.linalg.cross(b, c)).sum(-1) / 6
    total = volume.sum(1)
    return ((a + b + c) / 4 * volume[..., None]).sum(1) / total[:, None], total


def support_distance(point: Float[Tensor, " 3"], vertices: Float[Tensor, "v 3"]) -> float:
    """How far outside the support a point is, seen from above, metres; 0 above it, infinite where nothing touches.

    The support is the convex hull of the skin within `SUPPORT_M` of the floor.
    """
    ground = vertices[vertices[:, 1] > -SUPPORT_M][:, [0, 2]].double().numpy()
    here = point[[0, 2]].double().numpy()
    if len(ground) == 0:
        return float("inf")
    hull = _corners(ground)
    edge, to = np.roll(hull, -1, 0) - hull, here - hull
    if len(hull) > 2 and np.all(edge[:, 0] * to[:, 1] - edge[:, 1] * to[:, 0] >= 0):
        return 0.0
    along = np.clip((to * edge).sum(1) / np.maximum((edge**2).sum(1), 1e-12), 0, 1)
    return float(np.linalg.norm(to - along[:, None] * edge, axis=1).min())


def _corners(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Corners of the convex hull, counter-clockwise; the two ends where all points lie in a line."""
    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        far = points[np.linalg.norm(points - points[0], axis=1).argmax()]
        return np.stack([far, points[np.linalg.norm(points - far, axis=1).argmax()]])
