"""Joints of Anny and their derivatives by every parameter, for Gauss-Newton and Levenberg-Marquardt steps."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.anny_kinematics import Motion, Tables
from apu.body.protocol import Parameters, Parts

if TYPE_CHECKING:
    from apu.body.anny import AnnyBody

SHAPE_STEP = 1e-2
"""Step of the one-sided difference by a shape logit; the body is piecewise multilinear in the phenotypes."""


def joints_and_jacobian(
    body: "AnnyBody", parameters: Parameters, joint_set: str, shape: bool
) -> tuple[Float[Tensor, "n k 3"], Float[Tensor, "n k 3 p"]]:
    """See `BodyModel.joints_and_jacobian`; the batch is flattened to `n`."""
    tables = body.tables(Parts(joint_set))
    assert tables.joint_matrix is not None
    motion = body.pose(parameters, tables)
    joints = tables.joint_matrix @ motion.points
    columns = [_turn_root(joints, motion), _shift(joints), _bend(tables, motion)]
    if shape:
        columns.append(_reshape(body, parameters, tables, joints))
    return joints, torch.cat(columns, -1)


def _turn_root(joints: Float[Tensor, "n k 3"], motion: Motion) -> Float[Tensor, "n k 3 3"]:
    """d joints / d delta for R <- exp(delta) R: delta x (joint - root)."""
    arm = joints - motion.position[:, :1]
    axes = torch.eye(3, dtype=joints.dtype, device=joints.device)
    return torch.linalg.cross(axes.expand(*joints.shape[:2], 3, 3), arm[..., None, :]).transpose(-1, -2)


def _shift(joints: Float[Tensor, "n k 3"]) -> Float[Tensor, "n k 3 3"]:
    return torch.eye(3, dtype=joints.dtype, device=joints.device).expand(*joints.shape[:2], 3, 3)


def _bend(t: Tables, motion: Motion) -> Float[Tensor, "n k 3 d"]:
    """An angle turns everything below its bone about the world axis Z_parent J_l(rotvec) a through the bone's head.

    J_l is the left Jacobian of the rotation group: exp((r + dr)) = exp(J_l(r) dr) exp(r) to first order.
    """
    assert t.joint_matrix is not None
    bone = t.dof_bone
    axes = t.dof_to_rotvec.unflatten(-1, (-1, 3))[torch.arange(len(bone), device=bone.device), bone]
    inner = (_left_jacobian(motion.rotvec[:, bone]) @ axes[..., None])[..., 0]
    world = (motion.rotation[:, t.parent[bone]] @ inner[..., None])[..., 0]
    share = t.joint_matrix[None] * _below(t, bone)[:, None]
    moved = torch.einsum("dkp,npc->ndkc", share, motion.points)
    arm = moved - share.sum(-1)[None, ..., None] * motion.position[:, bone][:, :, None]
    return torch.linalg.cross(world[:, :, None].expand_as(arm), arm).permute(0, 2, 3, 1)


def _below(t: Tables, bone: Int[Tensor, " d"]) -> Float[Tensor, "d p"]:
    """1 where a point hangs on a bone or on one of its descendants."""
    count = len(t.bones)
    reach = torch.eye(count, dtype=t.weights.dtype, device=t.weights.device)
    for child in range(1, count):  # parents come first
        reach[child] = reach[child] + reach[t.parent[child]]
    return (t.weights @ reach).T[bone]


def _left_jacobian(r: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Left Jacobian of SO(3) at rotation vector `r`; Sola et al., "A micro Lie theory", eq. 145."""
    angle = r.norm(dim=-1).clamp_min(1e-6)[..., None, None]
    zero = torch.zeros_like(r[..., 0])
    x, y, z = r.unbind(-1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    one = torch.eye(3, dtype=r.dtype, device=r.device)
    half = 2 * torch.sin(angle / 2) ** 2 / angle**2
    cubic = torch.where(angle < 1e-2, 1 / 6 - angle**2 / 120, (angle - torch.sin(angle)) / angle**3)
    return one + half * cross + cubic * (cross @ cross)


def _reshape(
    body: "AnnyBody", parameters: Parameters, tables: Tables, joints: Float[Tensor, "n k 3"]
) -> Float[Tensor, "n k 3 6"]:
    """d joints / d shape logits, by one-sided differences in one batch."""
    shape = parameters["shape"].reshape(-1, parameters["shape"].shape[-1])
    size = shape.shape[-1]
    assert tables.joint_matrix is not None
    moved = {k: v.reshape(-1, v.shape[-1]).repeat_interleave(size, 0) for k, v in parameters.items()}
    step = SHAPE_STEP * torch.eye(size, dtype=shape.dtype, device=shape.device)
    moved["shape"] = (shape[:, None] + step).flatten(0, 1)
    there = (tables.joint_matrix @ body.pose(moved, tables).points).unflatten(0, (-1, size))
    return ((there - joints[:, None]) / SHAPE_STEP).permute(0, 2, 3, 1)
