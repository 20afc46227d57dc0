"""FlickrCI3D's annotations: the two real photos, matching of people, and damaged files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from apu.contact.ci3d import ci3d_label, ci3d_regions
from apu.contact.files import AnnotatedPair, Box, read_contact_file
from apu.errors import ContactFileError

from .conftest import THREE_BOXES, Write

FoundBoxes = Callable[[str, str], list[Box]]


def entry(*signs: tuple[list[int], list[list[int]]], boxes: object = ...) -> dict[str, object]:
    """A photo with its boxes, by default those of the people found, and pairs of region numbers for its people."""
    return {
        "bbxes": [list(box) for box in THREE_BOXES] if boxes is ... else boxes,
        "license": {},
        "ci_sign": [{"person_ids": ids, "smplx": {"region_id": regions}, "ghum": {}} for ids, regions in signs],
    }


def read(path: Path, boxes: list[Box] = THREE_BOXES, name: str = "photo") -> list[AnnotatedPair]:
    return read_contact_file(path, name, boxes)


# The real photos


@pytest.mark.parametrize(("kind", "people"), [("vitpose", (2, 4)), ("openpose", (0, 2))])
def test_the_hug_of_the_college_photo_has_its_13_contacts(signature_file, found_boxes: FoundBoxes, kind, people):
    (pair,) = read(signature_file, found_boxes("college_232334", kind), "college_232334")
    assert pair.people == people
    assert pair.contacts.source == "annotation"
    assert len(pair.contacts.contacts) == 13
    assert {(c.weight, c.source) for c in pair.contacts.contacts} == {(1.0, "annotation")}
    first = pair.contacts.contacts[0]
    assert first.regions_a == {"right_head_front"}, "the first column is the first person's"
    assert first.regions_b == {"left_fingers_palm", "left_fingers_back"}
    assert first.name == "CI3D 51 right head front - CI3D 33 left fingers"


@pytest.mark.parametrize(
    ("kind", "people"), [("vitpose", [(11, 9), (0, 4), (11, 12)]), ("openpose", [(7, 8), (10, 9), (7, 2)])]
)
def test_the_three_pairs_of_the_crowd_are_found(signature_file, found_boxes: FoundBoxes, kind, people):
    pairs = read(signature_file, found_boxes("girls_250416", kind), "girls_250416")
    assert [pair.people for pair in pairs] == people
    assert [len(pair.contacts.contacts) for pair in pairs] == [6, 4, 3]


def test_the_name_may_have_its_ending(signature_file, found_boxes: FoundBoxes):
    boxes = found_boxes("college_232334", "vitpose")
    assert read(signature_file, boxes, "college_232334.png") == read(signature_file, boxes, "college_232334")


# Contacts


def test_every_correspondence_is_kept_even_where_two_mean_the_same(write: Write):
    regions = [[3, 38], [33, 38], [3, 63], [3, 38]]
    (pair,) = read(write({"photo": entry(([0, 1], regions))}))
    assert len(pair.contacts.contacts) == 4
    assert len({(c.regions_a, c.regions_b) for c in pair.contacts.contacts}) == 1
    assert [(c.label_a, c.label_b) for c in pair.contacts.contacts] == [
        (ci3d_label(a), ci3d_label(b)) for a, b in regions
    ]


def test_a_pair_without_correspondences_has_no_known_contact(write: Write):
    (pair,) = read(write({"photo": entry(([2, 0], []))}))
    assert (pair.people, pair.contacts.contacts) == ((2, 0), ())


def test_a_pair_that_is_annotated_twice_is_one_pair(write: Write):
    (pair,) = read(write({"photo": entry(([0, 1], [[23, 10]]), ([1, 0], [[72, 50]]))}))
    assert pair.people == (0, 1)
    first, second = pair.contacts.contacts
    assert (first.regions_a, first.regions_b) == (ci3d_regions(23), ci3d_regions(10))
    assert (second.regions_a, second.regions_b) == (ci3d_regions(50), ci3d_regions(72))


# Who is who


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_people_are_matched_by_their_boxes_whatever_their_order(write: Write, order: list[int]):
    path = write({"photo": entry(([0, 2], [[23, 10]]))})
    (pair,) = read(path, [THREE_BOXES[i] for i in order])
    assert pair.people == (order.index(0), order.index(2))


def test_a_person_is_never_both_people_of_a_pair(write: Write):
    close = [[0, 0, 40, 100], [2, 0, 42, 100]]
    path = write({"photo": entry(([0, 1], [[23, 10]]), boxes=close)})
    with pytest.raises(ContactFileError, match="No annotated pair"):
        read(path, [(1.0, 0.0, 41.0, 100.0), (300.0, 0.0, 340.0, 100.0)])


def test_a_pair_with_a_person_who_was_not_found_is_left_out(write: Write):
    path = write({"photo": entry(([0, 1], [[23, 10]]), ([1, 2], [[23, 10]]))})
    assert [pair.people for pair in read(path, THREE_BOXES[:2])] == [(0, 1)]


@pytest.mark.parametrize(("height", "is_found"), [(30.1, True), (29.9, False)])
def test_boxes_match_from_an_overlap_of_three_tenths(write: Write, height: float, is_found: bool):
    boxes: list[Box] = [(0.0, 0.0, 40.0, height), THREE_BOXES[2]]
    path = write({"photo": entry(([0, 2], [[23, 10]]))})
    if is_found:
        assert read(path, boxes)[0].people == (0, 1)
    else:
        with pytest.raises(ContactFileError) as caught:
            read(path, boxes)
        assert "box 0: 0.30" in str(caught.value)
        assert "box 2" not in str(caught.value), "that one was found"


def test_when_nobody_is_found_the_boxes_and_the_way_out_are_named(write: Write):
    path = write({"photo": entry(([0, 1], [[23, 10]]))})
    for boxes in ([], [(500.0, 500.0, 600.0, 600.0)]):
        with pytest.raises(ContactFileError) as caught:
            read(path, boxes)
        assert caught.value.where == f"{path}: photo"
        assert caught.value.got == "at best, box 0: 0.00, box 1: 0.00"
        assert "--keypoints" in str(caught.value.remedy)


# Files that do not fit


def test_a_photo_that_is_not_in_the_file_gets_a_few_names_that_are(write: Write):
    path = write({f"girls_{i}": entry() for i in range(9)} | {"photo_12": entry(), "a\x1b[31m": entry()})
    with pytest.raises(ContactFileError, match="not in the contact file") as caught:
        read(path, name="photo_13")
    assert caught.value.expected == "one of 'photo_12', 'girls_0', 'girls_1', 'girls_2', 'girls_3' and 6 more"
    assert caught.value.got == "'photo_13'"


def test_only_the_photos_own_entry_needs_to_be_sound(write: Write):
    good = entry(([0, 1], [[23, 10]]))
    assert read(write({"broken": {"ci_sign": 5}, "photo": good})) == read(write({"photo": good}))


GOOD = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (None, ""),
        ([], ""),
        ({}, ".bbxes"),
        ({"bbxes": GOOD}, ".ci_sign"),
        ({"bbxes": None, "ci_sign": []}, ".bbxes"),
        (entry(boxes=[[0, 0, 1]]), ".bbxes[0]"),
        (entry(boxes=[[0, 0, 1, 1, 1]]), ".bbxes[0]"),
        (entry(boxes=[[0, 0, 1, "1"]]), ".bbxes[0][3]"),
        (entry(boxes=[[0, 0, 1, float("nan")]]), ".bbxes[0][3]"),
        (entry(boxes=[[0, 0, float("-inf"), 1]]), ".bbxes[0][2]"),
        (entry(boxes=[[0, 0, 10**400, 1]]), ".bbxes[0][2]"),
        (entry(([0, 1], [[0, 75]])), ".ci_sign[0].smplx.region_id[0][1]"),
        (entry(([0, 1], [[0, 1], [-1, 0]])), ".ci_sign[0].smplx.region_id[1][0]"),
        (entry(([0, 1], [[0, 1.5]])), ".ci_sign[0].smplx.region_id[0][1]"),
        (entry(([0, 1], [[0, True]])), ".ci_sign[0].smplx.region_id[0][1]"),
        (entry(([0, 1], [[0]])), ".ci_sign[0].smplx.region_id[0]"),
        (entry(([0, 1], [[0, 1]]), ([0], [])), ".ci_sign[1].person_ids"),
        (entry(([0, 3], [[0, 1]])), ".ci_sign[0].person_ids"),
        (entry(([0, 1], []), ([1, 1], [[0, 1]])), ".ci_sign[1].person_ids"),
        (entry(([0, -1], [[0, 1]])), ".ci_sign[0].person_ids[1]"),
        (entry(([0, 1], [[0, 1]]), boxes=[]), ".ci_sign[0].person_ids"),
        ({"bbxes": GOOD, "ci_sign": [{"person_ids": [0, 1], "ghum": {"region_id": []}}]}, ".ci_sign[0].smplx"),
        ({"bbxes": GOOD, "ci_sign": [{"person_ids": [0, 1], "smplx": {}}]}, ".ci_sign[0].smplx.region_id"),
        (entry(), ""),
    ],
    ids=str,
)
def test_a_damaged_entry_is_refused_and_its_field_named(write: Write, broken: object, field: str):
    path = write({"photo": broken})
    with pytest.raises(ContactFileError) as caught:
        read(path)
    assert caught.value.where == f"{path}: photo{field}"
    assert caught.value.expected
    assert caught.value.remedy


def test_boxes_beyond_all_numbers_are_people_who_were_not_found(write: Write):
    path = write({"photo": entry(([0, 1], [[0, 1]]), boxes=[[-1e308, -1e308, 1e308, 1e308], [5, 5, 5, 5]])})
    with pytest.raises(ContactFileError, match="No annotated pair"):
        read(path)
