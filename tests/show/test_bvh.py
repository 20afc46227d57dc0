"""BVH, read by a parser of its own: forward kinematics gives the body's bones."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from independent_readers import bvh_joints
from test_skinned_glb import TO_GLTF, two_people

from apu.body.anny import AnnyBody
from apu.body.anny_rigs import ANNY_RIGS, rigged_as
from apu.body.protocol import Parts
from apu.show.bvh import write_bvh

METRES = 0.01


@pytest.mark.parametrize("seed", [0, 1])
def test_forward_kinematics_gives_every_bone_of_the_body(tmp_path: Path, body: AnnyBody, seed: int):
    for one in body.rigged(two_people(body, seed)):
        write_bvh(tmp_path / "A.bvh", one)
        joints, parents = bvh_joints(tmp_path / "A.bvh")
        assert set(joints) == set(one.names)
        found = np.stack([joints[name] for name in one.names]) * METRES
        assert np.abs(found - one.position.numpy() * TO_GLTF).max() < 1e-4
        for name, parent in zip(one.names, one.parents, strict=True):
            assert parents[name] == ("" if parent < 0 else one.names[parent])


def test_the_base_of_the_neck_is_the_bodys_joint(tmp_path: Path, body: AnnyBody):
    people = two_people(body)
    expected = body.forward(people, Parts("j14")).joints[:, 12].numpy() * TO_GLTF
    for one, neck in zip(body.rigged(people), expected, strict=True):
        write_bvh(tmp_path / "A.bvh", one)
        assert np.abs(bvh_joints(tmp_path / "A.bvh")[0]["neck01"] * METRES - neck).max() < 1e-4


@pytest.mark.parametrize("rig", list(ANNY_RIGS))
def test_other_skeletons_are_within_millimetres(tmp_path: Path, body: AnnyBody, rig: str):
    """Heads are those of the body's bones; what these skeletons cannot bend makes the difference."""
    for one in rigged_as(body, two_people(body), rig):
        write_bvh(tmp_path / "A.bvh", one)
        joints, _ = bvh_joints(tmp_path / "A.bvh")
        found = np.stack([joints[name] for name in one.names]) * METRES
        assert np.linalg.norm(found - one.position.numpy() * TO_GLTF, axis=1).max() < 5e-3
