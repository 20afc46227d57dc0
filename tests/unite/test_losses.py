"""Every loss: its formula on numbers, its gradient against finite differences, and its edges."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import roma
import torch
from torch import Tensor

from apu.body.joints import joint_names
from apu.unite import losses
from apu.unite.hypotheses import Beliefs
from apu.unite.problem import Evidence
from apu.unite.weights import PriorWeights

F64 = torch.float64


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def _evidence(bodies: int = 2) -> Evidence:
    return Evidence(
        pixels=200 + 50 * _random(bodies, 25, 2, seed=1),
        trust=torch.rand(bodies, 25, generator=torch.Generator().manual_seed(2), dtype=F64),
        diagonal_px=torch.full((bodies,), 300.0, dtype=F64),
        focal_px=torch.full((bodies,), 500.0, dtype=F64),
        center_px=torch.full((bodies, 2), 200.0, dtype=F64),
        hint_depth_m=0.2 * _random(bodies, 25, seed=5),
        hint_trust=torch.rand(bodies, 25, generator=torch.Generator().manual_seed(6), dtype=F64),
        hint_size_m=torch.full((bodies,), 0.4, dtype=F64),
        on_floor=torch.ones(bodies, dtype=F64),
    )


def _joints(bodies: int = 2) -> Tensor:
    return _random(bodies, 25, 3, seed=3) * 0.3 + torch.tensor([0.0, 0.0, 3.0], dtype=F64)


PW = PriorWeights()


def _beliefs(bodies: int = 2, turn_precision: float = 16.0, depth_precision: float = 25.0, seed: int = 9) -> Beliefs:
    """Beliefs about an orientation and a depth; the rest is of no meaning."""
    one = torch.ones(bodies, dtype=F64)
    return Beliefs(
        pose=one[:, None], pose_scale=one[:, None], shape=one[:, None], shape_scale=one[:, None],
        height_m=one, height_sigma_m=one, turn=_random(bodies, 3, seed=seed), turn_precision=turn_precision * one,
        depth_m=3 + 0.3 * _random(bodies, seed=seed + 1), depth_precision=depth_precision * one, cost=0 * one,
    )  # fmt: skip


def _near_estimate(x: Tensor, b: Beliefs | None = None) -> Tensor:
    """Of orientations x[:, :3] and depths x[:, 3]."""
    return losses.near_estimate(x[:, :3], x[:, 3], b or _beliefs(len(x)), PW.depth_robust_m)


def _depth_gap(x: Tensor, known: tuple[bool, bool] = (True, True)) -> Tensor:
    """Of pairs' depths (n, 2), with estimates of both people, of one, or of none."""
    a, b = (_beliefs(len(x), depth_precision=25.0 * one, seed=seed) for one, seed in zip(known, (9, 11), strict=True))
    return losses.depth_gap(x[:, 0], x[:, 1], a, b, PW)


def _floor(joints: Tensor) -> Tensor:
    """Of one pair's joints (2, 25, 3), all feet seen."""
    e = _evidence()
    low, belief = losses.lowest_foot(joints, replace(e, trust=torch.ones_like(e.trust)))
    return losses.shared_floor(low[0], low[1], belief.prod(), PW)


PLACE = torch.tensor([0.0, 0.0, 0.0, 3.0], dtype=F64)
"""Facing the camera at 3 m."""

AREA = torch.rand(2, 2, 9, generator=torch.Generator().manual_seed(4), dtype=F64)
TASKS = torch.tensor([0, 0, 1, 1, 1, 2])

CASES: dict[str, tuple[Callable[[Tensor], Tensor], Tensor]] = {
    "geman_mcclure": (lambda x: losses.geman_mcclure(x.square(), 0.3), _random(4)),
    "keypoints": (lambda x: losses.keypoint_loss(x, _evidence(), 0.0158, 0.15), _joints()),
    "gaussian": (lambda x: losses.gaussian(x, x.new_zeros(5), x.new_full((5,), 0.4)), _random(2, 5)),
    "bounds": (lambda x: losses.bounds(x, x.new_full((5,), -0.2), x.new_full((5,), 0.3), 0.09), _random(2, 5)),
    "upright": (lambda x: losses.upright(x, 0.15, 0.6), _random(3, 3)),
    "in_front": (lambda x: losses.in_front(x, 2.9, 0.1), _joints()),
    "height": (lambda x: losses.height_prior(x, x.new_full((2,), 1.7), x.new_full((2,), 0.1)), 1.7 + 0.2 * _random(2)),
    "near_estimate": (_near_estimate, 0.5 * _random(3, 4) + PLACE),
    "near_estimate that is met": (_near_estimate, torch.cat([_beliefs().turn, _beliefs().depth_m[:, None]], -1)),
    "near_estimate of no turn": (_near_estimate, PLACE.expand(2, 4)),
    "depth_gap": (_depth_gap, 3 + 0.5 * _random(4, 2)),
    "depth_gap without estimates": (lambda x: _depth_gap(x, (False, False)), 3 + 0.5 * _random(4, 2)),
    "shared_floor": (_floor, _joints()),
    "contact": (lambda x: losses.contact_loss(x.square(), torch.ones(2, 3, dtype=F64), 0.2), 0.5 * _random(2, 3)),
    "penetration": (lambda x: losses.penetration_loss(x.square(), AREA), 0.1 * _random(2, 2, 9)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_finite_differences(name: str):
    loss, at = CASES[name]
    assert torch.autograd.gradcheck(lambda x: loss(x).sum(), (at.clone().requires_grad_(),), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_no_loss_is_negative(name: str):
    loss, at = CASES[name]
    assert bool((loss(at) >= 0).all())


def test_the_soft_minimum_has_the_gradient_of_its_held_weights():
    distance = _random(2, 6).abs().requires_grad_()
    mask = torch.ones(2, 6, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(losses.soft_minimum(distance, mask, 0.1).sum(), distance)
    torch.testing.assert_close(gradient, torch.softmax(-distance.detach() / 0.1, -1))
    assert bool((gradient >= 0).all()), "no point may be pushed away"


def test_the_soft_minimum_becomes_the_minimum_as_it_cools():
    distance = _random(3, 8).abs()
    mask = torch.ones(3, 8, dtype=torch.bool)
    torch.testing.assert_close(losses.soft_minimum(distance, mask, 1e-6), distance.amin(-1))
    mask[:, 0] = False
    torch.testing.assert_close(losses.soft_minimum(distance, mask, 1e-6), distance[:, 1:].amin(-1))


def test_the_ragged_soft_minimum_is_the_padded_one():
    distance = _random(6).abs()
    ragged = losses.segment_soft_minimum(distance, TASKS, 3, 0.2)
    padded = torch.zeros(3, 3, dtype=F64)
    mask = torch.zeros(3, 3, dtype=torch.bool)
    for task, members in ((0, [0, 1]), (1, [2, 3, 4]), (2, [5])):
        padded[task, : len(members)] = distance[members]
        mask[task, : len(members)] = True
    torch.testing.assert_close(ragged, losses.soft_minimum(padded, mask, 0.2))


def test_the_region_distance_of_points_that_meet_is_finite_and_has_a_finite_gradient():
    a = torch.zeros(1, 4, 3, dtype=F64, requires_grad=True)
    b = torch.zeros(1, 4, 3, dtype=F64, requires_grad=True)
    mask = torch.ones(1, 4, dtype=torch.bool)
    distance = losses.soft_region_distance(a, b, mask, mask, 0.01)
    distance.sum().backward()
    assert float(distance.detach()) < 1e-5
    assert a.grad is not None
    assert bool(a.grad.isfinite().all())


@pytest.mark.parametrize("swap", [False, True])
def test_the_region_distance_does_not_change_under_rigid_motion_or_swap(swap: bool):
    a, b = _random(2, 5, 3), _random(2, 7, 3, seed=1)
    masks = torch.ones(2, 5, dtype=torch.bool), torch.ones(2, 7, dtype=torch.bool)
    before = losses.soft_region_distance(a, b, *masks, 0.05)
    turn = torch.linalg.qr(_random(3, 3, seed=2)).Q
    a, b = a @ turn + 1.0, b @ turn + 1.0
    after = (
        losses.soft_region_distance(b, a, *masks[::-1], 0.05)
        if swap
        else losses.soft_region_distance(a, b, *masks, 0.05)
    )
    torch.testing.assert_close(before, after)


def test_a_far_contact_costs_no_more_than_its_reach_allows():
    reach, far = 0.1, torch.tensor([[50.0]], dtype=F64)
    cost = losses.contact_loss(far, torch.ones(1, 1, dtype=F64), reach)
    assert float(cost) == pytest.approx(reach**2, rel=1e-4)


def test_no_contact_costs_nothing():
    zero = torch.zeros(2, 3, dtype=F64)
    assert float(losses.contact_loss(zero + 5.0, zero, 0.1).sum()) == 0.0


def test_padding_contacts_do_not_thin_out_the_others():
    distance, weight = torch.tensor([[0.05, 9.0]], dtype=F64), torch.tensor([[1.0, 0.0]], dtype=F64)
    alone = losses.contact_loss(distance[:, :1], weight[:, :1], 0.1)
    torch.testing.assert_close(losses.contact_loss(distance, weight, 0.1), alone)


def test_keypoints_of_no_confidence_cost_nothing():
    evidence = _evidence().map(lambda x: x)
    blind = Evidence(**{**evidence.__dict__, "trust": torch.zeros(2, 25, dtype=F64)})
    assert float(losses.keypoint_loss(_joints(), blind, 0.0158, 0.15).sum()) == 0.0


def test_a_small_keypoint_error_costs_its_square_over_two_variances():
    evidence = _evidence(1)
    joints = _joints(1)
    pixels = joints[..., :2] / joints[..., 2:] * 500.0 + 200.0
    pixels[0, 0, 0] += 0.001 * 300.0
    trust = torch.zeros(1, 25, dtype=F64)
    trust[0, 0] = 1.0
    shifted = Evidence(**{**evidence.__dict__, "pixels": pixels, "trust": trust})
    cost = losses.keypoint_loss(joints, shifted, 0.0158, 0.15)
    assert float(cost) == pytest.approx(0.001**2 / (2 * 0.0158**2), rel=1e-3)


def test_the_depth_hint_is_that_of_its_parts_with_the_size_held():
    joints, evidence = _joints(), _evidence()
    moving = joints.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(losses.depth_hint(moving, evidence, 0.15, 0.3).sum(), moving)
    size = losses.limb_size(joints)
    way = _random(2, 25, 3, seed=8) * 1e-6

    def cost(at: Tensor) -> Tensor:
        held = losses.limb_size(at) / size  # undo what the size changes
        rescaled = Evidence(**{**evidence.__dict__, "hint_size_m": evidence.hint_size_m * held})
        return losses.depth_hint(at, rescaled, 0.15, 0.3).sum()

    numeric = (cost(joints + way) - cost(joints - way)) / 2
    torch.testing.assert_close((gradient * way).sum(), numeric, rtol=1e-4, atol=1e-12)


def test_a_hint_of_the_true_pose_costs_nothing_at_any_size():
    joints = _joints()
    for scale in (1.0, 0.6):
        guess = scale * (joints - joints[:, 8:9])
        evidence = Evidence(
            **{**_evidence().__dict__, "hint_depth_m": guess[..., 2], "hint_size_m": losses.limb_size(guess)}
        )
        assert float(losses.depth_hint(joints, evidence, 0.15, 0.3).abs().max()) < 1e-20


def test_people_without_a_hint_are_not_pulled():
    evidence = Evidence(**{**_evidence().__dict__, "hint_trust": torch.zeros(2, 25, dtype=F64)})
    assert float(losses.depth_hint(_joints(), evidence, 0.15, 0.3).sum()) == 0.0


def test_upright_is_free_for_any_turn_about_the_vertical():
    yaw = torch.tensor([[0.0, y, 0.0] for y in (0.0, 1.0, math.pi, -2.0)], dtype=F64)
    torch.testing.assert_close(losses.upright(yaw, 0.15, 0.6), torch.zeros(4, dtype=F64), atol=1e-12, rtol=0)


def test_penetration_is_the_integral_of_squared_depth_in_centimetres():
    depth, area = torch.zeros(1, 2, 3, dtype=F64), torch.full((1, 2, 3), 2e-4, dtype=F64)
    depth[0, 0, 0] = 0.03
    assert float(losses.penetration_loss(depth, area)) == pytest.approx(2.0 * 9.0)


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.48, 0.6, 0.64)])
@pytest.mark.parametrize("angle", [math.pi - 1e-6, math.pi, math.pi + 1e-6])
def test_an_orientation_opposite_to_its_estimate_costs_most_and_smoothly(axis, angle: float):
    b = _beliefs(1)
    away = roma.rotvec_composition([angle * torch.tensor([axis], dtype=F64), b.turn])
    at = torch.cat([away, b.depth_m[:, None]], -1)
    assert float(_near_estimate(at, b)) == pytest.approx(0.5 * 16.0 * 4)
    assert torch.autograd.gradcheck(lambda x: _near_estimate(x, b), (at.requires_grad_(),), eps=1e-6, atol=1e-5)


def test_a_small_turn_and_a_small_depth_cost_their_squares_over_two_variances():
    b = _beliefs(1)
    small = torch.tensor([[0.01, -0.02, 0.005]], dtype=F64)
    turn = roma.rotvec_composition([small, b.turn])
    cost = losses.near_estimate(turn, b.depth_m + 0.01, b, 0.6)
    assert float(cost) == pytest.approx(0.5 * (16.0 * float(small.square().sum()) + 25.0 * 0.01**2), rel=1e-3)


def test_the_turn_from_an_estimate_is_the_sine_of_the_angle_along_its_axis():
    estimate = _random(5, 3)
    axis = torch.nn.functional.normalize(_random(5, 3, seed=1), dim=-1)
    angle = torch.tensor([0.0, 0.3, math.pi / 2, 3.0, math.pi], dtype=F64)[:, None]
    away = roma.rotvec_composition([angle * axis, estimate])
    torch.testing.assert_close(losses.turned(away, estimate), angle.sin() * axis, atol=1e-9, rtol=0)


def test_the_turn_from_an_estimate_is_the_slope_of_its_cost_as_the_body_turns():
    b = _beliefs(4, turn_precision=2.0, depth_precision=0.0)
    orientation = _random(4, 3, seed=20)
    delta = torch.zeros(4, 3, dtype=F64, requires_grad=True)
    turn = roma.rotmat_to_rotvec(roma.rotvec_to_rotmat(delta) @ roma.rotvec_to_rotmat(orientation))
    (slope,) = torch.autograd.grad(losses.near_estimate(turn, b.depth_m, b, 0.6).sum(), delta)
    torch.testing.assert_close(slope, 2.0 * losses.turned(orientation, b.turn), atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("depth", [3.0, -40.0, 1e6])
@pytest.mark.parametrize("turn", [0.0, math.pi, 1e-9])
def test_whoever_has_no_estimate_is_not_held_at_all(depth: float, turn: float):
    at = torch.tensor([[0.0, turn, 0.0, depth]], dtype=F64, requires_grad=True)
    b = _beliefs(1, 0.0, 0.0)
    cost = _near_estimate(at, replace(b, turn=0 * b.turn, depth_m=0 * b.depth_m))
    (gradient,) = torch.autograd.grad(cost.sum(), at)
    assert float(cost.detach()) == 0.0
    assert torch.equal(gradient, torch.zeros_like(at))


def test_an_estimated_depth_that_is_far_off_stops_pulling():
    b = _beliefs(1)
    depth = (b.depth_m + 50).requires_grad_()
    cost = losses.near_estimate(b.turn, depth, b, 0.6)
    (pull,) = torch.autograd.grad(cost.sum(), depth)
    assert float(cost.detach()) == pytest.approx(0.5 * 25.0 * 0.6**2, rel=1e-3)
    assert float(pull) < 1e-3 * 25.0 * 0.6


@pytest.mark.parametrize("known", [(False, False), (True, False), (False, True)])
def test_a_depth_gap_costs_its_square_where_not_both_people_are_estimated(known: tuple[bool, bool]):
    depth = torch.tensor([[3.0, 3.2], [4.0, 3.0]], dtype=F64)
    expected = 0.5 * torch.tensor([0.2, 1.0], dtype=F64).square() / PW.gap_sigma_m**2
    torch.testing.assert_close(_depth_gap(depth, known), expected)


def test_a_depth_gap_that_was_estimated_costs_the_general_belief_alone():
    b = _beliefs(3, seed=9).depth_m, _beliefs(3, seed=11).depth_m
    for common in (0.0, 5.0):  # both depths may be wrong together
        depth = torch.stack(b, -1) + common
        torch.testing.assert_close(_depth_gap(depth), _depth_gap(depth, (False, False)))


def test_an_estimated_gap_that_is_far_off_stops_pulling():
    depth = torch.tensor([[3.0, 90.0]], dtype=F64)
    more = _depth_gap(depth) - _depth_gap(depth, (False, False))
    assert float(more) == pytest.approx(0.5 * PW.gap_robust_m**2 / PW.gap_error_m**2, rel=1e-3)


def test_swapping_the_people_keeps_the_cost_of_their_gap_and_swaps_the_pulls():
    a, b = _beliefs(4, seed=9), _beliefs(4, seed=11)
    near, far = ((3 + 0.4 * _random(4, seed=seed)).requires_grad_() for seed in (20, 21))
    straight, swapped = losses.depth_gap(near, far, a, b, PW), losses.depth_gap(far, near, b, a, PW)
    torch.testing.assert_close(straight, swapped)
    pulls = torch.autograd.grad(straight.sum(), (near, far))
    for one, other in zip(pulls, torch.autograd.grad(swapped.sum(), (near, far)), strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(pulls[0], -pulls[1])


def test_gaps_of_all_combinations_are_those_of_each_alone():
    depths = 3 + _random(2, 3, seed=30), 3 + _random(2, 4, seed=31)
    a, b = (_beliefs(2 * n, seed=s).map(lambda x, n=n: x.unflatten(0, (2, n))) for n, s in ((3, 9), (4, 11)))
    table = losses.depth_gap(
        depths[0][:, :, None], depths[1][:, None], a.map(lambda x: x.unsqueeze(2)), b.map(lambda x: x.unsqueeze(1)), PW
    )
    for i, j in ((0, 0), (2, 1), (1, 3)):
        alone = losses.depth_gap(depths[0][:, i], depths[1][:, j], a.map(lambda x, i=i: x[:, i]),
                                 b.map(lambda x, j=j: x[:, j]), PW)  # fmt: skip
        torch.testing.assert_close(table[:, i, j], alone)


def test_the_lowest_foot_is_the_lower_one_and_believed_as_the_photo_shows_that_one():
    joints, trust = torch.zeros(1, 25, 3, dtype=F64), torch.zeros(1, 25, dtype=F64)
    left, right = (joint_names("body25").index(name) for name in ("left_heel", "right_ankle"))
    joints[0, left, 1], joints[0, right, 1] = 0.9, 1.1
    joints[0, joint_names("body25").index("left_wrist"), 1] = 2.0
    trust[0, left], trust[0, right] = 1.0, 0.3
    e = _evidence(1)
    low, belief = losses.lowest_foot(joints, replace(e, trust=trust))
    assert (float(low), float(belief)) == pytest.approx((1.1, 0.3))
    low, belief = losses.lowest_foot(joints, replace(e, trust=trust, on_floor=torch.zeros(1, dtype=F64)))
    assert (float(low), float(belief)) == pytest.approx((1.1, 0.0)), "nobody said that they stand on one floor"


def test_a_floor_that_is_shared_costs_the_square_of_the_step_between_the_feet_and_a_high_step_no_more_than_its_reach():
    low, one = torch.tensor([1.0, 1.0, 1.0], dtype=F64), torch.ones(3, dtype=F64)
    other = low + torch.tensor([0.0, 0.01, 9.0], dtype=F64)
    cost = losses.shared_floor(low, other, one, PW)
    assert float(cost[0]) == 0.0
    assert float(cost[1]) == pytest.approx(0.5 * (0.01 / PW.floor_sigma_m) ** 2, rel=0.01)
    assert float(cost[2]) == pytest.approx(0.5 * (PW.floor_robust_m / PW.floor_sigma_m) ** 2, rel=0.01)
    torch.testing.assert_close(losses.shared_floor(other, low, one, PW), cost)
    torch.testing.assert_close(losses.shared_floor(low, other, 0.5 * one, PW), 0.5 * cost)


def test_the_floor_knows_who_is_too_near_at_any_size_of_the_bodies():
    """Along the line of sight, a body that is too near stands too high where the camera looks from above the feet."""
    tall, small = _joints()[:1], 0.6 * _joints()[:1]
    feet = [i for i, name in enumerate(joint_names("body25")) if name.endswith(("ankle", "heel", "toe"))]
    for body in (tall, small):
        body[:, feet] = body.new_tensor([0.0, 1.2, 3.0])
    scale = torch.tensor(0.9, dtype=F64, requires_grad=True)
    for body in (tall, small):
        (pull,) = torch.autograd.grad(_floor(torch.cat([body * scale, body])), scale)
        assert float(pull) < 0, "farther away costs less"
