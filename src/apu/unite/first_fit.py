"""Stage 0 for a batch of pairs: many starts for each person, joined into the few pair hypotheses that are kept.

One person's photo rarely tells posture, facing and age, but two people who touch stand at one depth: an adult who would
have to stand a metre behind the partner is more likely a child beside them. So persons are fitted alone and judged in
pairs, and the choice among the best falls later, when contacts have spoken.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.scene.estimate import InitialBody
from apu.scene.pair import PairObservation, StageRecord
from apu.unite import losses
from apu.unite.fittable import with_sound_estimates
from apu.unite.hypotheses import Beliefs, Start, beliefs_of, initial_starts, parameters_of, starts_of, word_costs
from apu.unite.joint_stage import fit_joints, place
from apu.unite.problem import JOINT_SET, Evidence
from apu.unite.weights import FirstFitWeights, KeypointWeights, PriorWeights

EXCLUDED = 1e6
"""Cost of an age group that the user has ruled out."""


@dataclass(frozen=True)
class PairHypotheses:
    """The `k` best hypotheses of every pair, the best first.

    Attributes:
        parameters: name -> (p, k, 2, size).
        beliefs: axes (p, k, 2) flattened into one.
        cost: (p, k) of both people and their depth gap, hypotheses' own costs included.
        start: (p, k, 2) index into `starts`.
        starts: what the indices mean.
        records: one for each pair.
    """

    parameters: Mapping[str, Float[Tensor, "p k 2 _"]]
    beliefs: Beliefs
    cost: Float[Tensor, "p k"]
    start: Int[Tensor, "p k 2"]
    starts: Sequence[Start]
    records: tuple[StageRecord, ...]


@dataclass(frozen=True)
class Candidates:
    """What every one of `q` persons may be: `m` fitted bodies each.

    Attributes:
        parameters: name -> (q, m, size).
        beliefs: axes (q, m) flattened into one.
        terms: name -> (q, m) cost of every term.
        start: (q, m) index into `starts`.
        starts: what the indices mean.
        from_estimate: (q, m) bodies that started from another program's estimate.
        as_estimated: (q, m) those of them that have the age group of the estimate, too.
        iterations, stop: of the fits.
    """

    parameters: Mapping[str, Float[Tensor, "q m _"]]
    beliefs: Beliefs
    terms: Mapping[str, Float[Tensor, "q m"]]
    start: Int[Tensor, "q m"]
    starts: Sequence[Start]
    from_estimate: Bool[Tensor, "q m"]
    as_estimated: Bool[Tensor, "q m"]
    iterations: int
    stop: str

    @property
    def cost(self) -> Float[Tensor, "q m"]:
        """Sum of the terms and of the starts' own costs."""
        return torch.stack(list(self.terms.values())).sum(0) + self.beliefs.cost.reshape(self.start.shape)


def first_fit(
    body: BodyModel,
    observations: Sequence[PairObservation],
    evidence: Evidence,
    keypoint_weights: KeypointWeights,
    prior_weights: PriorWeights,
    weights: FirstFitWeights,
) -> PairHypotheses:
    """Fit every start of every person, joints only, and keep the best pair hypotheses.

    Args:
        body: the body model.
        observations: `p` pairs; estimates that are no body in front of the camera are passed over.
        evidence: axes (p, 2, ...).
        keypoint_weights, prior_weights: of the single-person terms.
        weights: how many starts and hypotheses are kept.
    """
    began = time.perf_counter()
    observations = [with_sound_estimates(one) for one in observations]
    people = evidence.map(lambda x: x.flatten(0, 1))
    found = _standard(body, observations, people, keypoint_weights, prior_weights, weights)
    if any(one is not None for o in observations for one in o.initial):
        found = _with_initial(found, body, observations, people, keypoint_weights, prior_weights, weights)
    cost, index = _pair_costs(found, weights, prior_weights, _floor_costs(body, found, people, prior_weights))
    person = torch.arange(2 * len(observations), device=index.device).reshape(-1, 1, 2)
    flat = person * found.start.shape[1] + index
    return PairHypotheses(
        parameters={k: v[person, index] for k, v in found.parameters.items()},
        beliefs=found.beliefs.select(flat.flatten()),
        cost=cost,
        start=found.start[person, index],
        starts=found.starts,
        records=_records(found, flat[:, 0], time.perf_counter() - began),
    )


def no_hypotheses(body: BodyModel, weights: FirstFitWeights) -> PairHypotheses:
    """What `first_fit` finds for no pairs: nothing, with the right axes."""
    starts = starts_of("unknown")
    beliefs = beliefs_of(starts, body.parameter_spec).map(lambda x: x[:0])
    none = beliefs.cost.new_zeros(0, weights.hypotheses)
    return PairHypotheses(
        parameters={k: none.new_zeros(*none.shape, 2, s.size) for k, s in body.parameter_spec.items()},
        beliefs=beliefs,
        cost=none,
        start=none.new_zeros(*none.shape, 2).long(),
        starts=starts,
        records=(),
    )


def _standard(
    body: BodyModel, observations: Sequence[PairObservation], people: Evidence, kw: KeypointWeights, pw: PriorWeights,
    weights: FirstFitWeights,
) -> Candidates:  # fmt: skip
    """The best facing of every posture and age of every person, fitted with the shape."""
    starts = starts_of("unknown")
    count, size = len(starts), len(people.focal_px)
    one = beliefs_of(starts, body.parameter_spec)
    rows = torch.arange(count, device=one.cost.device).repeat(size)
    beliefs = one.select(rows)
    beliefs = _with_cost(beliefs, beliefs.cost + _said(observations, [starts] * size).to(beliefs.cost))
    seen = people.map(lambda x: x.repeat_interleave(count, 0))
    parameters = {k: v[rows] for k, v in parameters_of(starts, one, body.parameter_spec).items()}
    parameters = place(body, parameters, seen)
    posed = fit_joints(body, parameters, seen, beliefs, kw, pw, steps=weights.steps, shape=False)
    best = _best_of_each_kind((posed.cost + beliefs.cost).reshape(size, count), starts, weights.starts_of_each_kind)
    chosen = (best + torch.arange(size, device=best.device)[:, None] * count).flatten()
    kept = beliefs.select(chosen)
    fitted = fit_joints(
        body, {k: v[chosen] for k, v in posed.parameters.items()}, seen.select(chosen), kept, kw, pw,
        steps=weights.steps,
    )  # fmt: skip
    return Candidates(
        parameters={k: v.unflatten(0, best.shape) for k, v in fitted.parameters.items()},
        beliefs=kept,
        terms={k: v.unflatten(0, best.shape) for k, v in fitted.terms.items()},
        start=best,
        starts=starts,
        from_estimate=torch.zeros_like(best, dtype=torch.bool),
        as_estimated=torch.zeros_like(best, dtype=torch.bool),
        iterations=posed.iterations + fitted.iterations,
        stop=fitted.stop,
    )


def _with_initial(
    found: Candidates, body: BodyModel, observations: Sequence[PairObservation], people: Evidence, kw: KeypointWeights,
    pw: PriorWeights, weights: FirstFitWeights,
) -> Candidates:  # fmt: skip
    """The candidates and two more of everybody, from their estimate; whoever has none gets two that are excluded."""
    given = [one for o in observations for one in o.initial]
    bodies = [one or InitialBody({k: v[i, 0] for k, v in found.parameters.items()}, "") for i, one in enumerate(given)]
    mine = []
    for one in bodies:
        height = float(body.height({k: v.to(found.cost) for k, v in one.parameters.items()}))
        mine.append(initial_starts(one, height, body.parameter_spec))
    none = torch.tensor([one is None for one in given], device=found.start.device)
    beliefs = Beliefs.concatenated([b for _, b, _ in mine])
    said = _said(observations, [s for s, _, _ in mine]).to(beliefs.cost)
    beliefs = _with_cost(beliefs, beliefs.cost + said + EXCLUDED * none.repeat_interleave(2))
    fitted = fit_joints(
        body, {k: torch.cat([p[k] for _, _, p in mine]) for k in found.parameters},
        people.map(lambda x: x.repeat_interleave(2, 0)), beliefs, kw, pw,
        steps=weights.steps,
    )  # fmt: skip
    shape = found.start.shape[0], 2
    own = Candidates(
        parameters={k: v.unflatten(0, shape) for k, v in fitted.parameters.items()},
        beliefs=beliefs,
        terms={k: v.unflatten(0, shape) for k, v in fitted.terms.items()},
        start=torch.arange(2 * len(given), device=none.device).reshape(shape),
        starts=[start for s, _, _ in mine for start in s],
        from_estimate=torch.stack([~none, ~none], 1),
        as_estimated=torch.stack([~none, torch.zeros_like(none)], 1),
        iterations=fitted.iterations,
        stop=fitted.stop,
    )
    return _side_by_side(found, own)


def _side_by_side(first: Candidates, more: Candidates) -> Candidates:
    """Every person's candidates of the one list, and then those of the other."""
    size, m = first.start.shape
    rows = torch.arange(size * m).reshape(size, m)
    others = size * m + torch.arange(more.start.numel()).reshape(more.start.shape)
    order = torch.cat([rows, others], 1).flatten().to(first.start.device)
    return Candidates(
        parameters={k: torch.cat([v, more.parameters[k]], 1) for k, v in first.parameters.items()},
        beliefs=Beliefs.concatenated([first.beliefs, more.beliefs]).select(order),
        terms={k: torch.cat([v, more.terms[k]], 1) for k, v in first.terms.items()},
        start=torch.cat([first.start, len(first.starts) + more.start], 1),
        starts=[*first.starts, *more.starts],
        from_estimate=torch.cat([first.from_estimate, more.from_estimate], 1),
        as_estimated=torch.cat([first.as_estimated, more.as_estimated], 1),
        iterations=max(first.iterations, more.iterations),
        stop=first.stop,
    )


def _said(observations: Sequence[PairObservation], starts: Sequence[Sequence[Start]]) -> Float[Tensor, " n"]:
    """What every start of every person costs for what the user and an annotator say of that person."""
    costs: list[float] = []
    people = [(o, person) for o in observations for person in (0, 1)]
    for (observation, person), mine in zip(people, starts, strict=True):
        known = observation.ages[person]
        ruled_out = [EXCLUDED * (known not in ("unknown", start.age)) for start in mine]
        costs += [a + b for a, b in zip(ruled_out, word_costs(observation, person, mine), strict=True)]
    return torch.tensor(costs)


def _best_of_each_kind(cost: Float[Tensor, "q n"], starts: Sequence[Start], keep: int) -> Int[Tensor, "q m"]:
    """Indices of every person's cheapest starts, `keep` of each posture and age group, so that none is lost early."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for i, start in enumerate(starts):
        kinds.setdefault((start.posture, start.age), []).append(i)
    best = []
    for members in (torch.tensor(one, device=cost.device) for one in kinds.values()):
        best.append(members[cost[:, members].topk(min(keep, len(members)), largest=False).indices])
    return torch.cat(best, 1)


def _floor_costs(
    body: BodyModel, found: Candidates, people: Evidence, priors: PriorWeights
) -> Float[Tensor, "p m m"] | float:
    """What every combination of both people's candidates costs for standing on one floor; 0 if nobody is said to."""
    if not bool((people.on_floor > 0).any()):
        return 0.0
    joints = body.forward(found.parameters, Parts(JOINT_SET)).joints
    assert joints is not None
    low, belief = losses.lowest_foot(joints, people.map(lambda x: x[:, None].expand(-1, joints.shape[1], *x.shape[1:])))
    low, belief = (x.unflatten(0, (-1, 2)) for x in (low, belief))
    both = belief[:, 0, :, None] * belief[:, 1, None, :]
    return losses.shared_floor(low[:, 0, :, None], low[:, 1, None, :], both, priors)


def _pair_costs(
    found: Candidates, weights: FirstFitWeights, priors: PriorWeights, floor: Float[Tensor, "p m m"] | float
) -> tuple[Float[Tensor, "p k"], Int[Tensor, "p k 2"]]:
    """The cheapest combinations of both people's candidates: cost, and place among those of each person.

    The best one in which everybody who has an estimate starts from it is among them, and the best one that keeps the
    estimates' age groups: stage 0 sees 2D keypoints and a prior, and would drop a good estimate for a pose that the
    prior likes better.
    """
    kept = found.start.shape[1]
    single = found.cost.reshape(-1, 2, kept)
    depth = found.parameters["translation"][..., 2].reshape(-1, 2, kept)
    of_all = found.beliefs.map(lambda x: x.unflatten(0, (-1, 2, kept)))
    a, b = of_all.map(lambda x: x[:, 0, :, None]), of_all.map(lambda x: x[:, 1, None, :])
    gap = losses.depth_gap(depth[:, 0, :, None], depth[:, 1, None, :], a, b, priors)
    cost = single[:, 0, :, None] + single[:, 1, None, :] + gap + floor
    cost = cost.flatten(1)
    sure = _best_with(found.from_estimate, cost) | _best_with(found.as_estimated, cost)
    first = torch.where(sure & (cost < EXCLUDED), -torch.inf, cost)
    index = first.topk(min(weights.hypotheses, kept * kept), largest=False).indices
    index = index.gather(1, cost.gather(1, index).argsort(stable=True, dim=1))
    return cost.gather(1, index), torch.stack([index // kept, index % kept], -1)


def _best_with(mask: Bool[Tensor, "q m"], cost: Float[Tensor, "p m2"]) -> Bool[Tensor, "p m2"]:
    """Each pair's cheapest combination of masked candidates; a person without any may be anything.

    Nothing where neither person has one.
    """
    has_one = mask.any(1, keepdim=True)
    free = (mask | ~has_one).unflatten(0, (-1, 2))
    allowed = (free[:, 0, :, None] & free[:, 1, None, :]).flatten(1)
    best = cost.masked_fill(~allowed, torch.inf).argmin(1, keepdim=True)
    return torch.zeros_like(allowed).scatter(1, best, has_one.unflatten(0, (-1, 2)).any(1))


def _with_cost(beliefs: Beliefs, cost: Float[Tensor, " n"]) -> Beliefs:
    fields = {name: getattr(beliefs, name) for name in beliefs.__dataclass_fields__}
    return Beliefs(**{**fields, "cost": cost})


def _records(found: Candidates, best: Int[Tensor, "p 2"], seconds: float) -> tuple[StageRecord, ...]:
    terms = {name: value.flatten()[best].sum(1).tolist() for name, value in found.terms.items()}
    return tuple(
        StageRecord("joints", found.iterations, found.stop, seconds, {name: v[i] for name, v in terms.items()})
        for i in range(len(best))
    )
