"""Sizes and likeness of skeletons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.body.joints import joint_names
from apu.pose.skeleton import (
    BONES,
    HEAD,
    NOSE,
    box_of,
    head_position,
    joint_quality,
    object_keypoint_similarity,
    torso_length,
)


def test_the_bones_are_the_same_on_both_sides():
    names = joint_names("coco17")
    bones = {frozenset((names[a], names[b])) for a, b in BONES}
    swapped = {"left": "right", "right": "left"}
    mirrored = {
        frozenset(
            "_".join([swapped.get(name.split("_")[0], name.split("_")[0]), *name.split("_")[1:]]) for name in bone
        )
        for bone in bones
    }
    assert mirrored == bones
    assert len(bones) == len(BONES) == 16


def test_the_box_is_tight_around_the_joints_that_were_seen(standing):
    skeleton = standing(100, 200, 50)
    skeleton[NOSE] = (-999, -999, 0.1)
    np.testing.assert_allclose(box_of(skeleton), [75, 200 - 1.58 * 50, 125, 280])


def test_the_box_of_somebody_hardly_seen_is_around_all_joints(standing):
    skeleton = standing(100, 200, 50, 0.05)
    np.testing.assert_allclose(box_of(skeleton), [75, 200 - 1.58 * 50, 125, 280])
    assert (skeleton[:, 2] == np.float32(0.05)).all()  # the input is left alone


def test_a_skeleton_is_wholly_like_itself_and_unlike_a_stranger(standing):
    a = standing(100, 200, 50)
    assert object_keypoint_similarity(a, a) == 1
    assert object_keypoint_similarity(a, standing(400, 200, 50)) < 1e-6


def test_likeness_is_cocos_formula(standing):
    a = standing(100, 200, 50)
    b = a.copy()
    b[NOSE, 0] += 3
    x0, y0, x1, y1 = box_of(a)
    nose = np.exp(-9 / (2 * (x1 - x0) * (y1 - y0) * (2 * 0.026) ** 2))
    assert object_keypoint_similarity(a, b) == pytest.approx((16 + nose) / 17, abs=1e-6)


@given(shift=st.floats(0, 40), further=st.floats(0.5, 40), scale=st.floats(0.3, 4))
def test_likeness_falls_with_distance_and_does_not_know_the_scale(standing, shift, further, scale):
    def likeness(by: float, torso: float) -> float:
        return object_keypoint_similarity(standing(0, 0, torso), standing(by * torso / 50, 0, torso))

    assert likeness(shift + further, 50) <= likeness(shift, 50)
    assert likeness(shift, 50 * scale) == pytest.approx(likeness(shift, 50), abs=1e-4)


def test_likeness_looks_only_at_joints_that_both_have_seen(standing):
    a, b = standing(100, 200, 50), standing(100, 200, 50)
    b[:8] = (999, 999, 0.05)
    assert object_keypoint_similarity(a, b) == 1


def test_the_head_is_where_its_seen_points_are(standing):
    skeleton = standing(100, 200, 50)
    skeleton[HEAD, 2] = 0
    skeleton[NOSE, 2] = 0.9
    assert np.linalg.norm(head_position(skeleton) - skeleton[NOSE, :2]) < 0.1


def test_a_torso_seen_end_on_is_still_a_share_of_the_body(standing):
    skeleton = standing(100, 200, 50)
    assert torso_length(skeleton) == pytest.approx(50, rel=1e-5)
    skeleton[[11, 12], 1] = skeleton[[5, 6], 1]
    assert torso_length(skeleton) == pytest.approx(0.22 * 3.18 * 50, rel=1e-4)


def test_quality_forgives_five_hidden_joints_and_no_more(standing):
    skeleton = standing(100, 200, 50, 0.8)
    skeleton[:5, 2] = 0
    assert joint_quality(skeleton) == pytest.approx(0.8)
    skeleton[5, 2] = 0
    assert joint_quality(skeleton) == pytest.approx(0.8 * 11 / 12)
