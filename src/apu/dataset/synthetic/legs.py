"""Legs that reach the ground: level soles, and both feet equally low. Rules of ours, on the angles alone.

Rotations are of the level frame (x right, y down, z away from the viewer); lengths are the default body's, and only
their ratios count.
"""

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny_pose import DOFS

NAMES = tuple(d.name for d in DOFS)
LOWER = torch.tensor([d.lower for d in DOFS])
UPPER = torch.tensor([d.upper for d in DOFS])
OUT = {"left": 1.0, "right": -1.0}
HIP_M, THIGH_M, SHIN_M, SOLE_M, KNEE_M = 0.097, 0.413, 0.415, 0.087, 0.055
"""Middle to hip, hip to knee, knee to ankle, ankle to the sole below it, knee to the ground below it."""
LEFT_THIGH_M, LEFT_SHIN_M = (0.056, 0.409, -0.007), (0.040, 0.412, 0.026)
"""Hip to knee and knee to ankle of the zero pose, whose legs are a little apart."""
BISECTIONS = 8


def column(pose: Float[Tensor, "n 47"], name: str) -> Float[Tensor, " n"]:
    """One angle of everybody."""
    return pose[:, NAMES.index(name)]


def with_columns(pose: Float[Tensor, "n 47"], values: dict[str, Float[Tensor, " n"]]) -> Float[Tensor, "n 47"]:
    """The poses with some angles set, kept within their bounds."""
    changed = pose.clone()
    for name, value in values.items():
        changed[:, NAMES.index(name)] = value
    return changed.clamp(LOWER, UPPER)


def leg_rotations(
    pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"], side: str
) -> tuple[Float[Tensor, "n 3 3"], Float[Tensor, "n 3 3"]]:
    """Thigh and shin of one side, as turned from the zero pose; in it the soles are level."""
    flexion, abduction, rotation, knee = (
        column(pose, f"{side}_{name}") for name in ("hip_flexion", "hip_abduction", "hip_rotation", "knee_flexion")
    )
    hip = torch.stack([-flexion, -OUT[side] * rotation, -OUT[side] * abduction], -1)
    thigh = roma.rotvec_to_rotmat(tilt) @ roma.rotvec_to_rotmat(hip)
    return thigh, thigh @ roma.rotvec_to_rotmat(torch.stack([knee, 0 * knee, 0 * knee], -1))


def with_level_soles(
    pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"], sides: tuple[str, ...] = ("left", "right")
) -> Float[Tensor, "n 47"]:
    """Ankles turned the shortest way that makes the soles level, as far as ankles can."""
    for side in sides:
        down = leg_rotations(pose, tilt, side)[1][:, 1]  # the world's down, seen from the shin
        across = torch.linalg.cross(torch.tensor([[0.0, 1.0, 0.0]]).expand_as(down), down)
        sine = across.norm(dim=-1)
        turn = across / sine.clamp_min(1e-9)[:, None] * torch.atan2(sine, down[:, 1])[:, None]
        pose = with_columns(
            pose, {f"{side}_ankle_plantarflexion": turn[:, 0], f"{side}_ankle_inversion": -OUT[side] * turn[:, 2]}
        )
    return pose


def reach(pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"], side: str) -> Float[Tensor, " n"]:
    """How far below the middle of the hips a level sole lies, metres."""
    thigh, shin = leg_rotations(pose, tilt, side)
    out = torch.tensor([OUT[side], 1.0, 1.0])
    hip = OUT[side] * HIP_M * roma.rotvec_to_rotmat(tilt)[:, 1, 0]
    return (
        hip + thigh[:, 1] @ (torch.tensor(LEFT_THIGH_M) * out) + shin[:, 1] @ (torch.tensor(LEFT_SHIN_M) * out) + SOLE_M
    )


def on_both_feet(pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"]) -> Float[Tensor, "n 47"]:
    """Standing people with both soles level and equally low: the leg that reaches less is straightened until it does.

    Where a straight leg does not reach either, because the hips slope, it stays straight.
    """
    lengths = {side: reach(pose, tilt, side) for side in OUT}
    lowest = torch.maximum(lengths["left"], lengths["right"])
    for side in OUT:
        bent = {n: column(pose, f"{side}_{n}") for n in ("hip_flexion", "knee_flexion")}
        straight = {"hip_flexion": tilt[:, 0], "knee_flexion": torch.zeros_like(lowest)}
        low, high = torch.zeros_like(lowest), torch.ones_like(lowest)
        for _ in range(BISECTIONS):
            share = (low + high) / 2
            reaches = reach(_mixed(pose, side, bent, straight, share), tilt, side) >= lowest
            low, high = torch.where(reaches, low, share), torch.where(reaches, share, high)
        share = torch.where(lengths[side] < lowest, high, 0.0)
        pose = _mixed(pose, side, bent, straight, share)
    return with_level_soles(pose, tilt)


def _mixed(
    pose: Float[Tensor, "n 47"], side: str, start: dict[str, Tensor], end: dict[str, Tensor], share: Float[Tensor, " n"]
) -> Float[Tensor, "n 47"]:
    return with_columns(pose, {f"{side}_{n}": start[n] + share * (end[n] - start[n]) for n in start})
