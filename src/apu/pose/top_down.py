"""Detectors that are told where a person is: MoveNet finds the people, another net looks at each.

A net that looks at one box sees the person in front, also when the box is somebody else's. So its joints are taken
only where they are of a person of their own; whoever is left without keeps MoveNet's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from apu.contact.box_matching import box_overlaps, match_boxes
from apu.pose.doubtful_joints import without_doubtful_joints
from apu.pose.keypoint_values import MIN_CONFIDENCE, MIN_JOINTS, is_same_person, rows_of
from apu.pose.merge_keypoints import distances
from apu.pose.net_joints import body25_keypoints
from apu.pose.wanted_pairs import is_boxed
from apu.scene.person import Box, Keypoints, Person
from apu.scene.photo import Photo

MARGIN = 0.1
"""Of the longer side of the keypoint box, on each side: a person reaches beyond the joints. A heuristic; the nets add a
quarter of their own."""

SAME_BOX = 0.3
"""Intersection over union of a user's box and the keypoint box of the person who was found in it."""


@runtime_checkable
class TopDownNet(Protocol):
    """A net that looks at one person at a time."""

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"], boxes: Sequence[Box]) -> list[Float[np.ndarray, "j 3"]]:
        """For each box, x and y in pixels and confidence of one of `apu.pose.net_joints.LAYOUTS`."""
        ...


def look_at_people(
    net: TopDownNet, source: str, photo: Photo, people: Sequence[Person], boxes: Sequence[Box] = ()
) -> list[Person]:
    """The people with the joints that a net sees, in BODY_25; numbers and order stay.

    Args:
        net: looks at one person.
        source: its name.
        photo: of the people.
        people: as MoveNet found them.
        boxes: the user's; the net looks at these instead of those of the people who were found in them.
    """
    if not people:
        return []
    seen = [body25_keypoints(rows) for rows in net(photo.pixels, looked_at(people, boxes, photo))]
    known = [replace(person, keypoints=person.keypoints.as_set("body25")) for person in people]
    looks = [replace(person, keypoints=keypoints) for person, keypoints in zip(known, seen, strict=True)]
    order = np.argsort(np.diag(distances(known, looks)), kind="stable").tolist()
    taken: list[Person] = []  # joints that two people are given are of the one whom MoveNet sees there as well
    for i in order:
        why = _why_not(looks[i].keypoints, taken)
        if why:
            known[i] = replace(known[i], note=f"MoveNet's joints: {source} {why}")
            continue
        confidence = looks[i].keypoints.confidence
        known[i] = replace(looks[i], score=float(confidence[confidence > 0].mean()), source=_source(known[i], source))
        taken.append(known[i])
    return without_doubtful_joints(known, photo.width, photo.height)


def looked_at(people: Sequence[Person], boxes: Sequence[Box], photo: Photo) -> list[Box]:
    """Where the net looks for each person: the user's box, or the keypoint box and a margin; inside the photo."""
    boxed = [i for i, person in enumerate(people) if is_boxed(person)]
    match = match_boxes(box_overlaps([people[i].box for i in boxed], boxes), SAME_BOX) if boxed and boxes else {}
    given = {boxed[i]: boxes[j] for i, j in match.items()}
    places = [given.get(i) or _widened(person.box) for i, person in enumerate(people)]
    return [_inside(box, float(photo.width), float(photo.height)) for box in places]


def _widened(box: Box) -> Box:
    x0, y0, x1, y1 = box
    margin = MARGIN * max(x1 - x0, y1 - y0, 1.0)
    return (x0 - margin, y0 - margin, x1 + margin, y1 + margin)


def _inside(box: Box, width: float, height: float) -> Box:
    """The part of a box that is in the photo; one pixel at least, which every net can be given."""
    x0, y0 = min(max(box[0], 0.0), width - 1), min(max(box[1], 0.0), height - 1)
    return (x0, y0, max(min(box[2], width), x0 + 1), max(min(box[3], height), y0 + 1))


def _why_not(keypoints: Keypoints, others: Sequence[Person]) -> str:
    """Why the joints are not those of one more person; empty when they are."""
    if (keypoints.confidence > MIN_CONFIDENCE).sum() < MIN_JOINTS:
        return "sees too little"
    rows = rows_of(keypoints)
    twice = next((other.index for other in others if is_same_person(rows, rows_of(other.keypoints))), None)
    return "" if twice is None else f"sees person {twice} again"


def _source(person: Person, net: str) -> str:
    """The user's own boxes stay recognisable: they choose the pair."""
    return f"{net} box" if is_boxed(person) else net
