"""Our contacts as FlickrCI3D's `interaction_contact_signature.json`, for tools that read nothing else.

A contact that was read from such a file goes back as the number it came from, by its label. Any other is told by
regions, and two things are lost: a number may stand for more than a region of ours (one number for a foot's top and
sole), and "some place of these regions touches" becomes a pair for each of them, because the format knows no "some".
The choice of numbers is ours (`apu.contact.ci3d`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apu.cache import written_whole
from apu.contact.annotated_pair import Box
from apu.contact.ci3d import CI3D_NAMES, ci3d_label, ci3d_regions
from apu.contact.contact import ContactMap
from apu.errors import InputError


@dataclass(frozen=True)
class SignedPhoto:
    """What is known of one photo.

    Attributes:
        boxes: of its people, pixels, in the order of their numbers.
        pairs: (number of A, number of B) -> what touches.
    """

    boxes: Sequence[Box]
    pairs: Mapping[tuple[int, int], ContactMap]


def write_signatures(path: Path, photos: Mapping[str, SignedPhoto]) -> None:
    """Write the file, whole or not at all.

    `face_id` and `vertex_id` are empty: our contacts are of regions. SMPL-X and GHUM get the same numbers.

    Args:
        path: replaced where it exists.
        photos: name of the photo without its ending -> what is known of it.

    Raises:
        InputError: a pair names a person without a box, or the same person twice.
        OutputError: the file cannot be written.
    """
    record = {name: _entry(name, photo) for name, photo in photos.items()}
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def region_pairs(contacts: ContactMap) -> list[tuple[int, int]]:
    """FlickrCI3D's numbers of what touches, of A and of B; each pair once, in the order of the contacts."""
    pairs = {
        (a, b): None
        for contact in contacts.contacts
        for a in _numbers(contact.regions_a, contact.label_a)
        for b in _numbers(contact.regions_b, contact.label_b)
    }
    return list(pairs)


def _numbers(regions: frozenset[str], label: str) -> list[int]:
    known = _labels().get(label)
    if known is not None and ci3d_regions(known) == regions:
        return [known]
    return sorted({_number_of(region) for region in regions})


@cache
def _labels() -> dict[str, int]:
    return {ci3d_label(number): number for number in range(len(CI3D_NAMES))}


@cache
def _number_of(region: str) -> int:
    """The number that says least beside this region; of equals, the first."""
    holders = [number for number in range(len(CI3D_NAMES)) if region in ci3d_regions(number)]
    return min(holders, key=lambda number: (len(ci3d_regions(number)), number))


def _entry(name: str, photo: SignedPhoto) -> dict[str, object]:
    signs = []
    for (a, b), contacts in photo.pairs.items():
        if a == b or not all(0 <= person < len(photo.boxes) for person in (a, b)):
            raise InputError(
                "A pair of contacts names people that there are no boxes for.",
                where=f"photo {name!r}",
                expected=f"two different numbers from 0 to {len(photo.boxes) - 1}",
                got=f"{a} and {b}",
                remedy="give a box for every person of the photo, in the order of their numbers.",
            )
        body = {"face_id": [], "vertex_id": [], "region_id": [list(pair) for pair in region_pairs(contacts)]}
        signs.append({"person_ids": [a, b], "smplx": body, "ghum": body})
    return {"bbxes": [[float(x) for x in box] for box in photo.boxes], "ci_sign": signs}
