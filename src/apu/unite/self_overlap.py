"""A skeleton's own arms dressed in capsules against its own trunk, head and thighs: arms do not go through them.

Keypoints cannot tell an arm in front of the chest from one inside it, and the penetration term sees only the other
body. The radii are hand-set shares of the skeleton's size, thinner than the flesh: of the 96 forearms of the 48 true
bodies in `tests/dataset/fixture_pairs` none is touched but the four that run through their own body on the mesh, too.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.unite.capsules import segment_distance
from apu.unite.problem import JOINT_SET, limb_size

ARM_SPAN = (0.35, 1.45)
"""Where an arm's axis begins and ends, in forearms from the elbow: upper arms lie at the chest, fingers reach on."""
ARM_RADIUS = 0.05
"""Share of `limb_size`, as all radii here."""

TRUNK: dict[tuple[str, str], float] = {
    ("neck", "mid_hip"): 0.22,
    ("left_shoulder", "left_hip"): 0.16, ("right_shoulder", "right_hip"): 0.16,
    ("left_ear", "right_ear"): 0.22,
    ("left_hip", "left_knee"): 0.17, ("right_hip", "right_knee"): 0.17,
}  # fmt: skip
"""Axis -> radius."""

_NAMES = joint_names(JOINT_SET)
_ELBOWS, _WRISTS = ([_NAMES.index(f"{side}_{joint}") for side in ("left", "right")] for joint in ("elbow", "wrist"))
_ENDS = tuple([_NAMES.index(ends[k]) for ends in TRUNK] for k in (0, 1))
_REACHES = tuple(ARM_RADIUS + radius for radius in TRUNK.values())


def self_overlap(joints: Float[Tensor, "*b 25 3"]) -> Float[Tensor, "*b 2 t"]:
    """By how much the left and the right forearm with its hand overlap each capsule of the same body's trunk.

    Args:
        joints: BODY_25, metres.

    Returns:
        Metres, one for each arm and capsule of `TRUNK`; 0 where they do not overlap. Differentiable; the size of the
        skeleton has no gradient, so no body grows out of its trouble.
    """
    elbow, wrist = joints[..., _ELBOWS, None, :], joints[..., _WRISTS, None, :]
    first, last = (elbow + share * (wrist - elbow) for share in ARM_SPAN)
    start, end = (joints[..., None, ends, :] for ends in _ENDS)
    reach = torch.tensor(_REACHES, dtype=joints.dtype, device=joints.device)
    size = limb_size(joints).detach()[..., None, None]
    return torch.relu(size * reach - segment_distance(first, last, start, end))
