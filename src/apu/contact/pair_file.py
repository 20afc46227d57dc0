"""Our own contact file: one photo, one pair or several, contacts in names of parts or regions."""

from collections.abc import Mapping
from pathlib import Path

from apu.body.region_names import REGION_NAMES
from apu.contact.annotated_pair import AnnotatedPair
from apu.contact.contact import Contact, ContactMap
from apu.contact.file_schema import ContactEntry, PairEntry, PairFile, PairsFile, field_name, validated
from apu.contact.parts import regions_of
from apu.errors import ContactFileError, InputError


def read_pairs(record: Mapping[str, object], path: Path, people_found: int) -> list[AnnotatedPair]:
    """The pairs of a file that is ours.

    Args:
        record: the JSON object.
        path: for error messages.
        people_found: how many people the photo has; `people` counts among them.

    Raises:
        ContactFileError: a field is wrong, with its name.
    """
    if "pairs" in record:
        entries = [(f"pairs[{i}]", entry) for i, entry in enumerate(validated(PairsFile, record, path).pairs)]
    else:
        entries = [("", validated(PairFile, record, path))]
    pairs = []
    for field, entry in entries:
        people = _people(entry, path, field, people_found)
        _check_pair(people, [pair.people for pair in pairs], len(entries), f"{path}: {field_name(field, 'people')}")
        pairs.append(AnnotatedPair(people, _contact_map(entry, path, field)))
    return pairs


def _people(entry: PairEntry, path: Path, field: str, people_found: int) -> tuple[int, int] | None:
    if entry.people is None:
        return None
    a, b = entry.people
    if a == b or max(a, b) >= people_found:
        raise ContactFileError(
            "The contact file names people that are no pair of the photo.",
            where=f"{path}: {field_name(field, 'people')}",
            expected=f"two different numbers from 0 to {people_found - 1}",
            got=f"{a} and {b}",
            remedy="panel.png and people.png show the numbers; leave `people` out to mean whichever pair is fitted.",
        )
    return a, b


def _check_pair(people: tuple[int, int] | None, earlier: list[tuple[int, int] | None], pairs: int, where: str) -> None:
    if people is None and pairs > 1:
        raise ContactFileError(
            "The contact file does not say whose contacts these are.",
            where=where,
            expected="the numbers of A and B, because the file has several pairs",
            got="nothing",
            remedy="add `people` to each pair; panel.png and people.png show the numbers.",
        )
    if people in earlier or (people and people[::-1] in earlier):
        raise ContactFileError(
            "The contact file has a pair twice.",
            where=where,
            expected="each pair once",
            got=f"{people} again",
            remedy="put all contacts of a pair under one entry.",
        )


def _contact_map(entry: PairEntry, path: Path, field: str) -> ContactMap:
    contacts = [
        _contact(contact, entry.source, path, field_name(field, "contacts", i))
        for i, contact in enumerate(entry.contacts)
    ]
    return ContactMap(tuple(contacts), entry.source)


def _contact(entry: ContactEntry, source: str, path: Path, field: str) -> Contact:
    regions_a, label_a = _regions(entry.a, path, field_name(field, "a"))
    regions_b, label_b = _regions(entry.b, path, field_name(field, "b"))
    return Contact(
        regions_a,
        regions_b,
        entry.weight,
        source if entry.source is None else entry.source,
        entry.label_a or label_a,
        entry.label_b or label_b,
    )


def _regions(names: list[str], path: Path, field: str) -> tuple[frozenset[str], str]:
    """The union of all names, and a label; bare region names need none."""
    regions, labels = [], []
    for i, name in enumerate(names):
        try:
            found, label = regions_of(name)
        except InputError as error:
            raise ContactFileError(
                "The contact file names an unknown part or region.",
                where=f"{path}: {field_name(field, i) if len(names) > 1 else field}",
                expected=error.expected,
                got=error.got,
                remedy=error.remedy,
            ) from error
        regions.append(found)
        labels.append(label)
    label = "" if set(names) <= set(REGION_NAMES) else " / ".join(dict.fromkeys(labels))
    return frozenset().union(*regions), label
