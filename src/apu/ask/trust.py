"""From the answers about a pair to the contacts that a fit takes: what is trusted in them, how much, and why.

| field of the record | meaning |
|---|---|
| `answers` | number of answers that were asked for |
| `order` | of each answer, whether its A and B were exchanged, and by which distances; null where it is no answer |
| `votes` | what the answers share (`apu.contact.votes`), with the mean `confidence` of their words; null for one |
| `removed` | contacts that do not go on, and why |
| `reach` | how far apart the parts of each contact are in the photo, against what bodies reach |
| `sides` | how left and right were decided (`apu.contact.chirality_explained`); null where the answers' sides stand |
| `notes` | what is odd, one sentence each |
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Literal

from apu.ask.answer import PairAnswer
from apu.ask.answer_contacts import pair_words, unswapped
from apu.ask.heard import Heard
from apu.ask.person_points import image_points
from apu.ask.sides import decided_sides
from apu.contact.chirality_explained import recorded_contact
from apu.contact.impossible import PeopleOrder, in_order, people_order, possible_contacts
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.reliability import USUAL_COVERAGE, coverage, informativeness
from apu.contact.votes import FEW_SAY_SO, Answered, Pooled, pool
from apu.contact.wordings import compatible
from apu.scene.annotation import Annotation
from apu.scene.pair import PairWords
from apu.scene.person import Person

Sides = Literal["answer", "relation", "all-four"]
"""Who decides on left and right: the answer, or keypoints (a variant of `apu.contact.chirality`)."""


@dataclass(frozen=True)
class TrustOptions:
    """How answers are judged.

    Attributes:
        sides: who decides on left and right.
        least_weight: pooled contacts of which votes say less are left out.
    """

    sides: Sides = "relation"
    least_weight: float = FEW_SAY_SO


def trusted(answers: Sequence[Heard], people: tuple[Person, Person], options: TrustOptions | None = None) -> Annotation:
    """What all answers about a pair mean together.

    In this order: A and B of each answer are exchanged where its contacts are clearly closer then; several answers are
    pooled; contacts that the photo denies are removed; sides are decided by keypoints. A contact of a single answer
    weighs as the answer's own words say; one of several as its votes say, times the mean of the weights by these words.
    So unanimous answers weigh as one of them would, and no number of them makes a contact certain. An answer that names
    nearly every part of a body weighs little.

    Args:
        answers: at least one; of one model, or of several. Those that are none do not count, neither for nor against.
        people: A and B, with the keypoints that decide.
        options: see `TrustOptions`.

    Returns:
        With the record of all this in its answer, which is the first. Its contacts are None where no answer can tell.
    """
    options = options or TrustOptions()
    a, b = (image_points(person) for person in people)
    orders = [None if one.contacts is None else people_order(one.contacts, a, b) for one in answers]
    said = [
        None if one.contacts is None or order is None else in_order(one.contacts, order)
        for one, order in zip(answers, orders, strict=True)
    ]
    source = " + ".join(dict.fromkeys(one.record.model for one in answers))
    if len(answers) == 1:
        contacts, votes, removed = _of_one(said[0] or ()), None, []
        notes = _oddities(answers[0].record.model, said[0] or ())
    else:
        pooled = pool([Answered(one, h.record.model) for one, h in zip(said, answers, strict=True)], source)
        contacts, votes, removed = _of_votes(pooled, [one for one in said if one], options.least_weight)
        notes = list(pooled.notes)
    possible, verdicts = possible_contacts(contacts, a, b)
    removed += [_removed(one.contact, f"The photo denies it: {one.why}") for one in verdicts if one.impossible]
    sides = None if options.sides == "answer" else decided_sides(possible, a, b, options.sides)
    record: dict[str, Any] = {
        "answers": len(answers),
        "order": [None if order is None else order.recorded() for order in orders],
        "votes": votes,
        "removed": removed,
        "reach": [one.recorded() for one in verdicts],
        "sides": None if sides is None else sides.recorded(),
        "notes": notes,
    }
    words = _words([_in_order(h.said, order) for h, order in zip(answers, orders, strict=True) if h.said is not None])
    if all(one is None for one in said):
        answer = replace(answers[0].record, trust=record if len(answers) > 1 else None)
        return Annotation(None, words, answer, _why_none(answers))
    answer = replace(answers[0].record, trust=record)
    found = contact_map(possible if sides is None else sides.contacts, source)
    return Annotation(found, words, answer, sides=sides)


def _of_one(contacts: tuple[NamedContact, ...]) -> tuple[NamedContact, ...]:
    """The contacts of a single answer; one that says nearly everything weighs little."""
    informative = informativeness(contacts)
    return tuple(replace(contact, weight=contact.weight * informative) for contact in contacts)


def _of_votes(
    pooled: Pooled, said: Sequence[tuple[NamedContact, ...]], least_weight: float
) -> tuple[tuple[NamedContact, ...], dict[str, Any], list[dict[str, Any]]]:
    """(the contacts that go on, the record of the votes, the record of what too few say)."""
    kept, removed = [], []
    record = pooled.recorded()
    for one, row in zip(pooled.contacts, record["contacts"], strict=True):
        confidence = _mean_confidence(one.contact, said)
        row["confidence"] = round(confidence, 6)
        if one.contact.weight < least_weight:
            why = f"Too few say so: {one.votes} of {pooled.asked} answers, weight {one.contact.weight:.3f}."
            removed.append(_removed(one.contact, why))
        else:
            kept.append(replace(one.contact, weight=one.contact.weight * confidence))
    return tuple(kept), record, removed


def _mean_confidence(contact: NamedContact, said: Sequence[tuple[NamedContact, ...]]) -> float:
    """Mean, over the answers that have the contact in some words, of their largest weight for it."""
    wording = contact.a.part, contact.b.part
    found = [[c.weight for c in one if compatible((c.a.part, c.b.part), wording)] for one in said]
    return fmean(max(weights) for weights in found if weights)


def _removed(contact: NamedContact, why: str) -> dict[str, Any]:
    return {"contact": recorded_contact(contact), "why": why}


def _oddities(model: str, contacts: tuple[NamedContact, ...]) -> list[str]:
    covered = coverage(contacts)
    if covered <= USUAL_COVERAGE:
        return []
    named = f"The answer of {model} names {100 * covered:.0f} % of a person's regions"
    return [f"{named}: its contacts count {informativeness(contacts):.2f}."]


def _in_order(said: PairAnswer, order: PeopleOrder | None) -> PairAnswer:
    return unswapped(said) if order is not None and order.exchange else said


def _words(said: Sequence[PairAnswer]) -> PairWords:
    """What most answers say of the people; `unknown` where two words tie."""
    words = [pair_words(one) for one in said]
    ages, postures = ([getattr(one, name) for one in words] for name in ("ages", "postures"))
    return PairWords(
        (_most_said([a for a, _ in ages]), _most_said([b for _, b in ages])),
        (_most_said([a for a, _ in postures]), _most_said([b for _, b in postures])),
    )


def _most_said(words: Sequence[Any]) -> Any:
    ranked = Counter(word for word in words if word != "unknown").most_common(2)
    clear = len(ranked) == 1 or (len(ranked) == 2 and ranked[0][1] > ranked[1][1])
    return ranked[0][0] if clear else "unknown"


def _why_none(answers: Sequence[Heard]) -> str:
    """The note of a pair that no answer tells anything of."""
    if len(answers) == 1:
        return answers[0].note
    a, b = answers[0].pair
    reasons = Counter(one.note.partition("because ")[2] for one in answers)
    return f"pair {a},{b}: no contacts, because of {len(answers)} answers " + "; ".join(
        f"{number}: {why}" for why, number in reasons.most_common()
    )
