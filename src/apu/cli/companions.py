"""The files that go with a photo: out of a folder of them, or out of one file that tells of many photos."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from apu.cli.request import Request
from apu.errors import ContactFileError, InputError, KeypointFileError

MAX_BYTES = 64 * 2**20
"""As the readers have it; a larger file is theirs to refuse."""


@dataclass(frozen=True)
class Companion:
    """One kind of file beside a photo.

    Attributes:
        option: that names it.
        endings: of its name, after that of the photo; an earlier one goes before a later one.
        error: what its reader raises.
    """

    option: str
    endings: tuple[str, ...]
    error: type[InputError]


KEYPOINTS = Companion("keypoints", ("_keypoints.json", ".json"), KeypointFileError)
CONTACTS = Companion("contacts", ("_contacts.json", ".json", "/contacts.json"), ContactFileError)
INIT = Companion("init", (".npz", ".npy", ".pkl", ".pickle"), InputError)


def with_files_of(request: Request, photo: Path, photos: Sequence[Path]) -> Request:
    """The request for one photo: folders are replaced by the photo's files in them.

    Args:
        request: as the user typed it.
        photo: one of `photos`.
        photos: all of this run; a file whose name starts with that of another photo as well is the other's when its
            name is the longer one.

    Raises:
        InputError: a folder has no file for the photo.
    """
    return replace(
        request,
        keypoints=tuple(_file_of(KEYPOINTS, given, photo) for given in request.keypoints),
        contacts=None if request.contacts is None else _file_of(CONTACTS, request.contacts, photo),
        init=_estimate_of(request.init, photo, photos),
    )


def check_shared(request: Request, several: bool) -> None:
    """Refuse a file that tells of one photo only, where several photos would get it.

    Raises:
        InputError: it does, or is missing.
    """
    if several:
        for given in request.keypoints:
            _check_shared(KEYPOINTS, given, _keypoints_of_one, "COCO keypoints of several photos")
        _check_shared(CONTACTS, request.contacts, _contacts_of_one, "FlickrCI3D's annotations of several photos")
        if request.init is not None and not request.init.is_dir():
            raise _of_one_photo(INIT, request.init, "a folder")


def _file_of(kind: Companion, given: Path, photo: Path) -> Path:
    if not given.is_dir():
        return given
    for ending in kind.endings:
        if (file := given / f"{photo.stem}{ending}").is_file():
            return file
    raise _missing(kind, given, photo, " or ".join(f"{photo.stem}{ending}" for ending in kind.endings))


def _estimate_of(given: Path | None, photo: Path, photos: Sequence[Path]) -> Path | None:
    """BEV and its like add words to the photo's name, such as `hug_0.08.npz`; others write a file for each person.

    Those of one photo lie in a folder that is called as the photo is: in the given one, or it is that folder itself.
    """
    if given is None or not given.is_dir():
        return given
    for ending in INIT.endings:
        if (exact := given / f"{photo.stem}{ending}").is_file():
            return exact
    if (folder := given / photo.stem).is_dir():
        return folder
    longer = [other.stem for other in photos if len(other.stem) > len(photo.stem)]
    found = [
        file
        for file in sorted(given.iterdir())
        if file.suffix in INIT.endings
        and file.name.startswith(photo.stem)
        and not file.name[len(photo.stem)].isalnum()
        and not any(file.name.startswith(stem) for stem in longer)
    ]
    if len(found) == 1:
        return found[0]
    if given.resolve().name == photo.stem:
        return given
    got = ", ".join(file.name for file in found[:5]) if found else "no such file"
    stem = photo.stem
    raise _missing(
        INIT, given, photo, f"one file {stem}.npz or {stem}_*.npz (.npy, .pkl), or a folder {stem}/ of its people", got
    )


def _check_shared(kind: Companion, file: Path | None, is_of_one: Callable[[object], bool], expected: str) -> None:
    if file is None or file.is_dir():
        return
    try:
        text = file.read_bytes() if file.stat().st_size <= MAX_BYTES else b"null"
        record = json.loads(text)
    except OSError as error:
        raise kind.error(
            f"The file of --{kind.option} cannot be opened.",
            where=file,
            expected="a file or a folder that you may read",
            got=error.strerror,
            remedy="check the path and its permissions.",
        ) from error
    except (ValueError, RecursionError):
        return  # its reader says what is wrong with it
    if is_of_one(record):
        raise _of_one_photo(kind, file, f"{expected}, or a folder")


def _keypoints_of_one(record: object) -> bool:
    """OpenPose has one file for a photo; COCO names photos in `images`, or only by the `image_id` of its entries."""
    if isinstance(record, dict) and "people" in record:
        return True
    entries = record.get("annotations") if isinstance(record, dict) else record
    images = record.get("images") if isinstance(record, dict) else None
    if isinstance(images, list) and len(images) > 1:
        return False
    listed = entries if isinstance(entries, list) else []
    return len({str(entry.get("image_id")) for entry in listed if isinstance(entry, dict)}) == 1


def _contacts_of_one(record: object) -> bool:
    if not isinstance(record, dict):
        return False
    return any(key in record and not isinstance(record[key], dict) for key in ("version", "contacts", "pairs"))


def _of_one_photo(kind: Companion, file: Path, expected: str) -> InputError:
    return kind.error(
        f"The file of --{kind.option} tells of one photo, but several are to be fitted.",
        where=file,
        expected=expected,
        got="a file for one photo",
        remedy=f"give a folder with one file for each photo (<photo>{kind.endings[0]}), or fit that photo by itself.",
    )


def _missing(kind: Companion, folder: Path, photo: Path, expected: str, got: str = "no such file") -> InputError:
    return kind.error(
        f"The folder of --{kind.option} has no file for the photo.",
        where=f"{folder}, photo {photo.name}",
        expected=expected,
        got=got,
        remedy=f"add the file, or fit this photo by itself without --{kind.option}.",
    )
