"""Motion capture files: whole ones are read, all others refused with a reason; kinematics by hand; honest splits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from apu.dataset.synthetic.mocap import Mocap, read_mocap, standing_frames, world
from apu.errors import InputError

Arrays = dict[str, np.ndarray]


def written(folder: Path, arrays: Arrays) -> Path:
    path = folder / "mocap.npz"
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


def test_a_file_is_read_as_it_was_written(tmp_path: Path, arrays: Arrays):
    arrays["rotvec"][5, 2] = (0.25, -0.5, 1.0)
    mocap = read_mocap(written(tmp_path, arrays))
    assert len(mocap) == 42
    assert mocap.rotvec[5, 2].tolist() == [0.25, -0.5, 1.0]
    assert mocap.joint_names[:2] == ("Hips", "LeftUpLeg")
    assert mocap.sequence[3] == "train/walking_1"
    assert mocap.action[-1] == "soccer"


def test_places_and_turns_are_those_computed_by_hand(tmp_path: Path, arrays: Arrays):
    names = list(arrays["joint_names"])
    arrays["rotvec"][0, names.index("LeftUpLeg")] = (-np.pi / 2, 0, 0)  # in x left, y up, z ahead: the thigh goes ahead
    arrays["rotvec"][1, names.index("Hips")] = (0, np.pi / 2, 0)  # the person turns to the left
    places, turns = world(read_mocap(written(tmp_path, arrays)), [0, 1, 2])
    hip, knee, ankle = (places[:, names.index(n)] for n in ("LeftUpLeg", "LeftLeg", "LeftFoot"))
    near = {"atol": 2e-3, "rtol": 0}  # the file's numbers are half precision
    torch.testing.assert_close(hip[0], torch.tensor([0.1, 0.1, 0.0]), **near)
    torch.testing.assert_close(knee[0], torch.tensor([0.1, 0.1, -0.4]), **near)
    torch.testing.assert_close(ankle[0], torch.tensor([0.1, 0.1, -0.8]), **near)
    torch.testing.assert_close(places[1, names.index("LeftHand")], torch.tensor([0.0, -0.4, 0.7]), **near)
    torch.testing.assert_close(turns[1, 0] @ torch.tensor([0.0, 0, -1]), torch.tensor([1.0, 0, 0]), **near)
    torch.testing.assert_close(ankle[2], torch.tensor([0.1, 0.9, 0.0]), **near)


def test_every_frame_is_in_one_split_and_no_sequence_in_two(tmp_path: Path, arrays: Arrays):
    mocap = read_mocap(written(tmp_path, arrays))
    frames = {split: mocap.frames_of(split) for split in ("train", "validation", "test")}
    assert sorted(np.concatenate(list(frames.values())).tolist()) == list(range(42))
    sequences = {split: set(mocap.sequence[f].tolist()) for split, f in frames.items()}
    assert sequences["test"] == {"test/walking_1", "test/soccer_1"}
    assert sequences["validation"] == {"train/walking_1", "train/walking_5"}  # sorted by name: 0, 1, 10, 2, 3, 4, 5
    assert not sequences["train"] & sequences["validation"]


def test_people_who_play_lift_a_leg_or_lean_do_not_stand(tmp_path: Path, arrays: Arrays):
    names = list(arrays["joint_names"])
    arrays["rotvec"][0, names.index("LeftUpLeg")] = (-0.9, 0, 0)
    arrays["rotvec"][1, names.index("Hips")] = (0.5, 0, 0)
    mocap = read_mocap(written(tmp_path, arrays))
    found = standing_frames(mocap, "train").tolist()
    walking = [i for i in mocap.frames_of("train").tolist() if mocap.action[i] == "walking"]
    assert found == [i for i in walking if i not in (0, 1)]


def spoilt(arrays: Arrays, name: str, change) -> Arrays:
    arrays[name] = change(arrays[name])
    return arrays


def with_value(index: tuple[int, ...], value: float):
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("rotvec", lambda a: a[:, :, :2], "rotvec of shape"),
        ("rotvec", lambda a: a[:0], "rotvec of shape"),
        ("rotvec", with_value((3, 2, 1), np.nan), "finite numbers in rotvec"),
        ("offsets", with_value((0, 0), np.inf), "finite numbers in offsets"),
        ("offsets", lambda a: a[:-1], "offsets (joints, 3)"),
        ("parents", with_value((3,), 9), "every parent before its children"),
        ("parents", with_value((0,), 0), "one root"),
        ("joint_names", lambda a: a[:-1], "joint_names"),
        ("action", with_value((0,), 7), "index into actions"),
        ("sequence", lambda a: a[:-1], "index into sequences"),
        ("sequences", lambda a: np.char.add("other/", a), "train/... or test/..."),
        ("actions", lambda a: np.arange(2), "names in actions"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, arrays: Arrays, name: str, change, complaint: str):
    path = written(tmp_path, spoilt(arrays, name, change))
    with pytest.raises(InputError, match="not understood") as caught:
        read_mocap(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["rotvec", "offsets", "parents", "joint_names", "actions", "sequence"])
def test_a_missing_array_is_named(tmp_path: Path, arrays: Arrays, name: str):
    del arrays[name]
    with pytest.raises(InputError, match="not understood") as caught:
        read_mocap(written(tmp_path, arrays))
    assert f"an array {name}" in str(caught.value)


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path):
    path = tmp_path / "mocap.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="motion capture"):
        read_mocap(path)


def test_the_real_frames_stand_on_their_feet(cmu: Mocap):
    chosen = standing_frames(cmu, "validation")[::40].tolist()
    places, _ = world(cmu, chosen)
    names = cmu.joint_names
    head, foot = (places[:, names.index(n), 1] for n in ("HeadEnd", "LeftFoot"))
    assert float((foot - head).min()) > 1.1  # y points down
    assert len(chosen) > 20
