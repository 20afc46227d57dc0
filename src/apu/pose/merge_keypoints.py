"""Several keypoint files of one photo -> one list of people, joint by joint. The first file is the preferred one.

What is merged follows BUDDI's data loader (Mueller et al., CVPR 2024), which joins ViTPose and OpenPose: whoever is
missing in the one comes from the other; where one skeleton would be two people's, the other file has both; toes come
from the other file where the ankles agree. Its limit for that is in pixels, and counts the confidence as a coordinate;
ours is a share of the person's size. The matching, the other limits, and the doubts are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.contact.box_matching import match_boxes
from apu.errors import KeypointFileError
from apu.scene.person import Keypoints, Person

SAME_PERSON = 0.12
"""Mean distance of joints, in box diagonals, up to which two skeletons may be one person. In two photos, matched people
are at most 0.07 apart, others at least 0.187 (`benchmarks/same_person.py`)."""

SURE = 0.3
"""Confidence above which a joint counts in comparisons; that of keypoint boxes."""

MIN_JOINTS = 4
"""Fewer joints that both files are sure of say nothing of who is who."""

SAME_PLACE = 0.05
"""Box diagonals between two ankles up to which they are one, so that the foot of the one fits the leg of the other."""

DISPUTE = 0.15
"""Box diagonals between two sure places of one joint from which at least one of them is wrong."""

DOUBTED = 0.5
"""What is left of the confidence of a joint that is disputed."""

_NAMES = joint_names("body25")
_FEET = {
    _NAMES.index(f"{side}_{end}"): _NAMES.index(f"{side}_ankle")
    for side in ("left", "right")
    for end in ("big_toe", "small_toe", "heel")
}
_MIRRORED = {
    i: _NAMES.index(other)
    for i, name in enumerate(_NAMES)
    for this, that in (("left", "right"), ("right", "left"))
    if name.startswith(f"{this}_") and (other := name.replace(this, that)) in _NAMES
}


@dataclass(frozen=True)
class MergedJoints:
    """One person's joints out of two files.

    Attributes:
        keypoints: in `body25` order.
        taken: joints that are the other file's.
        doubted: joints that the other file has elsewhere.
    """

    keypoints: Keypoints
    taken: tuple[str, ...]
    doubted: tuple[str, ...]


def merge_people(files: Sequence[Sequence[Person]], names: Sequence[str]) -> list[Person]:
    """The people of one photo out of several files.

    The people of the first file keep their numbers; whom only a later file has is added after them. Each later file is
    merged with what the earlier ones gave.

    Args:
        files: the people of each file, the preferred file first; any joint sets.
        names: of the files, for the people's notes and for errors.

    Returns:
        People in `body25`, numbered from 0. Their notes say which joints are of which file. Those of a single file come
        back as they are.

    Raises:
        KeypointFileError: a file has people, but nobody of the earlier files.
    """
    if len(files) == 1:
        return list(files[0])
    people = [_in_body25(person) for person in files[0]]
    for other, name in zip(files[1:], names[1:], strict=True):
        people = _merged(people, [_in_body25(person) for person in other], name, ", ".join(names))
    return [replace(person, index=i) for i, person in enumerate(people)]


def merge_joints(first: Keypoints, other: Keypoints) -> MergedJoints:
    """The joints of one person: the first file's, and where it has none, the other's.

    A heel or toe is taken only where both files have the ankle at one place, and a joint not where it would lie on the
    first file's joint of the other side (the files then disagree on left and right). A joint of which both are sure, at
    places far apart, keeps the first file's place, and loses half of its confidence.

    Args:
        first, other: the same person, in any joint sets.
    """
    first, other = first.as_set("body25"), other.as_set("body25")
    xy, confidence = first.xy.copy(), first.confidence.copy()
    size = max((first.diagonal() + other.diagonal()) / 2, 1.0)
    apart = np.linalg.norm(first.xy - other.xy, axis=1) / size
    missing = (first.confidence <= 0) & (other.confidence > 0)
    seen_twice = (first.confidence > 0) & (other.confidence > 0)
    taken = [i for i in np.flatnonzero(missing).tolist() if i not in _FEET and not _is_swapped(i, first, other, size)]
    for foot, ankle in _FEET.items():
        agrees = ankle in taken or (seen_twice[ankle] and apart[ankle] <= SAME_PLACE)
        taken += [foot] if missing[foot] and agrees else []
    xy[taken], confidence[taken] = other.xy[taken], other.confidence[taken]
    doubted = (first.confidence > SURE) & (other.confidence > SURE) & (apart > DISPUTE)
    confidence = np.where(doubted, DOUBTED * confidence, confidence).astype(first.confidence.dtype)
    return MergedJoints(
        Keypoints("body25", xy, confidence),
        tuple(_NAMES[i] for i in sorted(taken)),
        tuple(_NAMES[i] for i in np.flatnonzero(doubted)),
    )


def distances(first: Sequence[Person], other: Sequence[Person]) -> Float[np.ndarray, "n m"]:
    """How far apart two skeletons are: mean over the joints that both are sure of, in box diagonals.

    Args:
        first, other: n and m people, in one joint set.

    Returns:
        (n, m); infinite where fewer than `MIN_JOINTS` joints can be compared.
    """
    apart = np.full((len(first), len(other)), np.inf)
    for i, a in enumerate(first):
        for j, b in enumerate(other):
            both = (a.keypoints.confidence > SURE) & (b.keypoints.confidence > SURE)
            if both.sum() >= MIN_JOINTS:
                size = max((a.keypoints.diagonal() + b.keypoints.diagonal()) / 2, 1.0)
                apart[i, j] = np.linalg.norm(a.keypoints.xy[both] - b.keypoints.xy[both], axis=1).mean() / size
    return apart


def _merged(people: Sequence[Person], other: Sequence[Person], name: str, names: str) -> list[Person]:
    """The people of the earlier files and those of one more, all in `body25`."""
    apart = distances(people, other)
    likeness = np.where(apart <= SAME_PERSON, 1 - apart, 0.0)
    match = match_boxes(likeness, 1 - SAME_PERSON)
    if people and other and not match:
        raise KeypointFileError(
            "The keypoint files have nobody in common.",
            where=names,
            expected="files of the same photo, in pixels of the same size",
            got=f"{len(people)} people in the earlier files, {len(other)} others in {name}",
            remedy="check that each file is of this photo; or give one of them only.",
        )
    # Who is like somebody already matched: one skeleton stands for two people, and may be a mixture of both.
    unclear_here = {int(likeness[:, j].argmax()) for j in _left(likeness.T, set(match.values()))}
    unclear_there = {int(likeness[i].argmax()) for i in _left(likeness, set(match))}
    merged = []
    for i, person in enumerate(people):
        theirs = match.get(i)
        if theirs is None or theirs in unclear_there:
            told = "" if theirs is None else f"nothing from {name}, which has one person where two are"
            merged.append(_noted(person, told))
        elif i in unclear_here:
            merged.append(_noted(other[theirs], f"all from {name}, which has two people where one is"))
        else:
            merged.append(_joined(person, other[theirs], name))
    added = [person for j, person in enumerate(other) if j not in match.values() and j not in unclear_there]
    return merged + [_noted(person, f"only in {name}") for person in added]


def _left(likeness: Float[np.ndarray, "n m"], matched: set[int]) -> list[int]:
    """Rows that are matched with nobody, but are like somebody."""
    return [i for i in range(len(likeness)) if i not in matched and (likeness[i] > 0).any()]


def _joined(person: Person, other: Person, name: str) -> Person:
    joints = merge_joints(person.keypoints, other.keypoints)
    told = [f"{_listed(joints.taken)} from {name}"] if joints.taken else []
    told += [f"{_listed(joints.doubted)} doubted, elsewhere in {name}"] if joints.doubted else []
    sources = dict.fromkeys([*person.source.split("+"), other.source])
    return _noted(replace(person, keypoints=joints.keypoints, source="+".join(sources)), "; ".join(told))


def _is_swapped(i: int, first: Keypoints, other: Keypoints, size: float) -> bool:
    """Whether the other file's joint lies on the first's joint of the other side, and its own other side does not."""
    mirrored = _MIRRORED.get(i)
    if mirrored is None or first.confidence[mirrored] <= 0:
        return False
    there = first.xy[mirrored]
    near = np.linalg.norm(other.xy[[i, mirrored]] - there, axis=1) <= SAME_PLACE * size
    return bool(near[0] and not (near[1] and other.confidence[mirrored] > 0))


def _in_body25(person: Person) -> Person:
    return replace(person, keypoints=person.keypoints.as_set("body25"))


def _noted(person: Person, told: str) -> Person:
    return replace(person, note="; ".join(filter(None, [person.note, told])))


def _listed(joints: Sequence[str]) -> str:
    return ", ".join(joint.replace("_", " ") for joint in joints)
