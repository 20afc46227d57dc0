"""Chirality denoising: language models confuse left and right, so the sides of contacts are decided by keypoints.

After the paper. An answer is trusted to know whether two limbs are on the same side or on opposite ones (the relation);
of the combinations that match it, the one whose keypoints are closest is taken, where that is clear.

What if a detector has a person's own left and right exchanged? If it has them so on both people, every distance of the
true sides stands with the exchanged ones, and the mirrored combination is chosen with the same margin. If on one, the
combinations that match the relation are all wrong; only `all-four` has the one that looks close. In either case the
choice agrees with the keypoints, and the fit follows the same keypoints: its left arm lies where they say "left". So
the contact pulls together what is together in the image, on a body that is mirrored there. Nothing here can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from apu.contact.body_points import MIN_CONFIDENCE, BodyPoints, mean_torso
from apu.contact.chirality_explained import (
    FROM_FIT,
    FROM_IMAGE,
    Candidate,
    Decision,
    Decisions,
    SidePair,
    Variant,
    side_words,
)
from apu.contact.end import OTHER_SIDE
from apu.contact.named_contact import NamedContact
from apu.contact.part_keypoints import place_of
from apu.errors import InputError

MATCHINGS: tuple[tuple[SidePair, ...], ...] = (
    (("left", "left"), ("right", "right")),
    (("left", "right"), ("right", "left")),
)
"""How both limbs of A can touch both of B."""


@dataclass(frozen=True)
class ChiralityOptions:
    """How sides are decided.

    Attributes:
        variant: `relation` trusts the answer on same or opposite sides; `all-four` does not.
        min_margin: torsos times confidence; below it the answer stands. Hand-set: a twentieth of a torso, about 25 mm
            on an adult. On synthetic pairs 0.03 to 0.1 do alike.
        min_confidence: candidates with a keypoint below it are not compared.
    """

    variant: Variant = "relation"
    min_margin: float = 0.05
    min_confidence: float = MIN_CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 <= self.min_margin < np.inf:
            raise InputError(
                "Sides cannot be decided with this margin.",
                expected="a finite number of torsos, 0 or more",
                got=self.min_margin,
                remedy="take the default.",
            )


def denoise(
    contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints, options: ChiralityOptions | None = None
) -> Decisions:
    """Decide the sides of contacts by the distances of keypoints in the image.

    With a side at both ends, the combinations that match the relation are compared (`all-four`: all); with an unknown
    side at one end or both, all four; with a side at one end only, such as `hand - back`, both; `both` with `both`: its
    two matchings. `both` with one side leaves nothing to choose. Where two candidates cannot be compared, or the margin
    is small, the answer stands, and an unknown side stays one contact over both sides.

    Args:
        contacts: as answered; A's part first.
        a, b: keypoints of A and B, pixels.
        options: defaults are the project's.
    """
    return _decided(contacts, a, b, options or ChiralityOptions(), FROM_IMAGE)


def denoise_in_space(
    contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints, options: ChiralityOptions | None = None
) -> Decisions:
    """The same by the distances of joints in space, after a first fit: a second vote, which knows depth.

    Args:
        contacts: as answered; A's part first.
        a, b: 3D joints of A and B in one frame, metres. Their confidence is that of the keypoints that hold them.
        options: defaults are the project's.
    """
    return _decided(contacts, a, b, options or ChiralityOptions(), FROM_FIT)


def agreed(first: Decisions, second: Decisions) -> Decisions:
    """Combine two votes on the same contacts.

    A clear vote beats an unclear one. Of two clear votes that differ neither is followed: the answer stands. Margins of
    image and space are not compared, because depth that is not seen makes those in space look surer than they are.

    Raises:
        InputError: the votes are on different contacts.
    """
    if [d.answered for d in first.decisions] != [d.answered for d in second.decisions]:
        raise InputError(
            "Two votes on sides are about different contacts.",
            expected=f"{len(first.decisions)} contacts that are the same",
            got=f"{len(second.decisions)} of which some differ or are in another order",
            remedy="let both decide on the contacts as answered.",
        )
    evidence = f"{first.evidence} and {second.evidence}"
    decisions = tuple(_combined(*pair, evidence) for pair in zip(first.decisions, second.decisions, strict=True))
    return replace(first, decisions=decisions, evidence=evidence)


def side_candidates(contact: NamedContact, variant: Variant = "relation") -> tuple[tuple[SidePair, ...], ...]:
    """The ways in which the sides of a contact may be, each as the single contacts that hold then.

    Empty, or one alone, where there is nothing to choose. Where sides are known, the answered way is the first.
    """
    a, b = contact.a.meant, contact.b.meant
    if a.side == b.side == "both":
        return MATCHINGS
    if "both" in (a.side, b.side):
        return _one_both(contact)
    if "unknown" in (a.side, b.side) or (variant == "all-four" and a.sided and b.sided):
        both = ("left", "right")
        sides = (both if end.side != "none" else ("none",) for end in (a, b))
        every = [((x, y),) for x, y in product(*sides)]
        return tuple(sorted(every, key=lambda one: one != ((a.side, b.side),)))
    answered, other = (a.side, b.side), (a.flipped().side, b.flipped().side)
    return ((answered,), (other,)) if other != answered else ((answered,),)


def _one_both(contact: NamedContact) -> tuple[tuple[SidePair, ...], ...]:
    """Both limbs of one person at one part of the other, whose side may be unknown for either limb."""
    return tuple(product(*(tuple(product(one.a.sides, one.b.sides)) for one in contact.single())))


def _decided(
    contacts: Sequence[NamedContact], a: BodyPoints, b: BodyPoints, options: ChiralityOptions, evidence: str
) -> Decisions:
    torso = mean_torso(a, b, options.min_confidence)
    decisions = tuple(_decision(contact, a, b, torso, options, evidence) for contact in contacts)
    return Decisions(decisions, options.variant, evidence, options.min_margin, torso)


def _decision(
    contact: NamedContact, a: BodyPoints, b: BodyPoints, torso: float | None, options: ChiralityOptions, evidence: str
) -> Decision:
    ways = side_candidates(contact, options.variant)
    if len(ways) < 2:
        return Decision(contact, (), None, evidence, (contact,), "There is nothing to choose.")
    candidates = tuple(_measured(contact, way, a, b, torso, options) for way in ways)
    stands = Decision(contact, candidates, None, evidence, (contact,), "")
    if torso is None:
        return replace(stands, why="The answer stands: no torso or limb of one of the people is seen.")
    ranked = sorted((c for c in candidates if c.compared), key=_distance)
    if len(ranked) < 2:
        return replace(
            stands, why=f"The answer stands: keypoints of {len(ranked)} of {len(ways)} combinations are seen."
        )
    answered = (contact.a.meant.side, contact.b.meant.side)
    if any(c.sides == (answered,) and not c.compared for c in candidates):
        return replace(stands, why="The answer stands: the keypoints of its own sides are not seen.")
    best, second = ranked[:2]
    margin = (_distance(second) - _distance(best)) * min(best.confidence, second.confidence)
    if margin <= 0 or margin < options.min_margin:
        why = f"The answer stands: the margin of {margin:.3f} is below {options.min_margin:g}."
        return replace(stands, margin=margin, why=why)
    choice = _chosen(contact, best, candidates)
    verb = "confirmed" if choice == (contact,) else "chosen"
    return replace(
        stands,
        margin=margin,
        choice=choice,
        confident=True,
        why=f"{side_words(best.sides)} is {verb}: {_distance(best):.2f} torsos, the next {_distance(second):.2f}.",
    )


def _measured(
    contact: NamedContact, way: tuple[SidePair, ...], a: BodyPoints, b: BodyPoints, torso: float | None,
    options: ChiralityOptions,
) -> Candidate:  # fmt: skip
    places = [
        (
            place_of(contact.a.meant.on_side(side_a), a, options.min_confidence),
            place_of(contact.b.meant.on_side(side_b), b, options.min_confidence),
        )
        for side_a, side_b in way
    ]
    confidence = min(end.confidence for pair in places for end in pair)
    compared = torso is not None and confidence >= options.min_confidence and confidence > 0
    distances = [float(np.linalg.norm(p.place - q.place)) for p, q in places]
    distance = sum(distances) / len(distances) / torso if torso is not None and compared else None
    return Candidate(way, distance, confidence, compared)


def _chosen(contact: NamedContact, best: Candidate, candidates: Sequence[Candidate]) -> tuple[NamedContact, ...]:
    """The contact on the sides of a candidate. A side that was unknown stays so when its other side is not seen."""
    out = []
    for single, sides in enumerate(best.sides):
        ends = [contact.a, contact.b]
        for which, side in enumerate(sides):
            unknown = ends[which].meant.side == "unknown"
            if side != "none" and not (unknown and _other_side_hidden(best, candidates, single, which)):
                ends[which] = ends[which].on_side(side)
        out.append(replace(contact, a=ends[0], b=ends[1]))
    return tuple(out)


def _other_side_hidden(best: Candidate, candidates: Sequence[Candidate], single: int, end: int) -> bool:
    """Whether no candidate with the other side at this end of this single contact could be compared."""
    other = OTHER_SIDE.get(best.sides[single][end])
    return not any(c.compared and c.sides[single][end] == other for c in candidates)


def _distance(candidate: Candidate) -> float:
    return float("inf") if candidate.distance_torsos is None else candidate.distance_torsos


def _combined(first: Decision, second: Decision, evidence: str) -> Decision:
    votes = (first, second)
    clear = [vote for vote in votes if vote.confident]
    if not clear:
        return replace(first, evidence=evidence, votes=votes)
    if len(clear) == 2 and _contradict(first, second):
        why = f"The answer stands: {first.evidence} and {second.evidence} contradict each other."
        return Decision(first.answered, first.candidates, None, evidence, (first.answered,), why, votes=votes)
    leading = max(clear, key=_sides_known)
    said = "both agree" if len(clear) == 2 else f"by {leading.evidence} alone"
    return replace(leading, evidence=evidence, why=f"{leading.why[:-1]} ({said}).", votes=votes)


def _contradict(first: Decision, second: Decision) -> bool:
    """Whether two choices name different sides somewhere; a side that one of them leaves open is no contradiction."""
    ends = [[end for c in decision.choice for end in (c.a, c.b)] for decision in (first, second)]
    return any(p.sided and q.sided and p.side != q.side for p, q in zip(*ends, strict=True))


def _sides_known(decision: Decision) -> int:
    return sum(end.sided for c in decision.choice for end in (c.a, c.b))
