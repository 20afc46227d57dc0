"""Input that makes no sense: refused by a name that says why, or fitted to finite bodies; and never at others' cost."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apu.body.anny import AnnyBody
from apu.contact.contact import Contact, ContactMap
from apu.errors import CameraError, EstimateError, FitError, InputError, PeopleError
from apu.scene.estimate import InitialBody
from apu.scene.pair import PairObservation
from apu.scene.person import BodyHint, Keypoints
from apu.unite.fittable import check_finite, check_fittable, with_sound_estimates
from apu.unite.solve import look, unite
from apu.unite.verdict import judge
from apu.unite.weights import CONTACT_STAGE, PENETRATION_STAGE, FirstFitWeights, UniteWeights

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from observations_fuzz import FEW_STEPS, outcomes

FEW = UniteWeights(
    first=FirstFitWeights(steps=8, hypotheses=2),
    contact=replace(CONTACT_STAGE, steps=15),
    penetration=replace(PENETRATION_STAGE, steps=15),
)
NOTHING = ContactMap((), "annotation")


def with_keypoints(observation: PairObservation, person: int, change: Callable[[Keypoints], Keypoints]):
    people = list(observation.people)
    people[person] = replace(people[person], keypoints=change(people[person].keypoints))
    return replace(observation, people=(people[0], people[1]))


def with_pixel(observation: PairObservation, value: float) -> PairObservation:
    def change(k: Keypoints) -> Keypoints:
        xy = k.xy.copy()
        xy[3, 1] = value
        return replace(k, xy=xy)

    return with_keypoints(observation, 1, change)


def shrunk(observation: PairObservation, share: float) -> PairObservation:
    return with_keypoints(observation, 0, lambda k: replace(k, xy=k.xy.mean(0) + share * (k.xy - k.xy.mean(0))))


def with_estimate(pair, **changes: list[float]) -> PairObservation:
    """The pair with its true second body as an estimate, some of whose numbers are others."""
    true = {name: value[1].clone() for name, value in pair.parameters.items()}
    for name, values in changes.items():
        true[name][: len(values)] = torch.tensor(values)
    return replace(pair.observation, initial=(None, InitialBody(true, "test")))


def with_focal(observation: PairObservation, focal_px: float) -> PairObservation:
    return replace(observation, camera=replace(observation.camera, focal_px=focal_px))


def fitted(body: AnnyBody, *cases: tuple[PairObservation, ContactMap]):
    """All pairs in one batch, without asking whether they can be fitted."""
    observations, maps = zip(*cases, strict=True)
    return unite(body, look(body, observations, FEW), maps, FEW)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e12])
def test_a_keypoint_that_is_no_place_near_the_picture_is_refused(pair, value):
    with pytest.raises(PeopleError, match="no place near the picture") as error:
        check_fittable(with_pixel(pair.observation, value))
    assert "person 1" in str(error.value)
    assert error.value.remedy


def test_a_joint_that_was_not_seen_may_be_anywhere(pair):
    observation = with_pixel(pair.observation, NAN)
    hidden = observation.people[1].keypoints.confidence.copy()
    hidden[3] = 0.0
    check_fittable(with_keypoints(observation, 1, lambda k: replace(k, confidence=hidden)))


def test_a_confidence_that_is_no_number_is_refused(pair):
    observation = with_keypoints(pair.observation, 0, lambda k: replace(k, confidence=np.full(25, NAN)))
    with pytest.raises(PeopleError, match="no place near the picture"):
        check_fittable(observation)


def test_no_keypoints_of_one_person_and_all_in_one_place_are_refused(pair):
    nobody = with_keypoints(pair.observation, 0, lambda k: replace(k, confidence=np.zeros(25)))
    for observation, word in ((nobody, "Too little"), (shrunk(pair.observation, 0.0), "too small")):
        with pytest.raises(PeopleError, match=word) as error:
            check_fittable(observation)
        assert "person 0" in str(error.value)


def test_one_persons_keypoints_for_both_are_refused_and_those_of_two_close_people_are_not(pair):
    a, b = pair.observation.people
    twice = replace(pair.observation, people=(a, replace(b, keypoints=a.keypoints)))
    with pytest.raises(PeopleError, match="are one") as error:
        check_fittable(twice)
    assert "people 0 and 1" in str(error.value)
    beside = replace(a.keypoints, xy=a.keypoints.xy + 0.02 * a.keypoints.diagonal())
    check_fittable(replace(twice, people=(a, replace(b, keypoints=beside))))


@pytest.mark.parametrize("focal", [0.0, -500.0, 1e-3, 1e9, NAN, INF])
def test_a_camera_that_is_none_is_refused(pair, focal):
    with pytest.raises(CameraError, match="camera"):
        check_fittable(with_focal(pair.observation, focal))


BAD_ESTIMATES = {
    "not a number": {"pose": [NAN]},
    "infinite": {"shape": [INF]},
    "behind the camera": {"translation": [0.0, 0.0, -2.0]},
    "in the lens": {"translation": [0.0, 0.0, 0.0]},
    "far away": {"translation": [0.0, 0.0, 1e6]},
    "far aside": {"translation": [1e6, 0.0, 3.0]},
    "huge angle": {"orientation": [1e8]},
}


@pytest.mark.parametrize("changes", BAD_ESTIMATES.values(), ids=BAD_ESTIMATES)
def test_an_estimate_that_is_no_body_in_front_of_the_camera_is_refused(pair, changes):
    observation = with_estimate(pair, **changes)
    with pytest.raises(EstimateError) as error:
        check_fittable(observation)
    assert "person 1" in str(error.value)
    assert "'test'" in str(error.value)
    assert "--init" in str(error.value)
    assert with_sound_estimates(observation).initial == (None, None)


def test_a_sound_estimate_is_kept(pair):
    observation = with_estimate(pair)
    check_fittable(observation)
    assert with_sound_estimates(observation) == observation


def test_the_first_fit_passes_over_a_bad_estimate(body: AnnyBody, pair):
    plain = look(body, [pair.observation], FEW).hypotheses
    for changes in BAD_ESTIMATES.values():
        found = look(body, [with_estimate(pair, **changes)], FEW).hypotheses
        for name, value in plain.parameters.items():
            assert torch.equal(found.parameters[name], value)


def test_a_batch_with_every_kind_of_bad_pair_leaves_the_good_one_as_it_was(body: AnnyBody, pair):
    """Nobody asked `check_fittable`: even so the good pair comes out as alone, and all are finite but the unseen."""
    a, b = pair.observation.people
    xyz = np.full((25, 3), NAN)
    bad = [
        with_pixel(pair.observation, NAN),
        with_pixel(pair.observation, 1e30),
        with_keypoints(pair.observation, 0, lambda k: replace(k, confidence=np.zeros(25))),
        with_keypoints(pair.observation, 0, lambda k: replace(k, confidence=np.full(25, NAN))),
        shrunk(pair.observation, 0.0),
        shrunk(pair.observation, 0.005),
        replace(pair.observation, people=(a, replace(b, keypoints=a.keypoints))),
        with_focal(pair.observation, 20.0),
        with_focal(pair.observation, 2e5),
        with_estimate(pair, pose=[NAN]),
        with_estimate(pair, translation=[0.0, 0.0, -2.0]),
        replace(pair.observation, people=(replace(a, hint=BodyHint("body25", xyz, np.ones(25), "test")),
                                          replace(b, hint=BodyHint("body25", xyz, np.ones(25), "test")))),
    ]  # fmt: skip
    noise = np.random.default_rng(0).normal(size=(2, 25, 2)) * 4  # at a perfect fit, Adam walks along rounding errors
    good = pair.observation
    for i in (0, 1):
        good = with_keypoints(good, i, lambda k, i=i: replace(k, xy=k.xy + noise[i]))
    (alone,) = fitted(body, (good, NOTHING))
    fits = fitted(body, *((one, NOTHING) for one in [*bad, good]))
    torch.testing.assert_close(fits[-1].vertices, alone.vertices, atol=1e-4, rtol=0)
    for fit in fits:
        assert bool(fit.vertices.isfinite().all())
        assert all(bool(value.isfinite().all()) for value in fit.parameters.values())
        assert np.isfinite(fit.penetration_max_m)
        assert all(stage.stop in ("converged", "iteration limit") for stage in fit.stages)
    assert not judge(bad[2], fits[2], body.surface).accepted, "a person who is not seen"


HAND = frozenset({"left_hand_palm"})


def test_a_hand_that_shall_be_in_two_far_places_is_in_one_at_most_and_the_verdict_says_so(body: AnnyBody, pair):
    places = [frozenset({"left_foot_sole"}), frozenset({"left_head_front"}), frozenset({"right_foot_sole"})]
    torn = ContactMap(tuple(Contact(HAND, place) for place in places), "annotation")
    (fit,) = fitted(body, (pair.observation, torn))
    check_finite(pair.observation, fit)
    assert sum(result.after_m < 0.1 for result in fit.contact_results) <= 1
    assert "contacts met" in [rule.name for rule in judge(pair.observation, fit, body.surface).failed]


def test_a_contact_between_people_far_apart_in_the_picture_is_not_met_and_the_verdict_says_so(body: AnnyBody, pair):
    away = with_keypoints(pair.observation, 1, lambda k: replace(k, xy=k.xy + np.array([900.0, 0.0])))
    check_fittable(away)
    for source, rule in (("annotation", "contacts met"), ("model", "contacts believed")):
        (fit,) = fitted(body, (away, ContactMap((Contact(HAND, HAND, source=source),), source)))
        check_finite(away, fit)
        assert rule in [one.name for one in judge(away, fit, body.surface).failed]


def test_no_pairs_give_no_fits(body: AnnyBody):
    first = look(body, [])
    assert first.estimates == ()
    assert {len(value) for value in first.hypotheses.parameters.values()} == {0}
    assert unite(body, first, []) == []


def test_bodies_that_are_not_finite_are_refused(body: AnnyBody, pair):
    (fit,) = fitted(body, (pair.observation, NOTHING))
    check_finite(pair.observation, fit)
    broken = {**fit.parameters, "pose": fit.parameters["pose"] * NAN}
    for wrong in (replace(fit, parameters=broken), replace(fit, reprojection_percent=(1.0, NAN))):
        with pytest.raises(FitError, match="no finite bodies") as error:
            check_finite(pair.observation, wrong)
        assert not isinstance(error.value, InputError)


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(seeds=st.lists(st.integers(0, 10**9), min_size=8, max_size=8, unique=True))
def test_random_nonsense_is_refused_by_name_or_fitted_to_finite_bodies(body: AnnyBody, seeds):
    """Many more by `benchmarks/observations_fuzz.py`."""
    found = outcomes(body, seeds, FEW_STEPS)
    assert len(found) == len(seeds)
    for outcome in found:
        assert outcome == "fitted" or outcome.startswith("refused: ")
