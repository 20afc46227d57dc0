"""Boxes that people are sought in: which boxes make sense. What is found in them is tested with the detector."""

import numpy as np
import pytest

from apu.errors import PeopleError
from apu.pose.person_boxes import check_boxes
from apu.scene.person import Box
from apu.scene.photo import Photo

PHOTO = Photo(np.zeros((480, 640, 3), np.uint8), "black", "0" * 64)


def floats(box: tuple[float, ...]) -> Box:
    x0, y0, x1, y1 = map(float, box)
    return x0, y0, x1, y1


@pytest.mark.parametrize("box", [(0, 0, 640, 480), (-50, -50, 100, 100), (600, 400, 9000, 9000), (10.5, 20, 18.6, 90)])
def test_a_box_that_holds_a_part_of_the_photo_is_accepted(box: Box):
    check_boxes([floats(box)], PHOTO)


@pytest.mark.parametrize(
    ("box", "got"),
    [
        ((700, 0, 800, 100), "0 x 100"),
        ((-90, -90, -10, -10), "0 x 0"),
        ((10, 10, 10, 90), "without inside"),
        ((90, 10, 10, 90), "without inside"),
        ((10, 10, 14, 90), "4 x 80"),
        ((-90, 10, 4, 90), "4 x 80"),
        ((float("nan"), 0, 10, 10), "no number"),
        ((0, 0, float("inf"), 10), "no number"),
    ],
)
def test_a_box_that_holds_nobody_is_named_with_the_photos_size(box: Box, got: str):
    with pytest.raises(PeopleError) as caught:
        check_boxes([(0.0, 0.0, 100.0, 100.0), floats(box)], PHOTO)
    assert got in str(caught.value.got)
    assert "'black', box 2 of 2" in str(caught.value.where)
    assert f"{box[0]:g},{box[1]:g},{box[2]:g},{box[3]:g}" in str(caught.value.where)
    assert "640 x 480" in str(caught.value.expected)
    assert "--person-box" in str(caught.value.remedy)
