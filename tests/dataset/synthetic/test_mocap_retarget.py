"""Retargeted frames: limbs point where they did, angles stay anatomical, and yaw does not matter."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import default_parameters
from apu.dataset.synthetic.mocap import Mocap
from apu.dataset.synthetic.mocap_retarget import direction_errors, retarget_frames, without_yaw
from apu.errors import InputError


@pytest.fixture
def at_rest(arrays: dict[str, np.ndarray]) -> Mocap:
    """One skeleton, arms stretched sideways."""
    return Mocap(
        np.zeros((1, *arrays["offsets"].shape), np.float32),
        arrays["offsets"],
        tuple(arrays["parents"].tolist()),
        tuple(arrays["joint_names"].tolist()),
        np.array(["walking"]),
        np.array(["train/walking_1"]),
    )


def joints(body: AnnyBody, pose: torch.Tensor, tilt: torch.Tensor) -> dict[str, torch.Tensor]:
    p = {**default_parameters(body.parameter_spec, (len(pose),)), "pose": pose, "orientation": tilt}
    found = body.joints_and_jacobian(p, "body25", shape=False)[0][0]
    return dict(zip(joint_names("body25"), found, strict=True))


def test_a_skeleton_at_rest_becomes_a_person_with_stretched_arms_who_faces_the_viewer(body: AnnyBody, at_rest: Mocap):
    pose, tilt = retarget_frames(body, at_rest, [0])
    at = joints(body, pose, tilt)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = at[f"{side}_wrist"] - at[f"{side}_shoulder"]
        assert float(sign * arm[0] / arm.norm()) > 0.995
    assert float(at["nose"][2]) < float(at["neck"][2]) - 0.05
    assert float(tilt.abs().max()) < 0.1
    assert float(at["left_ankle"][1] - at["left_hip"][1]) > 0.7


def test_directions_of_real_frames_are_kept_within_anatomical_bounds(body: AnnyBody, cmu: Mocap):
    chosen = np.random.default_rng(3).choice(len(cmu), 120, replace=False).tolist()
    pose, tilt = retarget_frames(body, cmu, chosen)
    errors = torch.rad2deg(torch.stack(list(direction_errors(body, cmu, chosen, pose, tilt).values())))
    assert float(errors.mean()) < 2.0
    assert float(errors.quantile(0.9)) < 5.0
    spec = body.parameter_spec["pose"]
    assert bool(((pose >= spec.lower) & (pose <= spec.upper)).all())
    assert float(tilt[:, 1].abs().max()) == 0.0


def test_people_who_face_elsewhere_have_the_same_pose_and_tilt(body: AnnyBody, cmu: Mocap):
    chosen = [100, 5000, 12000, 16500]
    turned = cmu.rotvec[chosen].copy()
    root = roma.rotvec_to_rotmat(torch.from_numpy(turned[:, 0]))
    yaw = roma.rotvec_to_rotmat(torch.tensor([0.0, 2.0, 0.0]))
    turned[:, 0] = roma.rotmat_to_rotvec(yaw @ root).numpy()
    other = replace(cmu, rotvec=turned)
    pose, tilt = retarget_frames(body, cmu, chosen)
    pose_turned, tilt_turned = retarget_frames(body, other, [0, 1, 2, 3])
    torch.testing.assert_close(pose_turned, pose, atol=0.02, rtol=0)
    torch.testing.assert_close(tilt_turned, tilt, atol=0.02, rtol=0)


def test_raising_the_left_forearm_bends_the_left_elbow_alone(body: AnnyBody, at_rest: Mocap):
    bent = at_rest.rotvec.copy()
    bent[0, at_rest.joint_names.index("LeftForeArm")] = (0, -1.2, 0)  # ahead: about y, which points up in the file
    names = body.parameter_spec["pose"].names
    straight = retarget_frames(body, at_rest, [0])[0][0]
    found = retarget_frames(body, replace(at_rest, rotvec=bent), [0])[0][0]
    change = (found - straight)[[names.index("left_elbow_flexion"), names.index("right_elbow_flexion")]]
    assert abs(float(change[0]) - 1.2) < 0.25
    assert abs(float(change[1])) < 0.05


def test_no_frames_give_no_poses(body: AnnyBody, at_rest: Mocap):
    pose, tilt = retarget_frames(body, at_rest, [])
    assert pose.shape == (0, 47)
    assert tilt.shape == (0, 3)


def test_a_skeleton_without_a_limb_is_refused_by_name(body: AnnyBody, at_rest: Mocap):
    names = tuple("Stump" if n == "RightFoot" else n for n in at_rest.joint_names)
    with pytest.raises(InputError, match="lacks joints") as caught:
        retarget_frames(body, replace(at_rest, joint_names=names), [0])
    assert "no RightFoot" in str(caught.value)


def test_tilt_and_yaw_make_the_orientation_and_yaw_does_not_change_the_tilt():
    random = torch.Generator().manual_seed(0)
    orientation = torch.randn(200, 3, generator=random, dtype=torch.float64)
    tilt = without_yaw(orientation)
    assert float(tilt[:, 1].abs().max()) == 0.0
    yaw = roma.rotvec_to_rotmat(orientation) @ roma.rotvec_to_rotmat(tilt).mT
    down = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(yaw @ down, down.expand(200, 3))
    turns = torch.randn(200, 1, generator=random, dtype=torch.float64) * down
    torch.testing.assert_close(without_yaw(roma.rotvec_composition([turns, orientation])), tilt)
