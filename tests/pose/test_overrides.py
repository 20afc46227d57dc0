"""Keypoint files for single people."""

import json
from pathlib import Path

import numpy as np
import pytest

from apu.errors import InputError, KeypointFileError, PeopleError
from apu.pose.overrides import check_no_detector, override_keypoints
from apu.scene.results import FitOptions


def openpose_file(folder: Path, *starts: float) -> Path:
    people = []
    for start in starts:
        rows = np.stack([start + 7.0 * np.arange(25), 50.0 + 11.0 * np.arange(25) % 97, np.full(25, 0.8)], axis=1)
        people.append({"pose_keypoints_2d": rows.ravel().tolist()})
    path = folder / f"{len(starts)}.json"
    path.write_text(json.dumps({"people": people}))
    return path


def test_one_persons_keypoints_are_the_files_and_all_else_stays(somebody, tmp_path: Path):
    people = [somebody(i, 100 * i, 200, 40) for i in range(3)]
    changed = override_keypoints(people, [(1, openpose_file(tmp_path, 100.0))], "photo")
    assert [person.index for person in changed] == [0, 1, 2]
    assert (changed[0], changed[2]) == (people[0], people[2])
    assert (changed[1].source, changed[1].keypoints.joint_set) == ("openpose", "body25")
    assert changed[1].keypoints.named("nose") == pytest.approx((100, 50, 0.8))


def test_without_overrides_nothing_changes(somebody):
    people = [somebody(0, 100, 200, 40)]
    assert override_keypoints(people, [], "photo") == people


@pytest.mark.parametrize(("starts", "got"), [((), "no such people"), ((100.0, 400.0), "2 such people")])
def test_a_file_without_exactly_one_person_is_refused(somebody, tmp_path: Path, starts: tuple[float, ...], got: str):
    path = openpose_file(tmp_path, *starts)
    with pytest.raises(KeypointFileError, match="that one person") as caught:
        override_keypoints([somebody(0, 100, 200, 40)], [(0, path)], "photo")
    assert (caught.value.where, caught.value.got) == (str(path), got)


@pytest.mark.parametrize(
    ("numbers", "where", "expected"), [((7,), "person 7", "among 0, 1"), ((1, 1), "person 1", "one keypoint file")]
)
def test_an_unknown_number_and_a_number_named_twice_are_refused(
    somebody, tmp_path: Path, numbers: tuple[int, ...], where: str, expected: str
):
    people = [somebody(i, 100 * i, 200, 40) for i in range(2)]
    path = openpose_file(tmp_path, 100.0)
    with pytest.raises(PeopleError) as caught:
        override_keypoints(people, [(number, path) for number in numbers], "photo")
    assert where in str(caught.value.where)
    assert expected in str(caught.value.expected)


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ({"person_boxes": ((0.0, 0.0, 10.0, 10.0),)}, "--person-box"),
        ({"detector": "vitpose"}, "--detector"),
        ({"detector_weights": Path("net.onnx")}, "--detector-weights"),
    ],
)
def test_nothing_is_said_to_the_detector_beside_a_keypoint_file(tmp_path: Path, said: dict, option: str):
    check_no_detector(FitOptions(keypoints=(tmp_path,)))
    check_no_detector(FitOptions(**said))
    with pytest.raises(InputError, match="replace the detector") as error:
        check_no_detector(FitOptions(keypoints=(tmp_path,), **said))
    assert f"{option}: " in str(error.value.got)


def test_the_keypoints_of_somebody_else_in_the_photo_are_refused(somebody, tmp_path: Path):
    (mine,) = override_keypoints([somebody(0, 100, 200, 40)], [(0, openpose_file(tmp_path, 100.0))], "photo")
    people = [mine, somebody(1, 400, 200, 40)]
    with pytest.raises(PeopleError) as error:
        override_keypoints(people, [(1, openpose_file(tmp_path, 100.0))], "photo")
    assert "person 0" in str(error.value)
