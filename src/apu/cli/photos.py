"""Which photos the arguments of `apu fit` mean, and how the sub-folder of each one's results is called."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from hashlib import sha256
from pathlib import Path

from apu.cli.output import FAILURE, REPORT, RESULT_FILES, RUN
from apu.errors import PhotoError

ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff"),
    *(".bmp", ".gif", ".ppm", ".pgm", ".jp2", ".j2k", ".avif"),
)
"""Of the formats that `apu.pose.photo_file` reads. A file that is named by itself is taken whatever its ending."""

_PAIR_FOLDER = re.compile(r"pair_\d+_\d+")


@dataclass(frozen=True)
class Chosen:
    """The photos to fit.

    Attributes:
        photos: each once, in order.
        several: each gets a sub-folder of its own, also when a folder held only one.
    """

    photos: tuple[Path, ...]
    several: bool


def chosen_photos(arguments: Sequence[str]) -> Chosen:
    """Photos, folders and patterns -> photos.

    Of a folder, the images directly in it, by name; of a pattern such as `trip/**/*.jpg`, the images and folders that
    it matches. Neither takes hidden files, nor pictures that an earlier fit drew.

    Raises:
        PhotoError: a folder holds no photo, or a pattern matches none.
    """
    photos: dict[str, Path] = {}
    for argument in arguments:
        for photo in _expanded(argument):
            photos.setdefault(os.path.realpath(photo), photo)  # `Path.resolve` trips over loops of links
    any_folder = any(Path(argument).is_dir() for argument in arguments)
    return Chosen(tuple(photos.values()), any_folder or len(photos) > 1)


def folder_names(photos: Sequence[Path]) -> dict[Path, str]:
    """Photo -> name of its sub-folder: the name without ending.

    Photos that would share one (case does not count) are told apart by their folder, then by their ending, and at
    last by a hash of the path. The names depend on the photos alone, not on their order.
    """
    names: dict[Path, str] = {}
    left = list(photos)
    for name_of in (_stem, _parent_and_stem, _parent_stem_and_ending, _hashed):
        groups: defaultdict[str, list[Path]] = defaultdict(list)
        for photo in left:
            groups[name_of(photo).casefold()].append(photo)
        taken = {name.casefold() for name in names.values()} | _RESERVED
        unique = [group[0] for name, group in groups.items() if len(group) == 1 and name not in taken]
        names |= {photo: name_of(photo) for photo in unique}
        left = [photo for photo in left if photo not in names]
    return {photo: names[photo] for photo in photos}


def _expanded(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        return _some(_images(path.iterdir()), argument, "The folder holds no photo.", "image files directly in it")
    if has_magic(argument) and not path.exists():
        matches = [Path(match) for match in glob(argument, recursive=True)]
        inside = [photo for match in matches if match.is_dir() for photo in _images(match.iterdir())]
        found = sorted(set(_images(matches) + inside))
        return _some(found, argument, "The pattern matches no photo.", "a pattern such as 'trip/*.jpg'")
    return [path]


def _some(photos: list[Path], argument: str, what: str, expected: str) -> list[Path]:
    if photos:
        return photos
    raise PhotoError(
        what,
        where=argument,
        expected=expected,
        got="none that ends in one of " + " ".join(sorted(ENDINGS)),
        remedy="check the path; photos in folders below need a pattern, such as 'trip/**/*.jpg'.",
    )


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if _is_image(path))


def _is_image(path: Path) -> bool:
    named = path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    return named and path.is_file() and not is_own_picture(path)


def is_own_picture(path: Path) -> bool:
    """Whether an earlier fit drew it: it is called so, and lies in a result folder."""
    if path.name not in RESULT_FILES:
        return False
    folder = path.parent
    others = {*RESULT_FILES, FAILURE} - {path.name}
    return (
        bool(_PAIR_FOLDER.fullmatch(folder.name))
        or folder.name.endswith("_apu")
        or any((folder / name).is_file() for name in others)
    )


_RESERVED = {name.casefold() for name in (REPORT, RUN, FAILURE)}


def _stem(photo: Path) -> str:
    return photo.stem.lstrip(".") or "photo"


def _parent_and_stem(photo: Path) -> str:
    return f"{photo.absolute().parent.name.lstrip('.') or 'root'}_{_stem(photo)}"


def _parent_stem_and_ending(photo: Path) -> str:
    return f"{_parent_and_stem(photo)}_{photo.suffix.lstrip('.')}"


def _hashed(photo: Path) -> str:
    return f"{_stem(photo)}_{sha256(str(photo.absolute()).encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
