"""Which pairs are fitted, for every mix of options, annotations and candidates."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.contact.annotated_pair import AnnotatedPair
from apu.contact.contact import ContactMap
from apu.errors import ContactFileError, PeopleError
from apu.pose.wanted_pairs import wanted_pairs
from apu.scene.person import Keypoints, Person
from apu.scene.results import FitOptions

PEOPLE = [Person(i, Keypoints("coco17", np.zeros((17, 2)), np.ones(17)), 1.0, "made up") for i in range(4)]
CANDIDATES = [(0, 1), (2, 3), (1, 2)]
EMPTY = ContactMap((), "annotation")
SAYS_23 = [AnnotatedPair((3, 2), EMPTY)]
SAYS_NO_NAMES = [AnnotatedPair(None, EMPTY)]


@pytest.mark.parametrize(
    ("options", "annotated", "expected"),
    [
        (FitOptions(), [], [(0, 1)]),
        (FitOptions(all_pairs=True), [], CANDIDATES),
        (FitOptions(), SAYS_23, [(3, 2)]),
        (FitOptions(all_pairs=True), SAYS_23, [(3, 2)]),
        (FitOptions(), SAYS_NO_NAMES, [(0, 1)]),
        (FitOptions(pairs=((2, 0),)), [], [(2, 0)]),
        (FitOptions(pairs=((2, 0),)), SAYS_NO_NAMES, [(2, 0)]),
        (FitOptions(pairs=((2, 3),)), SAYS_23, [(2, 3)]),
        (FitOptions(pairs=((0, 1), (0, 1), (1, 0))), [], [(0, 1), (1, 0)]),
    ],
)
def test_the_user_comes_first_then_the_annotation_then_closeness(options, annotated, expected):
    assert wanted_pairs(options, PEOPLE, CANDIDATES, annotated) == expected


def test_two_people_in_boxes_are_the_pair_that_is_meant():
    boxed = [replace(p, source="movenet box") if p.index in (1, 3) else p for p in PEOPLE]
    assert wanted_pairs(FitOptions(), boxed, CANDIDATES, []) == [(1, 3)]
    assert wanted_pairs(FitOptions(all_pairs=True), boxed, CANDIDATES, []) == CANDIDATES
    assert wanted_pairs(FitOptions(), boxed, CANDIDATES, SAYS_23) == [(3, 2)]


def test_a_pair_that_does_not_exist_is_refused():
    with pytest.raises(PeopleError, match="7"):
        wanted_pairs(FitOptions(pairs=((0, 7),)), PEOPLE, CANDIDATES, [])


def test_a_pair_that_the_contact_file_does_not_know_is_refused():
    with pytest.raises(ContactFileError) as error:
        wanted_pairs(FitOptions(pairs=((0, 1),), contacts=Path("c.json")), PEOPLE, CANDIDATES, SAYS_23)
    assert "entries for 3,2" in str(error.value)


def test_people_who_are_all_apart_need_to_be_named():
    with pytest.raises(PeopleError) as error:
        wanted_pairs(FitOptions(), PEOPLE, [], [])
    assert "--pair" in str(error.value)
