"""Which joints of two people a camera sees, by depth buffers of either body alone.

A joint lies inside its limb, so its own skin is always before it. It counts as hidden by the own body when the first
skin on its line of sight lies farther before it than the limb is thick, and as behind the other person when any skin
of theirs lies before it.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Int

from apu.geometry.raster import rasterize
from apu.scene.camera import Camera

RASTER_PX = 256
"""Longer side of the depth buffers; a pixel is some 7 mm of a standing pair."""

LIMB_FACTOR, LIMB_MARGIN_M = 1.7, 0.04
"""Skin up to so many nearest-skin distances, and so much more, before a joint is that of its own limb. Hand-set: hips
and shoulders count as seen from the front and from behind, eyes and nose not from behind."""

TOUCHING_M = 0.01
"""Skin of the other person so little before a joint is in contact with its limb rather than before it."""


class JointState(IntEnum):
    """How a joint is seen."""

    SEEN = 0
    BEHIND_SELF = 1
    BEHIND_OTHER = 2
    OUT_OF_FRAME = 3


def limb_thickness(
    joints: Float[np.ndarray, "2 j 3"], vertices: Float[np.ndarray, "2 v 3"]
) -> Float[np.ndarray, "2 j"]:
    """Distance of each joint to the nearest vertex of the own body, metres."""
    out = [
        [np.sqrt(np.square(skin - joint).sum(-1).min()) for joint in mine]
        for mine, skin in zip(joints, vertices, strict=True)
    ]
    return np.array(out, joints.dtype)


def pixels_of(points: Float[np.ndarray, "*b 3"], camera: Camera) -> Float[np.ndarray, "*b 2"]:
    """Projection of points of the camera frame, pixels; points nearer than 1 cm are held there."""
    return points[..., :2] / np.maximum(points[..., 2:], 0.01) * camera.focal_px + np.array(camera.center_px)


def joint_states(
    joints: Float[np.ndarray, "2 j 3"],
    thickness: Float[np.ndarray, "2 j"],
    vertices: Float[np.ndarray, "2 v 3"],
    faces: Int[np.ndarray, "f 3"],
    camera: Camera,
) -> Int[np.ndarray, "2 j"]:
    """A `JointState` for every joint.

    Args:
        joints: camera frame, metres.
        thickness: see `limb_thickness`.
        vertices: camera frame, metres.
        faces: of either body.
        camera: the camera.
    """
    skin = _skin_depths(joints, vertices, faces, camera)
    depth = joints[..., 2]
    own = np.stack([skin[0, 0], skin[1, 1]])
    other = np.stack([skin[1, 0], skin[0, 1]])
    states = np.where(own < depth - LIMB_FACTOR * thickness - LIMB_MARGIN_M, JointState.BEHIND_SELF, JointState.SEEN)
    states = np.where(other < depth - TOUCHING_M, JointState.BEHIND_OTHER, states)
    return np.where(in_frame(joints, camera), states, JointState.OUT_OF_FRAME).astype(np.int64)


def in_frame(joints: Float[np.ndarray, "2 j 3"], camera: Camera) -> Bool[np.ndarray, "2 j"]:
    """Whether joints of the camera frame lie in the picture."""
    pixels = pixels_of(joints, camera)
    inside = (pixels >= 0).all(-1) & (pixels[..., 0] < camera.width) & (pixels[..., 1] < camera.height)
    return inside & (joints[..., 2] > 0)


def _skin_depths(joints, vertices, faces, camera: Camera) -> Float[np.ndarray, "2 2 j"]:
    """Depth of the first skin of each body (first axis) at each person's joints; infinite where there is none."""
    outline = pixels_of(vertices, camera)
    corner = outline.reshape(-1, 2).min(0)
    size = outline.reshape(-1, 2).max(0) - corner
    scale = RASTER_PX / max(float(size.max()), 1.0)
    width, height = (int(np.ceil(side * scale)) + 1 for side in size)
    at = ((pixels_of(joints, camera) - corner) * scale).astype(np.int64)
    column, row = at[..., 0].clip(0, width - 1), at[..., 1].clip(0, height - 1)
    buffers = [
        rasterize((pixels - corner) * scale, body[:, 2], faces, width, height).depth
        for pixels, body in zip(outline, vertices, strict=True)
    ]
    return np.stack([depth[row, column] for depth in buffers])
