"""Stages 1 and 2: both people of every pair together, by first-order steps, with contacts and without overlap.

While weights move, every second step reuses the penetration query of the one before; the settling steps never do.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.progress import Progress, silent
from apu.unite import losses
from apu.unite.capsules import capsule_overlap
from apu.unite.contact_terms import ContactTerm
from apu.unite.hypotheses import Beliefs
from apu.unite.joint_stage import cost_terms
from apu.unite.penetration import Penetration
from apu.unite.problem import Evidence
from apu.unite.weights import KeypointWeights, PriorWeights, StageWeights

Params = Mapping[str, Float[Tensor, "p 2 _"]]

ANNEALED_SHARE = 0.75
"""Share of the steps over which weights move; the rest is for settling."""

LAST_RATE = 0.1
"""The step size falls to this share, along a half cosine."""


@dataclass(frozen=True)
class Problem:
    """What a stage minimises over, besides its weights.

    Attributes:
        body: the body model.
        evidence: axes (p, 2, ...).
        beliefs: of the 2 p bodies, pair by pair.
        keypoint_weights, prior_weights: of the single-person terms.
    """

    body: BodyModel
    evidence: Evidence
    beliefs: Beliefs
    keypoint_weights: KeypointWeights
    prior_weights: PriorWeights


@dataclass(frozen=True)
class StageResult:
    """Result of one stage for `p` pairs.

    Attributes:
        parameters: name -> (p, 2, size).
        terms: name -> (p,) weighted value, at the parameters, with the last weights.
        iterations: steps taken.
        stop: `converged` or `iteration limit`.
        seconds: wall time, shared by the batch.
    """

    parameters: Params
    terms: Mapping[str, Float[Tensor, " p"]]
    iterations: int
    stop: str
    seconds: float

    @property
    def cost(self) -> Float[Tensor, " p"]:
        """Sum of the terms."""
        return torch.stack(list(self.terms.values())).sum(0)


def fit_meshes(
    problem: Problem,
    parameters: Params,
    contacts: ContactTerm,
    weights: StageWeights,
    parts: Parts,
    penetration: Penetration | None = None,
    progress: Progress = silent,
) -> StageResult:
    """Minimise keypoints, priors, contacts and, when it is given, penetration.

    Args:
        problem: what does not change along the stage.
        parameters: name -> (p, 2, size), where to start.
        contacts: sees the vertices that `parts` asks for.
        weights: of the stage.
        parts: joints and vertices to evaluate; all vertices when penetration counts.
        penetration: started at these parameters.
        progress: told about the steps.
    """
    began = time.perf_counter()
    free = _to_rays(parameters)
    free = {name: value.clone().requires_grad_(True) for name, value in free.items()}
    optimiser = torch.optim.Adam(free.values(), lr=weights.rate, betas=(0.9, 0.98))
    history: list[Float[Tensor, " p"]] = []
    stop, step = "iteration limit", 0
    for step in range(weights.steps):
        share = min(1.0, step / max(1.0, ANNEALED_SHARE * weights.steps))
        _set_rate(optimiser, weights.rate, step / weights.steps)
        look = share >= 1.0 or step % 2 == 0
        terms = _terms(problem, _from_rays(free), contacts, weights, share, parts, penetration, look)
        total = torch.stack(list(terms.values())).sum(0)
        optimiser.zero_grad(set_to_none=True)
        total.sum().backward()
        optimiser.step()
        history.append(total.detach())
        progress("uniting", (step + 1) / weights.steps)
        if share >= 1.0 and _has_settled(history, weights):
            stop = "converged"
            break
    with torch.no_grad():
        ended = {name: value.detach() for name, value in _from_rays(free).items()}
        terms = _terms(problem, ended, contacts, weights, 1.0, parts, penetration)
    return StageResult(ended, terms, step + 1, stop, time.perf_counter() - began)


def _terms(
    problem: Problem, p: Params, contacts: ContactTerm, weights: StageWeights, share: float, parts: Parts,
    penetration: Penetration | None, look: bool = True,
) -> dict[str, Float[Tensor, " p"]]:  # fmt: skip
    posed = problem.body.forward(p, parts)
    assert posed.joints is not None
    assert posed.vertices is not None
    single = cost_terms(
        problem.body, {k: v.flatten(0, 1) for k, v in p.items()}, posed.joints.flatten(0, 1),
        problem.evidence.map(lambda x: x.flatten(0, 1)), problem.beliefs, problem.keypoint_weights,
        problem.prior_weights,
    )  # fmt: skip
    terms = {name: value.unflatten(0, (-1, 2)).sum(1) for name, value in single.items()}
    tau, reach = _at(weights.contact_tau_m, share), _at(weights.contact_reach_m, share)
    a, b = problem.beliefs.map(lambda x: x[0::2]), problem.beliefs.map(lambda x: x[1::2])
    depth = p["translation"][..., 2]
    terms["depth gap"] = losses.depth_gap(depth[:, 0], depth[:, 1], a, b, problem.prior_weights)
    overlap = capsule_overlap(posed.joints)
    terms["capsules"] = 0.5 * (overlap / problem.prior_weights.capsule_sigma_m).square().sum((1, 2))
    terms["contact"] = _at(weights.contact, share) * contacts(posed.vertices, tau, reach)
    if penetration is not None:
        sunken = penetration.depths(posed.vertices, look=look)
        area = penetration.area_m2.unflatten(0, (-1, 2))
        terms["penetration"] = _at(weights.penetration, share) * losses.penetration_loss(sunken, area)
    return terms


def _at(ends: tuple[float, float], share: float) -> float:
    """Between two ends, geometrically: each step changes a weight by the same factor."""
    first, last = ends
    return first if first == last else first * (last / first) ** share


def _set_rate(optimiser: torch.optim.Optimizer, rate: float, share: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share)))


def _has_settled(history: list[Float[Tensor, " p"]], weights: StageWeights) -> bool:
    """No pair's objective has fallen by more than the tolerance over the window; asked only of settled weights."""
    settled = math.ceil(ANNEALED_SHARE * weights.steps)
    if len(history) - settled <= weights.window:
        return False
    before, now = history[-1 - weights.window], history[-1]
    return bool(((before - now) < weights.tolerance * before.abs()).all())


def _to_rays(parameters: Params) -> dict[str, Float[Tensor, "p 2 _"]]:
    """The place as (x / z, y / z, log z): depth can change while the body stays where the photo shows it."""
    x, y, z = parameters["translation"].unbind(-1)
    return {**parameters, "translation": torch.stack([x / z, y / z, z.log()], -1)}


def _from_rays(free: Params) -> dict[str, Float[Tensor, "p 2 _"]]:
    x, y, depth = free["translation"].unbind(-1)
    z = depth.exp()
    return {**free, "translation": torch.stack([x * z, y * z, z], -1)}
