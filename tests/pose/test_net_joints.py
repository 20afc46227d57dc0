"""Joints of a net's output land where their names say."""

import importlib

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.pose.net_joints import LAYOUTS, body25_keypoints

BODY25 = joint_names("body25")
SKELETONS = {17: "coco17", 26: "halpe26", 133: "coco133"}
OTHER_NAMES = {"head": "head_top", "hip": "mid_hip"}


@pytest.mark.parametrize("joints", SKELETONS)
def test_the_order_of_joints_is_that_of_rtmlibs_own_tables(joints: int):
    name = SKELETONS[joints]
    table = getattr(importlib.import_module(f"rtmlib.visualization.skeleton.{name}"), name)
    theirs = [table["keypoint_info"][i]["name"] for i in range(len(LAYOUTS[joints]))]
    assert tuple(OTHER_NAMES.get(joint, joint) for joint in theirs) == LAYOUTS[joints]
    assert len(table["keypoint_info"]) == joints


@pytest.mark.parametrize("joints", LAYOUTS)
def test_every_joint_keeps_its_place(joints: int):
    rows = np.stack([np.arange(joints) + 1.0, np.arange(joints) * 2.0 + 1, np.full(joints, 0.7)], axis=1)
    keypoints = body25_keypoints(rows)
    for i, name in enumerate(LAYOUTS[joints]):
        if name in BODY25:
            assert keypoints.named(name) == pytest.approx(tuple(rows[i]))
    feet = [name for name in BODY25 if "toe" in name or "heel" in name]
    assert all((keypoints.named(name)[2] > 0) == (joints > 17) for name in feet)


def test_neck_and_hips_are_midway_and_as_sure_as_the_less_sure_side():
    rows = np.zeros((17, 3))
    names = LAYOUTS[17]
    rows[names.index("left_shoulder")], rows[names.index("right_shoulder")] = (10, 20, 0.9), (30, 40, 0.4)
    rows[names.index("left_hip")] = (10, 20, 0.9)
    keypoints = body25_keypoints(rows)
    assert keypoints.named("neck") == pytest.approx((20, 30, 0.4))
    assert keypoints.named("mid_hip") == (0, 0, 0)


def test_what_is_no_number_is_not_seen_and_confidences_stay_within_one():
    rows = np.full((17, 3), 1.2)
    rows[0] = (np.nan, 5, 0.9)
    rows[1] = (5, 5, np.nan)
    rows[2] = (5, 5, -0.1)
    keypoints = body25_keypoints(rows)
    assert [keypoints.named(name) for name in LAYOUTS[17][:3]] == [(0, 0, 0)] * 3
    assert keypoints.confidence.max() == 1
