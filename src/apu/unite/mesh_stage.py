"""Stages 1 and 2: both people of every pair together, by first-order steps, with contacts and without overlap.

While weights move, every second step reuses the penetration query of the one before; the settling steps never do.
Every pair stops by itself: once settled it is not moved any more, so what else is in the batch does not matter to it.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.geometry.camera import NEAR_M
from apu.progress import Progress, silent
from apu.unite import losses
from apu.unite.capsules import capsule_overlap, held_in_depth
from apu.unite.contact_terms import ContactTerm
from apu.unite.guided import GuidedStage
from apu.unite.hypotheses import Beliefs
from apu.unite.joint_stage import cost_terms
from apu.unite.penetration import Penetration
from apu.unite.problem import Evidence
from apu.unite.self_overlap import self_overlap
from apu.unite.usual_pose import density_for, unusual_pose
from apu.unite.weights import KeypointWeights, PriorWeights, Reach, StageWeights

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

    @cached_property
    def has_floor(self) -> bool:
        """Whether any pair is said to share a floor; looked up once, since a GPU would have to wait for it."""
        return bool((self.evidence.on_floor > 0).any())


@dataclass(frozen=True)
class StageResult:
    """Result of one stage for `p` pairs.

    Attributes:
        parameters: name -> (p, 2, size).
        terms: name -> (p,) weighted value, at the parameters, with the last weights.
        iterations: (p,) steps that moved the pair.
        stop: of each pair: `converged`, `iteration limit`, or `not finite` where a step led nowhere; the pair then
            stays at its last finite place.
        seconds: wall time, shared by the batch.
    """

    parameters: Params
    terms: Mapping[str, Float[Tensor, " p"]]
    iterations: Int[Tensor, " p"]
    stop: tuple[str, ...]
    seconds: float

    @property
    def cost(self) -> Float[Tensor, " p"]:
        """Sum of the terms."""
        return torch.stack(list(self.terms.values())).sum(0)

    def select(self, index: Int[Tensor, " q"]) -> "StageResult":
        """Some of the pairs."""
        return StageResult(
            {name: value[index] for name, value in self.parameters.items()},
            {name: value[index] for name, value in self.terms.items()},
            self.iterations[index],
            tuple(self.stop[i] for i in index.tolist()),
            self.seconds,
        )


def fit_meshes(
    problem: Problem,
    parameters: Params,
    contacts: ContactTerm,
    weights: StageWeights,
    parts: Parts,
    penetration: Penetration | None = None,
    progress: Progress = silent,
    *,
    guided: GuidedStage | None = None,
) -> StageResult:
    """Minimise keypoints, priors, contacts and, when they are given, penetration and a learned prior's pull.

    Args:
        problem: what does not change along the stage.
        parameters: name -> (p, 2, size), where to start.
        contacts: sees the vertices that `parts` asks for.
        weights: of the stage.
        parts: joints and vertices to evaluate; all vertices when penetration counts.
        penetration: started at these parameters.
        progress: told about the steps.
        guided: a learned prior over both people.
    """
    began = time.perf_counter()
    free = _to_rays(parameters)
    free = {name: value.clone().requires_grad_(name not in weights.frozen) for name, value in free.items()}
    moved = [
        {"params": [value], "share": weights.place_rate if name == "translation" else 1.0}
        for name, value in free.items()
        if name not in weights.frozen
    ]
    optimiser = torch.optim.Adam(moved, lr=weights.rate, betas=(0.9, 0.98))
    history: list[Float[Tensor, " p"]] = []
    pairs = _Pairs(free)
    for step in range(weights.steps):
        share = min(1.0, step / max(1.0, ANNEALED_SHARE * weights.steps))
        _set_rate(optimiser, weights.rate, step / weights.steps)
        look = share >= 1.0 or step % 2 == 0
        now = _from_rays(free)
        terms = _terms(problem, now, contacts, weights, share, parts, penetration, look)
        if guided is not None:
            guided.look(now, step, share)
            terms = guided.heard(terms, now)
        total = torch.stack(list(terms.values())).sum(0)
        optimiser.zero_grad(set_to_none=True)
        total.sum().backward()
        before = {name: value.detach().clone() for name, value in free.items()}
        optimiser.step()
        pairs.keep(free, before, total.detach())
        history.append(total.detach())
        progress("uniting", (step + 1) / weights.steps)
        if share >= 1.0:
            pairs.settle(_settled(history, weights))
        if not bool(pairs.moving.any()):
            break
    with torch.no_grad():
        ended = {name: value.detach() for name, value in _from_rays(free).items()}
        terms = _terms(problem, ended, contacts, weights, 1.0, parts, penetration)
        if guided is not None:
            terms = guided.heard(terms, ended)
    return StageResult(ended, terms, pairs.steps, pairs.stops(), time.perf_counter() - began)


class _Pairs:
    """Which pairs still move, and why the others do not."""

    def __init__(self, free: Params) -> None:
        count, device = len(free["pose"]), free["pose"].device
        self.moving: Bool[Tensor, " p"] = torch.ones(count, dtype=torch.bool, device=device)
        self.steps: Int[Tensor, " p"] = torch.zeros(count, dtype=torch.int64, device=device)
        self._lost: Bool[Tensor, " p"] = torch.zeros_like(self.moving)

    @torch.no_grad()
    def keep(self, free: Params, before: Params, cost: Float[Tensor, " p"]) -> None:
        """Undo the step of pairs that have stopped, and of those that it leads to no finite place."""
        finite = cost.isfinite()
        for value in free.values():
            finite &= value.isfinite().all(-1).all(-1)
        self._lost |= self.moving & ~finite
        self.moving &= finite
        self.steps += self.moving
        for name, value in free.items():
            value.copy_(torch.where(self.moving[:, None, None], value, before[name]))

    def settle(self, settled: Bool[Tensor, " p"]) -> None:
        """These have come to rest."""
        self.moving &= ~settled

    def stops(self) -> tuple[str, ...]:
        """Why each pair stopped."""
        rows = zip(self._lost.tolist(), self.moving.tolist(), strict=True)
        return tuple("not finite" if lost else "iteration limit" if moving else "converged" for lost, moving in rows)


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
    density = density_for(problem.body) if problem.prior_weights.density > 0 else None
    if density is not None:
        unusual = unusual_pose(p["pose"].flatten(0, 1), density, problem.beliefs)
        single["density"] = problem.prior_weights.density * unusual
    terms = {name: value.unflatten(0, (-1, 2)).sum(1) for name, value in single.items()}
    tau = _at(weights.contact_tau_m, share)
    reach = Reach(_at(weights.contact_reach_m, share), _at(weights.doubtful_reach_m, share))
    a, b = problem.beliefs.map(lambda x: x[0::2]), problem.beliefs.map(lambda x: x[1::2])
    depth = p["translation"][..., 2]
    terms["depth gap"] = losses.depth_gap(depth[:, 0], depth[:, 1], a, b, problem.prior_weights)
    if problem.has_floor:
        low, belief = losses.lowest_foot(posed.joints, problem.evidence)
        terms["floor"] = losses.shared_floor(low[:, 0], low[:, 1], belief.prod(1), problem.prior_weights)
    overlap = capsule_overlap(held_in_depth(posed.joints, p["translation"]))
    terms["capsules"] = 0.5 * (overlap / problem.prior_weights.capsule_sigma_m).square().sum((1, 2))
    own = self_overlap(posed.joints)
    terms["self overlap"] = 0.5 * (own / problem.prior_weights.self_sigma_m).square().sum((1, 2, 3))
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
        group["lr"] = group["share"] * rate * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share)))


def _settled(history: list[Float[Tensor, " p"]], weights: StageWeights) -> Bool[Tensor, " p"]:
    """Pairs whose objective has not fallen by more than the tolerance over the window; none while weights move."""
    first = math.ceil(ANNEALED_SHARE * weights.steps)
    if len(history) - first <= weights.window:
        return torch.zeros_like(history[-1], dtype=torch.bool)
    before, now = history[-1 - weights.window], history[-1]
    return (before - now) < weights.tolerance * before.abs()


def _to_rays(parameters: Params) -> dict[str, Float[Tensor, "p 2 _"]]:
    """The place as (x / z, y / z, log z): depth can change while the body stays where the photo shows it."""
    x, y, z = parameters["translation"].unbind(-1)
    z = z.clamp_min(NEAR_M)  # the first fit may leave a body behind the camera where keypoints make no sense
    return {**parameters, "translation": torch.stack([x / z, y / z, z.log()], -1)}


def _from_rays(free: Params) -> dict[str, Float[Tensor, "p 2 _"]]:
    x, y, depth = free["translation"].unbind(-1)
    z = depth.exp()
    return {**free, "translation": torch.stack([x * z, y * z, z], -1)}
