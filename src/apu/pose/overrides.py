"""Keypoints that the user gives for single people, instead of what was found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.errors import InputError, KeypointFileError, PeopleError
from apu.pose.keypoint_files import read_keypoints
from apu.pose.keypoint_values import is_same_person, rows_of
from apu.scene.person import Person
from apu.scene.results import FitOptions


def override_keypoints(
    people: Sequence[Person], overrides: Sequence[tuple[int, Path]], photo_name: str
) -> list[Person]:
    """The people, some of them with other keypoints; numbers and order stay.

    Args:
        people: of one photo.
        overrides: a person's number, and the keypoint file of that one person.
        photo_name: which photo of a COCO file is meant.

    Raises:
        PeopleError: nobody has that number, or somebody is given two files.
        KeypointFileError: a file cannot be read, or does not hold exactly one person.
    """
    places = {person.index: i for i, person in enumerate(people)}
    changed = list(people)
    given: dict[int, Path] = {}
    for index, path in overrides:
        if index not in places:
            raise _wrong_number(index, path, f"a number among {', '.join(map(str, places)) or 'nobody'}", index)
        if index in given:
            raise _wrong_number(index, path, "one keypoint file for a person", f"{given[index]} too")
        given[index] = path
        in_file = read_keypoints(path, photo_name)
        if len(in_file) != 1:
            raise KeypointFileError(
                "A person's keypoint file has to hold that one person.",
                where=path,
                expected=f"one person of whom enough is seen, for person {index}",
                got=f"{len(in_file) or 'no'} such people",
                remedy="keep that person's entry only; for everybody's keypoints, use --keypoints FILE.",
            )
        (new,) = in_file
        changed[places[index]] = replace(new, index=index)
        _check_new(changed, places[index], path)
    return changed


def _check_new(people: Sequence[Person], place: int, path: Path) -> None:
    """See that the person whose keypoints were given is nobody else in the photo."""
    mine = _rows(people[place])
    for other in (person for i, person in enumerate(people) if i != place):
        if is_same_person(mine, _rows(other)):
            raise _wrong_number(
                people[place].index, path, "keypoints of nobody else in the photo", f"those of person {other.index}"
            )


def _rows(person: Person) -> Float[np.ndarray, "25 3"]:
    return rows_of(person.keypoints.as_set("body25"))


def check_no_detector(options: FitOptions) -> None:
    """See that nothing is said to the detector beside keypoint files: they replace it.

    Raises:
        InputError: something is.
    """
    told = {
        "--person-box": f"{len(options.person_boxes)} boxes" if options.person_boxes else "",
        "--detector": options.detector if options.detector != FitOptions.detector else "",
        "--detector-weights": options.detector_weights,
    }
    said = {option: value for option, value in told.items() if value}
    if options.keypoints and said:
        raise InputError(
            "Keypoint files replace the detector, so nothing can be said to it beside them.",
            where=", ".join(map(str, options.keypoints)),
            expected="keypoint files alone, or the detector and its options",
            got=", ".join(f"{option}: {value}" for option, value in said.items()),
            remedy=f"leave out --keypoints, or {' and '.join(said)}; --person-keypoints goes with either.",
        )


def _wrong_number(index: int, path: Path, expected: str, got: object) -> PeopleError:
    return PeopleError(
        "Keypoints are given for a person they cannot be given to.",
        where=f"person {index}, {path}",
        expected=expected,
        got=got,
        remedy="use the numbers by which the people are printed, and drawn in panel.png, each once.",
    )
