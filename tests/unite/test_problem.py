"""What the losses see of keypoints, and the error that is reported."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from apu.errors import PeopleError
from apu.scene.pair import PairObservation
from apu.unite.fittable import check_fittable
from apu.unite.problem import gather_evidence, reprojection_percent
from apu.unite.weights import KeypointWeights


def _with_confidence(observation: PairObservation, confidence: np.ndarray) -> PairObservation:
    a, b = observation.people
    return replace(observation, people=(replace(a, keypoints=replace(a.keypoints, confidence=confidence)), b))


def test_trust_is_the_squared_share_of_a_sure_confidence_and_zero_below_the_least(pair):
    confidence = np.linspace(0.0, 1.0, 25)
    weights = KeypointWeights(joint={})
    observation = _with_confidence(pair.observation, confidence)
    trust = gather_evidence([observation], weights, torch.float64, torch.device("cpu")).trust[0, 0].numpy()
    share = np.minimum(confidence / weights.sure_confidence, 1.0)
    expected = np.where(confidence >= weights.min_confidence, share**2, 0.0)
    np.testing.assert_allclose(trust, expected, atol=1e-6)


def test_the_true_bodies_have_no_reprojection_error(pair):
    assert reprojection_percent(pair.observation, pair.joints) == pytest.approx((0.0, 0.0), abs=1e-4)


def test_the_reported_error_is_a_share_of_the_box_diagonal(pair):
    a, _ = pair.observation.people
    moved = replace(a.keypoints, xy=a.keypoints.xy + np.array([3.0, 4.0]))
    observation = replace(pair.observation, people=(replace(a, keypoints=moved), pair.observation.people[1]))
    error, _ = reprojection_percent(observation, pair.joints)
    assert error == pytest.approx(100 * 5.0 / a.keypoints.diagonal(), rel=1e-4)


def test_doubtful_keypoints_do_not_count_in_the_reported_error(pair):
    a, _ = pair.observation.people
    xy, confidence = a.keypoints.xy.copy(), a.keypoints.confidence.copy()
    xy[4] += 500.0
    confidence[4] = 0.29
    keypoints = replace(a.keypoints, xy=xy, confidence=confidence)
    observation = replace(pair.observation, people=(replace(a, keypoints=keypoints), pair.observation.people[1]))
    assert reprojection_percent(observation, pair.joints)[0] == pytest.approx(0.0, abs=1e-3)


def test_a_person_without_keypoints_has_no_error_and_cannot_be_fitted(pair):
    observation = _with_confidence(pair.observation, np.zeros(25))
    assert math.isnan(reprojection_percent(observation, pair.joints)[0])
    with pytest.raises(PeopleError) as error:
        check_fittable(observation)
    assert "person 0" in str(error.value)
    assert "--keypoints" in str(error.value)
