"""Somebody else's skeleton in our body's parameters: 3D joints in, the posed body that has them nearly so out.

Levenberg-Marquardt on joint positions in metres, with a weak pose and shape prior that decides what joints leave open:
the twist of a straight limb, hands, weight. Only the `BodyModel` protocol is used, so it works from any skeleton whose
joints have our names to any body. The objective and its numbers are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.body.protocol import BodyModel, default_parameters

JOINT_SET = "body25"
JOINT_SIGMA_M = 0.02
"""How far a joint of one model may lie from the same joint of another, metres."""
BOUND_SIGMA = 0.09
"""How far an angle may leave its anatomical bounds, radians."""
LOOSER = {"hip": 2.0, "nose": 1.5, "eye": 2.0, "ear": 1.5, "big_toe": 1.5, "small_toe": 2.0, "heel": 1.5}
"""Joints that models place differently -> factor on the sigma. Neck and mid_hip follow from others."""
STEPS = 40
TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")


@dataclass(frozen=True)
class Retargeted:
    """`n` bodies with other skeletons' poses.

    Attributes:
        parameters: name -> (n, size).
        distance_m: (n,) mean distance to the joints that were asked for.
    """

    parameters: Mapping[str, Float[Tensor, "n _"]]
    distance_m: Float[Tensor, " n"]


@torch.no_grad()
def retarget(
    body: BodyModel,
    joints: Float[Tensor, "n 25 3"],
    known: Float[Tensor, "n 25"],
    starts: Sequence[Mapping[str, float]] = ({},),
) -> Retargeted:
    """Pose and shape a body such that its joints lie where another skeleton has them.

    Args:
        body: the body model.
        joints: BODY_25, camera axes, metres. Size counts: a small skeleton gives a small body.
        known: how much each joint counts, in [0, 1]; 0 where it is missing. At least both shoulders and hips.
        starts: shape attribute -> logit to start from; the default shape with none. The best one is kept.
    """
    n, spec = len(joints), body.parameter_spec
    tries = []
    for start in starts:
        p = default_parameters(spec, (n,), joints.dtype)
        for name, logit in start.items():
            if name in spec["shape"].names:
                p["shape"][:, spec["shape"].names.index(name)] = logit
        tries.append(_fitted(body, _upon_torso(body, p, joints), joints, known))
    costs = torch.stack([cost for _, cost in tries])
    best, rows = costs.argmin(0), torch.arange(n)
    parameters = {name: torch.stack([p[name] for p, _ in tries])[best, rows] for name in spec}
    found, _ = body.joints_and_jacobian(parameters, JOINT_SET, shape=False)
    weight = _weights(known, joints)
    apart = (found - joints).norm(dim=-1)
    counted = (weight > 0).to(apart)
    return Retargeted(parameters, (apart * counted).sum(1) / counted.sum(1).clamp_min(1))


def _upon_torso(
    body: BodyModel, p: dict[str, Tensor], joints: Float[Tensor, "n 25 3"]
) -> dict[str, Float[Tensor, "n _"]]:
    """Turned and moved so that shoulders and hips lie on the skeleton's (Procrustes, never a reflection)."""
    rows = [joint_names(JOINT_SET).index(name) for name in TORSO]
    p = {**p, "orientation": torch.zeros_like(p["orientation"])}
    mine, _ = body.joints_and_jacobian(p, JOINT_SET, shape=False)
    a, b = mine[:, rows], joints[:, rows]
    cross = (b - b.mean(1, keepdim=True)).mT @ (a - a.mean(1, keepdim=True))
    turn = roma.special_procrustes(cross)
    assert isinstance(turn, Tensor)
    root = p["translation"][:, None]
    around = ((a - root) @ turn.mT + root).mean(1)
    shift = b.mean(1) - around
    return {**p, "orientation": roma.rotmat_to_rotvec(turn), "translation": p["translation"] + shift}


def _fitted(
    body: BodyModel, p: dict[str, Tensor], joints: Float[Tensor, "n 25 3"], known: Float[Tensor, "n 25"]
) -> tuple[dict[str, Tensor], Float[Tensor, " n"]]:
    weight = _weights(known, joints)
    damping = torch.full_like(joints[:, 0, 0], 1e-2)
    cost, hessian, gradient = _linearised(body, p, joints, weight)
    for _ in range(STEPS):
        diagonal = hessian.diagonal(dim1=-2, dim2=-1)
        step = torch.linalg.solve(hessian + torch.diag_embed(damping[:, None] * diagonal + 1e-6), -gradient)
        tried = _moved(p, step.clamp(-0.6, 0.6))
        new_cost, new_hessian, new_gradient = _linearised(body, tried, joints, weight)
        better = new_cost < cost
        gain = torch.where(better, cost - new_cost, 0.0)
        p = {name: torch.where(better[:, None], tried[name], p[name]) for name in p}
        hessian = torch.where(better[:, None, None], new_hessian, hessian)
        gradient = torch.where(better[:, None], new_gradient, gradient)
        cost = torch.where(better, new_cost, cost)
        damping = torch.where(better, damping * 0.3, damping * 5.0).clamp(1e-6, 1e6)
        if bool(((gain < 1e-3 * cost) & (damping < 1e3) & better).all()):
            break
    return p, cost


def _weights(known: Float[Tensor, "n 25"], like: Tensor) -> Float[Tensor, "n 25"]:
    """1 / sigma^2 of every joint."""
    sigma = []
    for name in joint_names(JOINT_SET):
        kind = name.removeprefix("left_").removeprefix("right_")
        sigma.append(torch.inf if kind in ("neck", "mid_hip") else JOINT_SIGMA_M * LOOSER.get(kind, 1.0))
    return known / torch.tensor(sigma).to(like).square()


def _linearised(
    body: BodyModel, p: dict[str, Tensor], joints: Float[Tensor, "n 25 3"], weight: Float[Tensor, "n 25"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n m m"], Float[Tensor, "n m"]]:
    """Cost, Gauss-Newton matrix and gradient."""
    found, jacobian = body.joints_and_jacobian(p, JOINT_SET)
    error = (found - joints).flatten(1)
    rows, each = jacobian.flatten(1, 2), weight.repeat_interleave(3, -1)
    hessian = rows.mT @ (each[..., None] * rows)
    gradient = (rows.mT @ (each * error)[..., None])[..., 0]
    cost = 0.5 * (each * error.square()).sum(-1)
    angles, shape = body.parameter_spec["pose"], body.parameter_spec["shape"]
    beyond = torch.relu(p["pose"] - angles.upper) - torch.relu(angles.lower - p["pose"])
    off = [(p["pose"] - angles.default) / angles.scale, (p["shape"] - shape.default) / shape.scale]
    cost = cost + 0.5 * (torch.cat(off, -1).square().sum(-1) + (beyond / BOUND_SIGMA).square().sum(-1))
    pull = torch.cat([off[0] / angles.scale + beyond / BOUND_SIGMA**2, off[1] / shape.scale], -1)
    stiff = torch.cat(
        [
            angles.scale**-2 + (beyond != 0) / BOUND_SIGMA**2,
            (shape.scale**-2).expand_as(p["shape"]),
        ],
        -1,
    )
    gradient[:, 6:] += pull
    hessian.diagonal(dim1=-2, dim2=-1)[:, 6:] += stiff
    return cost, hessian, gradient


def _moved(p: dict[str, Tensor], step: Float[Tensor, "n m"]) -> dict[str, Tensor]:
    """Apply a step; the orientation by R <- exp(delta) R."""
    turn, shift, bend, reshape = step.split([3, 3, p["pose"].shape[-1], p["shape"].shape[-1]], -1)
    return {
        "orientation": roma.rotvec_composition([turn, p["orientation"]]),
        "translation": p["translation"] + shift,
        "pose": p["pose"] + bend,
        "shape": p["shape"] + reshape,
    }
