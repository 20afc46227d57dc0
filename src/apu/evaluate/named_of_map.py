"""A contact map back in the words of an annotator, where it has words, so that its sides can be decided."""

from collections.abc import Mapping
from functools import cache

from apu.contact.contact import Contact, ContactMap
from apu.contact.end import END_SIDES, End
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.parts import OTHER_PARTS, PARTS
from apu.evaluate.trusted_answers import sides_decided
from apu.scene.pair import PairObservation


def named_of(contact: Contact) -> NamedContact | None:
    """A contact as two parts with sides; None where it names regions that are no part by these words."""
    a, b = _end(contact.label_a, contact.regions_a), _end(contact.label_b, contact.regions_b)
    return None if a is None or b is None else NamedContact(a, b, contact.weight, contact.source)


def denoised_map(contacts: ContactMap, seen: PairObservation) -> ContactMap:
    """The map with the sides of its parts decided by keypoints; contacts of regions stay as they are.

    Args:
        contacts: of the pair.
        seen: the pair.
    """
    out: list[Contact] = []
    for contact in contacts.contacts:
        named = named_of(contact)
        decided = () if named is None else sides_decided([named], seen, "relation").contacts
        out += [contact] if named is None or decided == (named,) else contact_map(decided, contacts.source).contacts
    distinct: dict[tuple[frozenset[str], frozenset[str]], Contact] = {}
    for contact in out:
        key = contact.regions_a, contact.regions_b
        if key not in distinct or distinct[key].weight < contact.weight:
            distinct[key] = contact
    return ContactMap(tuple(distinct.values()), contacts.source)


def _end(label: str, regions: frozenset[str]) -> End | None:
    found = _ends().get(label)
    return found if found is not None and found.regions == regions else None


@cache
def _ends() -> Mapping[str, End]:
    """Label -> the end that is labelled so; of a limb without side, `unknown`."""
    every = [End(part, side) for part in (*OTHER_PARTS, *PARTS) for side in END_SIDES]
    return {
        end.label: end.meant for end in every if end.regions and (end.paired or end.side in ("none", "left", "right"))
    }
