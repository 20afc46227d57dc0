"""Left and right of a model's contacts: by keypoints in the photo and, where those leave it open, by a first fit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from apu.ask.person_points import space_points
from apu.contact.body_points import BodyPoints
from apu.contact.chirality import ChiralityOptions, agreed, denoise, denoise_in_space
from apu.contact.chirality_explained import FROM_IMAGE, Decision, Decisions, Variant
from apu.contact.named_contact import NamedContact
from apu.scene.annotation import Annotation
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation

_BOTH_SAID = "There is nothing to choose: the same contact on the other side is said, too."


def decided_sides(contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints, variant: Variant) -> Decisions:
    """`apu.contact.chirality.denoise`, but a contact whose mirror image is said too keeps its sides.

    Of `left hand - back` beside `right hand - back`, both would move to the nearer hand, and one contact would be lost.

    Args:
        contacts: A's part first.
        a, b: keypoints of A and B, pixels.
        variant: which combinations of sides are compared.
    """
    found = denoise(contacts, a, b, ChiralityOptions(variant))
    ends = {(contact.a.meant, contact.b.meant) for contact in contacts}

    def kept(decision: Decision) -> Decision:
        said = decision.answered
        mirrored = said.a.meant.flipped(), said.b.meant.flipped()
        if mirrored == (said.a.meant, said.b.meant) or mirrored not in ends:
            return decision
        return Decision(said, (), None, FROM_IMAGE, (said,), _BOTH_SAID)

    return replace(found, decisions=tuple(map(kept, found.decisions)))


def with_first_fit(annotation: Annotation, observation: PairObservation, estimate: Estimate) -> Annotation:
    """The annotation with a second vote on the sides that the photo's keypoints left open.

    A side that is clear in the photo stays. Elsewhere `apu.contact.chirality.agreed` combines both votes.

    Args:
        annotation: of a language model; others come back unchanged.
        observation: the pair.
        estimate: its first fit.
    """
    first = annotation.sides
    if first is None or annotation.contacts is None or not any(map(_is_open, first.decisions)):
        return annotation
    answered = [decision.answered for decision in first.decisions]
    options = ChiralityOptions(first.variant, first.min_margin)
    second = agreed(first, denoise_in_space(answered, *space_points(estimate, observation.people), options))
    decisions = tuple(
        both if _is_open(one) else one for one, both in zip(first.decisions, second.decisions, strict=True)
    )
    sides = replace(second, decisions=decisions)
    record = annotation.answer
    if record is not None:
        trust: Mapping[str, object] = {**(record.trust or {}), "sides": sides.recorded()}
        record = replace(record, trust=trust)
    contacts = sides.contact_map(annotation.contacts.source)
    return replace(annotation, contacts=contacts, sides=sides, answer=record)


def _is_open(decision: Decision) -> bool:
    """Whether there was something to choose, and the photo was not clear."""
    return len(decision.candidates) > 1 and not decision.confident
