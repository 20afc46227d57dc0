"""What a contact file says about one pair."""

from collections.abc import Sequence
from dataclasses import dataclass

from apu.contact.contact import ContactMap

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the upright photo."""


@dataclass(frozen=True)
class AnnotatedPair:
    """The contacts of a pair, and who the pair is.

    Attributes:
        people: numbers of A and B among the people found in the photo; None: whichever pair is fitted.
        contacts: what is known to touch, in the order of the file; empty when nothing is.
    """

    people: tuple[int, int] | None
    contacts: ContactMap


def contacts_of(annotated: Sequence[AnnotatedPair], people: tuple[int, int]) -> ContactMap | None:
    """What a file says of people (A, B), with its A and B exchanged where they stand the other way round; or None."""
    for one in annotated:
        if one.people in (None, people):
            return one.contacts
        if one.people == people[::-1]:
            return one.contacts.swapped()
    return None
