"""Several answers about one pair as one weighted list of contacts. The weight of a contact is its share of the votes.

This answers the paper's open question on uncertain answers. Sides are voted on within a contact (`side_votes`), words
of different fineness are one contact (`wordings`), and what is not known of a few votes lowers the weight (`wilson`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apu.contact.chirality_explained import recorded_contact
from apu.contact.contact import CERTAIN, ContactMap
from apu.contact.end import End
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.reliability import USUAL_COVERAGE, coverage, informativeness
from apu.contact.side_votes import SideVote, vote_on_sides
from apu.contact.wilson import effective_votes, vote_weight
from apu.contact.wordings import Wording, common_wordings, compatible
from apu.errors import InputError

FEW_SAY_SO = 0.2
"""Of pooled contacts those of a smaller weight are better left out: what one of three or of five answers says. On
synthetic pairs it is mostly invented; chosen on validation pairs by the F1 of part pairs."""
LEAST_WEIGHT = 1e-6
"""Votes never count for nothing."""

SOURCE = "votes"


@dataclass(frozen=True)
class Answered:
    """One answer, with what was done to the question undone: A is A and left is left.

    Attributes:
        contacts: what it says; empty for "no contact". None where there is no answer: refused, lost, unparsable.
            The weights of these contacts, the model's own trust in them, do not count: votes do.
        model: who says so.
        reliability: weight of this model beside others, as `apu.contact.reliability` measures it.
    """

    contacts: tuple[NamedContact, ...] | None
    model: str
    reliability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.reliability < math.inf:
            raise InputError(
                "A model's reliability is no weight.",
                where=f"model {self.model!r}",
                expected="a finite number above 0",
                got=self.reliability,
                remedy="measure it with `apu.contact.reliability.reliability`, or take 1 for every model.",
            )


@dataclass(frozen=True)
class PooledContact:
    """A contact that somebody said.

    Attributes:
        contact: with the weight that the votes give it.
        votes: answers that have it.
        share: of the votes by weight.
        models: who has it; sorted.
    """

    contact: NamedContact
    votes: int
    share: float
    models: tuple[str, ...]


@dataclass(frozen=True)
class Pooled:
    """What all answers say together.

    Attributes:
        contacts: the largest weight first.
        asked: answers that count; missing ones do not.
        missing: answers that are none.
        effective: how many equal votes theirs amount to.
        notes: what is odd, one sentence each; also why there is no contact.
    """

    contacts: tuple[PooledContact, ...]
    asked: int
    missing: int
    effective: float
    notes: tuple[str, ...]

    def named(self, least_weight: float = 0.0) -> tuple[NamedContact, ...]:
        """The contacts alone, of those that weigh at least so much.

        What one of five answers says weighs 0.1, and is mostly invented: on synthetic pairs F1 is best without it.
        """
        return tuple(one.contact for one in self.contacts if one.contact.weight >= least_weight)

    def contact_map(self, source: str = SOURCE, least_weight: float = 0.0) -> ContactMap:
        """As the fit takes them, of those that weigh at least so much."""
        return contact_map(self.named(least_weight), source)

    def recorded(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "asked": self.asked,
            "missing": self.missing,
            "effective": round(self.effective, 6),
            "notes": list(self.notes),
            "contacts": [
                {
                    "contact": recorded_contact(one.contact),
                    "votes": one.votes,
                    "share": round(one.share, 6),
                    "models": list(one.models),
                }
                for one in self.contacts
            ],
        }


def pool(answers: Sequence[Answered], source: str = SOURCE) -> Pooled:
    """Pool the answers about one pair.

    An answer has a vote of its model's reliability times its informativeness, which is small for one that names every
    part. The weight of a contact is `vote_weight` of the share of the votes that have it, out of as many equal votes as
    theirs amount to, times the mean informativeness of those who have it. So it is 1 where all usual answers agree. It
    is in (0, 1], and does not depend on the order of the answers.

    Args:
        answers: any number, of one model or several.
        source: of the pooled contacts.

    Raises:
        InputError: the source is one whose contacts are never doubted.
    """
    if source in CERTAIN or not source:
        raise InputError(
            "Votes cannot have this source.",
            expected="a name that is not the truth's",
            got=repr(source),
            remedy="take the default.",
        )
    voters = [_Voter.of(answer.contacts, answer) for answer in answers if answer.contacts is not None]
    missing = len(answers) - len(voters)
    effective = effective_votes([voter.weight for voter in voters])
    pooled = [one for wording in common_wordings(_said(voters)) for one in _contacts(wording, voters, source)]
    pooled.sort(key=lambda one: (-one.contact.weight, one.contact.name))
    return Pooled(tuple(pooled), len(voters), missing, effective, _notes(voters, missing))


@dataclass(frozen=True)
class _Voter:
    """An answer as a vote."""

    model: str
    contacts: tuple[NamedContact, ...]
    weight: float
    informative: float
    coverage: float

    @staticmethod
    def of(contacts: tuple[NamedContact, ...], answer: Answered) -> "_Voter":
        informative = informativeness(contacts)
        singles = tuple(single for contact in contacts for single in contact.single())
        return _Voter(answer.model, singles, answer.reliability * informative, informative, coverage(contacts))


def _said(voters: Sequence[_Voter]) -> Mapping[Wording, float]:
    """Wording -> sum of the weights of those who say it; exact, so that no order matters."""
    weights: dict[Wording, list[float]] = {}
    for voter in voters:
        for wording in {(c.a.part, c.b.part) for c in voter.contacts}:
            weights.setdefault(wording, []).append(voter.weight)
    return {wording: math.fsum(found) for wording, found in weights.items()}


def _contacts(wording: Wording, voters: Sequence[_Voter], source: str) -> list[PooledContact]:
    """The contacts of one pair of parts."""
    a, b = (End(part).meant for part in wording)
    who: list[_Voter] = []
    votes = []
    for voter in voters:
        said = [(c.a.meant.side, c.b.meant.side) for c in voter.contacts if compatible((c.a.part, c.b.part), wording)]
        if said:
            who.append(voter)
            votes.append(SideVote(tuple(said), voter.weight))
    total, effective = math.fsum(v.weight for v in voters), effective_votes([v.weight for v in voters])
    out = []
    for group in vote_on_sides(a, b, votes):
        supporters = [who[i] for i in group.supporters]
        support = math.fsum(v.weight for v in supporters)
        share = min(1.0, support / total)
        informative = math.fsum(v.weight * v.informative for v in supporters) / support
        weight = min(1.0, max(LEAST_WEIGHT, vote_weight(share, effective) * informative))
        contact = NamedContact(a.on_side(group.sides[0]), b.on_side(group.sides[1]), weight, source)
        models = tuple(sorted({v.model for v in supporters}))
        out.append(PooledContact(contact, len(supporters), share, models))
    return out


def _notes(voters: Sequence[_Voter], missing: int) -> tuple[str, ...]:
    notes = [
        f"An answer of {voter.model} names {100 * voter.coverage:.0f} % of a person's regions: "
        f"its vote counts {voter.informative:.2f}."
        for voter in voters
        if voter.coverage > USUAL_COVERAGE
    ]
    if not voters:
        notes.append("Nobody was asked." if not missing else f"None of {missing} answers could be used.")
    elif missing:
        notes.append(f"{missing} of {missing + len(voters)} answers are missing, and count neither for nor against.")
    if voters and not any(voter.contacts for voter in voters):
        notes.append("Every answer says that nothing touches.")
    return tuple(sorted(notes))
