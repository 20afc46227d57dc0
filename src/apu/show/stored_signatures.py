"""The contacts of many result folders, photo by photo, as `apu.contact.signature_writer` takes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apu.contact.contact import Contact, ContactMap
from apu.contact.measured import measure_contacts
from apu.contact.signature_writer import SignedPhoto
from apu.errors import InputError
from apu.progress import Progress, silent
from apu.scene.person import Box
from apu.show.gallery_entries import GalleryEntry, entries_in, is_pair_folder, result_folders
from apu.show.stored_pair import StoredPair, read_stored_contacts, read_stored_pair, read_stored_people

MEASURED = "measured"
"""Source of a contact map that was read off the meshes."""


@dataclass(frozen=True)
class LeftOut:
    """A result that says nothing of contacts.

    Attributes:
        photo: its name.
        pair: numbers of A and B; None where it is the whole photo, or not known.
        folder: where the files lie.
        reason: in words, of one line or several.
    """

    photo: str
    pair: tuple[int, int] | None
    folder: Path
    reason: str


@dataclass(frozen=True)
class StoredSignatures:
    """What results say of contacts.

    Attributes:
        photos: name of the photo without its ending -> its pairs, and the boxes of the people in them. People are
            numbered anew in each photo, in the order of their numbers.
        left_out: in the order of reading.
    """

    photos: Mapping[str, SignedPhoto]
    left_out: tuple[LeftOut, ...]


@dataclass
class _Photo:
    boxes: dict[int, Box] = field(default_factory=dict)
    pairs: dict[tuple[int, int], ContactMap] = field(default_factory=dict)

    def signed(self) -> SignedPhoto:
        place = {number: i for i, number in enumerate(sorted(self.boxes))}
        pairs = {(place[a], place[b]): contacts for (a, b), contacts in self.pairs.items()}
        return SignedPhoto([self.boxes[number] for number in place], pairs)


def stored_signatures(
    results: Sequence[Path], within_m: float | None = None, progress: Progress = silent
) -> StoredSignatures:
    """Read results of `apu fit`. A pair that is damaged or failed is left out, and the others go on.

    Args:
        results: folders of results, or folders that hold such folders. A result that is met twice counts once.
        within_m: None: the contacts that each fit was given. Else the pairs of regions of the fitted meshes that lie
            within this, metres.
        progress: told of every result.

    Raises:
        InputError: a folder holds no result, or two photos have one name.
    """
    found = (entry for place in _places(results) for entry in entries_in(place))
    entries = list({(entry.folder.resolve(), entry.pair): entry for entry in found}.values())
    _check_names(entries)
    photos: dict[str, _Photo] = {}
    left_out = []
    for i, entry in enumerate(entries):
        progress("reading results", i / len(entries))
        reason = entry.reason if entry.status != "ok" else _add(photos, entry, within_m)
        if reason:
            left_out.append(LeftOut(entry.photo, entry.pair, entry.folder, reason))
    return StoredSignatures({name: photo.signed() for name, photo in photos.items()}, tuple(left_out))


def measured_map(pair: StoredPair, within_m: float) -> ContactMap:
    """What touches in the meshes: a contact for every two regions within a distance, metres; the nearest first."""
    (found,) = measure_contacts(pair.surface, pair.vertices[None], within_m)
    contacts = (Contact(frozenset({c.region_a}), frozenset({c.region_b}), 1.0, MEASURED) for c in found)
    return ContactMap(tuple(contacts), MEASURED)


def _places(results: Iterable[Path]) -> list[Path]:
    places: dict[Path, Path] = {}
    for result in results:
        found = list(result_folders(result)) if result.is_dir() else []
        if not found:
            raise InputError(
                "There is no result of a fit.",
                where=result,
                expected="a folder that `apu fit` has written, or one that holds such folders",
                got="a folder without results" if result.is_dir() else "a file" if result.exists() else "nothing",
                remedy="check the path; of a file in a result folder, name the folder.",
            )
        for place in found:
            places.setdefault(place.resolve(), place)
    return list(places.values())


def _check_names(entries: Iterable[GalleryEntry]) -> None:
    """A photo's name is its key, so no other photo, and no other fit of it, may have the same."""
    homes: dict[str, Path] = {}
    for entry in entries:
        if entry.status != "ok":
            continue
        home = entry.folder.parent if is_pair_folder(entry.folder.name) else entry.folder
        first = homes.setdefault(entry.photo, home)
        if first.resolve() != home.resolve():
            raise InputError(
                "Two results are of photos with the same name.",
                where=f"{first} and {home}",
                expected="each name once, because the entries of the file are found by it",
                got=f"{entry.photo!r} twice",
                remedy="name the results of one of them only, or write two files.",
            )


def _add(photos: dict[str, _Photo], entry: GalleryEntry, within_m: float | None) -> str:
    """Read one pair into its photo. Returns why that cannot be, or nothing."""
    if entry.pair is None:
        return "run.json does not say who the pair is."
    try:
        boxes = _boxes(entry.folder, entry.pair)
        if within_m is None:
            contacts = read_stored_contacts(entry.folder, entry.pair)
        else:
            contacts = measured_map(read_stored_pair(entry.folder), within_m)
    except (InputError, OSError, RuntimeError) as error:  # the last: of links that lead to themselves
        return str(error) or type(error).__name__
    photo = photos.setdefault(entry.photo, _Photo())
    for number, box in zip(entry.pair, boxes, strict=True):
        photo.boxes.setdefault(number, box)
    photo.pairs[entry.pair] = contacts
    return ""


def _boxes(folder: Path, pair: tuple[int, int]) -> tuple[Box, Box]:
    people = read_stored_people(folder)
    if people.numbers != pair:
        raise _unlike(folder, f"people {pair[0]} and {pair[1]}, as in run.json", f"{people.numbers}")
    a, b = (keypoints.box() for keypoints in people.keypoints)
    for number, (x0, y0, x1, y1) in zip(pair, (a, b), strict=True):
        if not (x0 < x1 and y0 < y1):
            raise _unlike(folder, "keypoints that span a box", f"none of person {number}")
    return a, b


def _unlike(folder: Path, expected: str, got: str) -> InputError:
    return InputError(
        "The pair file is not that of its run.json.",
        where=folder,
        expected=expected,
        got=got,
        remedy="fit the photo again.",
    )
