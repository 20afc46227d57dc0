"""What all keypoint files share: rows of checked numbers, and which of them are people worth keeping."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.errors import KeypointFileError
from apu.scene.person import Keypoints, Person

MIN_JOINTS, MIN_CONFIDENCE = 4, 0.2
"""People with fewer joints above this confidence cannot be fitted."""

MAX_PIXEL = 1e6
"""Coordinates beyond are no pixels."""

MAX_CONFIDENCE = 1.5
"""Heat maps overshoot 1 a little, and are clipped; more is a percentage, a logit, or another quantity."""

SAME_PERSON = 0.02
"""Mean distance of the joints that two skeletons share, in box diagonals, below which they are one person twice."""


@dataclass(frozen=True)
class FoundPerson:
    """One entry of a keypoint file.

    Attributes:
        rows: (j, 3) x and y in pixels, confidence in [0, 1]; zeros for a joint that was not seen.
        score: the file's own word on the person, in [0, 1], if it has one.
    """

    rows: Float[np.ndarray, "j 3"]
    score: float | None = None


def keypoint_rows(values: Sequence[object], joints: int, where: str) -> Float[np.ndarray, "{joints} 3"]:
    """Check a flat list x, y, confidence, x, ... and make it rows.

    Args:
        values: out of the file. A confidence of 0 or less means that the joint was not seen.
        joints: how many there have to be.
        where: file, person and field, for the error.

    Raises:
        KeypointFileError: wrong length, or a value that is no finite number or no possible pixel or confidence.
    """
    if len(values) != 3 * joints:
        raise bad_field(where, f"{3 * joints} numbers (x, y, confidence of {joints} joints)", values)
    numbers = []
    for i, value in enumerate(values):
        low, high = (-math.inf, MAX_CONFIDENCE) if i % 3 == 2 else (-MAX_PIXEL, MAX_PIXEL)
        number = finite_number(value)
        if number is None or not low <= number <= high:
            meaning = "a confidence in [0, 1]" if i % 3 == 2 else f"a pixel coordinate, at most {MAX_PIXEL:.0f}"
            raise bad_field(f"{where}[{i}]", meaning, value)
        numbers.append(number)
    rows = np.array(numbers, np.float32).reshape(joints, 3)
    rows[:, 2] = rows[:, 2].clip(0, 1)
    rows[rows[:, 2] == 0] = 0
    return rows


def people_of(found: Sequence[FoundPerson], joint_set: str, source: str, path: Path) -> list[Person]:
    """Number the entries that are people, in their order, without fragments and repetitions.

    A person's score is the file's, else the mean confidence of the joints that were seen.

    Raises:
        KeypointFileError: the coordinates are shares of the photo, not pixels.
    """
    whole = [person for person in found if (person.rows[:, 2] > MIN_CONFIDENCE).sum() >= MIN_JOINTS]
    if whole and max(float(np.abs(person.rows[:, :2]).max()) for person in whole) <= 1:
        raise KeypointFileError(
            "The keypoints are not in pixels.",
            where=path,
            expected="pixels of the upright photo",
            got="coordinates that are all within -1 and 1",
            remedy="export them in pixels (OpenPose: --keypoint_scale 0).",
        )
    people: list[Person] = []
    for person in _without_repetitions(whole):
        confidence = person.rows[:, 2].copy()
        score = float(confidence[confidence > 0].mean()) if person.score is None else person.score
        people.append(Person(len(people), Keypoints(joint_set, person.rows[:, :2].copy(), confidence), score, source))
    return people


def rows_of(keypoints: Keypoints) -> Float[np.ndarray, "j 3"]:
    """Joints as rows: x and y in pixels, confidence."""
    return np.concatenate([keypoints.xy, keypoints.confidence[:, None]], axis=1)


def bad_field(where: str, expected: str, got: object) -> KeypointFileError:
    """The error for one field of one person."""
    return KeypointFileError(
        "A field of the keypoint file makes no sense.",
        where=where,
        expected=expected,
        got=repr(got)[:200],
        remedy="export the keypoints again, or mend this entry.",
    )


def finite_number(value: object) -> float | None:
    """A JSON value as a finite number, or None when it is none; JSON readers let NaN and Infinity pass."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON integers may be as long as they like
        return None
    return number if math.isfinite(number) else None


def _without_repetitions(people: Sequence[FoundPerson]) -> list[FoundPerson]:
    """Top-down detectors give the front person of a hug twice; the one with more joints stays, or the first."""
    joints = [int((person.rows[:, 2] > MIN_CONFIDENCE).sum()) for person in people]
    numbered = list(enumerate(people))
    return [
        person
        for i, person in numbered
        if not any(
            (joints[j], -j) > (joints[i], -i) and is_same_person(person.rows, other.rows) for j, other in numbered
        )
    ]


def is_same_person(a: Float[np.ndarray, "j 3"], b: Float[np.ndarray, "j 3"]) -> bool:
    """Whether two lists of joints are of one person: most are seen in both, and lie at the same places."""
    both = (a[:, 2] > MIN_CONFIDENCE) & (b[:, 2] > MIN_CONFIDENCE)
    if both.sum() < max(MIN_JOINTS, 0.5 * min((a[:, 2] > MIN_CONFIDENCE).sum(), (b[:, 2] > MIN_CONFIDENCE).sum())):
        return False
    extents = [np.linalg.norm(np.ptp(rows[rows[:, 2] > MIN_CONFIDENCE, :2], axis=0)) for rows in (a, b)]
    return bool(np.linalg.norm(a[both, :2] - b[both, :2], axis=1).mean() <= SAME_PERSON * min(extents))
