"""A mirrored pose of a symmetric body has the mirrored joints: x -> -x, and left and right change places."""

import pytest
import torch

from apu.body.anny_pose import DOFS, mirror_matrix
from apu.body.joints import JOINT_SETS, joint_names
from apu.body.protocol import Parts

ASYMMETRY_M = 5e-4
HEAD_ASYMMETRY_M = 5e-3
"""Anny itself is not quite symmetric: in the zero pose its neck leads the head up to 4 mm to the side."""
HEAD = {"nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top"}


def swapped(joint_set: str) -> list[int]:
    """For each joint, the index of its partner on the other side."""
    names = joint_names(joint_set)
    swap = {"left": "right", "right": "left"}
    return [names.index("_".join(swap.get(word, word) for word in name.split("_"))) for name in names]


@pytest.mark.parametrize("joint_set", JOINT_SETS)
def test_a_mirrored_pose_has_the_mirrored_joints(body64, random_people, joint_set):
    people = random_people(16, seed=7)
    x, y, z = people["orientation"].unbind(-1)
    mirrored = {
        "pose": people["pose"] @ mirror_matrix().double().T,
        "orientation": torch.stack([x, -y, -z], -1),
        "translation": people["translation"] * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64),
        "shape": people["shape"],
    }
    expected = body64.forward(people, Parts(joint_set)).joints[:, swapped(joint_set)]
    expected = expected * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    found = body64.forward(mirrored, Parts(joint_set)).joints
    error = (found - expected).norm(dim=-1).amax(0)
    for name, value in zip(joint_names(joint_set), error.tolist(), strict=True):
        assert value < (HEAD_ASYMMETRY_M if name in HEAD else ASYMMETRY_M), name


def test_mirroring_twice_changes_nothing():
    assert torch.equal(mirror_matrix() @ mirror_matrix(), torch.eye(len(DOFS)))


def test_both_sides_have_the_same_bounds_default_and_scale(body64):
    spec = body64.parameter_spec["pose"]
    mirror = mirror_matrix().double()
    assert torch.equal(mirror @ spec.default, spec.default)
    assert torch.equal(mirror.abs() @ spec.scale, spec.scale)
    low, high = mirror @ spec.lower, mirror @ spec.upper
    assert torch.equal(torch.minimum(low, high), spec.lower)
    assert torch.equal(torch.maximum(low, high), spec.upper)
