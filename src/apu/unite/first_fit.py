"""Stage 0 for a batch of pairs: many starts for each person, joined into the few pair hypotheses that are kept.

One person's photo rarely tells posture, facing and age, but two people who touch stand at one depth: an adult who would
have to stand a metre behind the partner is more likely a child beside them. So persons are fitted alone and judged in
pairs, and the choice among the best falls later, when contacts have spoken.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.scene.pair import PairObservation, StageRecord
from apu.unite.hypotheses import Beliefs, Start, beliefs_of, parameters_of, starts_of
from apu.unite.joint_stage import JointFit, fit_joints, place
from apu.unite.problem import Evidence
from apu.unite.weights import FirstFitWeights, KeypointWeights, PriorWeights

EXCLUDED = 1e6
"""Cost of an age group that the user or an annotator has ruled out."""


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
        observations: `p` pairs.
        evidence: axes (p, 2, ...).
        keypoint_weights, prior_weights: of the single-person terms.
        weights: how many starts and hypotheses are kept, and what a depth gap costs.
    """
    began = time.perf_counter()
    starts = starts_of("unknown")
    count, people = len(starts), 2 * len(observations)
    one = beliefs_of(starts, body.parameter_spec)
    rows = torch.arange(count, device=one.cost.device).repeat(people)
    beliefs = one.select(rows)
    beliefs = _with_cost(beliefs, beliefs.cost + _excluded(observations, starts).to(beliefs.cost))
    seen = evidence.map(lambda x: x.flatten(0, 1).repeat_interleave(count, 0))
    parameters = {k: v[rows] for k, v in parameters_of(starts, one, body.parameter_spec).items()}
    parameters = place(body, parameters, seen)
    posed = fit_joints(
        body, parameters, seen, beliefs, keypoint_weights, prior_weights, steps=weights.steps, shape=False
    )
    best = _best_of_each_kind((posed.cost + beliefs.cost).reshape(people, count), starts, weights.starts_of_each_kind)
    chosen = (best + torch.arange(people, device=best.device)[:, None] * count).flatten()
    fitted = fit_joints(
        body, {k: v[chosen] for k, v in posed.parameters.items()}, seen.select(chosen), beliefs.select(chosen),
        keypoint_weights, prior_weights, steps=weights.steps,
    )  # fmt: skip
    kept = best.shape[1]
    cost, index = _pair_costs(fitted, beliefs.select(chosen), kept, weights)
    each = torch.arange(len(observations), device=index.device)[:, None, None] * 2 + torch.arange(2).to(index.device)
    flat = each * kept + index
    seconds = time.perf_counter() - began
    return PairHypotheses(
        parameters={k: v[flat] for k, v in fitted.parameters.items()},
        beliefs=beliefs.select(chosen).select(flat.flatten()),
        cost=cost,
        start=best.flatten()[flat],
        starts=starts,
        records=_records(fitted, flat[:, 0], posed.iterations, seconds),
    )


def _excluded(observations: Sequence[PairObservation], starts: Sequence[Start]) -> Float[Tensor, " n"]:
    known = [age for o in observations for age in o.ages]
    return torch.tensor([EXCLUDED * (age not in ("unknown", s.age)) for age in known for s in starts])


def _best_of_each_kind(cost: Float[Tensor, "q n"], starts: Sequence[Start], keep: int) -> Int[Tensor, "q m"]:
    """Indices of every person's cheapest starts, `keep` of each posture and age group, so that none is lost early."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for i, start in enumerate(starts):
        kinds.setdefault((start.posture, start.age), []).append(i)
    best = []
    for members in (torch.tensor(one, device=cost.device) for one in kinds.values()):
        best.append(members[cost[:, members].topk(min(keep, len(members)), largest=False).indices])
    return torch.cat(best, 1)


def _pair_costs(
    fitted: JointFit, beliefs: Beliefs, kept: int, weights: FirstFitWeights
) -> tuple[Float[Tensor, "p k"], Int[Tensor, "p k 2"]]:
    """The cheapest combinations of both people's starts: cost, and place among the `kept` of each person."""
    single = (fitted.cost + beliefs.cost).reshape(-1, 2, kept)
    depth = fitted.parameters["translation"][:, 2].reshape(-1, 2, kept)
    gap = depth[:, 0, :, None] - depth[:, 1, None, :]
    cost = single[:, 0, :, None] + single[:, 1, None, :] + 0.5 * (gap / weights.depth_gap_sigma_m).square()
    found = cost.flatten(1).topk(min(weights.hypotheses, kept * kept), largest=False)
    return found.values, torch.stack([found.indices // kept, found.indices % kept], -1)


def _with_cost(beliefs: Beliefs, cost: Float[Tensor, " n"]) -> Beliefs:
    fields = {name: getattr(beliefs, name) for name in beliefs.__dataclass_fields__}
    return Beliefs(**{**fields, "cost": cost})


def _records(fitted: JointFit, best: Int[Tensor, "p 2"], before: int, seconds: float) -> tuple[StageRecord, ...]:
    terms = {name: value[best].sum(1).tolist() for name, value in fitted.terms.items()}
    return tuple(
        StageRecord(
            "joints", before + fitted.iterations, fitted.stop, seconds, {name: v[i] for name, v in terms.items()}
        )
        for i in range(len(best))
    )
