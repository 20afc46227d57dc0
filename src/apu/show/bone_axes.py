"""Which way the bones of an exported skeleton point, as animation programs want it: y along the bone."""

import numpy as np
from jaxtyping import Float

from apu.body.rigged import RiggedBody

AHEAD, UP = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
_MIDDLE_M = 0.005
"""A bone this near to the median plane belongs to the trunk."""
_SHORTEST_M = 0.002
"""Bones that are shorter point as their parents do."""


def bone_axes(body: RiggedBody, joints: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "b 3 3"]:
    """Axes of every bone at rest, as columns: y from its head to its child, z as far ahead as that leaves.

    Args:
        body: whose bones they are.
        joints: heads at rest; x to the person's left, y up, z ahead.
    """
    directions = np.tile(UP, (len(joints), 1))
    for bone, parent in enumerate(body.parents):
        ahead = _tail(body, joints, bone) - joints[bone]
        length = np.linalg.norm(ahead)
        if length > _SHORTEST_M:
            directions[bone] = ahead / length
        elif parent >= 0:
            directions[bone] = directions[parent]
    beside = np.where(np.abs(directions @ AHEAD)[:, None] > 0.9, UP, AHEAD)
    x = np.cross(directions, beside)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, directions, np.cross(x, directions)], axis=2)


def _tail(body: RiggedBody, joints: Float[np.ndarray, "b 3"], bone: int) -> Float[np.ndarray, " 3"]:
    """Where the bone ends: at its child; on the trunk the child nearest to the middle; else between its children."""
    children = [i for i, parent in enumerate(body.parents) if parent == bone]
    if not children:
        return joints[bone]
    if abs(joints[bone, 0]) < _MIDDLE_M:
        return joints[min(children, key=lambda i: abs(joints[i, 0]))]
    return joints[children].mean(0)
