"""From the answers about a pair to the contact map that a fit is given: what is trusted in them, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apu.ask.person_points import image_points, space_points
from apu.ask.sides import decided_sides
from apu.contact.chirality import ChiralityOptions, agreed, denoise_in_space
from apu.contact.chirality_explained import Decisions, Variant
from apu.contact.contact import ContactMap
from apu.contact.end import End
from apu.contact.impossible import in_order, people_order, possible_contacts
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.votes import FEW_SAY_SO, Answered, Pooled, pool
from apu.dataset.synthetic.answers import SOURCE, SimulatedAnswer
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation

Sides = Literal["as answered", "relation", "all-four", "relation and 3D", "open"]
"""`relation` and `all-four` are variants of `apu.contact.chirality`; `and 3D` is a second vote in space after the first
fit. `open`: no side is believed, so that the loss takes whichever is nearest."""


@dataclass(frozen=True)
class Trust:
    """What is done to the answers about a pair.

    Attributes:
        answers: how many of them are pooled.
        sides: who decides on left and right.
        order: whether each answer's A and B are exchanged where the keypoints speak for it.
        possible: whether contacts that the image denies are removed.
        least_weight: pooled contacts below are left out.
    """

    answers: int = 1
    sides: Sides = "as answered"
    order: bool = False
    possible: bool = False
    least_weight: float = FEW_SAY_SO


def named_contacts(answer: SimulatedAnswer) -> tuple[NamedContact, ...]:
    """A simulated answer in the words of annotators; what it says twice counts once."""
    return tuple(dict.fromkeys(NamedContact(c.a, c.b, 1.0, SOURCE) for c in answer.contacts))


def pooled_answers(answers: Sequence[SimulatedAnswer], reliability: float = 1.0) -> Pooled:
    """Votes of one simulated model's answers."""
    return pool([Answered(named_contacts(answer), answer.model, reliability) for answer in answers], SOURCE)


def open_sides(contact: NamedContact) -> NamedContact:
    """The contact without its sides: every paired part is on either."""

    def opened(end: End) -> End:
        return end.on_side("unknown") if end.paired else end.on_side("none")

    return replace(contact, a=opened(contact.a), b=opened(contact.b))


def sides_decided(
    contacts: Sequence[NamedContact], seen: PairObservation, sides: Sides, estimate: Estimate | None = None
) -> Decisions:
    """The decisions on left and right.

    Args:
        contacts: A's part first.
        seen: the pair, with keypoints as they were observed.
        sides: a variant of chirality denoising.
        estimate: the first fit; needed for the vote in space.
    """
    variant: Variant = "all-four" if sides == "all-four" else "relation"
    found = decided_sides(contacts, image_points(seen.people[0]), image_points(seen.people[1]), variant)
    if sides != "relation and 3D" or estimate is None:
        return found
    in_space = denoise_in_space(contacts, *space_points(estimate, seen.people), ChiralityOptions(variant))
    return agreed(found, in_space)


def trusted_contacts(
    answers: Sequence[SimulatedAnswer], seen: PairObservation, trust: Trust, estimate: Estimate | None = None
) -> tuple[NamedContact, ...]:
    """The contacts that are left of the answers, with the weights that they deserve.

    Args:
        answers: at least as many as are pooled, of one model.
        seen: the pair, with keypoints as they were observed.
        trust: what is done.
        estimate: the first fit; needed for the vote in space.
    """
    a, b = (image_points(person) for person in seen.people)
    said = [named_contacts(answer) for answer in answers[: trust.answers]]
    if trust.order:
        said = [in_order(contacts, people_order(contacts, a, b)) for contacts in said]
    if trust.answers == 1:
        contacts = said[0] if said else ()
    else:
        contacts = pool([Answered(one, SOURCE) for one in said], SOURCE).named(trust.least_weight)
    if trust.possible:
        contacts = possible_contacts(contacts, a, b)[0]
    if trust.sides == "open":
        return tuple(open_sides(contact) for contact in contacts)
    return contacts if trust.sides == "as answered" else sides_decided(contacts, seen, trust.sides, estimate).contacts


def trusted_map(
    answers: Sequence[SimulatedAnswer], seen: PairObservation, trust: Trust, estimate: Estimate | None = None
) -> ContactMap:
    """`trusted_contacts` as the fit takes them."""
    return contact_map(trusted_contacts(answers, seen, trust, estimate), SOURCE)
