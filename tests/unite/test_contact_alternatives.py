"""What contacts cost, ours and the alternatives: values by brute force, gradients by finite differences, edges."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.region_samples import sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances
from apu.unite import contact_alternatives as alternatives
from apu.unite.contact_alternatives import (
    CHAMFER,
    HARD,
    MEETING_M,
    PART_MINIMUM,
    full_term,
    random_samples,
    sampled_term,
)
from apu.unite.contact_terms import SOFT, ContactCost, ContactTerm, FullContacts, SampledContacts
from apu.unite.solve import FirstLook, look, unite
from apu.unite.weights import Reach, UniteWeights

F64 = torch.float64
TAU_M, REACH_M = 0.05, 0.2
REACH = Reach(REACH_M, REACH_M)
PAIRS, CONTACTS, N, M = 2, 3, 5, 4


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@dataclass(frozen=True)
class Sides:
    """Sampled regions of a batch of pairs; the last contact of the second pair is padding, with one point a side."""

    a: Tensor
    b: Tensor
    mask_a: Tensor
    mask_b: Tensor
    weight: Tensor


@pytest.fixture(scope="module")
def sides() -> Sides:
    masks = torch.ones(PAIRS, CONTACTS, N, dtype=torch.bool), torch.ones(PAIRS, CONTACTS, M, dtype=torch.bool)
    masks[0][0, 1, 3:], masks[1][0, 2, 2:] = False, False
    weight = torch.tensor([[1.0, 0.5, 0.2], [1.0, 0.7, 0.0]], dtype=F64)
    for mask in masks:
        mask[1, 2, 1:] = False
    return Sides(0.1 * _random(PAIRS, CONTACTS, N, 3), 0.1 * _random(PAIRS, CONTACTS, M, 3, seed=1), *masks, weight)


COSTS: dict[str, ContactCost] = {"soft": SOFT, "hard": HARD, "chamfer": CHAMFER, "part-minimum": PART_MINIMUM}


def cost_of(cost: ContactCost, s: Sides, reach_m: float = REACH_M) -> Tensor:
    return cost.of_pair(cost.sampled(s.a, s.b, s.mask_a, s.mask_b, TAU_M), s.weight, reach_m)


def couples(s: Sides, pair: int, contact: int) -> list[list[float]]:
    """Distance of every point of A that counts to every one of B, by hand."""
    a = s.a[pair, contact][s.mask_a[pair, contact]].tolist()
    b = s.b[pair, contact][s.mask_b[pair, contact]].tolist()
    return [[math.dist(x, y) for y in b] for x in a]


def soft_minimum(distances: list[float]) -> float:
    share = [math.exp(-d / TAU_M) for d in distances]
    return sum(w * d for w, d in zip(share, distances, strict=True)) / sum(share)


def both_ways(table: list[list[float]]) -> tuple[list[float], list[float]]:
    """Each point's distance to the nearest of the other side."""
    return [min(row) for row in table], [min(column) for column in zip(*table, strict=True)]


def of_soft(table: list[list[float]]) -> float:
    d = sum(soft_minimum(one) for one in both_ways(table)) / 2
    return d**2 / (1 + d**2 / REACH_M**2)


def of_chamfer(table: list[list[float]]) -> float:
    """BUDDI's sum of both means of (100 d^2)^2, in our scale."""
    buddi = sum(sum((100 * d**2) ** 2 for d in one) / len(one) for one in both_ways(table))
    return buddi / 2e4 / MEETING_M**2


BY_HAND: dict[str, Callable[[list[list[float]]], float]] = {
    "soft": of_soft,
    "hard": lambda table: min(map(min, table)) ** 2,
    "chamfer": of_chamfer,
    "part-minimum": lambda table: MEETING_M * min(map(min, table)),
}


@pytest.mark.parametrize("name", COSTS)
def test_the_cost_of_samples_is_its_formula_by_hand(sides: Sides, name: str):
    found = cost_of(COSTS[name], sides)
    for pair in range(PAIRS):
        rows = [(float(sides.weight[pair, c]), BY_HAND[name](couples(sides, pair, c))) for c in range(CONTACTS)]
        count = sum(weight > 0 for weight, _ in rows)
        assert float(found[pair]) == pytest.approx(sum(w * d for w, d in rows) / math.sqrt(count), rel=1e-5)


def held(name: str, s: Sides) -> Callable[[Tensor, Tensor], Tensor]:
    """The same cost with the nearest points and the soft weights of these points held fixed."""
    way = (s.a[..., :, None, :] - s.b[..., None, :, :]).norm(dim=-1)
    way = way.masked_fill(~(s.mask_a[..., :, None] & s.mask_b[..., None, :]), math.inf)
    to_b, to_a = way.argmin(-1), way.argmin(-2)

    def shares(distance: Tensor, mask: Tensor) -> Tensor:
        if name == "chamfer":
            return mask.to(F64) / mask.sum(-1, keepdim=True)
        if name == "soft":
            return torch.softmax((-distance / TAU_M).masked_fill(~mask, -math.inf), -1)
        lowest = distance.masked_fill(~mask, math.inf).argmin(-1)
        return torch.nn.functional.one_hot(lowest, mask.shape[-1]).to(F64)

    w_a, w_b = shares(way.amin(-1), s.mask_a), shares(way.amin(-2), s.mask_b)

    def cost(a: Tensor, b: Tensor) -> Tensor:
        power = 4 if name == "chamfer" else 1
        d_a = (a - torch.take_along_dim(b, to_b[..., None], -2)).square().sum(-1).sqrt() ** power
        d_b = (b - torch.take_along_dim(a, to_a[..., None], -2)).square().sum(-1).sqrt() ** power
        return COSTS[name].of_pair(0.5 * ((w_a * d_a).sum(-1) + (w_b * d_b).sum(-1)), s.weight, REACH_M)

    return cost


@pytest.mark.parametrize("name", COSTS)
def test_the_gradient_is_that_of_finite_differences_with_what_is_held_held(sides: Sides, name: str):
    a, b = sides.a.clone().requires_grad_(), sides.b.clone().requires_grad_()
    cost = COSTS[name]
    found = cost.of_pair(cost.sampled(a, b, sides.mask_a, sides.mask_b, TAU_M), sides.weight, REACH_M)
    gradients = torch.autograd.grad(found.sum(), (a, b))
    twin = held(name, sides)
    torch.testing.assert_close(twin(sides.a, sides.b), found.detach(), rtol=1e-4, atol=1e-12)
    step = 1e-6
    for which, gradient in enumerate(gradients):
        numeric = torch.zeros_like(gradient)
        for i in range(gradient.numel()):
            move = torch.zeros(gradient.numel(), dtype=F64)
            move[i] = step
            ends = []
            for sign in (1, -1):
                at = [sides.a, sides.b]
                at[which] = at[which] + sign * move.view_as(gradient)
                ends.append(float(twin(at[0], at[1]).sum()))
            numeric.view(-1)[i] = (ends[0] - ends[1]) / (2 * step)
        assert float(numeric.abs().max()) > 1e-5
        torch.testing.assert_close(gradient, numeric, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", COSTS)
def test_rigid_motion_swapping_the_people_and_the_order_of_contacts_and_pairs_change_nothing(sides: Sides, name: str):
    s, cost = sides, COSTS[name]
    here = cost_of(cost, s)
    turn = torch.linalg.qr(_random(3, 3, seed=2)).Q
    torch.testing.assert_close(cost_of(cost, Sides(s.a @ turn + 1, s.b @ turn + 1, s.mask_a, s.mask_b, s.weight)), here)
    torch.testing.assert_close(cost_of(cost, Sides(s.b, s.a, s.mask_b, s.mask_a, s.weight)), here)
    order = torch.tensor([2, 0, 1])
    mixed = Sides(*(x[:, order] for x in (s.a, s.b, s.mask_a, s.mask_b, s.weight)))
    torch.testing.assert_close(cost_of(cost, mixed), here)
    torch.testing.assert_close(cost_of(cost, Sides(*(x.flip(0) for x in vars(s).values()))), here.flip(0))


@pytest.mark.parametrize("name", COSTS)
def test_contacts_without_weight_neither_cost_nor_pull_nor_thin_out_the_others(sides: Sides, name: str):
    s, cost = sides, COSTS[name]
    alone = Sides(*(x[1:, :2] for x in vars(s).values()))
    torch.testing.assert_close(cost_of(cost, alone), cost_of(cost, s)[1:])
    a = s.a.clone().requires_grad_()
    nothing = Sides(a, s.b, s.mask_a, s.mask_b, torch.zeros_like(s.weight))
    total = cost_of(cost, nothing)
    (gradient,) = torch.autograd.grad(total.sum(), a)
    assert total.tolist() == [0.0, 0.0]
    assert float(gradient.abs().sum()) == 0.0


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("far_m", [0.0, 1e-9, 1e4])
def test_coincident_and_far_points_have_finite_costs_and_gradients(sides: Sides, name: str, far_m: float):
    s = sides
    a = torch.zeros_like(s.a).requires_grad_()
    b = torch.full_like(s.b, far_m).requires_grad_()
    total = cost_of(COSTS[name], Sides(a, b, s.mask_a, s.mask_b, s.weight))
    gradients = torch.autograd.grad(total.sum(), (a, b))
    assert bool(total.isfinite().all())
    assert all(bool(g.isfinite().all()) for g in gradients)
    assert float(total.detach().max()) < (1e-6 if far_m < 1 else math.inf)


@pytest.mark.parametrize("name", ["soft", "hard", "part-minimum"])
def test_the_full_distance_of_single_vertices_is_that_of_the_padded_samples(name: str):
    first, second = _random(6).abs(), _random(3, seed=1).abs()
    task = torch.tensor([0, 0, 0, 1, 1, 1, 2, 3, 3])
    found = COSTS[name].full(torch.cat([first, second]), task, 4, TAU_M)
    ways = [first[:3], first[3:], second[:1], second[1:]]
    if name == "soft":
        each = [soft_minimum(w.tolist()) for w in ways]
        expected = [(each[0] + each[1]) / 2, (each[2] + each[3]) / 2]
    else:
        expected = [float(first.min()), float(second.min())]
    assert found.tolist() == pytest.approx(expected)


def test_linear_squared_and_quartic_cost_meet_where_it_is_said():
    a, b = torch.zeros(1, 1, 1, 3, dtype=F64), torch.tensor([[[[MEETING_M, 0.0, 0.0]]]], dtype=F64)
    mask, weight = torch.ones(1, 1, 1, dtype=torch.bool), torch.ones(1, 1, dtype=F64)
    for name in ("hard", "chamfer", "part-minimum"):
        assert float(cost_of(COSTS[name], Sides(a, b, mask, mask, weight))) == pytest.approx(MEETING_M**2, rel=1e-6)
    far = {n: float(cost_of(COSTS[n], Sides(a, 10 * b, mask, mask, weight))) for n in COSTS}
    assert far["soft"] < far["part-minimum"] < far["hard"] < far["chamfer"]


def test_ours_becomes_the_hard_one_as_it_cools_and_its_reach_grows(sides: Sides):
    s = sides
    cold = SOFT.of_pair(SOFT.sampled(s.a, s.b, s.mask_a, s.mask_b, 1e-7), s.weight, 1e6)
    torch.testing.assert_close(cold, cost_of(HARD, s))


HANDS = ContactMap((Contact(frozenset({"left_hand_palm"}), frozenset({"right_hand_palm", "right_fingers_palm"})),), "x")
"""Its contacts have the source `annotation`, so they are not doubted."""
NOTHING = ContactMap((), "x")


@pytest.fixture(scope="module")
def vertices(pair) -> Tensor:
    """(1, 2, v, 3)"""
    return pair.vertices[None]


def every_region_with_some(body: AnnyBody) -> ContactMap:
    names = body.surface.region_names
    return ContactMap(tuple(Contact(frozenset({a}), frozenset({b})) for a in names for b in names[::25]), "x")


@pytest.mark.parametrize("loss", ["soft", "hard", "chamfer", "part-minimum", "mindist"])
def test_both_stages_have_a_term_of_every_loss_that_moves_both_bodies_towards_each_other(body, deep_pair, loss):
    vertices = deep_pair.vertices[None]
    sampled, full = sampled_term(loss, body.surface, [HANDS] * 2), full_term(loss, body.surface, [HANDS])
    some = vertices[:, :, sample_regions(body.surface).vertices].expand(2, -1, -1, -1)
    for term, points, batch in ((sampled, some, 2), (full, vertices, 1)):
        assert isinstance(term, ContactTerm)
        at = points.clone().requires_grad_()
        cost = term(at, TAU_M, REACH)
        (gradient,) = torch.autograd.grad(cost.sum(), at)
        assert cost.shape == (batch,)
        assert bool((cost > 0).all())
        force = -gradient.sum(2)
        torch.testing.assert_close(force[:, 0], -force[:, 1], atol=1e-4, rtol=1e-3)
        nearer = term(points - 1e-3 * gradient / gradient.norm(), TAU_M, REACH)
        assert bool((nearer < cost).all())


@pytest.mark.parametrize("loss", ["soft", "hard", "chamfer", "part-minimum"])
def test_no_contact_costs_nothing_and_a_map_of_nearly_everything_is_finite(body: AnnyBody, vertices: Tensor, loss):
    big = every_region_with_some(body)
    assert len(big.contacts) == 75 * 3
    for maps, count in (([NOTHING, HANDS], 0), ([big, HANDS], 225)):
        for term, points in zip(
            (sampled_term(loss, body.surface, maps), full_term(loss, body.surface, maps)),
            (vertices[:, :, sample_regions(body.surface).vertices], vertices),
            strict=True,
        ):
            at = points.expand(2, -1, -1, -1).clone().requires_grad_()
            cost = term(at, TAU_M, REACH)
            (gradient,) = torch.autograd.grad(cost.sum(), at)
            assert (float(cost[0].detach()) == 0.0) == (count == 0)
            assert bool(cost.isfinite().all())
            assert bool(gradient.isfinite().all())
            assert (float(gradient[0].abs().sum()) == 0.0) == (count == 0)


@pytest.mark.parametrize("cost", [HARD, PART_MINIMUM])
def test_at_full_resolution_the_hard_distance_is_the_region_distance(body: AnnyBody, vertices: Tensor, cost):
    smallest = float(ContactDistances(body.surface, [HANDS]).smallest(vertices))
    expected = smallest**2 if cost is HARD else MEETING_M * smallest
    assert float(FullContacts(body.surface, [HANDS], cost)(vertices, TAU_M, REACH)) == pytest.approx(expected, rel=1e-4)


def test_the_chamfer_distance_of_the_last_stage_sees_the_samples_in_the_mesh(body: AnnyBody, vertices: Tensor):
    samples = random_samples(body.surface)
    of_mesh = SampledContacts(body.surface, samples, [HANDS], CHAMFER, of_mesh=True)(vertices, TAU_M, REACH)
    of_samples = SampledContacts(body.surface, samples, [HANDS], CHAMFER)(
        vertices[:, :, samples.vertices], TAU_M, REACH
    )
    torch.testing.assert_close(of_mesh, of_samples)


def test_random_samples_are_different_vertices_of_their_region_and_the_same_every_time(body: AnnyBody):
    samples, region = random_samples(body.surface), body.surface.region_of_vertex
    sizes = torch.bincount(region, minlength=len(body.surface.region_names))
    for r in range(len(sizes)):
        mine = samples.vertices[samples.rows[r][samples.filled[r]]]
        assert set(region[mine].tolist()) == {r}
        assert len(set(mine.tolist())) == len(mine) == min(int(sizes[r]), alternatives.CHAMFER_SAMPLES)
    assert torch.equal(random_samples(body.surface).vertices, samples.vertices)
    assert not torch.equal(random_samples(body.surface, seed=1).vertices, samples.vertices)


NO_STEPS = UniteWeights(
    first=replace(UniteWeights().first, steps=2, hypotheses=2),
    contact=replace(UniteWeights().contact, steps=0),
    penetration=replace(UniteWeights().penetration, steps=0),
)


@pytest.fixture(scope="module")
def first(body: AnnyBody, pair) -> FirstLook:
    return look(body, [pair.observation], NO_STEPS)


@pytest.mark.parametrize("loss", ["soft", "hard", "chamfer", "part-minimum", "mindist"])
def test_the_fit_takes_the_loss_that_is_asked_for_in_both_stages(body: AnnyBody, first: FirstLook, loss):
    (fit,) = unite(body, first, [HANDS], NO_STEPS, contact_loss=loss)
    sampled, full = sampled_term(loss, body.surface, [HANDS]), full_term(loss, body.surface, [HANDS])
    rows = sample_regions(body.surface).vertices
    for stage, weights, term, points in (
        (fit.stages[1], NO_STEPS.contact, sampled, fit.vertices[None][:, :, rows]),
        (fit.stages[2], NO_STEPS.penetration, full, fit.vertices[None]),
    ):
        expected = weights.contact[1] * float(
            term(points, weights.contact_tau_m[1], Reach(weights.contact_reach_m[1], weights.doubtful_reach_m[1]))
        )
        assert stage.terms["contact"] == pytest.approx(expected, rel=1e-3, abs=1e-4)
