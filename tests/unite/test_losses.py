"""Every loss: its formula on numbers, its gradient against finite differences, and its edges."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from apu.unite import losses
from apu.unite.problem import Evidence

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
    )


def _joints(bodies: int = 2) -> Tensor:
    return _random(bodies, 25, 3, seed=3) * 0.3 + torch.tensor([0.0, 0.0, 3.0], dtype=F64)


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
