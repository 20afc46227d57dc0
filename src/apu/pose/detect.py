"""The embedded people detector: MoveNet MultiPose, looked through at several scales and once more at each close pair.

MoveNet alone loses people who are small, and the second person of a hug. So: (1) the whole photo at three scales;
(2) one closer look at everyone together with the nearest overlapping neighbour, which replaces skeletons by better
resolved ones; (3) in the closer look, people are also sought from noses that nobody explains yet.
Where the numbers come from: `reference/perception.md`, tuned on six photos, so they are not precise.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from apu.pose.decode import Anchored, decode_from_noses, decode_people
from apu.pose.doubtful_joints import without_doubtful_joints
from apu.pose.movenet import MoveNet, PoseNet
from apu.pose.person_boxes import check_boxes, sighted_in_boxes
from apu.pose.sighting import Sighting, Window, distinct, is_known
from apu.pose.skeleton import (
    HIPS,
    NOSE,
    SHOULDERS,
    box_of,
    head_position,
    joint_quality,
    object_keypoint_similarity,
    torso_length,
)
from apu.progress import Progress, silent
from apu.scene.person import Box, Keypoints, Person
from apu.scene.photo import Photo

MIN_SCORE = 0.2
"""Ghosts score up to 0.11, real people of the tuning photos 0.46 to 0.75, people of 100 px in a crowd 0.2 to 0.5."""

MAIN_LONG_SIDE = 256
"""Pixels; the size MoveNet was trained at."""

EXTRA_LONG_SIDES = (320, 192)
"""Larger shows smaller people, smaller shows people who fill the photo."""

MAIN_CENTER, EXTRA_CENTER = 0.25, 0.4
"""Least centre probability; the extra scales only add people they are sure of."""

MAIN_QUALITY, EXTRA_QUALITY = 0.2, 0.35
"""Least joint quality, likewise."""

MIN_ZOOM_SHARE = 0.08
"""People below this share of the photo gain nothing from a closer look: there are no more pixels."""

SIMILAR_SIZE = (0.5, 2.0)
"""A neighbour of another size would decide the scale of the closer look."""

ZOOM_MARGIN = 0.2
"""Around the tight boxes, of their longer side; MoveNet needs to see the outline."""

SAME_WINDOW = 0.06
"""Windows that differ by less than this share of their size are looked at once."""

MIN_UPGRADE_ZOOM = 1.25
"""A closer look that is hardly closer is no better."""

UPGRADE_OKS = 0.35
"""A closer look's skeleton must be this much like the one it replaces."""

UPGRADE_QUALITY = 0.95
"""... and about as sure, as share of its quality."""

NOSE_THRESHOLD = 0.2
"""Least probability of a nose that may belong to an unseen person."""

HIDDEN_QUALITY = 0.25
"""Least joint quality of a person found from the nose."""

NOSE_TO_ANCHOR = 0.2
"""Torsos between the nose a person was found from and the one it ended up with."""

KNOWN_HEAD = 0.3
"""Torsos; a head nearer to a known one is that one."""

HIDDEN_TORSO = (0.35, 2.8)
"""Torso length over the median of the known people: down to a child, up to someone in front."""

HIDDEN_OKS = 0.75
"""A person from the nose who is more alike than this copies a known one under another head."""


def detect_people(
    photo: Photo, boxes: Sequence[Box] = (), *, net: PoseNet | None = None, progress: Progress = silent
) -> list[Person]:
    """Find the people in a photo.

    Args:
        photo: of any size.
        boxes: where people are for sure; each gives one person (source `movenet box`) who takes the place of the same
            person found without it.
        net: MoveNet; the embedded one when left out, fetched on first use.
        progress: told about the fetching and the windows looked at.

    Returns:
        COCO-17 people numbered from left to right by the middle of their keypoint boxes; none when nobody is seen.

    Raises:
        PeopleError: a box has no part of the photo in it.
        ModelFileError: the embedded net cannot be fetched.
    """
    check_boxes(boxes, photo)
    net = net or _embedded_net(progress)
    found = _in_whole_photo(net, photo.pixels)
    windows = _windows(found, photo.width, photo.height)
    for i, window in enumerate(windows):
        progress("looking for people", i / len(windows))
        found = _look_closer(net, photo.pixels, window, found)
    found = [person for person in distinct(found) if person.score > MIN_SCORE]
    boxed = sighted_in_boxes(net, photo, boxes, found)
    progress("looking for people", 1.0)
    people = [_person(person, "movenet") for person in found if not is_known(person, boxed)]
    people += [_person(person, "movenet box") for person in boxed]
    return _numbered(without_doubtful_joints(people, photo.width, photo.height))


def _embedded_net(progress: Progress) -> MoveNet:
    from apu.pose.weights import ensure_movenet

    return _loaded(ensure_movenet(progress))


@cache
def _loaded(path: Path) -> MoveNet:
    return MoveNet(path)


def _in_whole_photo(net: PoseNet, pixels: UInt8[np.ndarray, "h w 3"]) -> list[Sighting]:
    found: list[Sighting] = []
    whole = Window(0, 0, pixels.shape[1], pixels.shape[0])
    looks = [(MAIN_LONG_SIDE, MAIN_CENTER, MAIN_QUALITY)]
    looks += [(long_side, EXTRA_CENTER, EXTRA_QUALITY) for long_side in EXTRA_LONG_SIDES]
    for long_side, min_center, min_quality in looks:
        heads, scale = net.heads(pixels, long_side)
        for skeleton, center in decode_people(heads, min_center):
            new = Sighting(whole.to_photo(skeleton, scale), center)
            if joint_quality(new.skeleton) >= min_quality and not is_known(new, found):
                found.append(new)
    return found


def _windows(found: Sequence[Sighting], width: int, height: int) -> list[Window]:
    """One window per person large enough, wide enough for the nearest overlapping neighbour of similar size."""
    windows: dict[tuple[int, ...], Window] = {}
    boxes = [box_of(person.skeleton) for person in found]
    for i, box in enumerate(boxes):
        if _longer(box) < MIN_ZOOM_SHARE * max(width, height):
            continue
        partner = _nearest_partner(i, found, boxes)
        if partner is not None:
            box = np.concatenate([np.minimum(box[:2], boxes[partner][:2]), np.maximum(box[2:], boxes[partner][2:])])
        size = _longer(box)
        margin = ZOOM_MARGIN * size
        low = np.maximum(box[:2] - margin, 0).astype(int)
        high = np.minimum(box[2:] + margin, (width, height)).astype(int)
        if (high - low < 1).any():
            continue
        window = Window(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        key = tuple(np.round(np.concatenate([low, high]) / (SAME_WINDOW * size)).astype(int).tolist())
        windows.setdefault(key, window)
    return list(windows.values())


def _nearest_partner(i: int, found: Sequence[Sighting], boxes: Sequence[np.ndarray]) -> int | None:
    head = head_position(found[i].skeleton)
    best, least = None, np.inf
    for j, box in enumerate(boxes):
        overlap = np.minimum(boxes[i][2:], box[2:]) - np.maximum(boxes[i][:2], box[:2])
        ratio = _longer(box) / _longer(boxes[i])
        if j == i or (overlap <= 0).any() or not SIMILAR_SIZE[0] < ratio < SIMILAR_SIZE[1]:
            continue
        distance = float(np.linalg.norm(head_position(found[j].skeleton) - head))
        if distance < least:
            best, least = j, distance
    return best


def _look_closer(
    net: PoseNet, pixels: UInt8[np.ndarray, "h w 3"], window: Window, found: Sequence[Sighting]
) -> list[Sighting]:
    """Everyone found before, better resolved where the window shows more, and people found from their noses."""
    heads, scale = net.heads(window.cut(pixels), MAIN_LONG_SIDE)
    better = list(found)
    if max(pixels.shape[:2]) / window.longer > MIN_UPGRADE_ZOOM:
        seen = [Sighting(window.to_photo(skeleton, scale), c) for skeleton, c in decode_people(heads, MAIN_CENTER)]
        for i in range(len(better)):
            better[i] = _upgraded(i, better, seen)
    for anchored in decode_from_noses(heads, NOSE_THRESHOLD):
        skeleton, nose = window.to_photo(anchored.skeleton, scale), window.to_photo(anchored.nose, scale)
        if _is_hidden_person(replace(anchored, skeleton=skeleton, nose=nose), better):
            better.append(Sighting(skeleton, anchored.score))
    return better


def _upgraded(i: int, found: Sequence[Sighting], seen: Sequence[Sighting]) -> Sighting:
    """Person `i`, or the skeleton of the closer look that is the same person and nobody else's."""
    old = found[i]
    if not seen:
        return old
    alike = [object_keypoint_similarity(new.skeleton, old.skeleton) for new in seen]
    likeness, new = max(alike), seen[int(np.argmax(alike))]
    is_sure = joint_quality(new.skeleton) > UPGRADE_QUALITY * joint_quality(old.skeleton)
    others = (person for person in found if person is not old)
    is_someone_else = any(object_keypoint_similarity(new.skeleton, other.skeleton) > likeness for other in others)
    if likeness <= UPGRADE_OKS or not is_sure or is_someone_else:
        return old
    return Sighting(new.skeleton, max(new.center, old.center))


def _is_hidden_person(new: Anchored, found: Sequence[Sighting]) -> bool:
    """Whether a skeleton found from a nose is a whole person, and none of the known ones."""
    skeleton, torso = new.skeleton, torso_length(new.skeleton)
    if joint_quality(skeleton) < HIDDEN_QUALITY or _distance(skeleton[NOSE], new.nose) > NOSE_TO_ANCHOR * torso:
        return False
    if skeleton[SHOULDERS, 2].min() < 0.1 or skeleton[HIPS, 2].max() < 0.1:  # a head on somebody else's body
        return False
    for known in found:
        size = min(torso, torso_length(known.skeleton))
        if _distance(head_position(known.skeleton), head_position(skeleton)) < KNOWN_HEAD * size:
            return False
        if _distance(known.skeleton[NOSE], new.nose) < NOSE_TO_ANCHOR * size:
            return False
        if object_keypoint_similarity(skeleton, known.skeleton) > HIDDEN_OKS:
            return False
    usual = float(np.median([torso_length(known.skeleton) for known in found])) if found else torso
    return HIDDEN_TORSO[0] * usual < torso < HIDDEN_TORSO[1] * usual


def _person(found: Sighting, source: str) -> Person:
    keypoints = Keypoints("coco17", found.skeleton[:, :2].copy(), np.clip(found.skeleton[:, 2], 0, 1))
    return Person(0, keypoints, float(min(found.score, 1.0)), source)


def _numbered(people: Sequence[Person]) -> list[Person]:
    """From left to right, by the middle of the boxes."""
    order = sorted(people, key=lambda person: (person.box[0] + person.box[2], person.box[1] + person.box[3]))
    return [replace(person, index=i) for i, person in enumerate(order)]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a[:2] - b[:2]))


def _longer(box: np.ndarray) -> float:
    return float(max(box[2] - box[0], box[3] - box[1], 1e-3))
