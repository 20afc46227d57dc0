"""Similarity alignment against scipy and roma, its invariances, its refusal of mirrors, and its degenerate cases."""

import numpy as np
import pytest
import roma
import scipy.spatial
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from apu.evaluate.procrustes import aligned, similarity

SEEDS = st.integers(0, 2**31)


def points(seed: int, sets: int = 4, count: int = 14) -> torch.Tensor:
    return torch.randn(sets, count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def error(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (aligned(source, target) - target).norm(dim=-1).mean(-1)


def random_similarity(seed: int, size: float = 1.0) -> tuple[torch.Tensor, float, torch.Tensor]:
    generator = np.random.default_rng(seed)
    rotation = torch.tensor(Rotation.random(rng=generator).as_matrix())
    return rotation, size * float(generator.uniform(0.2, 5)), torch.tensor(generator.uniform(-9, 9, 3))


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_it_is_the_rotation_of_scipys_align_vectors(seed: int):
    source, target = points(seed), points(seed + 1)
    found = similarity(source, target)
    for i in range(4):
        a, b = (x[i].numpy() - x[i].numpy().mean(0) for x in (source, target))
        rotation = Rotation.align_vectors(b, a)[0].as_matrix()
        np.testing.assert_allclose(found.rotation[i], rotation, atol=1e-9)
        scale = (b * (a @ rotation.T)).sum() / (a**2).sum()  # least squares with the rotation held
        assert float(found.scale[i]) == pytest.approx(scale, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_it_is_romas_registration_with_scaling(seed: int):
    source, target = points(seed), points(seed + 1)
    rotation, translation, scale = roma.rigid_points_registration(source, target, compute_scaling=True)
    found = similarity(source, target)
    torch.testing.assert_close(found.rotation, rotation)
    torch.testing.assert_close(found.translation, translation)
    torch.testing.assert_close(found.scale, scale)


def test_it_agrees_with_scipys_procrustes_where_no_reflection_is_involved():
    target = points(0)
    source = target + 0.1 * points(1)
    for a, b, moved in zip(source, target, aligned(source, target), strict=True):
        *_, disparity = scipy.spatial.procrustes(b.numpy(), a.numpy())
        ours = (moved - b).square().sum() / (b - b.mean(0)).square().sum()
        assert float(ours) == pytest.approx(disparity, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_no_other_similarity_is_better(seed: int):
    source, target = points(seed), points(seed + 1)
    best = similarity(source, target)
    least = (best.apply(source) - target).square().sum((1, 2))
    generator = np.random.default_rng(seed)
    for step in (1e-3, 0.1, 1.0):
        turn = torch.tensor(Rotation.from_rotvec(step * generator.normal(size=3)).as_matrix())
        moved = best.apply(source) @ turn.mT * (1 + step * generator.normal()) + step * torch.tensor(
            generator.normal(size=3)
        )
        assert bool(((moved - target).square().sum((1, 2)) >= least - 1e-12).all())


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from([1e-150, 1e-6, 1.0, 1e6, 1e150]))
def test_the_error_is_blind_to_a_similarity_of_the_source_of_any_size(seed: int, size: float):
    source, target = points(seed), points(seed + 1)
    rotation, scale, shift = random_similarity(seed, size)
    moved = scale * (source @ rotation.mT + shift)
    torch.testing.assert_close(error(moved, target), error(source, target), rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_a_similarity_of_both_scales_the_error(seed: int):
    source, target = points(seed), points(seed + 1)
    rotation, scale, shift = random_similarity(seed)
    both = [scale * x @ rotation.mT + shift for x in (source, target)]
    torch.testing.assert_close(error(both[0], both[1]), scale * error(source, target), rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.permutations(range(14)))
def test_the_order_of_the_points_does_not_matter(seed: int, order: list[int]):
    source, target = points(seed), points(seed + 1)
    torch.testing.assert_close(error(source[:, order], target[:, order]), error(source, target), rtol=1e-9, atol=0)


def test_a_mirrored_set_does_not_fit_though_scipy_lets_it():
    target = points(2)
    mirrored = target * torch.tensor([-1.0, 1, 1])
    assert float(error(mirrored, target).min()) > 0.3
    assert scipy.spatial.procrustes(target[0].numpy(), mirrored[0].numpy())[2] < 1e-20
    assert bool((torch.linalg.det(similarity(mirrored, target).rotation) > 0.999).all())


def test_by_hand_a_square_that_is_half_as_large_and_turned():
    square = torch.tensor([[[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]])
    turned = 0.5 * square.roll(-1, 1) + torch.tensor([1.0, 2, 3])  # each corner goes to the next one
    found = similarity(square, turned)
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]], dtype=torch.float64)
    torch.testing.assert_close(found.rotation, quarter)
    torch.testing.assert_close(found.scale, torch.tensor([0.5], dtype=torch.float64))
    torch.testing.assert_close(found.translation, torch.tensor([[1.0, 2, 3]], dtype=torch.float64))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e308])
@pytest.mark.parametrize("which", [0, 1])
def test_a_broken_set_gives_nan_and_leaves_the_others_alone(bad: float, which: int):
    sets = [points(0), points(1)]
    sound = error(*sets)
    sets[which] = sets[which].clone()
    sets[which][1, :2, 0] = torch.tensor([bad, -bad])
    found = error(*sets)
    assert bool(found[1].isnan()) or bad == 1e308  # finite numbers near the end of float64 may give either
    torch.testing.assert_close(found[[0, 2, 3]], sound[[0, 2, 3]])


@pytest.mark.parametrize("far", [0.0, 3.3, 1e7])
def test_coincident_points_are_finite(far: float):
    one = torch.full((4, 14, 3), far, dtype=torch.float64)
    spread = points(3)
    collapsed = similarity(spread, one)
    torch.testing.assert_close(collapsed.scale, torch.zeros(4, dtype=torch.float64))
    assert float(error(spread, one).max()) < 1e-6
    single = similarity(one, spread)
    torch.testing.assert_close(single.scale, torch.ones(4, dtype=torch.float64))
    expected = spread.mean(1, keepdim=True).expand_as(spread)
    torch.testing.assert_close(single.apply(one), expected, atol=1e-6, rtol=0)
    assert float(error(one, one).max()) < 1e-6


def test_a_line_fits_a_line_and_its_mirror_image():
    line = torch.linspace(-1, 2, 14, dtype=torch.float64)[None, :, None] * torch.tensor([1.0, 2, 3])
    other = torch.linspace(4, -8, 14, dtype=torch.float64)[None, :, None] * torch.tensor([0.0, 1, 0]) + 5
    assert float(error(line, other).max()) < 1e-12
    assert bool((torch.linalg.det(similarity(line, other).rotation) > 0.999).all())


def test_one_point_fits_and_no_sets_give_none():
    assert float(error(points(0, 3, 1), points(1, 3, 1)).max()) < 1e-12
    assert aligned(points(0)[:0], points(1)[:0]).shape == (0, 14, 3)
