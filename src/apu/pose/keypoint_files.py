"""Keypoint files made by other programs -> people. The kind of file is told by its content.

OpenPose JSON (also written by ViTPose and others): BODY_25, or the older COCO-18; one file per photo.
COCO JSON: annotations or results with 17 keypoints; one file for many photos. See `apu.pose.coco_file`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.errors import KeypointFileError
from apu.pose.coco_file import coco_people
from apu.pose.keypoint_values import FoundPerson, bad_field, keypoint_rows, people_of
from apu.pose.merge_keypoints import merge_people
from apu.scene.person import Person

MAX_BYTES = 64 * 2**20
"""Larger files are refused; COCO's own validation annotations have 10 MB."""

_COCO18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
"""OpenPose's older order, all of whose joints BODY_25 has."""


def read_keypoints(path: Path, photo_name: str | None = None) -> list[Person]:
    """Read the people of one photo.

    People keep the file's order and are numbered from 0. Whoever has fewer than 4 joints above confidence 0.2, or
    repeats the skeleton of somebody else, is dropped and takes no number.

    Args:
        path: OpenPose or COCO JSON.
        photo_name: which photo of a COCO file with several, by its `file_name` without folder and ending, or by its
            `image_id`. Not looked at when the file has one photo.

    Returns:
        People in `body25` (source `openpose`) or `coco17` (source `coco`); none when the file has none.

    Raises:
        KeypointFileError: the file is missing, too large or damaged, of no known kind, has numbers that make no
            sense, or has several photos of which none or more than one is called `photo_name`.
    """
    data = _parsed(path)
    if isinstance(data, dict) and isinstance(data.get("people"), list):
        found = [_openpose_person(entry, f"{path}, people[{i}]") for i, entry in enumerate(data["people"])]
        return people_of(found, "body25", "openpose", path)
    if isinstance(data, list) or (isinstance(data, dict) and isinstance(data.get("annotations"), list)):
        return people_of(coco_people(data, path, photo_name), "coco17", "coco", path)
    got = f"an object with {', '.join(map(str, list(data)[:8])) or 'nothing'}" if isinstance(data, dict) else repr(data)
    raise KeypointFileError(
        "The keypoint file is of no kind that is known.",
        where=path,
        expected='OpenPose JSON with a list "people", or COCO JSON: a list of results or an object with "annotations"',
        got=got[:200],
        remedy="export the keypoints as OpenPose BODY_25 or COCO JSON.",
    )


def read_merged_keypoints(paths: Sequence[Path], photo_name: str | None = None) -> list[Person]:
    """Read the people of one photo out of one or more files; see `apu.pose.merge_keypoints`.

    Args:
        paths: at least one; the first is the preferred one.
        photo_name: as for `read_keypoints`.

    Raises:
        KeypointFileError: a file cannot be read, is given twice, or has nobody in common with those before it.
    """
    resolved = [path.resolve() for path in paths]
    twice = next((path for i, path in enumerate(paths) if resolved[i] in resolved[:i]), None)
    if twice is not None:
        raise KeypointFileError(
            "A keypoint file is given twice.",
            where=twice,
            expected="files of different detectors",
            got="the same file again",
            remedy="give it once.",
        )
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}/{path.name}" for path in resolved]
    return merge_people([read_keypoints(path, photo_name) for path in paths], names)


def _parsed(path: Path) -> object:
    data = _bytes(path)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise KeypointFileError(
            "The keypoint file is not JSON.",
            where=path,
            expected="OpenPose or COCO JSON",
            got=error if data else "an empty file",
            remedy="export the keypoints again; the file may be cut short.",
        ) from error


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise KeypointFileError(
                "The keypoint file is too large.",
                where=path,
                expected=f"at most {MAX_BYTES // 2**20} MB",
                got=f"{size / 2**20:.0f} MB",
                remedy="keep the entries of this photo only.",
            )
        return path.read_bytes()
    except OSError as error:
        raise KeypointFileError(
            "The keypoint file cannot be opened.",
            where=path,
            expected="a file that you may read",
            got=error.strerror or error,
            remedy="check the path and its permissions.",
        ) from error


def _openpose_person(entry: object, where: str) -> FoundPerson:
    field = f"{where}, pose_keypoints_2d"
    values = entry.get("pose_keypoints_2d") if isinstance(entry, Mapping) else None
    if not isinstance(values, list):
        raise bad_field(field, "75 numbers: x, y, confidence of BODY_25", values)
    if len(values) == 3 * len(_COCO18):
        return FoundPerson(_as_body25(keypoint_rows(values, len(_COCO18), field)))
    return FoundPerson(keypoint_rows(values, 25, field))


def _as_body25(rows: Float[np.ndarray, "18 3"]) -> Float[np.ndarray, "25 3"]:
    body25 = np.zeros((25, 3), np.float32)
    body25[[joint_names("body25").index(name) for name in _COCO18]] = rows
    return body25
