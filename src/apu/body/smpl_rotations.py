"""Joint rotations of SMPL and SMPL-X in our bodies' 47 angles, and back.

Our angles are fewer than SMPL's: an elbow bends and pronates, a knee only bends. So the angles are fitted: least
squares between accumulated rotations, by Levenberg-Marquardt from a joint-by-joint projection. What one joint cannot
do, its parents and children make up for; where a bone points counts more than how it is twisted. The objective is ours.

Only rotations are used, so no licensed file is needed. What T-pose the rotations refer to was measured:
`T_POSE_LEFT` was read off BEV's joints and rotations of 33 people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parameters, default_parameters
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import BODY_JOINTS, SMPLX_JOINTS, SMPLX_PARENTS
from apu.body.smplx_pose import CAMERA_FROM_SMPLX, PoseTables, body_rotations, pose_tables
from apu.body.smplx_skinning import rotations
from apu.errors import InputError

T_POSE_LEFT: Mapping[str, tuple[float, float, float]] = {
    "left_hip": (0.067, -0.085, -0.008), "left_knee": (0.034, -0.349, -0.006), "left_ankle": (-0.012, -0.365, -0.042),
    "left_foot": (0.021, -0.048, 0.110), "spine1": (0.0, 0.099, -0.021), "spine2": (0.0, 0.125, -0.001),
    "spine3": (0.0, 0.047, 0.026), "neck": (0.0, 0.196, -0.046), "head": (0.0, 0.059, 0.049),
    "left_collar": (0.072, 0.109, -0.037), "left_shoulder": (0.082, 0.031, -0.008),
    "left_elbow": (0.236, -0.013, -0.022), "left_wrist": (0.229, 0.008, -0.001),
}  # fmt: skip
"""From each joint's parent to the joint, metres: mean of 33 people, x to the person's left, y up, z ahead."""
_KNUCKLES_LEFT = (0.076, -0.008, -0.011)
"""From the wrist, likewise. The palm looks down: the knuckles lie one behind the other along z."""

SMPLX_PELVIS_M = (0.003, -0.351, 0.012)
"""Of the neutral SMPL-X template with all shape coefficients zero: the value commonly quoted, rounded to millimetres.
It moves with the shape, by some centimetres, which a file without joints does not tell."""
SMPL_PELVIS_M = (-0.002, -0.223, 0.028)
"""Likewise of the neutral SMPL template."""

TWIST = 0.3
"""How much the twist of a limb bone counts against its direction."""
BOUND = 1.0
"""How much an angle beyond its bounds counts against a rotation that is as far off."""
STEPS = 30
LEAST_GAIN, NOTHING = 1e-4, 1e-9
"""A body is done when a step gains less than this share, or its squared error is below this."""
MOST_DAMPING = 1e3
"""Steps that are this much shorter than Gauss-Newton's gain nothing any more: the body is done, too."""
CHUNK = 256
"""Bodies that are fitted at once: their derivatives take memory."""
_LIMBS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist", "collar": "shoulder"}
"""Joint -> the joint its bone leads to. Trunk, head, hands and feet count as a whole."""
_ABSENT = ("left_foot", "right_foot")
"""Toes do not bend in our bodies."""


@dataclass(frozen=True)
class _Goal:
    """What `n` bodies shall reach.

    Attributes:
        tables: angles to rotations.
        accumulated: (n, 22, 3, 3) rotations of the joints against the frame of the whole body's own rotation.
        weigh: (22, 3, 3) what counts of each.
        lower, upper: (d,) bounds of the angles.
    """

    tables: PoseTables
    accumulated: Float[Tensor, "n 22 3 3"]
    weigh: Float[Tensor, "22 3 3"]
    lower: Float[Tensor, " d"]
    upper: Float[Tensor, " d"]


@torch.no_grad()
def smpl_rotations_to_pose(
    body: BodyModel,
    global_orient: Float[Tensor, "n 3"],
    body_pose: Float[Tensor, "n j 3"],
    shape: Float[Tensor, "n s"] | None = None,
) -> dict[str, Float[Tensor, "n _"]]:
    """Parameters of our body in the pose of SMPL's or SMPL-X's joint rotations.

    Args:
        body: Anny or SMPL-X, any body with our 47 angles.
        global_orient: rotation vectors of the whole body, from SMPL's axes (x left, y up, z ahead) to any frame.
            That of a camera (x right, y down, z forward) gives parameters as everything here uses them.
        body_pose: rotation vectors of the joints 1 to 21 against their parents; SMPL's 23 are taken, too, and its
            last two, the hands, left out. Radians.
        shape: of our body; the default shape with None.

    Returns:
        name -> (n, size): `orientation`, `pose`, `shape`, and `translation` of zeros.

    Raises:
        InputError: sizes that do not fit, or numbers that are not finite.
    """
    spec = body.parameter_spec
    _check(global_orient, body_pose, shape, spec["shape"].size)
    joints = torch.cat([global_orient[:, None], body_pose[:, : BODY_JOINTS - 1]], 1)
    turned = rotations(joints)
    facing = torch.diag(turned.new_tensor(CAMERA_FROM_SMPLX))
    parameters = default_parameters(spec, (len(joints),), joints.dtype)
    parameters = {name: value.to(joints.device) for name, value in parameters.items()}
    parameters["translation"] = torch.zeros_like(parameters["translation"])
    parameters["orientation"] = roma.rotmat_to_rotvec(turned[:, 0] @ facing)
    if shape is not None:
        parameters["shape"] = shape.to(joints)
    poses = [_fitted(_goal(body, part)) for part in turned.split(CHUNK)]
    parameters["pose"] = torch.cat(poses) if poses else parameters["pose"]
    return parameters


def anny_to_smplx_rotations(body: BodyModel, parameters: Parameters) -> dict[str, Float[Tensor, "*b _"]]:
    """SMPL-X's joint rotations of our bodies: exactly those that the angles stand for.

    Args:
        body: Anny or SMPL-X, any body with our 47 angles.
        parameters: name -> (*b, size); `orientation` and `pose` are used.

    Returns:
        `global_orient` (*b, 3), from SMPL's axes to the frame of the parameters, and `body_pose` (*b, 63): rotation
        vectors, radians. Toes are straight.

    Raises:
        InputError: the angles are not those of the body.
    """
    pose, orientation = parameters["pose"], parameters["orientation"]
    size = body.parameter_spec["pose"].size
    if pose.shape[-1] != size or orientation.shape[-1] != 3 or pose.shape[:-1] != orientation.shape[:-1]:
        raise _bad("pose, orientation", f"(..., {size}), (..., 3)", f"{tuple(pose.shape)}, {tuple(orientation.shape)}")
    turn = rotations(orientation.reshape(-1, 3))
    local = body_rotations(_tables(body, pose), turn, pose.reshape(-1, size))
    vectors = roma.rotmat_to_rotvec(local)
    batch = pose.shape[:-1]
    return {
        "global_orient": vectors[:, 0].reshape(*batch, 3),
        "body_pose": vectors[:, 1:].reshape(*batch, 3 * (BODY_JOINTS - 1)),
    }


def hips_from_pelvis(global_orient: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """From SMPL's pelvis joint to the middle of the hips, metres: 8 cm down in the T-pose of `T_POSE_LEFT`.

    Args:
        global_orient: rotation vectors, from SMPL's axes to any frame; that of the result.
    """
    return rotations(global_orient) @ t_pose_joints()[1:3].mean(0).to(global_orient)


def t_pose_joints() -> Float[Tensor, "55 3"]:
    """SMPL-X's joints in the T-pose of `T_POSE_LEFT`, float64, metres, the pelvis at the origin; faces at the head."""
    joints = torch.zeros(len(SMPLX_JOINTS), 3, dtype=torch.float64)
    for j, name in enumerate(SMPLX_JOINTS):
        if SMPLX_PARENTS[j] < 0:
            continue
        left = name.replace("right_", "left_")
        mirror = joints.new_tensor([-1.0 if name != left else 1.0, 1.0, 1.0])
        step = T_POSE_LEFT.get(left) or _finger(left)
        joints[j] = joints[SMPLX_PARENTS[j]] + joints.new_tensor(step) * mirror
    return joints


def _finger(left: str) -> tuple[float, float, float]:
    x, y, z = _KNUCKLES_LEFT
    ahead = {"left_index1": 0.03, "left_middle1": 0.01, "left_ring1": -0.01, "left_pinky1": -0.03, "left_thumb1": 0.05}
    return (x, y, z + ahead[left]) if left in ahead else (0.0, 0.0, 0.0)


def _tables(body: BodyModel, like: Tensor) -> PoseTables:
    if isinstance(body, SmplxBody):
        return pose_tables(body.asset.regressor @ body.asset.template, like)
    return _t_pose_tables(like.dtype, like.device)


@lru_cache(4)
def _t_pose_tables(dtype: torch.dtype, device: torch.device) -> PoseTables:
    return pose_tables(t_pose_joints(), torch.zeros(0, dtype=dtype, device=device))


def _goal(body: BodyModel, turned: Float[Tensor, "n 22 3 3"]) -> _Goal:
    rest = t_pose_joints().to(turned)
    weigh = torch.eye(3).to(turned).repeat(BODY_JOINTS, 1, 1)
    for j, name in enumerate(SMPLX_JOINTS[:BODY_JOINTS]):
        side, _, kind = name.rpartition("_")
        if kind in _LIMBS:
            bone = rest[SMPLX_JOINTS.index(f"{side}_{_LIMBS[kind]}")] - rest[j]
            bone = bone / bone.norm()
            weigh[j] = TWIST * weigh[j] + (1 - TWIST) * torch.outer(bone, bone)
        elif name in _ABSENT or j == 0:
            weigh[j] = 0.0
    spec = body.parameter_spec["pose"]
    accumulated = _accumulated(turned, turned[:, 0])
    bounds = spec.lower.to(turned), spec.upper.to(turned)
    return _Goal(_tables(body, turned), accumulated, weigh, *bounds)


def _accumulated(local: Float[Tensor, "*b 22 3 3"], root: Float[Tensor, "*b 3 3"]) -> Float[Tensor, "*b 22 3 3"]:
    """Rotations of the joints against the body's own frame: that of the root is one."""
    chain = [torch.eye(3).to(root).expand_as(root)]
    for j in range(1, BODY_JOINTS):
        chain.append(chain[SMPLX_PARENTS[j]] @ local[..., j, :, :])
    return torch.stack(chain, -3)


def _projected(goal: _Goal) -> Float[Tensor, "n d"]:
    """Joint by joint: the angles whose rotation vector is nearest. Of its two branches the one within the bounds."""
    t = goal.tables
    parents = [max(p, 0) for p in SMPLX_PARENTS[:BODY_JOINTS]]
    local = goal.accumulated[:, parents].mT @ goal.accumulated
    vectors = roma.rotmat_to_rotvec(t.parent_align @ local @ t.align.mT)
    angle = vectors.norm(dim=-1, keepdim=True)
    beyond_pi = vectors * (1 - 2 * torch.pi / angle.clamp_min(1e-6))
    axes = (t.bend + t.pronate).flatten(1)
    solve = torch.linalg.pinv(axes.T)
    joint_of = (t.bend + t.pronate).norm(dim=-1).argmax(1)
    near, far = (v.flatten(1) @ solve.T for v in (vectors, beyond_pi))
    cost = []
    for pose in (near, far):
        off = torch.relu(goal.lower - pose) + torch.relu(pose - goal.upper)
        cost.append(torch.zeros_like(angle[..., 0]).index_add(1, joint_of, off))
    swap = ((cost[1] < cost[0]) & (angle[..., 0] > torch.pi / 2))[:, joint_of]
    return torch.where(swap, far, near)


def _fitted(goal: _Goal) -> Float[Tensor, "n d"]:
    """Levenberg-Marquardt (damping in proportion to the diagonal), each body until it is done by itself."""
    pose = _projected(goal)
    if not len(pose):
        return pose
    damping = torch.full_like(pose[:, 0], 1e-3)
    error, slope = _linearised(goal, pose)
    done = torch.zeros_like(damping, dtype=torch.bool)
    for _ in range(STEPS):
        hessian, gradient = slope.mT @ slope, (slope.mT @ error[..., None])[..., 0]
        diagonal = hessian.diagonal(dim1=-2, dim2=-1)
        step = torch.linalg.solve(hessian + torch.diag_embed(damping[:, None] * diagonal + 1e-6), -gradient)
        tried = pose + step.clamp(-0.5, 0.5)
        new_error, new_slope = _linearised(goal, tried)
        before, after = error.square().sum(-1), new_error.square().sum(-1)
        better = (after < before) & ~done
        pose = torch.where(better[:, None], tried, pose)
        error = torch.where(better[:, None], new_error, error)
        slope = torch.where(better[:, None, None], new_slope, slope)
        damping = torch.where(better, damping * 0.2, damping * 6.0).clamp(min=1e-7)
        done |= (better & (before - after < LEAST_GAIN * before)) | (before < NOTHING) | (damping > MOST_DAMPING)
        if bool(done.all()):
            break
    return pose


def _linearised(goal: _Goal, pose: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n r"], Float[Tensor, "n r d"]]:
    """What is left of rotations and bounds, and its derivative; by forward-mode differentiation."""
    still = torch.eye(3).to(pose)

    def error_of(angles: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        local = body_rotations(goal.tables, still[None], angles[None])[0]
        apart = (_accumulated(local, still) - wanted) @ goal.weigh
        beyond = torch.relu(angles - goal.upper) - torch.relu(goal.lower - angles)
        error = torch.cat([apart.flatten() * 0.5**0.5, BOUND**0.5 * beyond])
        return error, error

    per_body = torch.func.vmap(torch.func.jacfwd(error_of, has_aux=True))
    slope, error = per_body(pose, goal.accumulated)
    return error, slope


def _check(global_orient: Tensor, body_pose: Tensor, shape: Tensor | None, shape_size: int) -> None:
    n = len(global_orient)
    if tuple(body_pose.shape) not in ((n, BODY_JOINTS - 1, 3), (n, BODY_JOINTS + 1, 3)):
        raise _bad("body_pose", f"({n}, 21, 3), or ({n}, 23, 3) of SMPL", tuple(body_pose.shape))
    if shape is not None and tuple(shape.shape) != (n, shape_size):
        raise _bad("shape", f"({n}, {shape_size})", tuple(shape.shape))
    for name, value in (("global_orient", global_orient), ("body_pose", body_pose), ("shape", shape)):
        if value is not None and not bool(torch.isfinite(value).all()):
            raise _bad(name, "finite numbers", "NaN or infinity")


def _bad(where: str, expected: object, got: object) -> InputError:
    return InputError(
        "Joint rotations do not fit the body.",
        where=where,
        expected=expected,
        got=got,
        remedy="give one rotation vector per joint, in radians, and one row per body.",
    )
