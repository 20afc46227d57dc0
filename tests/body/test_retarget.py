"""Other skeletons in our parameters: a body finds itself again, and BEV's people come near."""

from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import default_parameters
from apu.body.retarget import JOINT_SET, retarget
from apu.pose.bev import read_bev
from apu.pose.initial import estimated_parameters
from apu.scene.camera import Camera

NAMES = joint_names(JOINT_SET)
LIMBS = [
    i for i, n in enumerate(NAMES) if n.endswith(("shoulder", "elbow", "wrist", "_hip", "knee", "ankle")) and "_" in n
]
ALL = torch.ones(1, 25)


def joints_of(body: AnnyBody, people: dict[str, torch.Tensor]) -> torch.Tensor:
    return body.joints_and_jacobian(people, JOINT_SET, shape=False)[0]


@pytest.fixture
def posed(body: AnnyBody) -> dict[str, torch.Tensor]:
    """Six adults, turned anyhow about the vertical, limbs within one typical deviation or so."""
    random, spec = torch.Generator().manual_seed(3), body.parameter_spec
    people = default_parameters(spec, (6,))
    pose = spec["pose"].default + 0.7 * spec["pose"].scale * torch.randn(6, spec["pose"].size, generator=random)
    people["pose"] = pose.clamp(spec["pose"].lower, spec["pose"].upper)
    people["orientation"][:, 1] = torch.linspace(-3.0, 3.0, 6)
    people["translation"] = torch.tensor([0.5, -0.2, 4.0]) + torch.randn(6, 3, generator=random)
    return people


def test_a_body_finds_its_own_pose_from_its_joints(body: AnnyBody, posed):
    target = joints_of(body, posed)
    found = retarget(body, target, torch.ones(6, 25))
    assert float(found.distance_m.max()) < 0.01
    assert float((joints_of(body, dict(found.parameters)) - target).norm(dim=-1).max()) < 0.03
    assert (body.height(found.parameters) - body.height(posed)).abs().max() < 0.05
    turned = roma.rotvec_geodesic_distance(found.parameters["orientation"], posed["orientation"])
    assert float(turned.max()) < 0.25
    bent = [i for i, n in enumerate(body.parameter_spec["pose"].names) if n.endswith(("elbow_flexion", "knee_flexion"))]
    assert float((found.parameters["pose"] - posed["pose"])[:, bent].abs().max()) < 0.15


def test_a_child_is_found_from_a_childs_start(body: AnnyBody):
    child = default_parameters(body.parameter_spec, (1,))
    age = body.parameter_spec["shape"].names.index("age")
    child["shape"][0, age] = -1.3
    found = retarget(body, joints_of(body, child), ALL, ({}, {"age": -1.3}))
    assert abs(float(body.height(found.parameters) - body.height(child))) < 0.05


def test_turning_and_moving_the_skeleton_turns_and_moves_the_body(body: AnnyBody, posed):
    target = joints_of(body, posed)[:1]
    turn = roma.rotvec_to_rotmat(torch.tensor([0.4, 1.0, -0.3]))
    shift = torch.tensor([0.3, 0.1, 2.0])
    one = retarget(body, target, ALL).parameters
    other = retarget(body, target @ turn.mT + shift, ALL).parameters
    torch.testing.assert_close(other["pose"], one["pose"], atol=0.02, rtol=0)
    again = joints_of(body, dict(one)) @ turn.mT + shift
    torch.testing.assert_close(joints_of(body, dict(other)), again, atol=5e-3, rtol=0)


def test_a_body_in_a_batch_is_found_as_alone(body: AnnyBody, posed):
    target = joints_of(body, posed)
    together = retarget(body, target, torch.ones(6, 25)).parameters["pose"][2]
    alone = retarget(body, target[2:3], ALL).parameters["pose"][0]
    torch.testing.assert_close(together, alone, atol=0.02, rtol=0)


def test_joints_that_are_not_known_say_nothing(body: AnnyBody, posed):
    target, known = joints_of(body, posed)[:1].clone(), ALL.clone()
    wrist = NAMES.index("left_wrist")
    target[0, wrist], known[0, wrist] = 50.0, 0.0
    found = retarget(body, target, known)
    assert float(found.distance_m) < 0.01
    assert bool(torch.isfinite(found.parameters["pose"]).all())


def test_angles_keep_near_their_bounds_whatever_is_asked(body: AnnyBody):
    target = torch.randn(4, 25, 3, generator=torch.Generator().manual_seed(0))
    pose, spec = retarget(body, target, torch.ones(4, 25)).parameters["pose"], body.parameter_spec["pose"]
    beyond = torch.relu(pose - spec.upper) + torch.relu(spec.lower - pose)
    assert bool(torch.isfinite(pose).all())
    assert float(beyond.mean()) < 0.3


def pa_distance_mm(mine: np.ndarray, theirs: np.ndarray) -> float:
    a, b = mine - mine.mean(0), theirs - theirs.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(keep)).sum() / (a**2).sum()
    return 1e3 * float(np.linalg.norm(scale * a @ (u @ keep @ vt) - b, axis=1).mean())


def test_bev_people_come_within_three_centimetres_and_face_as_their_rotations_say(body: AnnyBody, photos: Path):
    people = read_bev(photos / "bev" / "college_232334_0.08.npz")
    camera = Camera.of_image(500, 332)
    parameters = estimated_parameters(body, [one.estimated(camera) for one in people], camera)
    joints = joints_of(body, dict(parameters)).numpy()
    for mine, one in zip(joints, people, strict=True):
        assert pa_distance_mm(mine[LIMBS], one.estimated(camera).joints_m[LIMBS]) < 30
    smpl = roma.rotvec_to_rotmat(torch.tensor(np.array([one.rotations[0] for one in people])))
    theirs = smpl @ torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # SMPL's axes: y up, z to the front
    ours = roma.rotvec_to_rotmat(parameters["orientation"])
    assert float(torch.rad2deg(roma.rotmat_geodesic_distance(ours, theirs)).max()) < 15
