"""Anny's 47 angles on SMPL-X's skeleton: the same names, axes, bounds and zero pose, so the same priors.

SMPL-X rests in a T-pose, the angles are zero in Anny's slightly bent A-pose. Every limb bone gets a fixed rotation U
that takes it from the one to the other: by its direction and by where the palm looks for arms, by the least rotation
for legs. With D the rotation that the angles give in body axes, the joint turns by U_parent^T D U against its parent.
The correspondence is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny_pose import DOFS, dof_axes
from apu.body.landmarks import Landmarks, read_landmarks
from apu.body.segments import SIDES, Side, read_bones
from apu.body.smplx_asset import BODY_JOINTS, SMPLX_JOINTS, SMPLX_PARENTS
from apu.body.smplx_skinning import rotations

CAMERA_FROM_SMPLX = (1.0, -1.0, -1.0)
"""Half a turn about x: SMPL-X has y up and looks along z; a person who faces the camera looks along -z, y down."""

_BONES: Mapping[str, str] = {
    "spine05": "spine1", "spine03": "spine2", "spine01": "spine3", "neck01": "neck", "head": "head",
    **{f"{anny}.{side[0].upper()}": f"{side}_{ours}" for side in SIDES for anny, ours in (
        ("clavicle", "collar"), ("upperarm01", "shoulder"), ("lowerarm01", "elbow"), ("wrist", "wrist"),
        ("upperleg01", "hip"), ("lowerleg01", "knee"), ("foot", "ankle"),
    )},
}  # fmt: skip
_FOREARMS = {f"lowerarm02.{side[0].upper()}": f"{side}_elbow" for side in SIDES}
"""Pronation turns a bone of its own in Anny, and the same joint after its flexion in SMPL-X."""

_ZERO_LEFT: Mapping[str, tuple[float, float, float]] = {
    "shoulder": (0.6605, 0.7504, -0.0260),
    "elbow": (0.5108, 0.5224, -0.6828),
    "wrist": (0.4438, 0.5624, -0.6977),
    "hip": (0.0837, 0.9935, -0.0765),
    "knee": (0.0972, 0.9929, 0.0690),
}
_ZERO_PALM_LEFT = (-0.7656, 0.6425, 0.0309)
"""Anny's zero pose, camera axes: unit directions of the left limb bones, and of the palm. The right is its mirror."""


@dataclass(frozen=True)
class PoseTables:
    """Angles to the rotations of the 22 body joints.

    Attributes:
        bend: (47, 22, 3) angle -> rotation vector in body axes, SMPL-X's frame; without pronation.
        pronate: (47, 22, 3) the same for pronation, which acts first.
        align: (22, 3, 3) U.
        parent_align: (22, 3, 3) U of the parent; that of the root is one.
    """

    bend: Float[Tensor, "d j 3"]
    pronate: Float[Tensor, "d j 3"]
    align: Float[Tensor, "j 3 3"]
    parent_align: Float[Tensor, "j 3 3"]


def pose_tables(joints: Float[Tensor, "55 3"], like: Tensor) -> PoseTables:
    """Prepare `body_rotations` for a skeleton.

    Args:
        joints: rest positions in SMPL-X's frame, of the mean adult.
        like: dtype and device.
    """
    flip = np.array(CAMERA_FROM_SMPLX)
    rest = joints.double().cpu().numpy() * flip
    align = torch.eye(3, dtype=torch.float64).repeat(BODY_JOINTS, 1, 1)
    marks = read_landmarks(read_bones(SMPLX_JOINTS, SMPLX_PARENTS), rest)
    for side in SIDES:
        for name, turn in _side_alignment(marks, side).items():
            align[SMPLX_JOINTS.index(f"{side}_{name}")] = torch.from_numpy(turn)
    zero = torch.zeros(BODY_JOINTS, 3, dtype=torch.float64)
    for j in range(1, BODY_JOINTS):
        parent = SMPLX_PARENTS[j]
        zero[j] = zero[parent] + align[parent] @ torch.from_numpy(rest[j] - rest[parent])
    axes = dof_axes(tuple(_BONES), torch.stack([zero[SMPLX_JOINTS.index(ours)] for ours in _BONES.values()]))
    bend = torch.zeros(len(DOFS), BODY_JOINTS, 3, dtype=torch.float64)
    pronate = torch.zeros_like(bend)
    for i, dof in enumerate(DOFS):
        table, names = (pronate, _FOREARMS) if dof.bone in _FOREARMS else (bend, _BONES)
        table[i, SMPLX_JOINTS.index(names[dof.bone])] = axes[i] * torch.from_numpy(flip)
    turned = torch.from_numpy(flip[:, None] * flip) * align
    parents = torch.stack([turned[max(p, 0)] for p in SMPLX_PARENTS[:BODY_JOINTS]])
    return PoseTables(*(x.to(like.device, like.dtype) for x in (bend, pronate, turned, parents)))


def body_rotations(
    t: PoseTables, turn: Float[Tensor, "n 3 3"], pose: Float[Tensor, "n d"]
) -> Float[Tensor, "n 22 3 3"]:
    """Rotations of the 22 body joints against their parents, in SMPL-X's convention.

    Args:
        t: the tables.
        turn: of the whole body in the camera frame; one faces the camera.
        pose: the 47 angles, radians.
    """
    bent = rotations(torch.einsum("nd,djc->njc", pose, t.bend))
    bent = bent @ rotations(torch.einsum("nd,djc->njc", pose, t.pronate))
    local = t.parent_align.mT @ bent @ t.align
    facing = torch.diag(torch.tensor(CAMERA_FROM_SMPLX, dtype=turn.dtype, device=turn.device))
    return torch.cat([(turn @ facing)[:, None], local[:, 1:]], 1)


def _side_alignment(marks: Landmarks, side: Side) -> dict[str, np.ndarray]:
    """Joint without its side -> (3, 3) U, camera axes."""
    mirror = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    goal = {name: np.array(direction) * mirror for name, direction in _ZERO_LEFT.items()}
    arm, leg, hand = marks.arms[side], marks.legs[side], marks.hands[side]
    found = {
        "shoulder": arm.middle - arm.root,
        "elbow": arm.end - arm.middle,
        "wrist": hand.axis,
        "hip": leg.middle - leg.root,
        "knee": leg.end - leg.middle,
    }
    palm = np.array(_ZERO_PALM_LEFT) * mirror
    turns = {n: _frame(goal[n], palm) @ _frame(found[n], hand.palm).T for n in ("shoulder", "elbow", "wrist")}
    return turns | {n: _least_turn(found[n], goal[n]) for n in ("hip", "knee")}


def _frame(along: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Right-handed unit axes as columns: along a bone, then as near to `beside` as a right angle allows."""
    x = along / np.linalg.norm(along)
    y = beside - (beside @ x) * x
    y = y / np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _least_turn(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The least rotation that takes one direction to another; half a turn apart is not asked for."""
    a, b = start / np.linalg.norm(start), goal / np.linalg.norm(goal)
    axis = np.cross(a, b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + a @ b)
