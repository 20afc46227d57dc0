"""What a mesh stage adds to the single-person terms: that the pair's own terms see the right two people."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts
from apu.body.region_samples import sample_regions
from apu.contact.contact import ContactMap
from apu.unite.contact_terms import SampledContacts
from apu.unite.hypotheses import Beliefs, beliefs_of, starts_of
from apu.unite.mesh_stage import Problem, StageResult, fit_meshes
from apu.unite.problem import JOINT_SET, gather_evidence
from apu.unite.weights import CONTACT_STAGE, KeypointWeights, PriorWeights

KW, PW = KeypointWeights(), PriorWeights()
STILL = replace(CONTACT_STAGE, steps=1, rate=0.0)


def believed(body: AnnyBody, depths: list[float], precision: list[float]) -> Beliefs:
    """Standing adults whose depths another program estimates."""
    beliefs = beliefs_of([starts_of("adult")[0]] * len(depths), body.parameter_spec)
    return replace(beliefs, depth_m=torch.tensor(depths), depth_precision=torch.tensor(precision))


def stage(body: AnnyBody, pair, beliefs: Beliefs, weights=STILL) -> StageResult:
    """The contact stage without contacts, from the true bodies, the same pair as often as there are beliefs."""
    count = len(beliefs.cost) // 2
    samples = sample_regions(body.surface)
    evidence = gather_evidence([pair.observation] * count, KW, torch.float32, torch.device("cpu"))
    start = {name: value.expand(count, *value.shape) for name, value in pair.parameters.items()}
    contacts = SampledContacts(body.surface, samples, [ContactMap((), "annotation")] * count)
    return fit_meshes(
        Problem(body, evidence, beliefs, KW, PW), start, contacts, weights, Parts(JOINT_SET, samples.vertices)
    )


def by_hand(pair, estimated_gap: float | None) -> float:
    """0.5 (gap / sigma)^2, and the Geman-McClure loss of how far the gap is from the estimated one."""
    depth = pair.parameters["translation"][:, 2]
    gap = float(depth[0] - depth[1])
    cost = 0.5 * (gap / PW.gap_sigma_m) ** 2
    if estimated_gap is None:
        return cost
    square = (gap - estimated_gap) ** 2
    return cost + 0.5 * square / (1 + square / PW.gap_robust_m**2) / PW.gap_error_m**2


def test_the_depth_gap_of_each_pair_is_that_of_its_own_two_people(body: AnnyBody, deep_pair):
    beliefs = believed(body, [3.0, 3.9, 3.5, 3.0, 2.0, 9.0], [25.0, 25.0, 25.0, 25.0, 25.0, 0.0])
    terms = stage(body, deep_pair, beliefs).terms
    assert terms["depth gap"].tolist() == pytest.approx(
        [by_hand(deep_pair, -0.9), by_hand(deep_pair, 0.5), by_hand(deep_pair, None)], rel=1e-4
    )


def test_an_estimated_gap_draws_the_people_apart_and_none_draws_them_to_one_depth(body: AnnyBody, deep_pair):
    beliefs = believed(body, [2.7, 3.7, 0.0, 0.0], [1e-6, 1e-6, 0.0, 0.0])  # the gap is believed, neither depth is
    depth = stage(body, deep_pair, beliefs, replace(CONTACT_STAGE, steps=40)).parameters["translation"][..., 2]
    estimated, free = (float(one[1] - one[0]) for one in depth)
    assert estimated > free + 0.05


def test_estimated_depths_count_in_the_mesh_stages_as_in_the_first_fit(body: AnnyBody, pair):
    depth = pair.parameters["translation"][:, 2]
    beliefs = believed(body, [float(depth[0]) + 0.2, float(depth[1])], [25.0, 25.0])
    apart = 0.2**2 / (1 + 0.2**2 / PW.depth_robust_m**2)
    assert stage(body, pair, beliefs).terms["estimate"].tolist() == pytest.approx([0.5 * 25.0 * apart], rel=1e-3)


def test_people_who_are_said_to_share_a_floor_and_nobody_else_are_drawn_onto_it(body: AnnyBody, deep_pair):
    """B starts along the line of sight beyond where the feet of both stand on one floor."""
    far = away(deep_pair, 0.5)
    step = steps(body, {name: value[None] for name, value in far.items()})
    most = 0.5 * float((step / PW.floor_sigma_m) ** 2 / (1 + (step / PW.floor_robust_m) ** 2))
    terms, ended = {}, {}
    for told in (False, True):
        seen = SimpleNamespace(observation=replace(deep_pair.observation, shared_floor=told), parameters=far)
        beliefs = believed(body, [0.0, 0.0], [0.0, 0.0])
        terms[told] = stage(body, seen, beliefs).terms
        ended[told] = steps(body, stage(body, seen, beliefs, replace(CONTACT_STAGE, steps=40)).parameters)
    assert "floor" not in terms[False]
    assert 0.2 * most < float(terms[True]["floor"]) <= 1.001 * most
    assert abs(float(ended[True])) < abs(float(ended[False])) - 0.01


def away(pair, by_m: float) -> dict[str, torch.Tensor]:
    """B so much farther along the line of sight."""
    place = pair.parameters["translation"].clone()
    place[1] *= 1 + by_m / float(place[1, 2])
    return {**pair.parameters, "translation": place}


def steps(body: AnnyBody, parameters: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """How much lower B's lowest foot joint is than A's, of every pair."""
    joints = body.forward(parameters, Parts("body25")).joints
    assert joints is not None
    feet = [i for i, n in enumerate(joint_names("body25")) if n.endswith(("ankle", "heel", "toe"))]
    low = joints[..., feet, 1].amax(-1)
    return low[:, 1] - low[:, 0]
