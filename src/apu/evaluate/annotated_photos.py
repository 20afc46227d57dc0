"""A folder of photos with annotated contacts.

It holds `images/NAME.png`, `interaction_contact_signature.json` (FlickrCI3D), and, if wanted,
`vitpose/NAME_keypoints.json` and `bev/NAME_0.08.npz`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from apu.contact.annotated_pair import AnnotatedPair, Box
from apu.contact.file_schema import SignatureEntry, validated
from apu.contact.files import read_contact_file
from apu.errors import ContactFileError, InputError

KeypointSource = Literal["embedded", "vitpose"]

ANNOTATION = "interaction_contact_signature.json"
_IMAGES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class AnnotatedPhoto:
    """One photo of the folder.

    Attributes:
        image: its file.
        boxes: of the annotated people, pixels.
        pairs: the annotated pairs; `people` are places in `boxes`.
        vitpose, bev: files that may not exist.
    """

    image: Path
    boxes: tuple[Box, ...]
    pairs: tuple[AnnotatedPair, ...]
    vitpose: Path
    bev: Path


def annotated_photos(folder: Path) -> list[AnnotatedPhoto]:
    """Every photo of the folder, by name.

    Raises:
        InputError: the folder, its images or its annotation are missing, or a photo is not annotated.
    """
    file, images = folder / ANNOTATION, folder / "images"
    found = sorted(p for p in images.iterdir() if p.suffix.lower() in _IMAGES) if images.is_dir() else []
    for there, where, expected in (
        (folder.is_dir(), folder, "a folder with images and their annotation"),
        (file.is_file(), file, "contact annotations in the format of FlickrCI3D"),
        (bool(found), images, "photos NAME.png or NAME.jpg"),
    ):
        if not there:
            raise InputError(
                "The annotated photos are not there.",
                where=where,
                expected=expected,
                got="nothing",
                remedy=f"give a folder with images/NAME.png and {ANNOTATION}.",
            )
    return [_annotated(folder, file, image) for image in found]


def check_files(photos: Sequence[AnnotatedPhoto], sources: Sequence[KeypointSource], *, use_bev: bool) -> None:
    """See that all files are there before minutes are spent.

    Args:
        photos: of the folder.
        sources: of keypoints.
        use_bev: whether BEV's estimates are wanted.

    Raises:
        InputError: one is not.
    """
    wanted = [p.vitpose for p in photos if "vitpose" in sources] + [p.bev for p in photos if use_bev]
    for file in wanted:
        if not file.is_file():
            raise InputError(
                "A file of the annotated photos is missing.",
                where=file,
                expected="one for each photo in images/",
                got="no file",
                remedy="leave --bev out." if file.suffix == ".npz" else "use --keypoints embedded.",
            )


def _annotated(folder: Path, file: Path, image: Path) -> AnnotatedPhoto:
    name = image.stem
    entry = _entry(file, name)
    boxes: tuple[Box, ...] = tuple((b[0], b[1], b[2], b[3]) for b in entry.bbxes)
    pairs = read_contact_file(file, name, boxes)  # matched with its own boxes: numbers are places in the file
    return AnnotatedPhoto(
        image, boxes, tuple(pairs), folder / "vitpose" / f"{name}_keypoints.json", folder / "bev" / f"{name}_0.08.npz"
    )


def _entry(file: Path, name: str) -> SignatureEntry:
    """The photo's entry as it stands, for the boxes of people whom nobody has found yet."""
    try:
        record = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or name not in record:
        read_contact_file(file, name, [])  # says what is wrong
        raise ContactFileError(
            "The annotation has no boxes of people.",
            where=file,
            expected="the format of FlickrCI3D, with an entry for each photo",
            got=f"another format, or no entry for {name!r}",
            remedy="take the annotation of FlickrCI3D Signatures.",
        )
    return validated(SignatureEntry, record[name], file, name)
