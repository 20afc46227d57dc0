"""What a contact file says about one pair."""

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
