"""What was decided about the sides of contacts, and why; as records for `contacts.json`.

`Decisions.recorded()` has these fields. Distances are in torsos; a number that does not exist is null.

    variant         "relation" or "all-four": which combinations of sides were compared
    evidence        what was measured: "2D keypoints", "3D after first fit", or both
    min_margin      below this margin nothing is changed
    torso           the length that distances are divided by, in pixels or metres
    decisions       one for each answered contact, in their order:
      answered      {"a": {"part", "side"}, "b": {"part", "side"}, "weight", "source"}
      candidates    [{"sides": [[side of a, side of b], ...], "distance_torsos", "confidence", "compared"}, ...]
                    one side pair, or two for contacts that hold together ("both" hands with "both" hands)
      margin        (second best - best distance) times the lowest confidence of both
      evidence      as above; of a decision by two votes it names both
      choice        contacts like `answered`: what holds from now on
      changed       whether a side is another one than was answered
      why           one sentence
      votes         the decisions that were combined, if there were several
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from apu.contact.contact import ContactMap
from apu.contact.end import OTHER_SIDE, End
from apu.contact.named_contact import NamedContact, contact_map

Variant = Literal["relation", "all-four"]
SidePair = tuple[str, str]

FROM_IMAGE = "2D keypoints"
FROM_FIT = "3D after first fit"


@dataclass(frozen=True)
class Candidate:
    """One way in which the sides of a contact may be.

    Attributes:
        sides: (side of a, side of b) of every single contact that holds then: one, or two for a matching.
        distance_torsos: mean distance of their parts; None where no place or no torso is known.
        confidence: the lowest of any keypoint that was used.
        compared: whether it was; not with a keypoint that is not seen.
    """

    sides: tuple[SidePair, ...]
    distance_torsos: float | None
    confidence: float
    compared: bool

    def swapped(self) -> "Candidate":
        """With A and B exchanged."""
        return replace(self, sides=tuple((b, a) for a, b in self.sides))

    def mirrored(self) -> "Candidate":
        """With left and right exchanged."""
        return replace(self, sides=tuple((_other(a), _other(b)) for a, b in self.sides))

    def recorded(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sides": [list(pair) for pair in self.sides],
            "distance_torsos": _rounded(self.distance_torsos),
            "confidence": _rounded(self.confidence),
            "compared": self.compared,
        }


@dataclass(frozen=True)
class Decision:
    """What became of the sides of one contact.

    Attributes:
        answered: as it was said.
        candidates: what was looked at; empty where there was nothing to choose.
        margin: see the module; None where fewer than two candidates could be compared.
        evidence: what was measured.
        choice: what holds from now on. Equal to `answered` alone where the answer stands.
        why: one sentence.
        confident: whether the evidence was clear, be it for the answer or against it.
        votes: decisions that were combined.
    """

    answered: NamedContact
    candidates: tuple[Candidate, ...]
    margin: float | None
    evidence: str
    choice: tuple[NamedContact, ...]
    why: str
    confident: bool = False
    votes: tuple["Decision", ...] = ()

    @property
    def changed(self) -> bool:
        """Whether a side is another one than was answered, or was not answered."""
        return self.choice != (self.answered,)

    def recorded(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "answered": recorded_contact(self.answered),
            "candidates": [candidate.recorded() for candidate in self.candidates],
            "margin": _rounded(self.margin),
            "evidence": self.evidence,
            "choice": [recorded_contact(contact) for contact in self.choice],
            "changed": self.changed,
            "why": self.why,
            "votes": [vote.recorded() for vote in self.votes],
        }


@dataclass(frozen=True)
class Decisions:
    """The decisions about all contacts of a pair.

    Attributes:
        decisions: in the order of the contacts.
        variant: which combinations of sides were compared.
        evidence: what was measured.
        min_margin: below it the answer stands.
        torso: geometric mean of both people's torso lengths, pixels or metres; None where one is not known.
    """

    decisions: tuple[Decision, ...]
    variant: Variant
    evidence: str
    min_margin: float
    torso: float | None

    @property
    def contacts(self) -> tuple[NamedContact, ...]:
        """All contacts with the sides that hold now."""
        return tuple(contact for decision in self.decisions for contact in decision.choice)

    def contact_map(self, source: str) -> ContactMap:
        """They as the fit takes them."""
        return contact_map(self.contacts, source)

    def recorded(self) -> dict[str, Any]:
        """For JSON; the fields are listed at the head of the module."""
        return {
            "variant": self.variant,
            "evidence": self.evidence,
            "min_margin": self.min_margin,
            "torso": _rounded(self.torso),
            "decisions": [decision.recorded() for decision in self.decisions],
        }


def recorded_contact(contact: NamedContact) -> dict[str, Any]:
    """A named contact for JSON."""
    return {
        "a": _recorded_end(contact.a),
        "b": _recorded_end(contact.b),
        "weight": _rounded(contact.weight),
        "source": contact.source,
    }


def side_words(sides: Sequence[SidePair]) -> str:
    """E.g. `left - right`; `left - left and right - right`; sides that do not exist are left out."""
    return " and ".join(" - ".join(side for side in pair if side != "none") for pair in sides)


def _recorded_end(end: End) -> dict[str, str]:
    return {"part": end.part, "side": end.side}


def _rounded(value: float | None) -> float | None:
    """Six digits are more than any keypoint has."""
    return None if value is None else float(f"{value:.6g}")


def _other(side: str) -> str:
    return OTHER_SIDE.get(side, side)
