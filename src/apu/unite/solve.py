"""From observations to fits: stage 0 with all its hypotheses, the stage that chooses by contacts, the stage that parts.

Everything is batched over pairs; one pair is a batch of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.body.region_samples import sample_regions
from apu.contact.contact import ContactMap
from apu.contact.distance import ContactDistances
from apu.progress import Progress, silent
from apu.scene.estimate import Estimate
from apu.scene.guidance import Guidance
from apu.scene.pair import ContactResult, Fit, PairObservation, StageRecord
from apu.unite.contact_alternatives import ContactLoss, full_term, sampled_term
from apu.unite.contact_terms import ContactTerm
from apu.unite.finalists import Finalists, finalists
from apu.unite.first_fit import PairHypotheses, first_fit, no_hypotheses
from apu.unite.guided import GuidedStage, known_pairs
from apu.unite.mesh_stage import Problem, StageResult, fit_meshes
from apu.unite.penetration import Penetration, overlap
from apu.unite.plausible import distances_across, plausible
from apu.unite.problem import JOINT_SET, Evidence, gather_evidence, reprojection_percent
from apu.unite.weights import UniteWeights

WHOLE = Parts(JOINT_SET, "all")


@dataclass(frozen=True)
class FirstLook:
    """Stage 0 of a batch of pairs, kept until the contacts are known.

    Attributes:
        observations: `p` pairs.
        evidence: axes (p, 2, ...).
        hypotheses: the best `k` of every pair.
        estimates: the best one of every pair, for annotators.
    """

    observations: tuple[PairObservation, ...]
    evidence: Evidence
    hypotheses: PairHypotheses
    estimates: tuple[Estimate, ...]


def look(body: BodyModel, observations: Sequence[PairObservation], weights: UniteWeights | None = None) -> FirstLook:
    """Stage 0: fit skeletons to keypoints and keep the best pair hypotheses.

    Args:
        body: the body model.
        observations: the pairs of one batch, from any photos; may be empty.
        weights: the standard ones when left out.
    """
    weights = weights or UniteWeights()
    like = body.surface.rest_vertices
    evidence = gather_evidence(observations, weights.keypoints, like.dtype, like.device)
    if not observations:
        return FirstLook((), evidence, no_hypotheses(body, weights.first), ())
    hypotheses = first_fit(body, observations, evidence, weights.keypoints, weights.priors, weights.first)
    best = {name: value[:, 0] for name, value in hypotheses.parameters.items()}
    posed = body.forward(best, WHOLE)
    assert posed.vertices is not None
    assert posed.joints is not None
    estimates = tuple(
        Estimate(posed.vertices[i], posed.joints[i], {n: v[i] for n, v in best.items()}, "first fit")
        for i in range(len(observations))
    )
    return FirstLook(tuple(observations), evidence, hypotheses, estimates)


def unite(
    body: BodyModel,
    first: FirstLook,
    contacts: Sequence[ContactMap],
    weights: UniteWeights | None = None,
    progress: Progress = silent,
    *,
    contact_loss: ContactLoss = "soft",
    guidance: Guidance | None = None,
) -> list[Fit]:
    """Stages 1 and 2: choose among the hypotheses with the contacts, then let the bodies touch without passing through.

    Every fit is finite where `apu.unite.fittable` has nothing against the pair.

    Args:
        body: the model that `first` was made with.
        first: stage 0.
        contacts: one map for each pair; an empty one leaves keypoints, priors and penetration.
        weights: the standard ones when left out.
        progress: told about the steps.
        contact_loss: `soft`, or another of `apu.unite.contact_alternatives`; `mindist` ignores the maps and pulls the
            smallest distance to zero.
        guidance: a learned prior over two people; see `weights.guidance`.

    Raises:
        InputError: the times of the guidance lie outside the prior's schedule.
    """
    weights = weights or UniteWeights()
    if not first.observations:
        return []
    used, trust = believed(body, first, contacts, weights)
    count = first.hypotheses.cost.shape[1]
    every = sampled_term(contact_loss, body.surface, [one for one in used for _ in range(count)])
    touching = _contact_stage(body, first, used, every, weights, guidance, _half(progress, 0.0, 0.3))
    own = first.hypotheses.beliefs.cost.reshape(-1, 2).sum(-1)
    told = torch.tensor([bool(one.contacts) and contact_loss != "mindist" for one in used], device=own.device)
    left = finalists((touching.cost + own).reshape(-1, count), told, weights.finalists, weights.finalist_margin)
    last = full_term(contact_loss, body.surface, [used[i] for i in left.pair.tolist()])
    parted = _penetration_stage(
        body, first, used, touching, left, last, weights, guidance, _half(progress, 0.3, 1.0)
    )  # fmt: skip
    return _fits(body, first, contacts, trust, touching, left, parted)


def believed(
    body: BodyModel, first: FirstLook, contacts: Sequence[ContactMap], weights: UniteWeights
) -> tuple[list[ContactMap], list[tuple[float, ...]]]:
    """The contacts that the first fit's place in the picture allows, and the share of each given one's weight left."""
    samples = sample_regions(body.surface)
    maps, trust = [], []
    for estimate, one in zip(first.estimates, contacts, strict=True):
        across = distances_across(body.surface, samples, estimate.vertices, one).tolist()
        used, left = plausible(one, across, weights.across_sigma_m)
        maps.append(used)
        trust.append(left)
    return maps, trust


def _contact_stage(
    body: BodyModel, first: FirstLook, used: Sequence[ContactMap], terms: ContactTerm, weights: UniteWeights,
    guidance: Guidance | None, progress: Progress,
) -> StageResult:  # fmt: skip
    """Run every hypothesis of every pair."""
    hypotheses = first.hypotheses
    count = hypotheses.cost.shape[1]
    evidence = first.evidence.map(lambda x: x.repeat_interleave(count, 0))
    problem = Problem(body, evidence, hypotheses.beliefs, weights.keypoints, weights.priors)
    start = {name: value.flatten(0, 1) for name, value in hypotheses.parameters.items()}
    parts = Parts(JOINT_SET, sample_regions(body.surface).vertices)
    guided = None
    if guidance is not None:
        rows = [(pair, k) for pair in range(len(first.observations)) for k in range(count)]
        known = known_pairs(first.observations, used, [pair for pair, _ in rows], [k for _, k in rows], start)
        guided = GuidedStage(guidance, known, weights.guidance, weights.guidance.contact_times)
        if weights.guidance.start_steps:
            start = dict(guidance.start(known, start, weights.guidance.start_steps))
    return fit_meshes(problem, start, terms, weights.contact, parts, progress=progress, guided=guided)


def _penetration_stage(
    body: BodyModel, first: FirstLook, used: Sequence[ContactMap], touching: StageResult, left: Finalists,
    terms: ContactTerm, weights: UniteWeights, guidance: Guidance | None, progress: Progress,
) -> StageResult:  # fmt: skip
    """Run the finalists, from where the contact stage left them."""
    start = {name: value[left.row] for name, value in touching.parameters.items()}
    started = body.forward(start, WHOLE).vertices
    assert started is not None
    beliefs = first.hypotheses.beliefs.select(left.bodies)
    problem = Problem(body, first.evidence.select(left.pair), beliefs, weights.keypoints, weights.priors)
    penetration = Penetration(body.surface, started)
    guided = None
    if guidance is not None:
        known = known_pairs(first.observations, used, left.pair.tolist(), left.hypothesis.tolist(), start)
        guided = GuidedStage(guidance, known, weights.guidance, weights.guidance.penetration_times)
    return fit_meshes(problem, start, terms, weights.penetration, WHOLE, penetration, progress, guided=guided)


@torch.no_grad()
def _fits(
    body: BodyModel, first: FirstLook, contacts: Sequence[ContactMap], trust: Sequence[Sequence[float]],
    touching: StageResult, left: Finalists, ended: StageResult,
) -> list[Fit]:  # fmt: skip
    own = first.hypotheses.beliefs.cost.reshape(-1, 2).sum(-1)
    won = left.cheapest(ended.cost + own[left.row])
    choice, parted = left.hypothesis[won], ended.select(won)
    pairs = range(len(first.observations))
    start = {n: torch.stack([v[i, choice[i]] for i in pairs]) for n, v in first.hypotheses.parameters.items()}
    before, after = body.forward(start, WHOLE), body.forward(parted.parameters, WHOLE)
    assert before.vertices is not None
    assert after.vertices is not None
    assert after.joints is not None
    distances = ContactDistances(body.surface, contacts)
    was, now = distances.smallest(before.vertices), distances.smallest(after.vertices)
    depth, volume = overlap(body.surface, after.vertices)
    heights, attributes = body.height(parted.parameters), body.attributes(parted.parameters)
    return [
        Fit(
            body_model=body.name,
            parameters={n: v[i] for n, v in parted.parameters.items()},
            vertices=after.vertices[i],
            joints=after.joints[i],
            first_vertices=before.vertices[i],
            contacts=contacts[i],
            contact_results=_results(was, now, distances.pair_of_contact == i, trust[i]),
            reprojection_percent=reprojection_percent(first.observations[i], after.joints[i]),
            penetration_max_m=float(depth[i]),
            penetration_volume_cm3=float(volume[i]),
            heights_m=_two(heights[i]),
            attributes={n: _two(v[i]) for n, v in attributes.items()},
            hypothesis=_hypothesis(first.hypotheses, touching, left, ended, i, int(choice[i])),
            stages=(
                first.hypotheses.records[i],
                _record("contact", touching, i * first.hypotheses.cost.shape[1] + int(choice[i])),
                _record("penetration", parted, i),
            ),
        )
        for i in pairs
    ]


def _results(
    was: Float[Tensor, " c"], now: Float[Tensor, " c"], mine: Tensor, trust: Sequence[float]
) -> tuple[ContactResult, ...]:
    rows = zip(was[mine].tolist(), now[mine].tolist(), trust, strict=True)
    return tuple(ContactResult(before, after, share) for before, after, share in rows)


def _two(values: Float[Tensor, " 2"]) -> tuple[float, float]:
    a, b = values.tolist()
    return a, b


def _record(name: str, result: StageResult, row: int) -> StageRecord:
    terms = {term: float(value[row]) for term, value in result.terms.items()}
    return StageRecord(name, int(result.iterations[row]), result.stop[row], result.seconds, terms)


def _hypothesis(
    hypotheses: PairHypotheses, touching: StageResult, left: Finalists, ended: StageResult, pair: int, choice: int
) -> Mapping[str, object]:
    """Which start was chosen, and what each cost: before contacts, with them, and at the end if it came there."""
    count = hypotheses.cost.shape[1]
    own = hypotheses.beliefs.cost.reshape(-1, count, 2).sum(-1)[pair]
    later = touching.cost.reshape(-1, count)[pair] + own
    at_end = dict(zip(left.row.tolist(), ended.cost.tolist(), strict=True))
    depth = touching.parameters["translation"][..., 2].reshape(-1, count, 2)[pair]
    tried = [
        {
            **_start_words(hypotheses, pair, k),
            "cost_before_contacts": float(hypotheses.cost[pair, k]),
            "cost_with_contacts": float(later[k]),
            "cost_at_the_end": at_end[row] + float(own[k]) if (row := pair * count + k) in at_end else None,
            "relative_depth_m": float(depth[k, 1] - depth[k, 0]),
        }
        for k in range(count)
    ]
    return {**_start_words(hypotheses, pair, choice), "why": "least cost at the end", "tried": tried}


def _start_words(hypotheses: PairHypotheses, pair: int, k: int) -> dict[str, object]:
    starts = [hypotheses.starts[int(s)] for s in hypotheses.start[pair, k]]
    return {
        "posture": [s.posture for s in starts],
        "yaw_rad": [s.yaw for s in starts],
        "age": [s.age for s in starts],
    }


def _half(progress: Progress, first: float, last: float) -> Progress:
    return lambda stage, fraction=0.0: progress(stage, first + (last - first) * fraction)
