"""Who is in front: the fitted bodies against the masks, where both bodies cover the same pixels of the photo."""

import numpy as np
from jaxtyping import Float, Int

from apu.geometry.raster import rasterize
from apu.geometry.views import PerspectiveView
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import PersonMask

LONG_SIDE = 160
"""Pixels of the picture that is compared; silhouettes need no more."""

SURE = 0.5
"""Least difference of the two masks at a pixel that decides whose it is."""

LEAST_PIXELS = 20
"""Fewer decided pixels tell nothing."""


def depth_order_agreement(observation: PairObservation, fit: Fit, faces: Int[np.ndarray, "f 3"]) -> float | None:
    """Share of the decided pixels at which the nearer body belongs to the person whom the photo shows there.

    Args:
        observation: the pair; both people need a clean mask.
        fit: its two bodies.
        faces: (f, 3) of either body.

    Returns:
        In [0, 1]; None where masks are missing or unclean, or the bodies hardly overlap in the picture.
    """
    masks = [person.mask for person in observation.people]
    if any(mask is None or not mask.clean for mask in masks):
        return None
    view, corner, scale = _window(observation, fit)
    depth = []
    for vertices in fit.vertices.detach().cpu().numpy():
        points, distance = view.project(vertices)
        depth.append(rasterize(points, distance, faces, view.width, view.height).depth)
    both = np.isfinite(depth[0]) & np.isfinite(depth[1])
    rows, columns = np.nonzero(both)
    at = np.stack([columns + 0.5, rows + 0.5], 1) / scale + corner
    lead = np.subtract(*(_share_at(mask, at) for mask in masks if mask is not None))
    decided = np.abs(lead) >= SURE
    if decided.sum() < LEAST_PIXELS:
        return None
    a_is_nearer = (depth[0] < depth[1])[rows, columns]
    return float((a_is_nearer == (lead > 0))[decided].mean())


def _window(observation: PairObservation, fit: Fit) -> tuple[PerspectiveView, Float[np.ndarray, "2"], float]:
    """The part of the photo around both people, scaled down."""
    camera = observation.camera
    boxes = np.array([person.box for person in observation.people])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    margin = 0.1 * (high - low).max()
    low, high = low - margin, high + margin
    scale = LONG_SIDE / float((high - low).max())
    width, height = (max(1, round(float(side) * scale)) for side in high - low)
    whole = PerspectiveView(camera.focal_px, camera.center_px, camera.width, camera.height)
    return whole.window((float(low[0]), float(low[1])), scale, width, height), low, scale


def _share_at(mask: PersonMask, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Value of a mask at places of the photo; 0 outside of it."""
    column, row = np.floor((points - np.array(mask.box[:2])) / mask.step).astype(int).T
    height, width = mask.share.shape
    within = (row >= 0) & (column >= 0) & (row < height) & (column < width)
    out = np.zeros(len(points))
    out[within] = mask.share[row[within], column[within]]
    return out
