"""Starts from another program's estimate: they compete, are kept and recorded, and change nothing for others."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.scene.estimate import InitialBody
from apu.unite.first_fit import PairHypotheses, first_fit
from apu.unite.hypotheses import AGES, INITIAL, initial_starts
from apu.unite.problem import gather_evidence
from apu.unite.solve import look, unite
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, UniteWeights

WEIGHTS = UniteWeights()
QUICK = UniteWeights(contact=replace(CONTACT_STAGE, steps=3), penetration=replace(PENETRATION_STAGE, steps=3))


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


def test_estimates_are_among_the_kept_hypotheses_beside_the_standard_ones(given):
    kept = postures(given)
    assert (INITIAL, INITIAL) in kept
    assert any(INITIAL not in one for one in kept)


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


@pytest.mark.parametrize("yaw", [-2.5, 0.0, 1.2])
def test_the_recorded_facing_is_that_of_the_estimate(yaw, body: AnnyBody, pair):
    turned = estimate(pair, 0, orientation=torch.tensor([0.0, yaw, 0.0]))
    starts, _, _ = initial_starts(turned, 1.7, body.parameter_spec)
    assert starts[0].yaw == pytest.approx(yaw, abs=1e-6)


def test_the_fit_records_which_hypotheses_came_from_estimates(body: AnnyBody, pair):
    from apu.contact.contact import ContactMap

    first = look(body, [with_initial(pair, 0, 1)], QUICK)
    (fit,) = unite(body, first, [ContactMap((), "annotation")], QUICK)
    tried = fit.hypothesis["tried"]
    assert isinstance(tried, list)
    assert [INITIAL, INITIAL] in [one["posture"] for one in tried]
