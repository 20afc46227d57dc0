"""Who finds the people of a photo: the embedded detector, or an optional one.

ViTPose and RTMPose look at one person at a time: MoveNet finds the people and numbers them, also in the user's boxes.
RTMO finds everybody at once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from apu.errors import InputError
from apu.pose.detect import detect_people
from apu.pose.doubtful_joints import without_doubtful_joints
from apu.pose.keypoint_values import FoundPerson, people_of, rows_of
from apu.pose.net_joints import body25_keypoints
from apu.pose.rtmpose import Rtmo, RtmPose, load_rtmo, load_rtmpose
from apu.pose.top_down import look_at_people
from apu.pose.vitpose import VitPose, load_vitpose
from apu.progress import Progress, silent
from apu.scene.person import Box, Person
from apu.scene.photo import Photo
from apu.scene.results import Detector


def people_in_photo(
    photo: Photo,
    detector: Detector = "movenet",
    weights: Path | None = None,
    boxes: Sequence[Box] = (),
    *,
    progress: Progress = silent,
) -> list[Person]:
    """Find the people in a photo, numbered from left to right.

    Args:
        photo: of any size.
        detector: who looks.
        weights: of the detector; its own source when left out. `movenet` takes none.
        boxes: where people are for sure, x0, y0, x1, y1 in pixels. `rtmo` takes none.
        progress: told where the work stands.

    Raises:
        InputError: the detector's package is missing, or it takes no weights or boxes.
        PeopleError: a box has no part of the photo in it.
        ModelFileError: weights are missing, cannot be fetched, or are of another model.
    """
    check_taken(detector, weights, boxes)
    net = load_detector(detector, weights, progress)
    if net is None:
        return detect_people(photo, boxes, progress=progress)
    if isinstance(net, Rtmo):
        return rtmo_people(net, photo)
    people = detect_people(photo, boxes, progress=progress)
    progress(f"looking at poses with {detector}")
    return look_at_people(net, detector, photo, people, boxes)


def check_taken(detector: Detector, weights: Path | None, boxes: Sequence[Box] = ()) -> None:
    """See that the detector takes what it is given.

    Raises:
        InputError: it takes no weights, or no boxes.
    """
    if detector == "rtmo" and boxes:
        raise _not_taken("boxes of people", "--person-box", f"{len(boxes)} boxes", "movenet, vitpose or rtmpose")
    if detector == "movenet" and weights is not None:
        raise _not_taken("weights", "--detector-weights", weights, "vitpose, rtmpose or rtmo")


def load_detector(
    detector: Detector, weights: Path | None = None, progress: Progress = silent
) -> VitPose | RtmPose | Rtmo | None:
    """An optional detector, loaded once; None for the embedded one, which is fetched when a photo is there.

    Raises:
        InputError, ModelFileError: as for `people_in_photo`.
    """
    check_taken(detector, weights)
    if detector == "movenet":
        return None
    load = {"vitpose": load_vitpose, "rtmpose": load_rtmpose, "rtmo": load_rtmo}[detector]
    return load(weights, progress)


def rtmo_people(net: Callable[[np.ndarray], list[np.ndarray]], photo: Photo) -> list[Person]:
    """Everybody whom RTMO sees, in BODY_25, from left to right; without fragments and repetitions."""
    seen = [rows_of(body25_keypoints(person)) for person in net(photo.pixels)]
    seen = [rows for rows in seen if (rows[:, 2] > 0).any()]
    seen.sort(key=lambda rows: float(rows[rows[:, 2] > 0, 0].mean()))
    people = people_of([FoundPerson(rows) for rows in seen], "body25", "rtmo", Path(photo.name))
    return without_doubtful_joints(people, photo.width, photo.height)


def _not_taken(what: str, option: str, got: object, others: str) -> InputError:
    return InputError(
        f"The detector takes no {what}.",
        where=option,
        expected=f"one of the detectors {others}",
        got=got,
        remedy=f"leave out {option}, or name another detector with --detector.",
    )
