"""A body model laid into somebody else's mesh, without knowing which vertex is which.

Adam (Kingma and Ba, 2015) on place, orientation, angles and shape draws nearest surface points together, both ways.
Points match only where both surfaces face the same way, so that an arm is not drawn to the trunk beside it. The
objective and its numbers are ours. The distance to the nearest surface flatters: skin may lie on the mesh and yet
slide along it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.mesh_matching import Matching
from apu.body.mesh_starts import placed, possible_starts
from apu.body.protocol import BodyModel
from apu.body.target_mesh import TargetMesh
from apu.errors import InputError
from apu.progress import Progress, silent

STEPS = 400
"""At most."""
STARTS, TRIAL_STEPS = 4, 40
"""Where nothing is known: so many starts, and steps for each before one is chosen."""
PATIENCE, LEAST_GAIN = 15, 0.01
"""So many steps without a gain of this share, and a body's steps get shorter."""
SHORTER = (1.0, 0.3, 0.1)
"""The lengths of steps; who has gone through all of them has converged."""
BETAS = (0.9, 0.98)
"""Adam's decay of the mean gradient and of its square: shorter than the usual 0.999, since matches change."""
RATES = {"translation": 0.02, "orientation": 0.02, "pose": 0.03, "shape": 0.06}
"""Longest steps: metres, radians, radians, and the shape's own units."""
ROBUST_M = 0.1
"""Farther matches count less (Geman-McClure)."""
RESIDUAL_M = 0.01
"""What is expected to be left between two models' skins."""
PRIOR = 1e-3
"""Weight of a squared angle or attribute, in typical deviations, against a squared residual, in expected ones."""
BOUND_SIGMA = 0.09
"""How far an angle may leave its anatomical bounds, radians."""


@dataclass(frozen=True)
class MeshFit:
    """`n` bodies that lie in `n` meshes.

    Attributes:
        parameters: name -> (n, size).
        before_m, after_m: (n,) mean distance to the nearest surface, both ways, at the start and at the end; metres.
        steps: how many were taken.
        converged: (n,) whether a body's steps ended because nothing was gained any more.
    """

    parameters: Mapping[str, Float[Tensor, "n _"]]
    before_m: Float[Tensor, " n"]
    after_m: Float[Tensor, " n"]
    steps: int
    converged: Bool[Tensor, " n"]


def fit_meshes(
    body: BodyModel,
    targets: Sequence[TargetMesh],
    start: Mapping[str, Float[Tensor, "n _"]] | None = None,
    progress: Progress = silent,
    steps: int = STEPS,
) -> MeshFit:
    """Lay a body into each mesh.

    Args:
        body: the body model.
        targets: the meshes, camera axes, metres.
        start: parameters near the truth, by `smpl_rotations_to_pose` or `retarget`, say; the bodies are first moved
            to the meshes, and given another age where their size is far off. With None people are taken to stand
            upright as the frame has it; common poses, four facings and four ages are tried.
        progress: told where the work stands.
        steps: at most.

    Raises:
        InputError: there is no mesh, or the start is not of this body, or has another number of bodies.
    """
    if not targets:
        raise _no_fit("targets", "at least one mesh", "none")
    if start is not None:
        _check(body, start, len(targets))
    matching = Matching(body, targets)
    known = start is not None
    start = placed(body, start, matching.points) if known else _best_start(body, targets, matching, progress)
    before = matching.distance(start)
    found, _, taken, converged = _descended(matching, start, steps, progress, "fitting to the mesh")
    return MeshFit(found, before, matching.distance(found), taken, converged)


def _best_start(
    body: BodyModel, targets: Sequence[TargetMesh], matching: Matching, progress: Progress
) -> dict[str, Float[Tensor, "n _"]]:
    n = len(targets)
    tried = {name: value.flatten(0, 1) for name, value in possible_starts(body, matching.points, STARTS).items()}
    trial = Matching(body, [target for target in targets for _ in range(STARTS)])
    found, cost, _, _ = _descended(trial, tried, TRIAL_STEPS, progress, "trying poses")
    best = cost.unflatten(0, (n, STARTS)).argmin(1)
    return {name: value.unflatten(0, (n, STARTS))[torch.arange(n), best] for name, value in found.items()}


def _descended(
    matching: Matching, start: Mapping[str, Tensor], steps: int, progress: Progress, stage: str
) -> tuple[dict[str, Tensor], Float[Tensor, " n"], int, Bool[Tensor, " n"]]:
    """Parameters with the least cost of each body, that cost, the steps taken, and who has converged.

    Bodies do not know of each other: each has its own length of steps, and Adam scales every number by itself.
    """
    p = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
    first = {name: torch.zeros_like(value) for name, value in p.items()}
    second = {name: torch.zeros_like(value) for name, value in p.items()}
    best = {name: value.detach().clone() for name, value in p.items()}
    least = torch.full_like(p["pose"][:, 0].detach(), torch.inf)
    mark, since = least.clone(), torch.zeros_like(least)
    stage_of = torch.zeros_like(least, dtype=torch.int64)
    lengths = least.new_tensor([*SHORTER, 0.0])
    taken, (mean, square) = 0, BETAS
    for taken in range(1, steps + 1):
        cost = _cost(matching, p)
        gradients = torch.autograd.grad(cost.sum(), list(p.values()))
        with torch.no_grad():
            better = cost < least
            least = torch.where(better, cost, least)
            best = {name: torch.where(better[:, None], p[name], best[name]) for name in p}
            gained = least < mark * (1 - LEAST_GAIN)
            mark = torch.where(gained, least, mark)
            since = torch.where(gained, 0.0, since + 1)
            tired = since >= PATIENCE
            stage_of = (stage_of + tired).clamp(max=len(SHORTER))
            since = torch.where(tired, 0.0, since)
            length = lengths[stage_of][:, None]
            for (name, value), slope in zip(p.items(), gradients, strict=True):
                first[name].lerp_(slope, 1 - mean)
                second[name].lerp_(slope.square(), 1 - square)
                scale = (second[name] / (1 - square**taken)).sqrt() + 1e-12
                value -= length * RATES[name] * first[name] / (1 - mean**taken) / scale
        progress(stage, taken / steps)
        if bool((stage_of >= len(SHORTER)).all()):
            break
    return best, least, taken, stage_of >= len(SHORTER)


def _cost(matching: Matching, p: Mapping[str, Tensor]) -> Float[Tensor, " n"]:
    """Mean squared residuals in expected ones, robustly; and what is unusual about pose and shape."""
    found = matching.pairs(matching.vertices(p))
    total = p["pose"].new_zeros(len(p["pose"]))
    for squared, alike in ((found.out, found.out_alike), (found.back, found.back_alike)):
        robust = squared / (1 + squared / ROBUST_M**2) / RESIDUAL_M**2
        total = total + (robust * alike).sum(1) / alike.sum(1).clamp_min(1) / 2
    spec = matching.body.parameter_spec
    angles, shape = spec["pose"], spec["shape"]
    beyond = torch.relu(p["pose"] - angles.upper) + torch.relu(angles.lower - p["pose"])
    off = [(p["pose"] - angles.default) / angles.scale, (p["shape"] - shape.default) / shape.scale]
    return total + PRIOR * torch.cat(off, -1).square().sum(-1) + 0.1 * (beyond / BOUND_SIGMA).square().sum(-1)


def _check(body: BodyModel, start: Mapping[str, Tensor], count: int) -> None:
    wanted = {name: (count, spec.size) for name, spec in body.parameter_spec.items()}
    got = {name: tuple(value.shape) for name, value in start.items()}
    if got != wanted:
        raise _no_fit("start", f"one row per mesh, of the sizes {wanted}", got)
    for name, value in start.items():
        if not bool(torch.isfinite(value).all()):
            raise _no_fit(f"start, {name}", "finite numbers", "NaN or infinity")


def _no_fit(where: str, expected: object, got: object) -> InputError:
    return InputError(
        "The body cannot be fitted to the meshes.",
        where=where,
        expected=expected,
        got=got,
        remedy="give one mesh per person, and a start as smpl_rotations_to_pose or retarget make it; or none.",
    )
