"""Who of an estimate file is who in the photo: by 2D joints, one to one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from apu.body.joints import joint_names
from apu.contact.box_matching import match_boxes
from apu.errors import InputError
from apu.pose.initial_person import JOINT_SET, EstimatedPerson
from apu.scene.person import Person

COMPARED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
MIN_CONFIDENCE = 0.2
LEAST_JOINTS = 4
"""Of a person, seen: fewer say nothing."""

FARTHEST = 0.2
"""Mean distance of joints, in the person's size, beyond which two are not one. Right matches of the photos of
`benchmarks/initial.py` lie at 0.02 to 0.17, neighbours in a group at 0.2 and more."""

LEAST_SHARE = 1 / 2
"""Of those who could be matched, at least so many must be: in a crowd, somebody fits a stranger by chance. Measured on
both photos of `benchmarks/initial.py`: at least 4 of 5 in the right file, at most 1 of 3 in the other one's."""

_NAMES = [name for name in joint_names("coco17") if name.endswith(COMPARED)]
_JOINTS = [joint_names("coco17").index(name) for name in _NAMES]
_ROWS = [joint_names(JOINT_SET).index(name) for name in _NAMES]


def match_people(
    people: Sequence[Person], estimates: Sequence[EstimatedPerson], path: Path
) -> dict[int, EstimatedPerson]:
    """Person's number -> their estimate, for those who have one.

    Args:
        people: of the photo.
        estimates: of the file.
        path: the file, for the error.

    Raises:
        InputError: fewer than half of those who could have one do, so the file is of another photo.
    """
    distance = joint_distances(people, estimates)
    matched = match_boxes(1 - distance / FARTHEST, 0.0)
    could = min(int(np.isfinite(distance).any(1).sum()), len(estimates)) if estimates else 0
    if not matched or len(matched) < LEAST_SHARE * could:
        raise InputError(
            "The people in the initial estimate file are not those in the photo.",
            where=path,
            expected=f"people whose joints lie within {FARTHEST:g} of a person's size of those in the photo",
            got=f"{len(matched)} of {could}, with {len(estimates)} in the file and {len(people)} in the photo; "
            + _nearest(people, distance),
            remedy="give the file that was made from this very photo, upright and in its full size, with --init.",
        )
    return {people[i].index: estimates[j] for i, j in matched.items()}


def joint_distances(people: Sequence[Person], estimates: Sequence[EstimatedPerson]) -> Float[np.ndarray, "n m"]:
    """Mean distance of limb joints, weighted by confidence, in diagonals of the person's keypoint box.

    Infinite where too few joints are seen and known. An error beyond one diagonal counts as one.
    """
    theirs = np.array([one.pixels[_ROWS] for one in estimates]).reshape(len(estimates), len(_ROWS), 2)
    known = np.array([one.known[_ROWS] for one in estimates], bool).reshape(len(estimates), len(_ROWS))
    rows = [_distances(person, theirs, known) for person in people]
    return np.array(rows, np.float64).reshape(len(people), len(estimates))


def _distances(
    person: Person, theirs: Float[np.ndarray, "m k 2"], known: Bool[np.ndarray, "m k"]
) -> Float[np.ndarray, " m"]:
    mine = person.keypoints.as_set("coco17")
    confidence = mine.confidence[_JOINTS]
    weight = np.where(confidence > MIN_CONFIDENCE, confidence, 0.0) * known
    size = person.keypoints.diagonal()
    enough = (weight > 0).sum(1) >= LEAST_JOINTS
    if size <= 0:
        return np.full(len(theirs), np.inf)
    apart = np.minimum(np.linalg.norm(theirs - mine.xy[_JOINTS], axis=-1) / size, 1.0)
    mean = (apart * weight).sum(1) / np.where(enough, weight.sum(1), 1.0)
    return np.where(enough, mean, np.inf)


def _nearest(people: Sequence[Person], distance: Float[np.ndarray, "n m"]) -> str:
    if not distance.size:
        return "nobody in the file"
    best = distance.min(1)
    order = np.argsort(best)[:5]
    listed: Mapping[int, float] = {people[i].index: float(best[i]) for i in order}
    words = [f"person {i} {'too few joints' if np.isinf(d) else f'{d:.2f}'}" for i, d in listed.items()]
    return "nearest distances: " + ", ".join(words)
