"""SMPL-X parameter files: the usual shapes are understood, missing ones are zero, anything else is refused."""

from pathlib import Path

import numpy as np
import pytest

from apu.body.smpl_file import read_smpl
from apu.errors import InputError


def write(tmp_path: Path, **arrays) -> Path:
    np.savez(tmp_path / "x.npz", **{k: np.asarray(v) for k, v in arrays.items() if v is not None})
    return tmp_path / "x.npz"


@pytest.mark.parametrize("shape", [(2, 63), (2, 21, 3), (2, 69), (2, 23, 3)])
def test_people_are_read_whatever_the_axes_of_their_joints(tmp_path: Path, shape: tuple[int, ...]):
    poses = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) / 1000
    found = read_smpl(write(tmp_path, global_orient=np.ones((2, 3)), body_pose=poses))
    assert found.body_pose.reshape(2, -1) == pytest.approx(poses.reshape(2, -1))
    assert not found.transl.any()
    assert not found.betas.any()
    assert not found.kid_weight.any()
    assert not found.camera
    assert found.hands == {}


def test_one_person_may_come_without_an_axis_for_people(tmp_path: Path):
    found = read_smpl(write(tmp_path, global_orient=np.ones(3), body_pose=np.zeros(63), transl=[0, 0, 2.0],
                            betas=np.arange(16.0), left_hand_pose=np.full(45, 0.1),
                            kid_weight=[0.5], frame="camera: ..."))  # fmt: skip
    assert found.body_pose.shape == (1, 21, 3)
    assert found.transl.tolist() == [[0, 0, 2]]
    assert found.betas.tolist() == [list(range(10))]
    assert found.hands["left_hand_pose"].shape == (1, 45)
    assert found.kid_weight.tolist() == [[0.5]]
    assert found.camera


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body_pose": np.zeros((2, 60))}, "body_pose"),
        ({"body_pose": None}, "body_pose"),
        ({"body_pose": np.full((2, 63), np.nan)}, "body_pose"),
        ({"global_orient": None}, "global_orient"),
        ({"global_orient": np.zeros((3, 3))}, "global_orient"),
        ({"betas": np.zeros((2, 4))}, "betas"),
        ({"transl": np.full((2, 3), np.inf)}, "transl"),
    ],
)
def test_what_is_no_smplx_is_refused_by_the_name_of_the_field(tmp_path: Path, change: dict, field: str):
    good = {"global_orient": np.zeros((2, 3)), "body_pose": np.zeros((2, 63))}
    with pytest.raises(InputError) as error:
        read_smpl(write(tmp_path, **{**good, **change}))
    assert str(error.value.where).endswith(field)
