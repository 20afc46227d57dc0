"""The numbered people: colours of A and B, left lighter than right, nothing invented for joints that were not seen."""

from dataclasses import replace

import numpy as np
import pytest

from apu.body.joints import JOINT_SETS, joint_names
from apu.scene.person import Keypoints, Person
from apu.show.palette import LINE_COLORS, OTHERS_COLOR
from apu.show.people import LIMBS, draw_people, draw_skeleton

GREY = np.full((240, 320, 3), 128, np.uint8)


def near(picture: np.ndarray, color, tolerance: int = 12) -> np.ndarray:
    """(h, w) pixels of about this colour."""
    return (np.abs(picture.astype(int) - np.round(np.array(color) * 255)) <= tolerance).all(2)


def person(*joints: tuple[str, float, float], index: int = 0, confidence: float = 0.9) -> Person:
    names = joint_names("coco17")
    xy, sure = np.zeros((17, 2)), np.zeros(17)
    for name, x, y in joints:
        xy[names.index(name)], sure[names.index(name)] = (x, y), confidence
    return Person(index, Keypoints("coco17", xy, sure), 0.9, "made up")


def test_the_photo_itself_is_not_drawn_on(people):
    kept = GREY.copy()
    draw_people(GREY, people, (0, 2))
    assert np.array_equal(GREY, kept)


def test_a_and_b_have_their_colours_and_the_others_none(people):
    picture = draw_people(GREY, people, (0, 2))
    for color in (*LINE_COLORS, OTHERS_COLOR):
        assert near(picture, color).sum() > 30
    swapped = draw_people(GREY, people, (2, 0))
    x0, y0, x1, y1 = (round(v) for v in people[0].box)
    assert near(picture[y0:y1, x0:x1], LINE_COLORS[0]).sum() > near(swapped[y0:y1, x0:x1], LINE_COLORS[0]).sum()


def test_without_a_pair_nobody_is_coloured(people):
    picture = draw_people(GREY, people)
    assert near(picture, OTHERS_COLOR).sum() > 30
    for color in LINE_COLORS:
        assert not near(picture, color, 4).any()


def test_left_limbs_are_lighter_than_right_ones():
    left = person(("left_shoulder", 60, 60), ("left_elbow", 60, 160))
    right = person(("right_shoulder", 60, 60), ("right_elbow", 60, 160))
    pictures = []
    for one in (left, right):
        canvas = GREY.copy()
        draw_skeleton(canvas, one.keypoints, (0.8, 0.4, 0.1), weight=3.0)
        pictures.append(canvas[110, 60].astype(int).sum())
    assert pictures[0] > pictures[1] + 60


@pytest.mark.parametrize("confidence", [0.0, 0.1])
def test_joints_that_were_not_seen_are_not_drawn(confidence):
    canvas = GREY.copy()
    hidden = person(("left_shoulder", 60, 60), ("left_elbow", 60, 160), confidence=confidence)
    draw_skeleton(canvas, hidden.keypoints, (0.8, 0.4, 0.1))
    assert np.array_equal(canvas, GREY)


def test_a_limb_needs_both_its_joints():
    canvas = GREY.copy()
    draw_skeleton(canvas, person(("left_shoulder", 60, 60), ("left_wrist", 60, 160)).keypoints, (0.8, 0.4, 0.1))
    assert np.array_equal(canvas[100:120], GREY[100:120])
    assert not np.array_equal(canvas[55:65], GREY[55:65])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_wild_coordinates_draw_nothing_and_break_nothing(bad):
    picture = draw_people(GREY, [person(("left_shoulder", bad, bad), ("left_elbow", bad, 50))])
    assert np.array_equal(picture[60:, 60:], GREY[60:, 60:])


def test_the_number_is_above_the_head_and_stays_in_the_picture():
    standing = [("nose", 160.0, 90.0), ("left_ankle", 160.0, 200.0), ("right_ankle", 150.0, 200.0)]
    badge = near(draw_people(GREY, [person(*standing, index=3)], (3, 0)), LINE_COLORS[0], 3)
    _, columns = np.nonzero(badge[:85])
    assert abs(columns.mean() - 160) < 3
    cut_off = [("nose", 316.0, 2.0), ("left_ankle", 316.0, 200.0), ("right_ankle", 310.0, 200.0)]
    badge = near(draw_people(GREY, [person(*cut_off, index=3)], (3, 0)), LINE_COLORS[0], 3)
    assert badge.sum() > 50


def test_drawing_at_another_size_moves_everything_alike(people):
    small, large = draw_people(GREY, people, (0, 2)), draw_people(GREY, people, (0, 2), size=(640, 480))
    assert large.shape == (480, 640, 3)
    for color in LINE_COLORS:
        (rows, columns), (big_rows, big_columns) = (np.nonzero(near(p, color, 20)) for p in (small, large))
        assert np.allclose([big_rows.max() / 2, big_columns.max() / 2], [rows.max(), columns.max()], atol=5)


def test_every_joint_set_is_drawn_whole(people):
    for joint_set in JOINT_SETS:
        canvas = GREY.copy()
        draw_skeleton(canvas, replace(people[0].keypoints.as_set(joint_set)), (0.8, 0.4, 0.1))
        x0, _, _, y1 = people[0].box
        rows, columns = np.nonzero((canvas != GREY).any(2))
        assert rows.max() == pytest.approx(y1, abs=6)
        assert columns.min() == pytest.approx(x0, abs=6)


def test_limbs_name_joints_of_some_set():
    known = {name for names in JOINT_SETS.values() for name in names}
    assert {joint for limb in LIMBS for joint in limb} <= known
