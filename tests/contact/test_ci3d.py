"""The 75 region numbers of FlickrCI3D in our names."""

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from apu.body.region_names import REGION_NAMES, mirrored
from apu.contact.ci3d import CI3D_NAMES, ci3d_label, ci3d_regions
from apu.errors import InputError

NUMBERS = range(75)
RIGHT_FRONT_THIGH, LEFT_FRONT_THIGH = {19, 46}, {20, 45}
"""The documented exceptions to the mirror: the left ones are described apart, the right ones alike."""

PROSEPOSE_PARTS = {
    "left_hand left_fingers": [3, 33, 72, 17],
    "right_hand right_fingers": [23, 26, 27, 40],
    "left_upper_arm left_elbow left_forearm": [5, 11, 34, 49, 57, 69],
    "right_upper_arm right_elbow right_forearm": [6, 8, 24, 32, 37, 44],
    "left_foot": [1, 67],
    "right_foot": [42, 65],
    "left_upper_thigh left_lower_thigh left_knee left_upper_calf left_lower_calf":
        [15, 20, 21, 25, 30, 45, 53, 56, 60, 64],
    "right_upper_thigh right_lower_thigh right_knee right_upper_calf right_lower_calf":
        [12, 16, 18, 19, 22, 28, 36, 46, 55, 62],
    "left_head right_head": [39, 51, 52, 66],
    "left_neck right_neck": [14, 43, 47, 54],
    "left_buttock right_buttock": [9, 71],
    "left_shoulder_front left_shoulder_back": [2, 73],
    "right_shoulder_front right_shoulder_back": [29, 31],
    "left_upper_chest left_lower_chest right_upper_chest right_lower_chest": [7, 58, 59, 61],
    "left_upper_belly left_lower_belly right_upper_belly right_lower_belly": [0, 4, 68, 74],
    "left_lower_back right_lower_back": [10, 48],
    "left_middle_back right_middle_back left_upper_back right_upper_back left_shoulder_blade right_shoulder_blade":
        [13, 35, 38, 41, 63, 70],
    "pelvis_front": [50],
}  # fmt: skip
"""Coarse parts of ProsePose's scripts, by the beginnings of our names; the back's overlapping ones are split."""


def mirror(regions: Iterable[str]) -> frozenset[str]:
    return frozenset(mirrored(region) for region in regions)


def test_there_are_75_numbers():
    assert len(CI3D_NAMES) == 75


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_stands_for_known_regions_of_the_side_in_its_name(number: int):
    regions = ci3d_regions(number)
    assert regions
    assert regions <= set(REGION_NAMES)
    assert {region.split("_")[0] for region in regions} == {CI3D_NAMES[number].split(" ")[0]}


def test_every_region_is_reached_by_some_number():
    assert frozenset().union(*map(ci3d_regions, NUMBERS)) == set(REGION_NAMES)


def test_numbers_with_the_same_description_stand_for_the_same_regions():
    for number in NUMBERS:
        alike = {ci3d_regions(other) for other in NUMBERS if CI3D_NAMES[other] == CI3D_NAMES[number]}
        assert alike == {ci3d_regions(number)}


def test_the_table_is_its_own_mirror_image_but_for_the_front_of_the_thighs():
    counted = Counter(ci3d_regions(number) for number in NUMBERS)
    reflected = Counter(mirror(ci3d_regions(number)) for number in NUMBERS)
    exceptions = Counter(ci3d_regions(number) for number in RIGHT_FRONT_THIGH | LEFT_FRONT_THIGH)
    assert counted - reflected == exceptions
    right, left = ({ci3d_regions(n) for n in thigh} for thigh in (RIGHT_FRONT_THIGH, LEFT_FRONT_THIGH))
    assert {mirror(frozenset().union(*left))} == right, "together they are still the same surface"


def test_a_mirrored_description_stands_for_the_mirrored_regions():
    swapped = {"left": "right", "right": "left"}
    for number in set(NUMBERS) - RIGHT_FRONT_THIGH - LEFT_FRONT_THIGH:
        side, _, rest = CI3D_NAMES[number].partition(" ")
        partners = [n for n in NUMBERS if CI3D_NAMES[n] == f"{swapped.get(side, side)} {rest}"]
        assert partners, f"{number} {CI3D_NAMES[number]} has no partner"
        assert {ci3d_regions(n) for n in partners} == {mirror(ci3d_regions(number))}


def test_the_reading_agrees_with_the_coarse_parts_of_prosepose():
    listed = [number for numbers in PROSEPOSE_PARTS.values() for number in numbers]
    assert sorted(listed) == list(NUMBERS)
    for beginnings, numbers in PROSEPOSE_PARTS.items():
        for number in numbers:
            assert all(region.startswith(tuple(beginnings.split())) for region in ci3d_regions(number))


def test_a_label_has_the_number_and_the_description():
    assert ci3d_label(23) == "CI3D 23 right palm"
    assert all(re.fullmatch(r"CI3D \d+ (left|right|pelvis) [a-z ]+", ci3d_label(number)) for number in NUMBERS)


@pytest.mark.parametrize("number", [-1, 75, 10**30])
@pytest.mark.parametrize("function", [ci3d_regions, ci3d_label])
def test_a_number_that_does_not_exist_is_refused(function, number: int):
    with pytest.raises(InputError, match="no such FlickrCI3D region") as caught:
        function(number)
    assert "from 0 to 74" in str(caught.value)
    assert str(number) in str(caught.value)
