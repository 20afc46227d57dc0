"""Linear blend skinning with pose blend shapes, on any chosen points: SMPL-X's formula, in batches and on any device.

With rest joints J and points T, both linear in the shape, and pose features F = R_c - 1 of all joints but the root:
    p = T + F P,   Z_c = Z_p R_c,   w_c = w_p + Z_p (J_c - J_p),   x = sum_c weight_c (Z_c (p - J_c) + w_c)
(Loper et al., "SMPL", 2015, eq. 2-9). Joints whose rotation never changes are folded into the template.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.anny_kinematics import chain, doublings
from apu.body.smplx_asset import SMPLX_PARENTS, SmplxAsset


@dataclass(frozen=True)
class SkinTables:
    """What `p` points and `b` of the joints need; parents come before children, the root first.

    `featured` are rows of the `b` joints whose pose blend shapes are left: the rest are folded into `template`.
    """

    template: Float[Tensor, "p 3"]
    shape_dirs: Float[Tensor, "s p3"]
    pose_dirs: Float[Tensor, "q p3"]
    weights: Float[Tensor, "p b"]
    joint_template: Float[Tensor, "b 3"]
    joint_dirs: Float[Tensor, "s b3"]
    joints: Int[Tensor, " b"]
    parent: Int[Tensor, " b"]
    featured: Int[Tensor, " m"]
    ancestors: tuple[Int[Tensor, " b"], ...]


@dataclass(frozen=True)
class Skinned:
    """Points (n, p, 3), joints (n, b, 3), and the joints' accumulated rotations (n, b, 3, 3)."""

    points: Float[Tensor, "n p 3"]
    joints: Float[Tensor, "n b 3"]
    rotation: Float[Tensor, "n b 3 3"]


def skin_tables(
    asset: SmplxAsset,
    points: Int[Tensor, " p"],
    fixed: Float[Tensor, "55 3 3"],
    moving: int,
    like: Tensor,
    expressive: bool = False,
) -> SkinTables:
    """Prepare points for `skin`.

    Args:
        asset: the body.
        points: vertex numbers.
        fixed: rotations of the joints from `moving` on; the others' rows are not looked at.
        moving: how many of the first joints have rotations of their own in `skin`.
        like: dtype and device.
        expressive: whether the expression directions follow the shape's.
    """
    shapes = torch.cat([asset.shape_dirs, asset.expression_dirs]) if expressive else asset.shape_dirs
    used = asset.weights[points].abs().sum(0) > 0
    used[:moving] = True
    for joint in range(len(used) - 1, 0, -1):
        if used[joint]:
            used[SMPLX_PARENTS[joint]] = True
    joints = torch.nonzero(used).flatten()
    row = {int(j): i for i, j in enumerate(joints)}
    parent = torch.tensor([row.get(SMPLX_PARENTS[int(j)], 0) for j in joints])
    one = torch.eye(3, dtype=torch.float64)
    still = (fixed.double().cpu()[moving:] - one).flatten()
    directions = asset.pose_dirs[:, points]
    free = 9 * (moving - 1)
    template = asset.template[points] + torch.einsum("q,qpd->pd", still, directions[free:])
    joint_dirs = torch.einsum("jv,svd->sjd", asset.regressor[joints], shapes)

    def to(tensor: Tensor) -> Tensor:
        return tensor.to(like.device, like.dtype).contiguous()

    return SkinTables(
        template=to(template),
        shape_dirs=to(shapes[:, points].flatten(1)),
        pose_dirs=to(directions[:free].flatten(1)),
        weights=to(asset.weights[points][:, joints]),
        joint_template=to(asset.regressor[joints] @ asset.template),
        joint_dirs=to(joint_dirs.flatten(1)),
        joints=joints.to(like.device),
        parent=parent.to(like.device),
        featured=torch.arange(1, moving, device=like.device),
        ancestors=tuple(x.to(like.device) for x in doublings(parent)),
    )


def skin(
    t: SkinTables, shape: Float[Tensor, "n s"], rotation: Float[Tensor, "n b 3 3"], root: Float[Tensor, "n 3"]
) -> Skinned:
    """Pose the points of `t`.

    Args:
        t: the tables.
        shape: coefficients of the shape directions.
        rotation: of every joint of `t.joints` against its parent.
        root: where the root joint shall lie, metres.
    """
    n, p = shape.shape[0], t.template.shape[0]
    rest, joints = rest_skin(t, shape, rotation)
    steps = torch.cat([root[:, None], (joints - joints[:, t.parent])[:, 1:]], 1)
    turn, position = chain(rotation, steps, t.ancestors)
    shift = position - (turn @ joints[..., None])[..., 0]
    moved = (t.weights @ torch.cat([turn.flatten(-2), shift], -1)).reshape(n, p, 12)
    posed = (moved[..., :9].unflatten(-1, (3, 3)) @ rest[..., None])[..., 0] + moved[..., 9:]
    return Skinned(posed, position, turn)


def rest_skin(
    t: SkinTables, shape: Float[Tensor, "n s"], rotation: Float[Tensor, "n b 3 3"]
) -> tuple[Float[Tensor, "n p 3"], Float[Tensor, "n b 3"]]:
    """Points p (the pose blend shapes are in them already) and joints J in the T-pose; arguments as in `skin`."""
    n, p, b = shape.shape[0], t.template.shape[0], t.joint_template.shape[0]
    one = torch.eye(3, dtype=shape.dtype, device=shape.device)
    features = (rotation[:, t.featured] - one).flatten(1)
    points = t.template + (shape @ t.shape_dirs + features @ t.pose_dirs).reshape(n, p, 3)
    return points, t.joint_template + (shape @ t.joint_dirs).reshape(n, b, 3)


def rotations(vectors: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3 3"]:
    """Rodrigues' formula, smooth at zero: derivatives of any kind may pass, also forwards (`torch.func.jacfwd`)."""
    squared = vectors.square().sum(-1)[..., None, None]
    small = squared < 1e-8
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    first = torch.where(small, 1 - squared / 6, angle.sin() / angle)
    second = torch.where(small, 0.5 - squared / 24, 2 * (angle / 2).sin() ** 2 / angle**2)
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    one = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return one + first * cross + second * (cross @ cross)
