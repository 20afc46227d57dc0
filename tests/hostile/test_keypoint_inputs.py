"""Keypoint files with numbers that make no sense, too few people, or one person twice."""

import json
from pathlib import Path

import pytest

from .conftest import openpose, skeleton


def with_value(index: int, value: object) -> list:
    values = list(skeleton(140))
    values[index] = value
    return values


def shares(x: float) -> list[float]:
    return [value if i % 3 == 2 else value / 320 for i, value in enumerate(skeleton(x))]


SPOILT = {
    "empty": ("", "not JSON"),
    "cut short": (openpose(skeleton(100))[:200], "not JSON"),
    "another kind of JSON": ('{"version": 1}', "no kind that is known"),
    "74 numbers": (openpose(skeleton(100), skeleton(140)[:74]), "people[1], pose_keypoints_2d"),
    "NaN": (openpose(skeleton(100), with_value(3, float("nan"))), "people[1], pose_keypoints_2d[3]"),
    "infinity": (openpose(skeleton(100), with_value(4, float("inf"))), "people[1], pose_keypoints_2d[4]"),
    "a number as text": (openpose(skeleton(100), with_value(6, "12")), "people[1], pose_keypoints_2d[6]"),
    "a percentage as confidence": (openpose(skeleton(100), with_value(5, 97.0)), "a confidence in [0, 1]"),
    "negative confidences": (openpose(skeleton(100), [-abs(v) if i % 3 == 2 else v for i, v in enumerate(skeleton(9))]),
                             "--keypoints"),
    "nobody": (openpose(), "--keypoints"),
    "one person": (openpose(skeleton(100)), "--keypoints"),
    "one person twice": (openpose(skeleton(100), skeleton(100)), "--keypoints"),
    "one person twice, a little moved": (openpose(skeleton(100), skeleton(101)), "--keypoints"),
    "shares of the photo": (openpose(shares(100), shares(140)), "not in pixels"),
    "brackets without end": ("[" * 100_000, "not JSON"),
    "a number of a million digits": ('{"people": [{"pose_keypoints_2d": [' + "9" * 10**6 + "]}]}", "spoilt.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_keypoint_file_is_refused_at_its_field(refused, hug: Path, name: str):
    content, words = SPOILT[name]
    (hug / "spoilt.json").write_text(content)
    assert words in refused("hug.jpg", "--keypoints", "spoilt.json")


def test_a_pair_of_one_person_is_refused_before_any_work(run):
    result = run("fit", "hug.jpg", "--pair", "1,1")
    assert result.exit_code == 2
    assert "two different people" in result.stderr


@pytest.mark.parametrize("pair", ["0,2", "7,0"])
def test_a_pair_with_somebody_who_is_not_there_is_refused(refused, pair: str):
    assert pair[2 if pair[0] == "0" else 0] in refused("hug.jpg", "--keypoints", "two.json", "--pair", pair)


def test_keypoints_for_somebody_who_is_not_there_are_refused(refused, hug: Path):
    (hug / "one.json").write_text(openpose(skeleton(100)))
    assert "person 7" in refused("hug.jpg", "--keypoints", "two.json", "--person-keypoints", "7=one.json")


def test_a_file_of_two_people_is_no_keypoints_of_one(refused):
    assert "two.json" in refused("hug.jpg", "--keypoints", "two.json", "--person-keypoints", "0=two.json")


def test_boxes_outside_the_photo_are_refused(refused):
    said = refused("hug.jpg", "--person-box", "0,0,200,200", "--person-box", "900,900,950,950")
    assert "900,900,950,950" in said
    assert "320 x 280" in said


def test_boxes_beside_keypoints_are_refused(refused):
    refused("hug.jpg", "--keypoints", "two.json", "--person-box", "0,0,200,200")


def test_a_coco_file_without_the_photo_is_refused(refused, hug: Path):
    images = [{"id": 1, "file_name": "kiss.jpg"}, {"id": 2, "file_name": "dance.jpg"}]
    (hug / "coco.json").write_text(json.dumps({"images": images, "annotations": []}))
    assert "kiss.jpg, dance.jpg" in refused("hug.jpg", "--keypoints", "coco.json")
