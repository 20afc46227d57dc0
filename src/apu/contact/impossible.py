"""Contacts that the image denies, because the parts lie farther apart in it than bodies reach; and A/B order.

Two points that touch have one place in the image. So the places of two touching parts are there at most as far apart as
the skin of both reaches from them: depth can only make it look less. What looks near may still be far apart in depth,
and is not denied here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from apu.contact.body_points import MIN_CONFIDENCE, BodyPoints, longest_scale, mean_torso
from apu.contact.chirality import side_candidates
from apu.contact.end import End
from apu.contact.named_contact import NamedContact
from apu.contact.part_keypoints import part_joints, place_of

SLACK = 1.25
"""Factor on what bodies reach: keypoints are off, who is nearer the camera is larger, and some have larger parts."""

MIN_ORDER_MARGIN = 0.15
"""Torsos by which contacts must be closer on average with A and B exchanged. Hand-set; above the margin of a side,
since an exchange moves every contact at once."""


@dataclass(frozen=True)
class Reach:
    """How far apart the parts of a contact are in the image, against how far they could be.

    Attributes:
        contact: as answered.
        distance: of the nearest places on any side that the answer leaves open, pixels; None where they are not seen.
        bound: what both parts reach, with `SLACK`, pixels.
        impossible: whether it is beyond.
        why: one sentence.
    """

    contact: NamedContact
    distance: float | None
    bound: float | None
    impossible: bool
    why: str

    @property
    def share(self) -> float | None:
        """Distance over bound: above 1 for what is impossible."""
        return None if self.distance is None or not self.bound else self.distance / self.bound

    def recorded(self) -> dict[str, Any]:
        """For JSON."""
        share = None if self.share is None else round(self.share, 4)
        return {"contact": self.contact.name, "share": share, "impossible": self.impossible, "why": self.why}


def reach_of(
    contact: NamedContact, a: BodyPoints, b: BodyPoints, *, any_side: bool = True,
    min_confidence: float = MIN_CONFIDENCE,
) -> Reach:  # fmt: skip
    """Whether a contact is possible in the image.

    Args:
        contact: A's part first.
        a, b: keypoints of A and B, pixels.
        any_side: whether the answer may be wrong about sides, so that those count which are nearest. It is denied only
            when every side is seen.
        min_confidence: keypoints below are not used.
    """
    scales = [longest_scale(body, min_confidence) for body in (a, b)]
    places = [
        [place_of(end.meant.on_side(side), body, min_confidence) for side in _sides(end, any_side)]
        for end, body in ((contact.a, a), (contact.b, b))
    ]
    if None in scales or any(place.confidence < max(min_confidence, 1e-6) for one in places for place in one):
        return Reach(contact, None, None, False, "Not judged: keypoints of its parts, or of any limb, are not seen.")
    distance = min(float(np.linalg.norm(p.place - q.place)) for p, q in product(*places))
    ends = (contact.a, contact.b)
    bound = SLACK * sum(part_joints(e.part).reach * s for e, s in zip(ends, scales, strict=True) if s is not None)
    impossible = distance > bound
    word = "beyond" if impossible else "within"
    return Reach(contact, distance, bound, impossible, f"{distance:.0f} px apart, {word} the {bound:.0f} px of reach.")


def possible_contacts(
    contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints
) -> tuple[tuple[NamedContact, ...], tuple[Reach, ...]]:
    """(the contacts that the image does not deny, the verdict on every contact), in their order."""
    verdicts = tuple(reach_of(contact, a, b) for contact in contacts)
    return tuple(one.contact for one in verdicts if not one.impossible), verdicts


@dataclass(frozen=True)
class PeopleOrder:
    """Whether an answer took A for B.

    Attributes:
        as_answered, exchanged: weighted mean distance of its contacts, torsos; None where they cannot be compared.
        margin: how much closer they are exchanged, times the mean confidence.
        exchange: whether A and B should be exchanged.
        compared: contacts that tell.
        why: one sentence.
    """

    as_answered: float | None
    exchanged: float | None
    margin: float | None
    exchange: bool
    compared: int
    why: str

    def recorded(self) -> dict[str, Any]:
        """For JSON."""
        numbers = {"as_answered": self.as_answered, "exchanged": self.exchanged, "margin": self.margin}
        rounded = {name: None if value is None else round(value, 4) for name, value in numbers.items()}
        return rounded | {"exchange": self.exchange, "compared": self.compared, "why": self.why}


def people_order(
    contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints, min_margin: float = MIN_ORDER_MARGIN
) -> PeopleOrder:
    """Whether an answer is more plausible with A and B exchanged.

    All contacts of one answer are exchanged or none, so their distances are taken together, each with the sides of its
    relation that are closest, because sides are less certain than parts. Contacts of like parts, such as `hand - hand`,
    count too; where both persons' joints are all seen they tell nothing, which makes the margin smaller, not wrong.

    Args:
        contacts: of one answer.
        a, b: keypoints of A and B, pixels.
        min_margin: torsos times confidence; below it the order stands.
    """
    torso = mean_torso(a, b)
    if torso is None:
        return PeopleOrder(None, None, None, False, 0, "The order stands: no torso or limb of one of them is seen.")
    rows = []
    for contact in contacts:
        forth, back = _closest(contact, a, b), _closest(contact, b, a)
        if forth is not None and back is not None:
            rows.append((forth[0] / torso, back[0] / torso, min(forth[1], back[1]), contact.weight))
    if not rows:
        return PeopleOrder(None, None, None, False, 0, "The order stands: no contact's parts are seen on both people.")
    forth, back, sure, weight = np.array(rows).T
    as_answered, exchanged, confidence = (float(np.average(x, weights=weight)) for x in (forth, back, sure))
    margin = (as_answered - exchanged) * confidence
    exchange = margin > 0 and margin >= min_margin
    why = (
        f"A and B are exchanged: contacts are {exchanged:.2f} torsos apart then, {as_answered:.2f} as answered."
        if exchange
        else f"The order stands: the margin of {margin:.3f} is below {min_margin:g}."
    )
    return PeopleOrder(as_answered, exchanged, margin, exchange, len(rows), why)


def in_order(contacts: Sequence[NamedContact], order: PeopleOrder) -> tuple[NamedContact, ...]:
    """The contacts with A and B as `people_order` says."""
    return tuple(contact.swapped() if order.exchange else contact for contact in contacts)


def _closest(contact: NamedContact, a: BodyPoints, b: BodyPoints) -> tuple[float, float] | None:
    """(distance, confidence) of the closest sides that match the relation; None unless all of them are seen."""
    found = []
    for way in side_candidates(contact):
        places = [(place_of(contact.a.meant.on_side(x), a), place_of(contact.b.meant.on_side(y), b)) for x, y in way]
        sure = min(end.confidence for pair in places for end in pair)
        if sure < MIN_CONFIDENCE:
            return None
        found.append((float(np.mean([np.linalg.norm(p.place - q.place) for p, q in places])), sure))
    return min(found, key=lambda one: one[0])


def _sides(end: End, any_side: bool) -> tuple[str, ...]:
    return ("left", "right") if any_side and end.paired else end.meant.sides
