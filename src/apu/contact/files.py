"""Reads contact files: our small JSON, or the annotations of FlickrCI3D and CHI3D."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from apu.contact.annotated_pair import AnnotatedPair, Box
from apu.contact.chi3d_file import is_of_actions, read_action
from apu.contact.pair_file import read_pairs
from apu.contact.signature_file import read_signatures
from apu.errors import ContactFileError

__all__ = ["LARGEST_FILE", "AnnotatedPair", "Box", "read_contact_file"]

LARGEST_FILE = 64 * 2**20
"""Bytes."""


def read_contact_file(path: Path, photo_name: str, boxes: Sequence[Box]) -> list[AnnotatedPair]:
    """Read what a file says about the contacts in a photo; see docs/contact_files.md.

    Args:
        path: our JSON, or the `interaction_contact_signature.json` of FlickrCI3D or CHI3D. Its content tells which.
        photo_name: name of the photo without its ending; finds its entry in FlickrCI3D and CHI3D.
        boxes: of the people found in the photo, pixels, in the order of their numbers.

    Returns:
        At least one pair, in the order of the file.

    Raises:
        ContactFileError: the file cannot be read or understood, or does not fit the photo.
    """
    record = _parsed(_text(path), path)
    if _is_ours(record):
        return read_pairs(record, path, len(boxes))
    if is_of_actions(record):
        return read_action(record, path, photo_name)
    if photo_name in record or any(isinstance(entry, dict) and "ci_sign" in entry for entry in record.values()):
        return read_signatures(record, path, photo_name, boxes)
    raise ContactFileError(
        "The file is no contact file that we know.",
        where=path,
        expected="our JSON, with `version` and `contacts` or `pairs`, or FlickrCI3D's, with `ci_sign` for each photo, "
        "or CHI3D's, with `smplx_signature` for each action",
        got=f"an object with {', '.join(repr(key[:40]) for key in list(record)[:5]) or 'nothing in it'}",
        remedy="see docs/contact_files.md for the fields and an example.",
    )


def _is_ours(record: Mapping[str, object]) -> bool:
    """A photo of FlickrCI3D may be called `version`, but its entry is an object."""
    return any(key in record and not isinstance(record[key], dict) for key in ("version", "contacts", "pairs"))


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            got = "a folder" if path.is_dir() else "something else" if path.exists() else "no file"
            raise _unreadable(path, got)
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or error) from error
    if len(content) > LARGEST_FILE:
        raise _unreadable(path, "a larger one")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed(path, f"bytes that are no UTF-8 at {error.start}") from error


def _parsed(text: str, path: Path) -> Mapping[str, object]:
    try:
        record = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        place = f"{path}: line {error.lineno}, column {error.colno}"
        raise _malformed(place, error.msg) from error
    except RecursionError as error:
        raise _malformed(path, "too many brackets inside each other") from error
    except ValueError as error:  # a field twice, or an integer with thousands of digits
        raise _malformed(path, error) from error
    if not isinstance(record, dict):
        raise _malformed(path, f"a {type(record).__name__}")
    return record


def _unique(fields: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(fields)
    if len(record) < len(fields):
        counts = Counter(name for name, _ in fields)
        raise ValueError(f"the field {counts.most_common(1)[0][0][:80]!r} twice in one object")
    return record


def _unreadable(path: Path, got: object) -> ContactFileError:
    return ContactFileError(
        "The contact file cannot be read.",
        where=path,
        expected=f"a JSON file of at most {LARGEST_FILE // 2**20} MB",
        got=got,
        remedy="check the path and the permissions; of a whole dataset's file, cut out the photo's entry.",
    )


def _malformed(where: object, got: object) -> ContactFileError:
    return ContactFileError(
        "The contact file is not a JSON object.",
        where=where,
        expected="one JSON object in UTF-8",
        got=got,
        remedy="mend the file by hand, or see docs/contact_files.md for an example.",
    )
