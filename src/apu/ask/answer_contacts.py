"""A model's answer as contacts of whole parts, and its words on the people; answers to changed pictures, undone."""

from apu.ask.answer import ContactAnswer, PairAnswer, Side
from apu.contact.contact import CERTAIN, ContactMap
from apu.contact.end import End
from apu.contact.named_contact import NamedContact, contact_map
from apu.errors import InputError
from apu.scene.pair import PairWords

CONFIDENCE_WEIGHT = {"low": 0.25, "medium": 0.5, "high": 0.75}
"""Weight of one contact of a single answer, by the model's own word. Hand-set: below 1, because a model that says
`high` is still not an annotator who looked; to be calibrated where annotated photos are at hand."""

INFERRED_FACTOR = 0.7
"""Of the weight, for a contact that is hidden: models infer what such scenes usually have. Hand-set."""

_OTHER_SIDE: dict[Side, Side] = {"left": "right", "right": "left"}


def answer_contacts(answer: PairAnswer, source: str) -> ContactMap:
    """The contact map that an answer says; empty for `no contact` and for `cannot tell`, which the answer tells apart.

    Every answered contact is one contact over all regions of its parts (some place of them touches). A side that is
    `unknown` stands for left and right. `both` at one end makes two contacts, one per side, which both have to
    touch. `both` at both ends leaves open which limb touches which (left with left, or left with right); it becomes one
    contact over the left and right of either end, with the words kept, until keypoints decide.

    Args:
        answer: as parsed. Where the picture was swapped or mirrored, undo that first (`unswapped`, `unmirrored`).
        source: the model's name.

    Raises:
        InputError: the source is one whose contacts are never doubted.
    """
    if source in CERTAIN or not source:
        raise InputError(
            "A model's answer cannot have this source.",
            where="source",
            expected="the model's name",
            got=repr(source),
            remedy="give the name of the model that answered.",
        )
    return contact_map(named_contacts(answer, source), source)


def named_contacts(answer: PairAnswer, source: str) -> tuple[NamedContact, ...]:
    """The contacts as the answer words them, with the weights of its own trust; in its order, doubled ones too."""
    return tuple(
        NamedContact(End(said.part_a, said.side_a), End(said.part_b, said.side_b), contact_weight(said), source)
        for said in answer.contacts
    )


def contact_weight(said: ContactAnswer) -> float:
    """Trust in one contact of a single answer, below 1."""
    return CONFIDENCE_WEIGHT[said.confidence] * (INFERRED_FACTOR if said.visibility == "inferred" else 1.0)


def pair_words(answer: PairAnswer) -> PairWords:
    """What the answer says of the people themselves, for the starts of the fit."""
    a, b = answer.person_a, answer.person_b
    return PairWords((a.age_group, b.age_group), (a.posture, b.posture))


def unswapped(answer: PairAnswer) -> PairAnswer:
    """The answer with A and B exchanged: of a picture in which A was called B. Its sentences stay as they are.

    Its own inverse.
    """
    contacts = tuple(
        said.model_copy(
            update={"part_a": said.part_b, "side_a": said.side_b, "part_b": said.part_a, "side_b": said.side_a}
        )
        for said in answer.contacts
    )
    return answer.model_copy(update={"person_a": answer.person_b, "person_b": answer.person_a, "contacts": contacts})


def unmirrored(answer: PairAnswer) -> PairAnswer:
    """The answer with left and right exchanged: of a mirrored picture. Its sentences stay as they are.

    Its own inverse. Who is A and who is B does not change, because the marks go with the people.
    """
    contacts = tuple(
        said.model_copy(
            update={
                "side_a": _OTHER_SIDE.get(said.side_a, said.side_a),
                "side_b": _OTHER_SIDE.get(said.side_b, said.side_b),
            }
        )
        for said in answer.contacts
    )
    return answer.model_copy(update={"contacts": contacts})
