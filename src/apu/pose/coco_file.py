"""COCO keypoint JSON: the entries of one photo, out of annotations (made by people) or results (made by a detector)."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from apu.errors import KeypointFileError
from apu.pose.keypoint_values import FoundPerson, bad_field, finite_number, keypoint_rows

OCCLUDED_CONFIDENCE = 0.6
"""Of a joint that an annotator marked although it is hidden (COCO's v = 1): a good guess, but a guess."""

JOINTS = 17

_VISIBILITY: tuple[object, ...] = (0, 1, 2)

Entry = Mapping[str, Any]


def coco_people(data: object, path: Path, photo_name: str | None) -> list[FoundPerson]:
    """The people of one photo.

    The third number of a joint is COCO's visibility when it is 0, 1 or 2 throughout the photo and the file has
    annotations, or a 2 among them: 0 not seen, 1 `OCCLUDED_CONFIDENCE`, 2 certain. Otherwise it is a confidence.

    Args:
        data: the parsed file: a list of results, or an object with `annotations` and perhaps `images`.
        path: for errors.
        photo_name: as in `apu.pose.keypoint_files.read_keypoints`.

    Raises:
        KeypointFileError: see there.
    """
    is_annotated = isinstance(data, Mapping)
    field = "annotations" if is_annotated else "results"
    listed = data["annotations"] if isinstance(data, Mapping) else data
    images = data.get("images", []) if isinstance(data, Mapping) else []
    entries = {i: _entry(entry, f"{path}, {field}[{i}]") for i, entry in enumerate(_list(listed, f"{path}, {field}"))}
    names = _names(_list(images, f"{path}, images"), path)
    for entry in entries.values():
        names.setdefault(entry.get("image_id"), None)
    if len(names) > 1:
        chosen = _chosen(names, photo_name, path)
        entries = {i: entry for i, entry in entries.items() if entry.get("image_id") == chosen}
    values = {i: _keypoints(entry, f"{path}, {field}[{i}]") for i, entry in entries.items()}
    thirds = [value for numbers in values.values() for value in numbers[2::3]]
    if all(value in _VISIBILITY for value in thirds) and (is_annotated or 2 in thirds):
        values = {i: _with_confidence(numbers) for i, numbers in values.items()}
    return [
        FoundPerson(
            keypoint_rows(values[i], JOINTS, f"{path}, {field}[{i}], keypoints"),
            _score(entry, f"{path}, {field}[{i}], score"),
        )
        for i, entry in entries.items()
    ]


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise bad_field(where, "a list", value)
    return value


def _entry(entry: object, where: str) -> Entry:
    if not isinstance(entry, Mapping):
        raise bad_field(where, 'an object with "keypoints"', entry)
    if not isinstance(entry.get("image_id"), int | str | None):
        raise bad_field(f"{where}, image_id", "a number or a name", entry["image_id"])
    return entry


def _names(images: Sequence[object], path: Path) -> dict[int | str | None, str | None]:
    """Image id -> file name."""
    names: dict[int | str | None, str | None] = {}
    for i, image in enumerate(images):
        if not isinstance(image, Mapping) or not isinstance(image.get("id"), int | str):
            raise bad_field(f"{path}, images[{i}]", 'an object with "id" and "file_name"', image)
        file_name = image.get("file_name")
        names[image["id"]] = file_name if isinstance(file_name, str) else None
    return names


def _chosen(names: Mapping[int | str | None, str | None], photo_name: str | None, path: Path) -> int | str | None:
    """Id of the one image that is called `photo_name`; file names go before ids, ids may have leading zeros."""
    named = [id for id, name in names.items() if photo_name and photo_name in (_stem(name), name)]
    numbered = [id for id in names if photo_name and photo_name in (str(id), _stem(id))]
    padded = [id for id in names if photo_name and photo_name.isdecimal() and id == int(photo_name)]
    fitting = named or numbered or padded
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(str(name or id) for id, name in list(names.items())[:5]) + (", ..." if len(names) > 5 else "")
    raise KeypointFileError(
        "The keypoint file has several photos, and it is not clear which one is meant.",
        where=path,
        expected=f"one photo called {photo_name}" if photo_name else "the photo's name",
        got=f"{len(fitting)} of that name among {len(names)}: {shown}" if photo_name else f"{len(names)}: {shown}",
        remedy="name the photo as in the file, or keep only its entries in the file.",
    )


def _stem(name: object) -> str | None:
    return PurePath(name.replace("\\", "/")).stem if isinstance(name, str) else None


def _keypoints(entry: Entry, where: str) -> list[object]:
    values = entry.get("keypoints")
    if not isinstance(values, list):
        raise bad_field(f"{where}, keypoints", f"{3 * JOINTS} numbers: x, y, visibility or score", values)
    return values


def _with_confidence(values: list[object]) -> list[object]:
    confidence = (0.0, OCCLUDED_CONFIDENCE, 1.0)
    return [confidence[_VISIBILITY.index(value)] if i % 3 == 2 else value for i, value in enumerate(values)]


def _score(entry: Entry, where: str) -> float | None:
    """The file's score when it is a share; AlphaPose and others write sums, which mean nothing here."""
    if entry.get("score") is None:
        return None
    score = finite_number(entry["score"])
    if score is None:
        raise bad_field(where, "a number", entry["score"])
    return score if 0 <= score <= 1 else None
