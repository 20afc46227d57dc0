"""Starts from another program's estimate: they compete, are kept and recorded, and change nothing for others."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.contact.contact import ContactMap
from apu.scene.estimate import InitialBody
from apu.scene.pair import PairWords
from apu.unite.first_fit import PairHypotheses, first_fit
from apu.unite.hypotheses import (
    AGES,
    INITIAL,
    INITIAL_BONUS,
    INITIAL_DEPTH_M,
    INITIAL_POSE,
    INITIAL_TURN_RAD,
    POSTURE_OF_WORD,
    POSTURE_WORD_COST,
    beliefs_of,
    initial_starts,
    starts_of,
)
from apu.unite.losses import depth_gap, lowest_foot, shared_floor
from apu.unite.problem import JOINT_SET, gather_evidence
from apu.unite.solve import look, unite
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, UniteWeights

WEIGHTS = UniteWeights()
QUICK = UniteWeights(contact=replace(CONTACT_STAGE, steps=3), penetration=replace(PENETRATION_STAGE, steps=3))

SHORT = UniteWeights(contact=replace(CONTACT_STAGE, steps=30), penetration=replace(PENETRATION_STAGE, steps=20))


def run(body: AnnyBody, *observations) -> PairHypotheses:
    evidence = gather_evidence(observations, WEIGHTS.keypoints, torch.float32, torch.device("cpu"))
    return first_fit(body, observations, evidence, WEIGHTS.keypoints, WEIGHTS.priors, WEIGHTS.first)


def estimate(pair, person: int, **changes: torch.Tensor) -> InitialBody:
    """What a perfect estimator says, but for the changes."""
    return InitialBody({**{k: v[person] for k, v in pair.parameters.items()}, **changes}, "test")


def with_initial(pair, *persons: int):
    bodies = [estimate(pair, i) if i in persons else None for i in (0, 1)]
    return replace(pair.observation, initial=(bodies[0], bodies[1]))


def postures(found: PairHypotheses, pair: int = 0) -> list[tuple[str, str]]:
    return [tuple(found.starts[int(s)].posture for s in row) for row in found.start[pair]]


@pytest.fixture(scope="module")
def without(body: AnnyBody, pair) -> PairHypotheses:
    return run(body, pair.observation)


@pytest.fixture(scope="module")
def given(body: AnnyBody, pair) -> PairHypotheses:
    return run(body, with_initial(pair, 0, 1))


def test_without_estimates_no_start_is_called_initial(without):
    assert all(start.posture != INITIAL for start in without.starts)


def test_true_estimates_of_both_people_are_kept_and_outbid_every_standard_start(without, given):
    assert (INITIAL, INITIAL) in postures(given)
    assert float(given.cost[0, 0]) < float(without.cost[0, 0]) - INITIAL_BONUS


def test_beside_false_estimates_of_both_people_the_standard_starts_are_kept_and_win(body: AnnyBody, pair, without):
    turned = [estimate(pair, i, orientation=torch.tensor([0.0, 3.1, 0.0])) for i in (0, 1)]
    found = run(body, replace(pair.observation, initial=(turned[0], turned[1])))
    kept = postures(found)
    assert kept.count((INITIAL, INITIAL)) >= 1
    assert INITIAL not in kept[0]
    torch.testing.assert_close(found.cost[0, 0], without.cost[0, 0], rtol=1e-3, atol=1e-2)


def test_a_true_estimate_is_the_best_hypothesis_and_stays_where_it_is(body: AnnyBody, pair, given):
    assert postures(given)[0] == (INITIAL, INITIAL)
    mine = {name: value[0, 0] for name, value in given.parameters.items()}
    joints, _ = body.joints_and_jacobian(mine, "body25", shape=False)
    rooted = [x - x.mean(1, keepdim=True) for x in (joints, pair.joints)]
    assert float((rooted[0] - rooted[1]).norm(dim=-1).mean()) < 0.02


def test_hypotheses_still_come_cheapest_first(given):
    assert bool((given.cost.diff(dim=1) >= 0).all())


def test_a_false_estimate_is_kept_but_is_not_the_best(body: AnnyBody, pair):
    wrong = pair.parameters["pose"][0].clone()
    names = body.parameter_spec["pose"].names
    for side in ("left", "right"):
        wrong[names.index(f"{side}_hip_flexion")] = 1.5
        wrong[names.index(f"{side}_shoulder_flexion")] = 2.5
    observation = replace(pair.observation, initial=(estimate(pair, 0, pose=wrong), None))
    kept = postures(run(body, observation))
    assert kept[0][0] != INITIAL
    assert any(one[0] == INITIAL for one in kept)


def test_a_person_without_estimate_never_starts_from_one(body: AnnyBody, pair):
    found = run(body, with_initial(pair, 1))
    assert all(one[0] != INITIAL for one in postures(found))
    assert any(one[1] == INITIAL for one in postures(found))
    assert float(found.cost.max()) < 1e5


def test_a_pair_without_estimates_is_fitted_beside_others_as_alone(body: AnnyBody, pair, without):
    found = run(body, pair.observation, with_initial(pair, 0, 1))
    assert INITIAL not in {posture for one in postures(found) for posture in one}
    torch.testing.assert_close(found.cost[0], without.cost[0], rtol=1e-2, atol=1e-1)
    assert (INITIAL, INITIAL) in postures(found, 1)


@pytest.mark.parametrize("age", ["adult", "child"])
def test_the_users_word_on_an_age_stands_above_the_estimates(age, body: AnnyBody, pair):
    found = run(body, replace(with_initial(pair, 0, 1), ages=(age, "unknown")))
    for k, one in enumerate(postures(found)):
        if float(found.cost[0, k]) < 1e5:
            assert found.starts[int(found.start[0, k, 0])].age == age, one


def test_the_age_group_follows_the_height_first_and_the_other_is_tried_too(body: AnnyBody, pair):
    spec = body.parameter_spec
    for height, first in ((1.1, "child"), (1.7, "adult")):
        starts, beliefs, _ = initial_starts(estimate(pair, 0), height, spec)
        assert [s.age for s in starts] == [first, *(set(AGES) - {first})]
        assert {s.posture for s in starts} == {INITIAL}
        assert abs(float(beliefs.height_m[0]) - height) < 0.1
        assert float(beliefs.height_m[1]) == pytest.approx(AGES[starts[1].age].height_m)


def test_with_the_other_age_the_body_looks_as_large(body: AnnyBody, pair):
    one = estimate(pair, 0)
    starts, beliefs, parameters = initial_starts(one, 1.70, body.parameter_spec)
    assert torch.equal(parameters["translation"][0], one.parameters["translation"])
    rays = parameters["translation"][:, :2] / parameters["translation"][:, 2:]
    torch.testing.assert_close(rays[0], rays[1])
    nearer = float(parameters["translation"][1, 2] / parameters["translation"][0, 2])
    assert nearer == pytest.approx(AGES[starts[1].age].height_m / 1.70)
    assert torch.equal(beliefs.pose[0], beliefs.pose[1])


def test_an_estimate_is_believed_in_its_turn_always_and_in_its_depth_unless_its_age_is_wrong(body: AnnyBody, pair):
    one = estimate(pair, 0)
    for height in (1.1, 1.7):
        _, beliefs, parameters = initial_starts(one, height, body.parameter_spec)
        assert beliefs.depth_precision.tolist() == pytest.approx([INITIAL_DEPTH_M**-2, 0.0])
        assert beliefs.turn_precision.tolist() == pytest.approx([INITIAL_TURN_RAD**-2] * 2)
        assert torch.equal(beliefs.turn, one.parameters["orientation"].expand(2, 3))
        assert torch.equal(beliefs.depth_m, parameters["translation"][:, 2])


def test_a_start_of_the_wrong_age_has_no_say_in_the_depth_gap(body: AnnyBody, pair):
    a, b = (initial_starts(estimate(pair, i), 1.7, body.parameter_spec)[1] for i in (0, 1))
    depth = torch.tensor([3.0]), torch.tensor([4.0])
    free = 0.5 * (1.0 / WEIGHTS.priors.gap_sigma_m) ** 2
    right, wrong = torch.tensor([0]), torch.tensor([1])
    for i, j in ((wrong, right), (right, wrong), (wrong, wrong)):
        assert float(depth_gap(*depth, a.select(i), b.select(j), WEIGHTS.priors)) == pytest.approx(free)
    assert float(depth_gap(*depth, a.select(right), b.select(right), WEIGHTS.priors)) > free + 2


def test_standard_starts_hold_neither_depth_nor_turn(body: AnnyBody, pair):
    beliefs = beliefs_of(starts_of("unknown"), body.parameter_spec)
    assert float(beliefs.depth_precision.abs().max()) == float(beliefs.turn_precision.abs().max()) == 0.0
    spec = body.parameter_spec["pose"]
    assert torch.equal(beliefs.pose_scale, spec.scale.expand_as(beliefs.pose_scale))
    _, narrow, _ = initial_starts(estimate(pair, 0), 1.7, body.parameter_spec)
    torch.testing.assert_close(narrow.pose_scale, INITIAL_POSE * spec.scale.expand(2, -1))


def test_the_cost_of_a_pair_is_that_of_both_people_and_of_their_gap(given):
    b = given.beliefs.map(lambda x: x.unflatten(0, (*given.cost.shape, 2)))
    depth = given.parameters["translation"][..., 2]
    gap = depth_gap(
        depth[..., 0], depth[..., 1], b.map(lambda x: x[:, :, 0]), b.map(lambda x: x[:, :, 1]), WEIGHTS.priors
    )
    best = sum(given.records[0].terms.values()) + float(b.cost[0, 0].sum() + gap[0, 0])
    assert float(given.cost[0, 0]) == pytest.approx(best, rel=1e-4)


def root_gap(parameters: Mapping[str, torch.Tensor]) -> float:
    """Depth of B's root behind A's."""
    return float(parameters["translation"][1, 2] - parameters["translation"][0, 2])


def test_a_pair_with_estimates_of_both_keeps_its_depth_gap_through_all_stages(body: AnnyBody, deep_pair):
    first = look(body, [with_initial(deep_pair, 0, 1), deep_pair.observation], SHORT)
    held, free = unite(body, first, [ContactMap((), "annotation")] * 2, SHORT)
    true = root_gap(deep_pair.parameters)
    assert root_gap(held.parameters) == pytest.approx(true, abs=0.15)
    assert abs(root_gap(held.parameters) - true) < abs(root_gap(free.parameters) - true)


def test_the_gap_of_estimates_is_kept_where_both_are_wrong_by_the_same(body: AnnyBody, deep_pair):
    farther = []
    for i in (0, 1):
        place = deep_pair.parameters["translation"][i]
        away = place * (1 + 0.3 / place[2])
        farther.append(estimate(deep_pair, i, translation=away))
    (fit,) = unite(
        body,
        look(body, [replace(deep_pair.observation, initial=(farther[0], farther[1]))], SHORT),
        [ContactMap((), "annotation")],
        SHORT,
    )
    assert root_gap(fit.parameters) == pytest.approx(root_gap(deep_pair.parameters), abs=0.15)


@pytest.mark.parametrize("yaw", [-2.5, 0.0, 1.2])
def test_the_recorded_facing_is_that_of_the_estimate(yaw, body: AnnyBody, pair):
    turned = estimate(pair, 0, orientation=torch.tensor([0.0, yaw, 0.0]))
    starts, _, _ = initial_starts(turned, 1.7, body.parameter_spec)
    assert starts[0].yaw == pytest.approx(yaw, abs=1e-6)


def test_the_fit_records_which_hypotheses_came_from_estimates(body: AnnyBody, pair):
    first = look(body, [with_initial(pair, 0, 1)], QUICK)
    (fit,) = unite(body, first, [ContactMap((), "annotation")], QUICK)
    tried = fit.hypothesis["tried"]
    assert isinstance(tried, list)
    assert [INITIAL, INITIAL] in [one["posture"] for one in tried]


# ---- words of an annotator


def with_words(pair, ages=("unknown", "unknown"), postures=("unknown", "unknown")):
    return replace(pair.observation, words=PairWords(ages, postures))


def test_a_wrong_posture_word_costs_the_right_hypothesis_its_price_and_no_more(body: AnnyBody, pair, without):
    truth = postures(without)[0]
    wrong = tuple(next(word for word, posture in POSTURE_OF_WORD.items() if posture != one) for one in truth)
    found = run(body, with_words(pair, postures=wrong))
    assert float(found.cost[0, 0]) <= float(without.cost[0, 0]) + 2 * POSTURE_WORD_COST + 1e-2


def test_a_word_moves_its_hypotheses_forward(body: AnnyBody, pair):
    kneeling = run(body, with_words(pair, postures=("kneeling", "kneeling")))
    standing = run(body, with_words(pair, postures=("standing", "standing")))

    def count(found: PairHypotheses, name: str) -> int:
        return sum(posture == name for one in postures(found) for posture in one)

    assert count(kneeling, "kneel") > count(standing, "kneel")
    assert count(kneeling, "stand") < count(standing, "stand")


def test_words_that_say_nothing_change_nothing(body: AnnyBody, pair, without):
    found = run(body, with_words(pair, postures=("lying", "other")))
    assert torch.equal(found.cost, without.cost)


def test_hypotheses_of_people_who_share_a_floor_are_charged_for_the_step_between_their_feet(body: AnnyBody, pair):
    told = replace(pair.observation, shared_floor=True)
    both = look(body, [told, pair.observation], SHORT)
    alone = look(body, [pair.observation], SHORT)
    torch.testing.assert_close(both.hypotheses.cost[1:], alone.hypotheses.cost, rtol=1e-4, atol=1e-3)
    charged = {
        (int(a), int(b)): float(cost)
        for (a, b), cost in zip(both.hypotheses.start[0], both.hypotheses.cost[0], strict=True)
    }
    free = {
        (int(a), int(b)): (k, float(cost))
        for k, ((a, b), cost) in enumerate(zip(alone.hypotheses.start[0], alone.hypotheses.cost[0], strict=True))
    }
    joints = body.forward({n: v[0] for n, v in alone.hypotheses.parameters.items()}, Parts(JOINT_SET)).joints
    assert joints is not None
    evidence = both.evidence.map(lambda x: x[0])
    seen = sorted(charged.keys() & free.keys())
    assert seen
    for start in seen:
        k, cost = free[start]
        low, belief = lowest_foot(joints[k], evidence)
        floor = shared_floor(low[0], low[1], belief.prod(), WEIGHTS.priors)
        assert charged[start] == pytest.approx(cost + float(floor), rel=1e-3, abs=1e-2)
