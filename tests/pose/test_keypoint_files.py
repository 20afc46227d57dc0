"""OpenPose and COCO keypoint files: what is read, which people are kept, and what is refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.errors import KeypointFileError
from apu.pose import keypoint_files
from apu.pose.coco_file import OCCLUDED_CONFIDENCE
from apu.pose.keypoint_files import read_keypoints


def rows(joints: int, x: float = 100.0, confidence: float = 0.8) -> np.ndarray:
    """A made-up skeleton whose joints are all in different places."""
    places = np.stack([x + 7.0 * np.arange(joints), 50.0 + 11.0 * np.arange(joints) % 97], axis=1)
    return np.concatenate([places, np.full((joints, 1), confidence)], axis=1)


def openpose(*people: object) -> dict:
    entries = [{"pose_keypoints_2d": p.ravel().tolist() if isinstance(p, np.ndarray) else p} for p in people]
    return {"version": 1.3, "people": entries}


def coco(people: np.ndarray, **more: object) -> dict:
    return {"keypoints": people.ravel().tolist(), "category_id": 1, **more}


def written(folder: Path, data: object) -> Path:
    path = folder / "keypoints.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def refused(path: Path, photo_name: str | None = None) -> KeypointFileError:
    with pytest.raises(KeypointFileError) as caught:
        read_keypoints(path, photo_name)
    assert str(path) in str(caught.value.where)
    assert caught.value.remedy
    return caught.value


def test_openpose_people_keep_their_numbers_and_unseen_joints(tmp_path: Path):
    person = rows(25)
    person[[8, 20], :] = 0
    (read,) = read_keypoints(written(tmp_path, openpose(person)))
    np.testing.assert_allclose(read.keypoints.xy, person[:, :2])
    np.testing.assert_allclose(read.keypoints.confidence, person[:, 2], rtol=1e-6)
    assert (read.keypoints.joint_set, read.source, read.index) == ("body25", "openpose", 0)
    assert read.score == pytest.approx(0.8)  # of the joints that were seen


def test_the_older_coco_18_order_lands_on_the_same_names(tmp_path: Path):
    (read,) = read_keypoints(written(tmp_path, openpose(rows(18))))
    x, _, confidence = read.keypoints.named("left_ankle")
    assert (x, confidence) == (100.0 + 7 * 13, pytest.approx(0.8))
    assert read.keypoints.named("right_eye")[0] == 100.0 + 7 * 14
    missing = {"mid_hip", *(name for name in joint_names("body25") if "toe" in name or "heel" in name)}
    assert {name for name in joint_names("body25") if read.keypoints.named(name)[2] == 0} == missing


def test_a_joint_without_confidence_is_unseen_wherever_it_claims_to_be(tmp_path: Path):
    person = rows(25)
    person[3] = (55.0, 66.0, 0.0)
    person[4] = (55.0, 66.0, -0.1)
    (read,) = read_keypoints(written(tmp_path, openpose(person)))
    assert read.keypoints.confidence[[3, 4]].tolist() == [0, 0]
    assert read.keypoints.xy[[3, 4]].tolist() == [[0, 0], [0, 0]]


def test_a_confidence_just_above_one_is_one(tmp_path: Path):
    (read,) = read_keypoints(written(tmp_path, openpose(rows(25, confidence=1.04))))
    assert set(read.keypoints.confidence) == {1.0}


def test_people_are_numbered_in_the_files_order_and_fragments_take_no_number(tmp_path: Path):
    fragment = np.zeros((25, 3))
    fragment[:3] = rows(3, 900)
    faint = rows(25, 700, confidence=0.15)
    people = read_keypoints(written(tmp_path, openpose(rows(25, 300), fragment, faint, rows(25, 10))))
    assert [(person.index, person.keypoints.xy[0, 0]) for person in people] == [(0, 300), (1, 10)]


def test_the_same_person_given_twice_is_one_person(tmp_path: Path):
    whole, part = rows(25, 300), rows(25, 301)
    part[12:] = 0
    for first, second in ((whole, part), (part, whole)):
        (read,) = read_keypoints(written(tmp_path, openpose(first, second)))
        assert (read.keypoints.confidence > 0).all()


def test_people_who_share_only_their_legs_stay_two(tmp_path: Path):
    a, b = rows(25, 300), rows(25, 340)
    b[9:15] = a[9:15]
    assert len(read_keypoints(written(tmp_path, openpose(a, b)))) == 2


@pytest.mark.parametrize("data", [{"people": []}, [], {"annotations": []}, openpose(np.zeros((25, 3)))])
def test_a_file_without_anybody_gives_nobody(tmp_path: Path, data: object):
    assert read_keypoints(written(tmp_path, data)) == []


def test_annotated_visibility_becomes_confidence(tmp_path: Path):
    person = rows(17, confidence=2)
    person[5, 2], person[6] = 1, 0
    (read,) = read_keypoints(written(tmp_path, {"annotations": [coco(person, image_id=1)]}))
    assert (read.keypoints.joint_set, read.source) == ("coco17", "coco")
    assert read.keypoints.confidence[[0, 5, 6]].tolist() == [1.0, pytest.approx(OCCLUDED_CONFIDENCE), 0.0]


def test_a_result_list_with_visibilities_is_read_as_such(tmp_path: Path):
    person = rows(17, confidence=2)
    person[5, 2] = 1
    (read,) = read_keypoints(written(tmp_path, [coco(person)]))
    assert read.keypoints.confidence[[0, 5]].tolist() == [1.0, pytest.approx(OCCLUDED_CONFIDENCE)]


def test_results_carry_scores_and_a_score_of_one_is_certain(tmp_path: Path):
    people = [coco(rows(17, 0, 0.4), score=0.9), coco(rows(17, 500, 0.4)), coco(rows(17, 900, 1.0), score=2.7)]
    read = read_keypoints(written(tmp_path, people))
    assert [person.score for person in read] == pytest.approx([0.9, 0.4, 1.0])
    assert read[0].keypoints.confidence[0] == pytest.approx(0.4)
    assert read[2].keypoints.confidence[0] == 1.0


def several() -> dict:
    images = [{"id": 7, "file_name": "train/hug.jpg"}, {"id": 139, "file_name": "kiss.png"}, {"id": 8}]
    people = [
        coco(rows(17, 100, 2), image_id=7),
        coco(rows(17, 200, 2), image_id=139),
        coco(rows(17, 300, 2), image_id=7),
    ]
    return {"images": images, "annotations": people}


@pytest.mark.parametrize(
    ("name", "left_edges"),
    [("hug", [100, 300]), ("kiss", [200]), ("kiss.png", [200]), ("139", [200]), ("000000000139", [200]), ("8", [])],
)
def test_a_photo_is_chosen_by_file_name_or_number(tmp_path: Path, name: str, left_edges: list[float]):
    people = read_keypoints(written(tmp_path, several()), name)
    assert [person.keypoints.xy[0, 0] for person in people] == left_edges
    assert [person.index for person in people] == list(range(len(people)))


def test_results_whose_image_ids_are_file_names_are_chosen_by_them(tmp_path: Path):
    data = [coco(rows(17, 100), image_id="a.jpg"), coco(rows(17, 200), image_id="b.jpg")]
    assert read_keypoints(written(tmp_path, data), "b")[0].keypoints.xy[0, 0] == 200


def test_a_file_name_goes_before_another_photos_number(tmp_path: Path):
    data = several()
    data["images"][1]["file_name"] = "7.jpg"
    assert read_keypoints(written(tmp_path, data), "7")[0].keypoints.xy[0, 0] == 200


def test_the_only_photo_of_a_file_needs_no_name(tmp_path: Path):
    data = {"images": [{"id": 1, "file_name": "old.jpg"}], "annotations": [coco(rows(17, confidence=2), image_id=1)]}
    path = written(tmp_path, data)
    assert len(read_keypoints(path)) == len(read_keypoints(path, "renamed")) == 1


def test_which_of_several_photos_is_meant_has_to_be_clear(tmp_path: Path):
    path = written(tmp_path, several())
    assert "train/hug.jpg" in str(refused(path).got)
    assert refused(path, "slap").expected == "one photo called slap"
    data = several()
    data["images"][1]["file_name"] = "test/hug.jpg"
    assert str(refused(written(tmp_path, data), "hug").got).startswith("2 of that name among 3")


def test_faults_in_other_photos_of_the_file_do_not_matter(tmp_path: Path):
    data = several()
    data["annotations"][1]["keypoints"] = "broken"
    assert len(read_keypoints(written(tmp_path, data), "hug")) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e9, 10**400, "12", None, True, [1]])
@pytest.mark.parametrize("place", [3, 5])
def test_a_value_that_is_no_number_is_named_with_its_person_and_field(tmp_path: Path, value: object, place: int):
    values = rows(25).ravel().tolist()
    values[place] = value
    error = refused(written(tmp_path, openpose(rows(25, 900), values)))
    assert str(error.where).endswith(f"people[1], pose_keypoints_2d[{place}]")
    values = rows(17).ravel().tolist()
    values[place] = value
    error = refused(written(tmp_path, [{"keypoints": values}]))
    assert str(error.where).endswith(f"results[0], keypoints[{place}]")


@pytest.mark.parametrize("values", [[], [1.0] * 74, [1.0] * 411, "x" * 75, None, {"0": 1}, 3])
def test_a_wrong_number_of_values_is_named_with_its_person_and_field(tmp_path: Path, values: object):
    error = refused(written(tmp_path, openpose(rows(25), values)))
    assert str(error.where).endswith("people[1], pose_keypoints_2d")
    assert "75 numbers" in str(error.expected)
    error = refused(written(tmp_path, {"annotations": [{"keypoints": values}]}))
    assert str(error.where).endswith("annotations[0], keypoints")
    assert "51 numbers" in str(error.expected)


def test_percentages_are_not_taken_for_confidences(tmp_path: Path):
    assert refused(written(tmp_path, openpose(rows(25, confidence=80)))).expected == "a confidence in [0, 1]"


def test_coordinates_that_are_shares_of_the_photo_are_refused(tmp_path: Path):
    person = rows(25)
    person[:, :2] /= 1000
    error = refused(written(tmp_path, openpose(person)))
    assert "not in pixels" in error.what
    assert "--keypoint_scale" in str(error.remedy)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"people": [3]}, "people[0], pose_keypoints_2d"),
        ({"people": [{"pose_keypoints": [0] * 75}]}, "people[0], pose_keypoints_2d"),
        ([3], "results[0]"),
        ([{"image_id": [1], "keypoints": []}], "results[0], image_id"),
        ({"annotations": [], "images": 3}, "images"),
        ({"annotations": [], "images": [{"file_name": "a.jpg"}]}, "images[0]"),
        ([coco(rows(17), score="high")], "results[0], score"),
        ([coco(rows(17), score=float("nan"))], "results[0], score"),
    ],
)
def test_an_entry_of_another_shape_is_named(tmp_path: Path, data: object, where: str):
    assert str(refused(written(tmp_path, data)).where).endswith(f", {where}")


@pytest.mark.parametrize("data", [{}, {"people": 3}, {"shapes": []}, 7, None, "text", {"annotations": {}}])
def test_json_of_another_kind_is_refused(tmp_path: Path, data: object):
    assert "no kind" in refused(written(tmp_path, json.dumps(data))).what


@pytest.mark.parametrize(
    "content", [b"", b"{", b"x,y\n1,2", b"\xff\xfe\x00", b"\x80\x04pickle", b"[" * 200_000], ids=range(6)
)
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "keypoints.json"
    path.write_bytes(content)
    error = refused(path)
    assert "not JSON" in error.what
    assert (error.got == "an empty file") == (content == b"")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path):
    path = tmp_path / "keypoints.json"
    path.write_text(json.dumps(openpose(rows(25))), "utf-8-sig")
    assert len(read_keypoints(path)) == 1


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    assert "cannot be opened" in refused(tmp_path / "gone.json").what
    assert "cannot be opened" in refused(tmp_path).what


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "keypoints.json"
    with path.open("wb") as file:
        file.truncate(keypoint_files.MAX_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    assert "too large" in refused(path).what


@pytest.mark.parametrize(
    ("file", "people"),
    [
        ("vitpose/college_232334_keypoints.json", 5),
        ("openpose/college_232334.json", 5),
        ("vitpose/girls_250416_keypoints.json", 17),
        ("openpose/girls_250416.json", 30),
    ],
)
def test_the_shared_files_give_everybody_inside_the_photo(photos: Path, file: str, people: int):
    read = read_keypoints(photos / file)
    assert [person.index for person in read] == list(range(people))
    for person in read:
        x0, y0, x1, y1 = person.box
        assert -5 < x0 < x1 < 505
        assert -5 < y0 < y1 < 505
        assert 0.2 < person.score < 1
