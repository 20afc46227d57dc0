"""From the answers about a pair to the contact map that a fit is given: what is trusted in them, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apu.contact.body_points import BodyPoints
from apu.contact.chirality import ChiralityOptions, agreed, denoise, denoise_in_space
from apu.contact.chirality_explained import Decisions
from apu.contact.contact import ContactMap
from apu.contact.end import End
from apu.contact.impossible import in_order, people_order, possible_contacts
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.votes import Answered, Pooled, pool
from apu.dataset.synthetic.answers import SOURCE, SimulatedAnswer
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Person

JOINTS = "body25"

LEAST_VOTES = 0.2
"""Of pooled contacts those below this weight are left out: what one of three or five answers says. Chosen on synthetic
validation pairs by the F1 of part pairs."""

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
    least_weight: float = LEAST_VOTES


def named_contacts(answer: SimulatedAnswer) -> tuple[NamedContact, ...]:
    """A simulated answer in the words of annotators; what it says twice counts once."""
    return tuple(dict.fromkeys(NamedContact(c.a, c.b, 1.0, SOURCE) for c in answer.contacts))


def pooled_answers(answers: Sequence[SimulatedAnswer], reliability: float = 1.0) -> Pooled:
    """Votes of one simulated model's answers."""
    return pool([Answered(named_contacts(answer), answer.model, reliability) for answer in answers], SOURCE)


def image_points(person: Person) -> BodyPoints:
    """The joints of a person in the photo."""
    seen = person.keypoints.as_set(JOINTS)
    return BodyPoints(seen.xy, seen.confidence)


def space_points(estimate: Estimate, people: Sequence[Person]) -> tuple[BodyPoints, BodyPoints]:
    """The joints of both people after a first fit, as sure as the keypoints that hold them."""
    a, b = (
        BodyPoints(joints.detach().cpu().numpy(), person.keypoints.as_set(JOINTS).confidence)
        for joints, person in zip(estimate.joints, people, strict=True)
    )
    return a, b


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
    options = ChiralityOptions("all-four" if sides == "all-four" else "relation")
    found = denoise(contacts, image_points(seen.people[0]), image_points(seen.people[1]), options)
    if sides != "relation and 3D" or estimate is None:
        return found
    return agreed(found, denoise_in_space(contacts, *space_points(estimate, seen.people), options))


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
