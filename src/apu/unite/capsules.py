"""Two skeletons dressed in capsules: coarse, cheap, and blind to surfaces, but never trapped.

A limb that has sunk into the other body's middle is pushed by its whole axis to the side on which it lies. The mesh
does the fine work later. Radii are hand-set shares of the skeleton's size, thinner than the flesh, so
that touching is free.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.unite.problem import JOINT_SET, limb_size

CAPSULES: dict[tuple[str, str], float] = {
    ("left_shoulder", "left_elbow"): 0.07, ("left_elbow", "left_wrist"): 0.05,
    ("right_shoulder", "right_elbow"): 0.07, ("right_elbow", "right_wrist"): 0.05,
    ("left_hip", "left_knee"): 0.12, ("left_knee", "left_ankle"): 0.07,
    ("right_hip", "right_knee"): 0.12, ("right_knee", "right_ankle"): 0.07,
    ("left_shoulder", "left_hip"): 0.10, ("right_shoulder", "right_hip"): 0.10, ("neck", "mid_hip"): 0.18,
    ("left_ear", "right_ear"): 0.14,
}  # fmt: skip
"""Axis -> radius as a share of `limb_size` (0.37 m for an adult of 1.7 m)."""

_NAMES = joint_names(JOINT_SET)
_ENDS = tuple([_NAMES.index(ends[k]) for ends in CAPSULES] for k in (0, 1))
_RADII = tuple(CAPSULES.values())


def capsule_overlap(joints: Float[Tensor, "p 2 25 3"]) -> Float[Tensor, "p a b"]:
    """By how much each capsule of A overlaps each one of B, metres, 0 where they do not."""
    size = limb_size(joints).detach()
    radius = size[..., None] * torch.tensor(_RADII, dtype=joints.dtype, device=joints.device)
    start, end = (joints[:, :, ends] for ends in _ENDS)
    distance = segment_distance(start[:, 0, :, None], end[:, 0, :, None], start[:, 1, None], end[:, 1, None])
    return torch.relu(radius[:, 0, :, None] + radius[:, 1, None] - distance)


def held_in_depth(joints: Float[Tensor, "p 2 25 3"], place: Float[Tensor, "p 2 3"]) -> Float[Tensor, "p 2 25 3"]:
    """The same joints, whose gradient does not reach how far away the bodies stand.

    Capsules shall bend limbs out of the other body. Keypoints hardly tell depth, so bodies would rather slide past each
    other along the line of sight, as often to the wrong side as to the right one.

    Args:
        joints: camera frame, metres.
        place: of the bodies that they belong to, metres.
    """
    depth = place[..., None, 2:]
    return joints + torch.nn.functional.pad(depth.detach() - depth, (2, 0))


def segment_distance(
    a0: Float[Tensor, "*#b 3"], a1: Float[Tensor, "*#b 3"], b0: Float[Tensor, "*#b 3"], b1: Float[Tensor, "*#b 3"]
) -> Float[Tensor, "*b"]:
    """Distance between two segments; the nearest places have no gradient, their distance has (envelope theorem).

    Ericson, "Real-Time Collision Detection", 5.1.9, with parallel segments taken at the first one's start.
    """
    along_a, along_b, between = a1 - a0, b1 - b0, a0 - b0
    with torch.no_grad():
        aa, bb, ab = (along_a**2).sum(-1), (along_b**2).sum(-1), (along_a * along_b).sum(-1)
        ar, br = (along_a * between).sum(-1), (along_b * between).sum(-1)
        aa, bb = aa.clamp_min(1e-12), bb.clamp_min(1e-12)
        cross = aa * bb - ab**2
        s = torch.where(cross > 1e-12, (ab * br - ar * bb) / cross.clamp_min(1e-12), torch.zeros_like(cross)).clamp(
            0, 1
        )
        t = (ab * s + br) / bb
        s = torch.where(t < 0, -ar / aa, torch.where(t > 1, (ab - ar) / aa, s)).clamp(0, 1)
        t = t.clamp(0, 1)
    way = between + s[..., None] * along_a - t[..., None] * along_b
    return (way.square().sum(-1) + 1e-12).sqrt()
