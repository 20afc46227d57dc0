"""Capsules around bones: distances of segments by brute force, and a push that frees what is trapped."""

import pytest
import torch

from apu.unite.capsules import capsule_overlap, held_in_depth, segment_distance

F64 = torch.float64


def _segments(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(count)
    return [torch.randn(count, 3, generator=generator, dtype=F64) for _ in range(4)]


def test_the_distance_of_two_segments_is_the_smallest_of_all_their_points():
    a0, a1, b0, b1 = _segments(60)
    share = torch.linspace(0, 1, 301, dtype=F64)[:, None, None]
    a, b = a0 + share * (a1 - a0), b0 + share * (b1 - b0)
    brute = (a[:, None] - b[None]).norm(dim=-1).flatten(0, 1).amin(0)
    found = segment_distance(a0, a1, b0, b1)
    assert bool((found <= brute + 1e-9).all())
    torch.testing.assert_close(found, brute, atol=3e-2, rtol=0)


def test_parallel_crossing_and_empty_segments_have_finite_distances_and_gradients():
    zero, x, y = (torch.tensor([v], dtype=F64) for v in ([0.0, 0, 0], [1.0, 0, 0], [0.0, 1, 0]))
    cases = {(zero, x, y, x + y): 1.0, (zero, x, zero, y): 0.0, (zero, zero, y, y): 1.0, (zero, x, 2 * x, 3 * x): 1.0}
    for ends, expected in cases.items():
        moving = [end.clone().requires_grad_() for end in ends]
        distance = segment_distance(*moving)
        distance.sum().backward()
        assert float(distance.detach()) == pytest.approx(expected, abs=1e-5)
        assert all(bool(end.grad.isfinite().all()) for end in moving)


def test_the_gradient_is_that_of_finite_differences():
    ends = [end.requires_grad_() for end in _segments(8)]
    assert torch.autograd.gradcheck(lambda *e: segment_distance(*e).sum(), tuple(ends), atol=1e-5)


def test_people_apart_do_not_overlap_and_swapping_them_transposes(pair):
    joints = pair.joints.double()[None]
    apart = joints + torch.tensor([[[[-2.0, 0, 0]], [[2.0, 0, 0]]]], dtype=F64)
    assert float(capsule_overlap(apart).abs().sum()) == 0.0
    together = joints - joints.mean(2, keepdim=True)
    straight, swapped = capsule_overlap(together), capsule_overlap(together.flip(1))
    assert float(straight.max()) > 0.01
    torch.testing.assert_close(straight, swapped.mT)


def test_an_arm_in_the_other_chest_is_pushed_to_its_own_side_as_a_whole(pair):
    joints = pair.joints.double()[None].clone()
    elbow, chest = joints[0, 0, 6], joints[0, 1, 1] + 0.4 * (joints[0, 1, 8] - joints[0, 1, 1])
    joints[0, 0] += chest - elbow + torch.tensor([0.03, 0.0, 0.0], dtype=F64)  # a little to +x of the spine
    joints.requires_grad_()
    capsule_overlap(joints).square().sum().backward()
    assert joints.grad is not None
    assert float(-joints.grad[0, 0, 6, 0]) > 0, "the elbow leaves towards +x"


def test_the_gradient_reaches_limbs_and_places_but_not_how_far_away_people_stand(pair):
    joints = pair.joints.double()[None]
    place = (joints.mean(2) * 0.0).requires_grad_()
    limbs = (joints - joints.mean(2, keepdim=True)).requires_grad_()
    posed = limbs + place[:, :, None]
    held = held_in_depth(posed, place)
    torch.testing.assert_close(held, posed)
    capsule_overlap(held).square().sum().backward()
    assert limbs.grad is not None
    assert place.grad is not None
    assert float(limbs.grad[..., 2].abs().max()) > 1e-3
    assert float(place.grad[..., 2].abs().max()) == 0.0
    torch.testing.assert_close(place.grad[..., :2], limbs.grad.sum(2)[..., :2])
