"""Which joints are seen, on bodies whose occlusion is known by hand."""

import math

import numpy as np
import pytest
import torch

from apu.body.joints import joint_names
from apu.body.protocol import Parts, default_parameters
from apu.dataset.synthetic.visibility import JointState, in_frame, joint_states, limb_thickness, pixels_of
from apu.geometry.camera import project
from apu.scene.camera import Camera

CAMERA = Camera.of_image(1000, 1000)
NAMES = joint_names("body25")


def states(body, places, yaws):
    p = default_parameters(body.parameter_spec, (2,))
    p["translation"] = torch.tensor(places)
    p["orientation"] = torch.tensor([[0.0, yaw, 0.0] for yaw in yaws])
    posed = body.forward(p, Parts("body25", "all"))
    joints, vertices = posed.joints.double().numpy(), posed.vertices.double().numpy()
    thickness = limb_thickness(joints, vertices)
    return joint_states(joints, thickness, vertices, body.surface.collision_faces.numpy(), CAMERA)


def test_of_two_people_side_by_side_all_but_the_heels_is_seen_from_the_front(body):
    seen = states(body, [[-0.6, 0.0, 3.5], [0.6, 0.0, 3.5]], [0.0, 0.0])
    hidden = {NAMES[i] for i in np.flatnonzero((seen != JointState.SEEN).any(0))}
    assert hidden <= {"left_heel", "right_heel", "left_ear", "right_ear"}


def test_from_behind_eyes_and_nose_are_hidden_by_the_own_head_but_shoulders_and_hips_are_seen(body):
    seen = states(body, [[-0.6, 0.0, 3.5], [0.6, 0.0, 3.5]], [math.pi, math.pi])
    for name in ("nose", "left_eye", "right_eye"):
        assert (seen[:, NAMES.index(name)] == JointState.BEHIND_SELF).all()
    for name in ("left_shoulder", "right_hip", "left_knee", "right_elbow", "neck", "mid_hip"):
        assert (seen[:, NAMES.index(name)] == JointState.SEEN).all()


def test_who_stands_right_behind_another_is_hidden_by_that_one_and_not_the_other_way_round(body):
    seen = states(body, [[0.0, 0.0, 3.0], [0.0, 0.0, 3.5]], [0.0, 0.0])
    assert not (seen[0] == JointState.BEHIND_OTHER).any()
    assert (seen[1] == JointState.BEHIND_OTHER).mean() > 0.5


def test_swapping_the_people_swaps_the_states(body):
    one = states(body, [[0.0, 0.0, 3.0], [0.2, 0.0, 3.6]], [0.3, 2.0])
    other = states(body, [[0.2, 0.0, 3.6], [0.0, 0.0, 3.0]], [2.0, 0.3])
    assert np.array_equal(one, other[::-1])


def test_joints_beyond_the_edge_or_behind_the_camera_are_out_of_frame(body):
    joints = np.zeros((2, 4, 3))
    joints[..., 2] = 3.0
    joints[0, 1, 0], joints[0, 2, 1], joints[1, 3, 2] = 2.0, -2.0, -3.0
    expected = [[True, False, False, True], [True, True, True, False]]
    assert in_frame(joints, CAMERA).tolist() == expected


def test_pixels_are_those_of_the_pinhole_camera():
    points = np.random.default_rng(0).normal(size=(7, 3)) + np.array([0.0, 0.0, 5.0])
    reference = project(torch.tensor(points), torch.tensor(CAMERA.focal_px), torch.tensor(CAMERA.center_px))
    assert pixels_of(points, CAMERA) == pytest.approx(reference.numpy(), abs=1e-3)
