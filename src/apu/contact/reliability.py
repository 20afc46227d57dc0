"""How much a model's answers are worth beside others': by what it got right, and by how much it says at all."""

from collections.abc import Iterable

from apu.body.region_names import REGION_NAMES
from apu.contact.named_contact import NamedContact
from apu.errors import InputError

MOST_ODDS = 20.0
"""Reliability lies between 1 / this and this: a few measured answers cannot silence all others."""

USUAL_COVERAGE = 0.6
"""An answer whose parts cover more than this share of one person's regions says less the more it says. Hand-set: two
people in a tight embrace, told in the words of the vocabulary, stay below it."""

LEAST_INFORMATIVE = 0.02


def reliability(right: int, said: int) -> float:
    """Weight of a model's answers from its measured precision: the odds that a contact it says is right.

    (right + 1) / (said - right + 1), within `MOST_ODDS`; the ones stand for what is not measured, so that a model of
    which nothing is known has 1. A model that says everything is mostly wrong, and so worth little.

    Args:
        right: contacts that it said and that are true.
        said: all contacts that it said.

    Raises:
        InputError: more are right than were said, or a count is negative.
    """
    if not 0 <= right <= said:
        raise InputError(
            "Counts of a model's contacts are impossible.",
            expected="0 <= right <= said",
            got=f"{right} right of {said} said",
            remedy="count the contacts of the same answers.",
        )
    return min(MOST_ODDS, max(1 / MOST_ODDS, (right + 1) / (said - right + 1)))


def coverage(contacts: Iterable[NamedContact]) -> float:
    """Largest share of one person's regions that an answer names, whichever sides it says."""
    covered: tuple[set[str], set[str]] = (set(), set())
    for contact in contacts:
        for regions, end in zip(covered, (contact.a, contact.b), strict=True):
            regions |= end.on_side("none").regions
    return max(len(regions) for regions in covered) / len(REGION_NAMES)


def informativeness(contacts: Iterable[NamedContact]) -> float:
    """1 for an answer as they usually are; falls to `LEAST_INFORMATIVE` for one that names every part of a person.

    Whoever says that everything touches, or copies the vocabulary, would say so of any pair. It is above 0, so that
    answers of this kind alone can still be pooled.
    """
    beyond = max(0.0, coverage(contacts) - USUAL_COVERAGE) / (1 - USUAL_COVERAGE)
    return max(LEAST_INFORMATIVE, 1 - beyond)
