"""A second net looks at the people whom MoveNet finds; its word counts only where it sees a person of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.errors import InputError
from apu.pose import optional_detectors
from apu.pose.optional_detectors import people_in_photo, rtmo_people
from apu.pose.rtmpose import RtmPose
from apu.pose.top_down import MARGIN, look_at_people, looked_at
from apu.scene.photo import Photo

PHOTO = Photo(np.zeros((1000, 1200, 3), np.uint8), "hug", "0" * 64)


class Net:
    """Says a prepared skeleton for each box, and remembers where it looked."""

    def __init__(self, *skeletons: np.ndarray) -> None:
        self.skeletons, self.boxes = [np.asarray(s, np.float64) for s in skeletons], []

    def __call__(self, pixels: np.ndarray, boxes: list) -> list[np.ndarray]:
        self.boxes = list(boxes)
        return self.skeletons


@pytest.fixture
def two(somebody):
    return [replace(somebody(i, x, 500, 100), source="movenet") for i, x in enumerate((400, 700))]


def test_the_joints_are_the_nets_and_the_numbers_are_kept(two, standing):
    net = Net(standing(410, 505, 95, 0.9), standing(705, 495, 105, 0.7))
    people = look_at_people(net, "vitpose", PHOTO, two)
    assert [person.index for person in people] == [0, 1]
    assert [person.source for person in people] == ["vitpose"] * 2
    assert [person.keypoints.joint_set for person in people] == ["body25"] * 2
    for person, skeleton in zip(people, net.skeletons, strict=True):
        assert person.keypoints.as_set("coco17").xy == pytest.approx(skeleton[:, :2], abs=1e-3)
    assert [person.score for person in people] == pytest.approx([0.9, 0.7])


def test_the_net_looks_at_the_keypoint_boxes_and_a_margin(two):
    net = Net(*[np.zeros((17, 3))] * 2)
    look_at_people(net, "vitpose", PHOTO, two)
    for person, box in zip(two, net.boxes, strict=True):
        x0, y0, x1, y1 = person.box
        margin = MARGIN * max(x1 - x0, y1 - y0)
        assert box == pytest.approx((x0 - margin, y0 - margin, x1 + margin, y1 + margin))


def test_the_net_looks_at_the_users_boxes_where_there_are_some(two):
    boxed = [two[0], replace(two[1], source="movenet box")]
    x0, y0, x1, y1 = two[1].box
    given = (x0 - 30, y0 - 50, x1 + 20, y1 + 40)
    assert looked_at(boxed, [given], PHOTO)[1] == given
    assert looked_at(boxed, [given], PHOTO)[0] == looked_at(two, [], PHOTO)[0]
    assert looked_at(boxed, [(x0, y0, x1, 5000.0)], PHOTO)[1][3] <= PHOTO.height


def test_who_lies_outside_the_photo_is_looked_for_at_its_border(somebody):
    (box,) = looked_at([somebody(0, 3000, 500, 100)], [], PHOTO)
    assert box[0] == PHOTO.width - 1
    assert box[2] == PHOTO.width


def test_people_of_boxes_stay_recognisable(two, standing):
    net = Net(standing(400, 500, 100), standing(700, 500, 100))
    people = look_at_people(net, "rtmpose", PHOTO, [two[0], replace(two[1], source="movenet box")])
    assert [person.source for person in people] == ["rtmpose", "rtmpose box"]


def test_a_person_seen_twice_is_the_one_who_was_there(two, standing):
    """The net sees the person on the right in both boxes; the one on the left keeps MoveNet's joints, and says so."""
    right = standing(702, 500, 100)
    people = look_at_people(Net(right, right), "vitpose", PHOTO, two)
    assert people[1].source == "vitpose"
    assert people[0].source == "movenet"
    assert people[0].note == "MoveNet's joints: vitpose sees person 1 again"
    assert people[0].keypoints.as_set("coco17").xy == pytest.approx(two[0].keypoints.xy)


def test_who_is_hardly_seen_keeps_movenets_joints(two, standing):
    faint = standing(400, 500, 100, 0.1)
    people = look_at_people(Net(faint, standing(700, 500, 100)), "vitpose", PHOTO, two)
    assert people[0].note == "MoveNet's joints: vitpose sees too little"
    assert people[1].note == ""


def test_rtmos_people_are_numbered_from_left_to_right(standing):
    skeletons = [standing(x, 500, 100, 0.8).astype(np.float64) for x in (900, 300, 600)]
    people = rtmo_people(lambda pixels: skeletons, PHOTO)
    assert [person.index for person in people] == [0, 1, 2]
    assert [person.keypoints.named("nose")[0] for person in people] == [300, 600, 900]
    assert {person.source for person in people} == {"rtmo"}


@pytest.mark.filterwarnings("error")
def test_whom_rtmo_sees_without_a_joint_of_the_body_is_nobody(standing):
    """Every joint is no number but one of a confidence of 0: nothing is left in BODY_25."""
    nothing = np.full((17, 3), np.nan)
    nothing[0] = (5, 5, 0)
    people = rtmo_people(lambda pixels: [nothing, standing(300, 500, 100, 0.8).astype(np.float64)], PHOTO)
    assert [person.index for person in people] == [0]


def test_movenet_takes_no_weights_and_rtmo_no_boxes():
    with pytest.raises(InputError, match="no weights"):
        people_in_photo(PHOTO, "movenet", Path("net.onnx"))
    with pytest.raises(InputError, match="no boxes"):
        people_in_photo(PHOTO, "rtmo", None, [(0.0, 0.0, 100.0, 100.0)])


def test_a_detector_is_asked_by_its_name_and_given_its_weights(monkeypatch: pytest.MonkeyPatch, two, standing):
    asked = []

    def load(name: str):
        def loaded(weights, progress):
            asked.append((name, weights))
            return RtmPose(library)

        return loaded

    def library(pixels, bboxes):
        rows = np.stack([standing(x, 500, 100) for x in (400, 700)])
        return rows[..., :2], rows[..., 2]

    monkeypatch.setattr(optional_detectors, "load_rtmpose", load("rtmpose"))
    monkeypatch.setattr(optional_detectors, "detect_people", lambda *given, **kept: two)
    people = people_in_photo(PHOTO, "rtmpose", Path("weights"))
    assert [person.source for person in people] == ["rtmpose"] * 2
    assert asked == [("rtmpose", Path("weights"))]
