"""Who of a BEV file is who in the photo: by 2D joints, one to one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.contact.box_matching import match_boxes
from apu.errors import InputError
from apu.pose.bev import BevPerson
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

_JOINTS = [i for i, name in enumerate(joint_names("coco17")) if name.endswith(COMPARED)]


def match_people(people: Sequence[Person], estimates: Sequence[BevPerson], path: Path) -> dict[int, BevPerson]:
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
            got=f"{len(matched)} of {could}; {_nearest(people, distance)}",
            remedy="give the file that was made from this very photo, upright and in its full size, with --init.",
        )
    return {people[i].index: estimates[j] for i, j in matched.items()}


def joint_distances(people: Sequence[Person], estimates: Sequence[BevPerson]) -> Float[np.ndarray, "n m"]:
    """Mean distance of limb joints, weighted by confidence, in diagonals of the person's keypoint box.

    Infinite for a person with too few joints. An error beyond one diagonal counts as one.
    """
    each = [one.named_joints("coco17")[1][_JOINTS] for one in estimates]
    theirs = np.array(each).reshape(len(estimates), len(_JOINTS), 2)
    rows = [_distances(person, theirs) for person in people]
    return np.array(rows, np.float64).reshape(len(people), len(estimates))


def _distances(person: Person, theirs: Float[np.ndarray, "m k 2"]) -> Float[np.ndarray, " m"]:
    mine = person.keypoints.as_set("coco17")
    confidence = mine.confidence[_JOINTS]
    weight = np.where(confidence > MIN_CONFIDENCE, confidence, 0.0)
    size = person.keypoints.diagonal()
    if (weight > 0).sum() < LEAST_JOINTS or size <= 0:
        return np.full(len(theirs), np.inf)
    apart = np.linalg.norm(theirs - mine.xy[_JOINTS], axis=-1) / size
    return np.minimum(apart, 1.0) @ weight / weight.sum()


def _nearest(people: Sequence[Person], distance: Float[np.ndarray, "n m"]) -> str:
    if not distance.size:
        return "nobody in the file"
    best = distance.min(1)
    order = np.argsort(best)[:5]
    listed: Mapping[int, float] = {people[i].index: float(best[i]) for i in order}
    words = [f"person {i} {'too few joints' if np.isinf(d) else f'{d:.2f}'}" for i, d in listed.items()]
    return "nearest distances: " + ", ".join(words)
