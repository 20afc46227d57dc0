"""Derivatives without autograd equal finite differences, in double precision."""

import pytest
import roma
import torch

from apu.body.joints import JOINT_SETS, joint_names
from apu.body.protocol import Parts, default_parameters

STEP = 1e-6


def moved(people: dict[str, torch.Tensor], name: str, i: int, by: float) -> dict[str, torch.Tensor]:
    """One number of one parameter changed; the orientation from the left: R <- exp(delta) R."""
    value = people[name].clone()
    value[..., i] += by
    if name == "orientation":
        delta = torch.zeros_like(value)
        delta[..., i] = by
        turned = roma.rotvec_to_rotmat(delta) @ roma.rotvec_to_rotmat(people[name])
        value = roma.rotmat_to_rotvec(turned)
    return {**people, name: value}


def differences(body, people, joint_set, names):
    columns = []
    for name in names:
        for i in range(body.parameter_spec[name].size):
            there, back = (body.forward(moved(people, name, i, s * STEP), Parts(joint_set)).joints for s in (1, -1))
            columns.append((there - back) / (2 * STEP))
    return torch.stack(columns, -1)


@pytest.mark.parametrize("joint_set", JOINT_SETS)
def test_the_jacobian_equals_finite_differences(body64, random_people, joint_set):
    people = random_people(4, seed=5)
    joints, jacobian = body64.joints_and_jacobian(people, joint_set)
    expected = differences(body64, people, joint_set, ("orientation", "translation", "pose", "shape"))
    assert jacobian.shape == expected.shape
    assert torch.allclose(jacobian[..., :-6], expected[..., :-6], atol=1e-6)
    # Shape columns are one-sided differences with a step of 0.01 over a curved, kinked function.
    assert float((jacobian - expected)[..., -6:].abs().max()) < 0.01 * float(expected[..., -6:].abs().max())
    assert torch.allclose(joints, body64.forward(people, Parts(joint_set)).joints, atol=1e-12)


def test_without_shape_the_shape_columns_are_missing_and_the_others_the_same(body64, random_people):
    people = random_people(2)
    joints, whole = body64.joints_and_jacobian(people, "body25")
    same, short = body64.joints_and_jacobian(people, "body25", shape=False)
    assert short.shape[-1] == whole.shape[-1] - 6
    assert torch.equal(short, whole[..., :-6])
    assert torch.equal(same, joints)


def test_the_batch_of_pairs_is_kept(body64, random_people):
    people = random_people(3, 2)
    joints, jacobian = body64.joints_and_jacobian(people, "coco17")
    flat = {k: v.flatten(0, 1) for k, v in people.items()}
    same_joints, same_jacobian = body64.joints_and_jacobian(flat, "coco17")
    assert jacobian.shape == (3, 2, 17, 3, 3 + 3 + 47 + 6)
    assert torch.allclose(joints.flatten(0, 1), same_joints, atol=1e-12)
    assert torch.allclose(jacobian.flatten(0, 1), same_jacobian, atol=1e-12)


def test_it_holds_at_the_zero_pose_where_rotations_vanish(body64):
    people = {k: torch.zeros_like(v) for k, v in default_parameters(body64.parameter_spec, (1,), torch.float64).items()}
    _, jacobian = body64.joints_and_jacobian(people, "body25", shape=False)
    expected = differences(body64, people, "body25", ("orientation", "translation", "pose"))
    assert torch.allclose(jacobian, expected, atol=1e-6)


def test_an_angle_moves_only_what_hangs_on_its_bone(body64, random_people):
    _, jacobian = body64.joints_and_jacobian(random_people(2), "body25", shape=False)
    angle = 6 + body64.parameter_spec["pose"].names.index("left_elbow_flexion")
    speed_m = dict(zip(joint_names("body25"), jacobian[..., angle].norm(dim=-1).amax(0).tolist(), strict=True))
    assert speed_m["left_wrist"] > 0.1
    assert speed_m["left_elbow"] < 0.02  # the keypoint is a mean of skin around the joint
    assert all(v == 0 for name, v in speed_m.items() if name not in ("left_wrist", "left_elbow"))


def test_single_precision_agrees(body, body64, random_people):
    people = random_people(4)
    _, expected = body64.joints_and_jacobian(people, "body25", shape=False)
    _, found = body.joints_and_jacobian({k: v.float() for k, v in people.items()}, "body25", shape=False)
    assert torch.allclose(found.double(), expected, atol=2e-5)
