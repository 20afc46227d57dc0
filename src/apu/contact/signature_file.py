"""FlickrCI3D's `interaction_contact_signature.json`: many photos, boxes of people, pairs of touching region numbers."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import Float

from apu.contact.annotated_pair import AnnotatedPair, Box
from apu.contact.box_matching import box_overlaps, match_boxes
from apu.contact.ci3d import ci3d_label, ci3d_regions
from apu.contact.contact import Contact, ContactMap
from apu.contact.file_schema import Signature, SignatureEntry, field_name, validated
from apu.errors import ContactFileError

MIN_OVERLAP = 0.3
"""Intersection over union of an annotated box and a found person's; boxes of keypoints are the tighter ones."""
SOURCE = "annotation"
_NAMES_SHOWN = 5


def read_signatures(
    record: Mapping[str, object], path: Path, photo_name: str, boxes: Sequence[Box]
) -> list[AnnotatedPair]:
    """The annotated pairs of one photo whose two people were both found.

    Args:
        record: the JSON object: photo name -> entry.
        path: for error messages.
        photo_name: name of the photo without its ending (a name with its ending will do).
        boxes: of the people that were found, pixels.

    Raises:
        ContactFileError: the photo is not in the file, its entry is damaged, or none of its pairs was found.
    """
    name = _entry_name(record, path, photo_name)
    entry = validated(SignatureEntry, record[name], path, name)
    _check_people(entry, path, name)
    overlaps = box_overlaps([(b[0], b[1], b[2], b[3]) for b in entry.bbxes], boxes)
    matches = match_boxes(overlaps, MIN_OVERLAP)
    found: dict[tuple[int, int], tuple[Contact, ...]] = {}
    for signature in entry.ci_sign:
        a, b = (matches.get(person, -1) for person in signature.person_ids)
        if min(a, b) < 0:
            continue
        swapped = (b, a) in found
        key = (b, a) if swapped else (a, b)
        found[key] = found.get(key, ()) + _contacts(signature, swapped)
    if not found:
        raise _nobody(entry, matches, overlaps, f"{path}: {name}")
    return [AnnotatedPair(people, ContactMap(contacts, SOURCE)) for people, contacts in found.items()]


def _entry_name(record: Mapping[str, object], path: Path, photo_name: str) -> str:
    for name in (photo_name, PurePath(photo_name).stem):
        if name in record:
            return name
    close = difflib.get_close_matches(photo_name, record, n=_NAMES_SHOWN)
    shown = list(dict.fromkeys([*close, *record]))[:_NAMES_SHOWN]
    rest = len(record) - len(shown)
    raise ContactFileError(
        "The photo is not in the contact file.",
        where=path,
        expected=f"one of {', '.join(map(repr, shown))}{f' and {rest} more' if rest else ''}",
        got=repr(photo_name),
        remedy="give the photo the name of its entry, or write a contact file of your own (docs/contact_files.md).",
    )


def _check_people(entry: SignatureEntry, path: Path, name: str) -> None:
    for i, signature in enumerate(entry.ci_sign):
        a, b = signature.person_ids
        if a == b or max(a, b) >= len(entry.bbxes):
            raise ContactFileError(
                "The contact file names people that it has no boxes for.",
                where=f"{path}: {field_name(name, 'ci_sign', i, 'person_ids')}",
                expected=f"two different numbers from 0 to {len(entry.bbxes) - 1}, for {len(entry.bbxes)} boxes",
                got=f"{a} and {b}",
                remedy="take the annotation from the dataset again.",
            )


def regions_touching(numbers: Sequence[Sequence[int]]) -> tuple[Contact, ...]:
    """One contact per annotated correspondence: the first number is a region of the first person.

    Args:
        numbers: pairs of region numbers of the 75.
    """
    return tuple(
        Contact(ci3d_regions(a), ci3d_regions(b), 1.0, SOURCE, ci3d_label(a), ci3d_label(b)) for a, b in numbers
    )


def _contacts(signature: Signature, swapped: bool) -> tuple[Contact, ...]:
    contacts = regions_touching(signature.smplx.region_id)
    return tuple(contact.swapped() for contact in contacts) if swapped else contacts


def _nobody(
    entry: SignatureEntry, matches: dict[int, int], overlaps: Float[np.ndarray, "n m"], where: str
) -> ContactFileError:
    people = sorted({person for signature in entry.ci_sign for person in signature.person_ids} - set(matches))
    best = [f"box {person}: {overlaps[person].max(initial=0.0):.2f}" for person in people]
    return ContactFileError(
        "No annotated pair of the contact file was found in the photo.",
        where=where,
        expected=f"both people's boxes to overlap those of found people by {MIN_OVERLAP} or more (shared / joint area)",
        got=f"at best, {', '.join(best)}" if best else "an entry without pairs",
        remedy="use the dataset's own photo in its own size, give these people's keypoints with --keypoints, or "
        "write a contact file of your own (docs/contact_files.md).",
    )
