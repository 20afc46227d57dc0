"""Stage 0: joints only, Levenberg-Marquardt on all starts of all people in one batch.

The objective is the sum of squares of `losses.py` without contact, by iteratively reweighted least squares for the
robust keypoint term. Steps are accepted body by body.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.geometry.camera import projection_jacobian, translation_from_projection
from apu.unite import losses
from apu.unite.hypotheses import Beliefs
from apu.unite.problem import JOINT_SET, Evidence
from apu.unite.weights import KeypointWeights, PriorWeights

Params = dict[str, Tensor]

FIRST_STEPS = 3
"""Steps after which a body may be called settled; the first ones may be small for want of a good damping."""
STUCK = 1e4
"""Damping beyond which no step changes anything."""


@dataclass(frozen=True)
class JointFit:
    """Result of the stage for `n` bodies.

    Attributes:
        parameters: name -> (n, size).
        terms: name -> (n,) cost of every term.
        iterations: steps tried.
        stop: `converged` when every body has settled, else `iteration limit`.
    """

    parameters: Params
    terms: Mapping[str, Float[Tensor, " n"]]
    iterations: int
    stop: str

    @property
    def cost(self) -> Float[Tensor, " n"]:
        """Sum of the terms."""
        return torch.stack(list(self.terms.values())).sum(0)


def place(body: BodyModel, parameters: Params, e: Evidence) -> Params:
    """Move each body to the depth and place where its joints project best onto the keypoints."""
    at_origin = dict(parameters, translation=torch.zeros_like(parameters["translation"]))
    joints = body.forward(at_origin, Parts(JOINT_SET)).joints
    assert joints is not None
    shift = translation_from_projection(joints, e.pixels, e.trust, e.focal_px, e.center_px)
    depth = shift[:, 2].clamp(0.8, 40.0)
    off = ~(shift[:, 2] >= 0.8)  # a mirrored or degenerate solution: keep the direction of the keypoints instead
    seen = (e.pixels * e.trust[..., None]).sum(1) / e.trust.sum(1, keepdim=True).clamp_min(1e-6)
    ray = (seen - e.center_px) / e.focal_px[:, None] * 3.0
    aside = torch.where(off[:, None], ray, shift[:, :2])
    return dict(parameters, translation=torch.cat([aside, torch.where(off, 3.0, depth)[:, None]], -1))


def cost_terms(
    body: BodyModel, p: Params, joints: Float[Tensor, "n j 3"], e: Evidence, b: Beliefs, kw: KeypointWeights,
    pw: PriorWeights, absent: Set[str] = frozenset(),
) -> dict[str, Float[Tensor, " n"]]:  # fmt: skip
    """Every term of a single body, weighted; shared with the mesh stages. `absent` terms are known to be 0."""
    pose = body.parameter_spec["pose"]
    none = torch.zeros_like(b.cost)
    return {
        "keypoints": losses.keypoint_loss(joints, e, kw.sigma, kw.robust),
        "pose": pw.pose * losses.gaussian(p["pose"], b.pose, b.pose_scale),
        "bounds": losses.bounds(p["pose"], pose.lower, pose.upper, pw.bound_sigma),
        "shape": pw.shape * losses.gaussian(p["shape"], b.shape, b.shape_scale),
        "height": losses.height_prior(body.height(p), b.height_m, b.height_sigma_m),
        "upright": losses.upright(p["orientation"], pw.lean_sigma, pw.tilt_sigma),
        "in_front": losses.in_front(joints, pw.near_m, pw.near_sigma_m),
        "estimate": none
        if "estimate" in absent
        else losses.near_estimate(p["orientation"], p["translation"][..., 2], b, pw.depth_robust_m),
        "hint": none if "hint" in absent else losses.depth_hint(joints, e, pw.hint_sigma_m, pw.hint_robust_m),
    }


@torch.no_grad()
def fit_joints(
    body: BodyModel, parameters: Params, e: Evidence, b: Beliefs, kw: KeypointWeights, pw: PriorWeights, *,
    steps: int = 15, shape: bool = True, tolerance: float = 1e-2,
) -> JointFit:  # fmt: skip
    """Minimise the single-body terms of `n` bodies at once.

    Args:
        body: the body model.
        parameters: name -> (n, size), the starts.
        e: evidence, axes (n, ...).
        b: beliefs of the starts.
        kw, pw: weights.
        steps: most steps.
        shape: optimise the shape too.
        tolerance: a body has settled when a step lowers its cost by less than this, and is not moved any more.
    """
    absent = _absent(e, b)
    terms, hessian, gradient = _linearise(body, parameters, e, b, kw, pw, shape, absent)
    p, damping, settled = dict(parameters), torch.full_like(b.cost, 1e-2), torch.zeros_like(b.cost, dtype=torch.bool)
    stop, iteration = "iteration limit", 0
    for iteration in range(1, steps + 1):
        damped = hessian + torch.diag_embed(damping[:, None] * hessian.diagonal(dim1=-2, dim2=-1) + 1e-6)
        step, _ = torch.linalg.solve_ex(damped, -gradient)  # one singular body must not end the others' fit
        tried = _moved(p, step.nan_to_num(0.0).clamp(-0.6, 0.6))
        new_terms, new_hessian, new_gradient = _linearise(body, tried, e, b, kw, pw, shape, absent)
        before, after = _total(terms), _total(new_terms)
        better = (after < before) & ~settled  # whoever has settled stays, whatever else is in the batch
        p = {k: torch.where(better[:, None], tried[k], v) for k, v in p.items()}
        terms = {k: torch.where(better, new_terms[k], v) for k, v in terms.items()}
        hessian = torch.where(better[:, None, None], new_hessian, hessian)
        gradient = torch.where(better[:, None], new_gradient, gradient)
        damping = torch.where(better, damping * 0.3, damping * 5.0).clamp(1e-6, 1e6)
        if iteration > FIRST_STEPS:
            settled |= (better & (before - after < tolerance)) | (damping > STUCK)
        if bool(settled.all()):
            stop = "converged"
            break
    return JointFit(p, terms, iteration, stop)


def _absent(e: Evidence, b: Beliefs) -> frozenset[str]:
    """Terms that none of the bodies has."""
    hinted = bool((e.hint_trust != 0).any())
    estimated = bool(((b.turn_precision != 0) | (b.depth_precision != 0)).any())
    return frozenset(([] if hinted else ["hint"]) + ([] if estimated else ["estimate"]))


def _total(terms: Mapping[str, Float[Tensor, " n"]]) -> Float[Tensor, " n"]:
    return torch.stack(list(terms.values())).sum(0)


def _moved(p: Params, step: Float[Tensor, "n m"]) -> Params:
    """Apply a step; the orientation by R <- exp(delta) R."""
    d = p["pose"].shape[-1]
    turn = roma.rotvec_composition([step[:, :3], p["orientation"]])
    shape = p["shape"] + step[:, 6 + d :] if step.shape[1] > 6 + d else p["shape"]
    return {"orientation": turn, "translation": p["translation"] + step[:, 3:6], "pose": p["pose"] + step[:, 6 : 6 + d],
            "shape": shape}  # fmt: skip


def _linearise(
    body: BodyModel, p: Params, e: Evidence, b: Beliefs, kw: KeypointWeights, pw: PriorWeights, shape: bool,
    absent: Set[str] = frozenset(),
) -> tuple[dict[str, Tensor], Float[Tensor, "n m m"], Float[Tensor, "n m"]]:  # fmt: skip
    """Terms, Gauss-Newton matrix and gradient."""
    joints, jacobian = body.joints_and_jacobian(p, JOINT_SET, shape)
    n, size, d = len(joints), jacobian.shape[-1], p["pose"].shape[-1]
    error = losses.reprojection(joints, e)
    pixel = projection_jacobian(joints, e.focal_px[:, None]) / e.diagonal_px[:, None, None, None]
    rows = (pixel @ jacobian).flatten(1, 2)
    robust = (1 + error.square().sum(-1) / kw.robust**2) ** -2  # d GM(x^2) / d x^2
    weight = (e.trust * robust / kw.sigma**2).repeat_interleave(2, -1)
    hessian = rows.mT @ (weight[..., None] * rows)
    gradient = (rows.mT @ (weight * error.flatten(1))[..., None])[..., 0]
    if "hint" not in absent:
        behind = jacobian[..., 2, :] - jacobian[:, losses.MID_HIP, None, 2]
        guess = losses.hint_error(joints, e)
        pull = e.hint_trust * (1 + guess.square() / pw.hint_robust_m**2) ** -2 / pw.hint_sigma_m**2
        hessian += behind.mT @ (pull[..., None] * behind)
        gradient += (behind.mT @ (pull * guess)[..., None])[..., 0]
    near = torch.relu(pw.near_m - joints[..., 2]) / pw.near_sigma_m**2
    if bool((near > 0).any()):
        deep = jacobian[..., 2, :]
        hessian += deep.mT @ ((near > 0).to(deep.dtype)[..., None] / pw.near_sigma_m**2 * deep)
        gradient -= (deep.mT @ near[..., None])[..., 0]
    diagonal, slope = torch.zeros(n, size).to(joints), torch.zeros(n, size).to(joints)
    spec = body.parameter_spec["pose"]
    excess = torch.relu(p["pose"] - spec.upper) - torch.relu(spec.lower - p["pose"])
    diagonal[:, 6 : 6 + d] = pw.pose / b.pose_scale**2 + (excess != 0) / pw.bound_sigma**2
    slope[:, 6 : 6 + d] = pw.pose * (p["pose"] - b.pose) / b.pose_scale**2 + excess / pw.bound_sigma**2
    if shape:
        diagonal[:, 6 + d :] = pw.shape / b.shape_scale**2
        slope[:, 6 + d :] = pw.shape * (p["shape"] - b.shape) / b.shape_scale**2
        height, rise = _height_and_slope(body, p)
        short = (height - b.height_m) / b.height_sigma_m**2
        hessian[:, 6 + d :, 6 + d :] += rise[:, :, None] * rise[:, None] / b.height_sigma_m[:, None, None] ** 2
        slope[:, 6 + d :] += short[:, None] * rise
    if "estimate" not in absent:
        apart = p["translation"][:, 2] - b.depth_m
        held = b.depth_precision * (1 + apart.square() / pw.depth_robust_m**2) ** -2
        diagonal[:, 5] += held
        slope[:, 5] += held * apart
        diagonal[:, :3] += b.turn_precision[:, None]
        slope[:, :3] += b.turn_precision[:, None] * losses.turned(p["orientation"], b.turn)
    turn, pull = _upright(p["orientation"], pw)
    hessian[:, :3, :3] += turn
    slope[:, :3] += pull
    hessian.diagonal(dim1=-2, dim2=-1).add_(diagonal)
    return cost_terms(body, p, joints, e, b, kw, pw, absent), hessian, gradient + slope


def _height_and_slope(body: BodyModel, p: Params) -> tuple[Float[Tensor, " n"], Float[Tensor, "n s"]]:
    with torch.enable_grad():
        shape = p["shape"].detach().requires_grad_(True)
        height = body.height({**p, "shape": shape})
        (slope,) = torch.autograd.grad(height.sum(), shape)
    return height.detach(), slope


def _upright(
    orientation: Float[Tensor, "n 3"], pw: PriorWeights
) -> tuple[Float[Tensor, "n 3 3"], Float[Tensor, "n 3"]]:
    """Gauss-Newton matrix and gradient of `losses.upright` by delta: d(down) = delta x down."""
    down = roma.rotvec_to_rotmat(orientation)[..., :, 1]
    zero = torch.zeros_like(down[:, 0])
    lean = torch.stack([down[:, 1], -down[:, 0], zero], -1) / pw.lean_sigma
    tilt = torch.stack([zero, down[:, 2], -down[:, 1]], -1) / pw.tilt_sigma
    matrix = lean[:, :, None] * lean[:, None] + tilt[:, :, None] * tilt[:, None]
    return matrix, lean * down[:, 2:] / pw.lean_sigma + tilt * down[:, :1] / pw.tilt_sigma
