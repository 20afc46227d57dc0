"""Where losses meet nothing, everything, or the same place twice; and the gradients of those that see whole bodies."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.region_samples import sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.unite import capsules, losses
from apu.unite.capsules import capsule_overlap
from apu.unite.contact_alternatives import HARD
from apu.unite.contact_terms import FullContacts, SampledContacts
from apu.unite.minimum_distance import SampledMinimum
from apu.unite.problem import Evidence, limb_size
from apu.unite.weights import PriorWeights, Reach

REACH = Reach(0.2, 0.2)

F64 = torch.float64


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def _evidence(trust: float = 1.0, hint: float = 1.0) -> Evidence:
    one = torch.ones(2, 25, dtype=F64)
    return Evidence(
        pixels=200 + 50 * _random(2, 25, 2), trust=trust * one, diagonal_px=300 * one[:, 0], focal_px=500 * one[:, 0],
        center_px=200 * one[:, :2], hint_depth_m=0.1 * one, hint_trust=hint * one, hint_size_m=0.4 * one[:, 0],
        on_floor=one[:, 0],
    )  # fmt: skip


def _joints() -> Tensor:
    return 0.3 * _random(2, 25, 3, seed=3) + torch.tensor([0.0, 0.0, 3.0], dtype=F64)


def _keypoints(trust: float = 1.0) -> Callable[[Tensor], Tensor]:
    return lambda x: losses.keypoint_loss(x, _evidence(trust), 0.02, 0.15)


def _floor(joints: Tensor, trust: float = 1.0) -> Tensor:
    low, belief = losses.lowest_foot(joints, _evidence(trust))
    return losses.shared_floor(low[:1], low[1:], belief.prod(0, keepdim=True), PriorWeights())


ALL = torch.ones(2, 4, dtype=torch.bool)
ONE = torch.ones(2, 4, dtype=F64)
NEVER_MORE = 2 * 25 * 0.15**2 / (2 * 0.02**2)
"""Of the keypoints of two people, however far off."""

EDGES: dict[str, tuple[Callable[[Tensor], Tensor], Tensor, float | None]] = {
    "geman_mcclure of zero": (lambda x: losses.geman_mcclure(x.square(), 0.3), 0 * ONE, 0.0),
    "geman_mcclure of huge errors": (lambda x: losses.geman_mcclure(x.square(), 0.3), 1e9 * ONE, 8 * 0.09),
    "keypoints of no confidence": (_keypoints(0.0), _joints(), 0.0),
    "joints far beside the photo": (_keypoints(), _joints() * torch.tensor([1e6, 1e6, 1]), NEVER_MORE),
    "joints in the lens": (_keypoints(), _joints() * torch.tensor([1, 1, 0]), None),
    "hints of no trust": (lambda x: losses.depth_hint(x, _evidence(hint=0.0), 0.3, 0.4), _joints(), 0.0),
    "hints for a body of one point": (lambda x: losses.depth_hint(x, _evidence(), 0.3, 0.4), 0 * _joints(), 0.0),
    "angles on their bounds": (lambda x: losses.bounds(x, x.detach()[0], x.detach()[0], 0.1), 0.3 * ONE, 0.0),
    "upright without a turn": (lambda x: losses.upright(x, 0.15, 0.6), 0 * ONE[:, :3], 0.0),
    "in_front where nobody is near": (lambda x: losses.in_front(x, 0.6, 0.1), _joints(), 0.0),
    "in_front of a body behind the camera": (lambda x: losses.in_front(x, 0.6, 0.1), -_joints(), None),
    "the soft minimum of what is very far": (lambda x: losses.soft_minimum(x, ALL, 1e-4), 1e6 * ONE, 2e6),
    "the ragged soft minimum of what is very far": (
        lambda x: losses.segment_soft_minimum(x.flatten(), torch.arange(8) // 4, 2, 1e-4), 1e6 * ONE, 2e6,
    ),
    "a floor that nobody's feet are seen on": (lambda x: _floor(x, 0.0), _joints(), 0.0),
    "one body twice on a floor": (lambda x: _floor(torch.cat([x[:1], x[:1]])), _joints(), 0.0),
    "a floor far below the other": (
        lambda x: _floor(x * x.new_tensor([1e3, 1.0])[:, None, None]), 1e3 * _joints(), 0.5 * (0.2 / 0.05) ** 2,
    ),
    "contacts that are met": (lambda x: losses.contact_loss(x, ONE, 0.1), 0 * ONE, 0.0),
    "contacts that are out of reach": (lambda x: losses.contact_loss(x, ONE, 0.1), 1e6 * ONE, 2 * 4 * 0.1**2 / 2),
    "contacts of no trust": (lambda x: losses.contact_loss(x, 0 * ONE, 0.1), ONE, 0.0),
    "no overlap": (lambda x: losses.penetration_loss(x, ONE.expand(2, 2, 4)), 0 * _random(2, 2, 4), 0.0),
    "two bodies in one point": (lambda x: capsule_overlap(x[None]), 0 * _joints(), None),
    "one body twice": (lambda x: capsule_overlap(torch.stack([x[:1], x[:1]], 1)), _joints(), None),
    "mindist of one body twice": (
        lambda x: SampledMinimum()(torch.stack([x[:1], x[:1]], 1), 0.01, REACH), _joints(), 0.0,
    ),
}  # fmt: skip
"""Name -> loss, where, and what it comes to over the batch where that is known."""


@pytest.mark.parametrize("name", EDGES)
def test_at_the_edge_value_and_gradient_are_finite_and_what_costs_nothing_pulls_nowhere(name: str):
    loss, at, expected = EDGES[name]
    at = at.clone().requires_grad_()
    total = loss(at).sum()
    (gradient,) = torch.autograd.grad(total, at)
    assert bool(total.isfinite())
    assert bool(gradient.isfinite().all())
    if expected is not None:
        assert float(total.detach()) == pytest.approx(expected, rel=1e-5)
    if expected == 0.0 and name != "hints for a body of one point":
        assert float(gradient.abs().max()) == 0.0


def test_the_ragged_soft_minimum_has_the_gradient_of_its_held_weights():
    distance, segment = _random(6).abs().requires_grad_(), torch.tensor([0, 0, 1, 1, 1, 2])
    (gradient,) = torch.autograd.grad(losses.segment_soft_minimum(distance, segment, 3, 0.2).sum(), distance)
    share = [torch.softmax(-distance.detach()[segment == s] / 0.2, 0) for s in range(3)]
    torch.testing.assert_close(gradient, torch.cat(share))


def test_the_ragged_minimum_is_that_of_each_group_and_pulls_at_its_smallest_alone():
    distance, segment = _random(6).abs().requires_grad_(), torch.tensor([2, 0, 0, 3, 2, 0])
    found = losses.segment_minimum(distance, segment, 4)
    groups = [distance.detach()[segment == s] for s in (0, 2, 3)]
    assert found[[0, 2, 3]].tolist() == [float(g.min()) for g in groups]
    assert float(found[1].detach()) == torch.inf
    (gradient,) = torch.autograd.grad(found[[0, 2, 3]].sum(), distance)
    assert sorted(gradient.tolist()) == [0, 0, 0, 1, 1, 1]


def test_the_gradient_of_capsules_is_that_of_finite_differences_with_the_sizes_held(pair, monkeypatch):
    joints = pair.joints.double()[None]
    joints = joints - joints.mean(2, keepdim=True) + 0.03 * _random(1, 2, 25, 3)
    sizes = limb_size(joints)
    monkeypatch.setattr(capsules, "limb_size", lambda joints: sizes)
    assert int((capsule_overlap(joints) > 0.01).sum()) > 10
    at = joints.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: capsule_overlap(x).square().sum(), (at,), atol=1e-6, eps=1e-7)


BETWEEN: dict[str, Callable[[Tensor], Tensor]] = {
    "capsules": lambda x: capsule_overlap(x).square().sum((1, 2)),
    "mindist": lambda x: SampledMinimum()(x, 0.01, REACH),
}
"""Losses of a pair's points alone, (p, 2, 25, 3) -> (p,)."""


@pytest.mark.parametrize("name", BETWEEN)
def test_rigid_motion_swapping_the_people_and_the_order_of_pairs_change_nothing(name: str):
    loss, at = BETWEEN[name], 0.3 * _random(3, 2, 25, 3)
    here = loss(at)
    turn = torch.linalg.qr(_random(3, 3, seed=2)).Q
    assert float(here.min()) > 1e-4
    torch.testing.assert_close(loss(at @ turn + 1.0), here)
    torch.testing.assert_close(loss(at.flip(1)), here)
    torch.testing.assert_close(loss(at.flip(0)), here.flip(0))


PALMS = Contact(frozenset({"left_hand_palm"}), frozenset({"right_hand_palm"}))
ARMS = Contact(frozenset({"left_upper_arm_front"}), frozenset({"right_shoulder_front"}), weight=0.5)


@pytest.mark.parametrize("kind", ["sampled", "full"])
def test_the_gradient_of_a_contact_term_is_that_of_finite_differences_with_the_nearest_places_held(
    body: AnnyBody, deep_pair, kind: str
):
    surface = replace(body.surface, rest_vertices=body.surface.rest_vertices.double())
    maps, samples = [ContactMap((PALMS, ARMS), "x")], sample_regions(body.surface)
    vertices = deep_pair.vertices[None].double()
    full = kind == "full"
    term = FullContacts(surface, maps, HARD) if full else SampledContacts(surface, samples, maps, HARD)
    points = vertices if full else vertices[:, :, samples.vertices]
    at = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(term(at, 0.01, REACH).sum(), at)
    way = gradient / gradient.norm() + 0.1 * _random(*points.shape, seed=7)
    ends = [float(term(points + sign * 1e-6 * way, 0.01, REACH)) for sign in (1, -1)]  # between two searches
    assert float((gradient * way).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)
