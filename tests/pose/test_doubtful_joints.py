"""Joints that a detector cannot mean lose their confidence, and nothing else changes."""

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.pose.doubtful_joints import KEPT, at_border, shared, without_doubtful_joints
from apu.scene.person import Keypoints, Person

NAMES = joint_names("coco17")
LEFT_WRIST, RIGHT_WRIST, NOSE = (NAMES.index(n) for n in ("left_wrist", "right_wrist", "nose"))


def person(index: int, at: tuple[float, float], confidence: float) -> Person:
    """Seventeen joints on a grid of 100 by 200 pixels."""
    grid = np.array([[at[0] + 25.0 * (i % 5), at[1] + 50.0 * (i // 5)] for i in range(17)], dtype=np.float32)
    return Person(index, Keypoints("coco17", grid, np.full(17, confidence, np.float32)), 0.8, "movenet")


def moved(one: Person, joint: int, to: np.ndarray, confidence: float) -> Person:
    xy, confidences = one.keypoints.xy.copy(), one.keypoints.confidence.copy()
    xy[joint], confidences[joint] = to, confidence
    return Person(one.index, Keypoints("coco17", xy, confidences), one.score, one.source)


@pytest.mark.parametrize("other_joint", [LEFT_WRIST, RIGHT_WRIST])
def test_of_two_claims_to_one_joint_the_surer_stands(other_joint: int):
    a = person(0, (100, 100), 0.8)
    b = moved(person(1, (500, 100), 0.8), other_joint, a.keypoints.xy[LEFT_WRIST] + 1.0, 0.4)
    left, right = without_doubtful_joints([a, b], 1000, 1000)
    np.testing.assert_array_equal(left.keypoints.confidence, a.keypoints.confidence)
    assert right.keypoints.confidence[other_joint] == pytest.approx(0.4 * KEPT)
    assert (right.keypoints.confidence < 0.5).sum() == 1


def test_equal_claims_lose_both():
    a = person(0, (100, 100), 0.8)
    b = moved(person(1, (500, 100), 0.8), LEFT_WRIST, a.keypoints.xy[LEFT_WRIST], 0.78)
    lost_a, lost_b = shared(a.keypoints, b.keypoints)
    assert np.flatnonzero(lost_a).tolist() == np.flatnonzero(lost_b).tolist() == [LEFT_WRIST]


def test_joints_of_different_kinds_and_hands_held_are_no_shared_joint():
    a = person(0, (100, 100), 0.8)
    knee = moved(person(1, (500, 100), 0.8), NAMES.index("left_knee"), a.keypoints.xy[LEFT_WRIST], 0.8)
    held = moved(
        person(1, (500, 100), 0.8), RIGHT_WRIST, a.keypoints.xy[LEFT_WRIST] + [0.06 * a.keypoints.diagonal(), 0], 0.8
    )
    for b in (knee, held):
        assert not any(mask.any() for mask in shared(a.keypoints, b.keypoints))


def test_limbs_at_the_border_are_doubtful_and_heads_are_not():
    one = moved(person(0, (100, 100), 0.8), LEFT_WRIST, np.array([300.0, 990.0]), 0.8)
    one = moved(one, NOSE, np.array([150.0, 2.0]), 0.8)
    assert np.flatnonzero(at_border(one.keypoints, 1000, 1000)).tolist() == [LEFT_WRIST]


def test_places_and_order_stay():
    people = [person(0, (100, 100), 0.8), person(1, (105, 100), 0.3)]
    for before, after in zip(people, without_doubtful_joints(people, 1000, 1000), strict=True):
        np.testing.assert_array_equal(before.keypoints.xy, after.keypoints.xy)
        assert (before.index, before.score, before.source) == (after.index, after.score, after.source)
