"""Which pairs are looked at, in which order, and what is said about pairs and people that are missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.errors import PeopleError
from apu.pose.closeness import body_size_px, closeness, nearest_gaps
from apu.pose.keypoint_files import read_keypoints
from apu.pose.pairs import check_pairs, choose_pairs, require_two_people
from apu.scene.person import Keypoints, Person


def test_the_pair_that_touches_comes_before_the_pair_that_stands_near(somebody):
    people = [somebody(0, 100, 300, 60), somebody(1, 180, 300, 60), somebody(2, 225, 300, 60)]
    assert choose_pairs(people) == [(1, 2), (0, 1)]


def test_people_who_stand_apart_are_no_pair(somebody):
    assert choose_pairs([somebody(0, 100, 300, 60), somebody(1, 400, 300, 60)]) == []
    assert choose_pairs([somebody(0, 100, 300, 60)]) == []
    assert choose_pairs([]) == []


def test_boxes_that_miss_each_other_by_less_than_the_margin_are_a_pair(somebody):
    width, height = 60 * 1.0, 60 * 3.18  # of the stick figure's box; the margin is of its longer side, twice
    for apart, pairs in ((0.19 * height, [(0, 1)]), (0.21 * height, [])):
        assert choose_pairs([somebody(0, 100, 300, 60), somebody(1, 100 + width + apart, 300, 60)]) == pairs


def test_a_prominent_pair_in_contact_comes_before_tiny_and_doubtful_ones(somebody):
    tiny = [somebody(0, 20, 300, 15), somebody(1, 26, 300, 15)]
    doubtful = [somebody(2, 500, 300, 60, score=0.25), somebody(3, 540, 300, 60, score=0.25)]
    prominent = [somebody(4, 200, 300, 60), somebody(5, 240, 300, 60)]
    assert choose_pairs([*tiny, *doubtful, *prominent]) == [(4, 5), (2, 3), (0, 1)]


def test_a_small_pair_in_contact_comes_before_a_large_one_that_stands_apart(somebody):
    small = [somebody(0, 20, 300, 30), somebody(1, 40, 300, 30)]
    large = [somebody(2, 300, 300, 60), somebody(3, 300 + 60 * 1.6, 300, 60)]
    assert choose_pairs([*small, *large]) == [(0, 1), (2, 3)]


def test_someone_far_behind_comes_after_the_neighbour(somebody):
    people = [somebody(0, 200, 300, 60), somebody(1, 205, 260, 15), somebody(2, 240, 300, 60)]
    assert choose_pairs(people)[0] == (0, 2)


def test_pairs_are_named_by_the_people_numbers_in_rising_order(somebody):
    people = [somebody(9, 100, 300, 60), somebody(4, 130, 300, 60)]
    assert choose_pairs(people) == [(4, 9)]


def test_equally_close_pairs_come_in_the_order_of_their_numbers(somebody):
    people = [somebody(i, 100 + 1000 * (i // 2) + 40 * (i % 2), 300, 60) for i in range(6)]
    assert choose_pairs(people) == choose_pairs(people[::-1]) == [(0, 1), (2, 3), (4, 5)]


def test_somebody_nobody_has_seen_is_in_no_pair(somebody):
    nobody = Person(1, Keypoints("coco17", np.zeros((17, 2), np.float32), np.zeros(17, np.float32)), 0.0, "test")
    assert choose_pairs([somebody(0, 10, 10, 60), nobody]) == []


def test_a_handshake_closes_the_gap_that_is_wide_between_the_bodies(somebody, moved):
    a, b = somebody(0, 100, 300, 60), somebody(1, 220, 300, 60)
    apart = nearest_gaps(a.keypoints, b.keypoints).min()
    a, b = moved(a, "left_wrist", (160.0, 290.0)), moved(b, "right_wrist", (163.0, 290.0))
    assert apart > 0.9
    assert nearest_gaps(a.keypoints, b.keypoints).min() == pytest.approx(3 / 60, abs=1e-6)


def test_limbs_that_cross_have_no_gap_although_their_ends_are_far_apart(somebody, moved):
    a = moved(moved(somebody(0, 100, 300, 60), "left_elbow", (150.0, 280.0)), "left_wrist", (250.0, 280.0))
    b = moved(moved(somebody(1, 200, 300, 60), "right_elbow", (190.0, 230.0)), "right_wrist", (190.0, 330.0))
    assert nearest_gaps(a.keypoints, b.keypoints).min() == 0


def test_people_near_along_a_whole_side_are_closer_than_people_whose_wrists_meet(somebody, moved):
    beside = closeness(somebody(0, 100, 300, 60), somebody(1, 150, 300, 60))
    a = moved(somebody(0, 100, 300, 60), "left_wrist", (160.0, 290.0))
    b = moved(somebody(1, 220, 300, 60), "right_wrist", (160.0, 290.0))
    assert beside > closeness(a, b) > 0


def test_a_joint_that_was_hardly_seen_closes_no_gap(somebody, moved):
    a, b = somebody(0, 100, 300, 60), somebody(1, 220, 300, 60)
    ghost = moved(a, "left_wrist", (200.0, 300.0), 0.1)
    assert nearest_gaps(ghost.keypoints, b.keypoints).min() >= nearest_gaps(a.keypoints, b.keypoints).min()


def test_the_joint_order_of_the_file_does_not_matter(somebody):
    a, b = somebody(0, 100, 300, 60), somebody(1, 150, 300, 60)
    a25, b25 = (replace(person, keypoints=person.keypoints.as_set("body25")) for person in (a, b))
    assert closeness(a25, b25) == pytest.approx(closeness(a, b), rel=1e-6)


@given(scale=st.floats(0.2, 5), x=st.floats(-500, 500), y=st.floats(-500, 500), apart=st.floats(0.5, 3))
def test_the_gap_is_the_same_both_ways_and_knows_neither_place_nor_scale(somebody, scale, x, y, apart):
    a, b = somebody(0, 0, 0, 60), somebody(1, 60 * apart, 7, 60)
    c, d = somebody(0, x, y, 60 * scale), somebody(1, x + 60 * apart * scale, y + 7 * scale, 60 * scale)
    gap = nearest_gaps(a.keypoints, b.keypoints).min()
    assert nearest_gaps(b.keypoints, a.keypoints).min() == pytest.approx(gap, abs=1e-9)
    assert nearest_gaps(c.keypoints, d.keypoints).min() == pytest.approx(gap, abs=1e-3)


def test_the_size_of_a_body_is_its_torso_even_when_the_legs_are_hidden(somebody, moved):
    person = somebody(0, 100, 300, 60)
    assert body_size_px(person.keypoints) == pytest.approx(60, rel=1e-5)
    for joint in ("left_knee", "right_knee", "left_ankle", "right_ankle", "left_hip"):
        person = moved(person, joint, (0.0, 0.0), 0.0)
    assert body_size_px(person.keypoints) == pytest.approx(60, rel=0.1)


def test_the_size_of_a_body_seen_from_above_is_still_a_share_of_its_height(somebody, moved):
    person = somebody(0, 100, 300, 60)
    for joint in ("left_hip", "right_hip"):
        person = moved(person, joint, (100.0, 240.0))
    assert body_size_px(person.keypoints) > 0.6 * 60


def test_a_pair_that_exists_passes_and_every_other_is_refused_with_its_numbers(somebody):
    people = [somebody(i, 100 * i, 300, 60) for i in range(3)]
    check_pairs([], people)
    check_pairs([(0, 2), (2, 1)], people)
    for pair, got in (((1, 1), "person 1 twice"), ((0, 3), "no person 3"), ((-1, 7), "no person -1 and no person 7")):
        with pytest.raises(PeopleError) as caught:
            check_pairs([(0, 1), pair], people)
        assert caught.value.got == got
        assert caught.value.where == f"pair {pair[0]},{pair[1]}"
        assert "--pair" in str(caught.value.remedy)
    with pytest.raises(PeopleError) as caught:
        check_pairs([(0, 3)], people)
    assert caught.value.expected == "numbers among 0, 1, 2"


def test_fewer_than_two_people_are_refused_with_the_photos_name_and_a_remedy(somebody):
    people = [somebody(i, 100 * i, 300, 60) for i in range(2)]
    require_two_people(people, "hug")
    for few, what, got in (([], "No person", "0 people"), (people[:1], "Only one person", "1 person")):
        with pytest.raises(PeopleError, match=what) as caught:
            require_two_people(few, "hug")
        assert (caught.value.where, caught.value.got) == ("hug", got)
        assert "--keypoints FILE" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("file", "hug"), [("vitpose/college_232334_keypoints.json", (2, 4)), ("openpose/college_232334.json", (0, 2))]
)
def test_the_hug_comes_first_and_the_photographer_before_a_sitter_second(photos: Path, file: str, hug: tuple[int, int]):
    pairs = choose_pairs(read_keypoints(photos / file))
    assert pairs[0] == hug
    assert len(pairs) == 2


def test_the_annotated_pairs_of_the_crowd_are_candidates_and_two_of_three_are_in_the_first_third(photos: Path):
    pairs = choose_pairs(read_keypoints(photos / "vitpose" / "girls_250416_keypoints.json"))
    ranks = sorted(pairs.index(pair) for pair in ((0, 4), (9, 11), (11, 12)))
    assert ranks[1] < len(pairs) / 3
