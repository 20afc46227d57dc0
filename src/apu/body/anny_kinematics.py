"""Kinematics of Anny on a chosen set of points: which bones move them, and the chain of rigid motions along the tree.

Formulas: with R_c, h_c the rest orientation and head of bone c (both depend on the shape), U_c its fixed reference
orientation, A_c = U_c R_c^T and local rotation D_c in body axes,
    Z_c = Z_p D_c,   w_c = w_p + Z_p A_p (h_c - h_p),   x -> Z_c A_c (x - h_c) + w_c,
which is Anny's `local-ref` parameterisation with linear blend skinning.
"""

from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Tables:
    """What one `Parts` needs: `p` points (mesh vertices, then virtual ones of joints), the `b` bones that move them.

    All ancestors of a needed bone are there. Template and blendshapes hold points, bone heads and bone
    cross-covariances in one row, so that the rest body is one matrix product.
    """

    points: Int[Tensor, " p"]
    bones: Int[Tensor, " b"]
    ancestors: tuple[Int[Tensor, " b"], ...]
    parent: Int[Tensor, " b"]
    template: Float[Tensor, " n"]
    blendshapes: Float[Tensor, "s n"]
    weights: Float[Tensor, "p b"]
    reference: Float[Tensor, "b 3 3"]
    dof_to_rotvec: Float[Tensor, "d b3"]
    dof_bone: Int[Tensor, " d"]
    mesh_points: int
    joint_matrix: Float[Tensor, "k q"] | None


@dataclass(frozen=True)
class Motion:
    """Posed points, and per bone its accumulated rotation Z, its position w and its own rotation vector."""

    points: Float[Tensor, "n p 3"]
    rotation: Float[Tensor, "n b 3 3"]
    position: Float[Tensor, "n b 3"]
    rotvec: Float[Tensor, "n b 3"]


def move(
    t: Tables,
    coefficients: Float[Tensor, "n s"],
    orientation: Float[Tensor, "n 3"],
    translation: Float[Tensor, "n 3"],
    pose: Float[Tensor, "n d"],
) -> Motion:
    """Skin the points of `t`; see the module's formulas."""
    n, count, bones = pose.shape[0], len(t.points), len(t.bones)
    points, heads, align = rest_body(t, coefficients)
    still = torch.eye(3, dtype=align.dtype, device=align.device).expand(n, 1, 3, 3)
    carry = torch.cat([still, align[:, 1:]], 1)  # the reference orientation of Anny's root moves no child
    steps = (carry[:, t.parent] @ (heads - heads[:, t.parent])[..., None])[..., 0]
    rotvec = (pose @ t.dof_to_rotvec).reshape(n, bones, 3)
    local = roma.rotvec_to_rotmat(torch.cat([orientation[:, None], rotvec[:, 1:]], 1))
    rotation, position = chain(local, torch.cat([translation[:, None], steps[:, 1:]], 1), t.ancestors)
    turn = rotation @ align
    shift = position - (turn @ heads[..., None])[..., 0]
    moved = (t.weights @ torch.cat([turn.flatten(-2), shift], -1)).reshape(n, count, 12)
    posed = (moved[..., :9].unflatten(-1, (3, 3)) @ points[..., None])[..., 0] + moved[..., 9:]
    return Motion(posed, rotation, position, rotvec)


def rest_body(
    t: Tables, coefficients: Float[Tensor, "n s"]
) -> tuple[Float[Tensor, "n p 3"], Float[Tensor, "n b 3"], Float[Tensor, "n b 3 3"]]:
    """Points and bone heads of the body at rest, before any bone is turned, and A of every bone."""
    n, count, bones = coefficients.shape[0], len(t.points), len(t.bones)
    rest = torch.addmm(t.template, coefficients, t.blendshapes)
    points, heads, cross = rest.split([3 * count, 3 * bones, 9 * bones], 1)
    align = t.reference @ nearest_rotation(cross.reshape(n, bones, 3, 3)).mT
    return points.reshape(n, count, 3), heads.reshape(n, bones, 3), align


def nearest_rotation(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation that is nearest to each matrix, never a reflection."""
    rotation = roma.special_procrustes(matrix)
    assert isinstance(rotation, Tensor)  # it gives more than one only when asked to
    return rotation


def hat_weights(x: Float[Tensor, "*batch"], anchors: Float[Tensor, " n"]) -> Float[Tensor, "*batch n"]:
    """Linear interpolation weights of `x` between sorted anchors; they sum to one inside the range."""
    index = torch.searchsorted(anchors, x.detach().contiguous()).clamp(1, len(anchors) - 1)
    low, high = anchors[index - 1], anchors[index]
    share = ((x - low) / (high - low))[..., None]
    steps = torch.arange(len(anchors), device=x.device)
    is_low, is_high = steps == (index - 1)[..., None], steps == index[..., None]
    return (1 - share) * is_low + share * is_high


def doublings(parent: Int[Tensor, " b"]) -> list[Int[Tensor, " b"]]:
    """Ancestors 1, 2, 4, ... steps up; index `b` (one past the last bone) stands above the root."""
    count = len(parent)
    up = parent.clone()
    up[0] = count
    steps = []
    while bool((up < count).any()):
        steps.append(up)
        up = torch.cat([up, torch.tensor([count])])[up]
    return steps


def chain(
    rotation: Float[Tensor, "n b 3 3"], offset: Float[Tensor, "n b 3"], ancestors: tuple[Int[Tensor, " b"], ...]
) -> tuple[Float[Tensor, "n b 3 3"], Float[Tensor, "n b 3"]]:
    """Products of local rigid motions along every path to the root, by pointer doubling: log2(depth) batched steps."""
    n = rotation.shape[0]
    one = torch.eye(3, dtype=rotation.dtype, device=rotation.device).expand(n, 1, 3, 3)
    zero = offset.new_zeros(n, 1, 3)
    for up in ancestors:
        above_r = torch.cat([rotation, one], 1)[:, up]
        above_t = torch.cat([offset, zero], 1)[:, up]
        offset = above_t + (above_r @ offset[..., None])[..., 0]
        rotation = above_r @ rotation
    return rotation, offset
