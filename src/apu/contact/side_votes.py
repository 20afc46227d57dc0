"""Votes on sides: what several answers say on the sides of one and the same pair of parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from apu.contact.end import End

SidePair = tuple[str, str]


@dataclass(frozen=True)
class SideVote:
    """What one answer says on the sides of a pair of parts.

    Attributes:
        said: side pairs in the answer's words, of single sides, `unknown`, `none`, or ("both", "both").
        weight: of the answer.
    """

    said: tuple[SidePair, ...]
    weight: float


@dataclass(frozen=True)
class SidesOfGroup:
    """One contact of a pair of parts, and who supports it.

    Attributes:
        sides: of a and b.
        supporters: numbers of the votes that have so many contacts of these parts, whatever sides they say.
    """

    sides: SidePair
    supporters: tuple[int, ...]


def vote_on_sides(a: End, b: End, votes: Sequence[SideVote]) -> tuple[SidesOfGroup, ...]:
    """The contacts of a pair of parts: as many as answers have, each with the sides that most say.

    How many contacts there are (one hand on the back, or two) is counted blind to the sides: the second one is
    supported by the answers that have two. The most named pair of sides goes to the first, and so on. A vote that
    leaves a side open is split evenly over both. Where pairs of sides tie, an end on which they differ becomes
    `unknown`; where everybody has two contacts and only their matching is in doubt, both ends become `both`.

    Args:
        a, b: the parts; their sides are ignored.
        votes: one for each answer that speaks of them.
    """
    spoken = [_distinct(vote.said, a, b) for vote in votes]
    counts = [sum(_contacts_in(pair) for pair in said) for said in spoken]
    shares = _shares(spoken, votes, a, b)
    supporters = [tuple(i for i, n in enumerate(counts) if n > rank) for rank in range(max(counts, default=0))]
    supporters = [one for one in supporters if one][: len(shares)]
    out: dict[SidePair, SidesOfGroup] = {}
    for sides, who in zip(_sides_by_rank(shares, supporters), supporters, strict=True):
        out.setdefault(sides, SidesOfGroup(sides, who))
    return tuple(out.values())


def _distinct(said: Sequence[SidePair], a: End, b: End) -> tuple[SidePair, ...]:
    """The side pairs of an answer for these parts. One that is less definite than another is the same contact, and both
    with both are all there can be."""
    fitted = {(_fitted(side_a, a), _fitted(side_b, b)) for side_a, side_b in said}
    if ("both", "both") in fitted:
        return (("both", "both"),)
    kept = (p for p in fitted if not any(q != p and _within(q, p) for q in fitted))
    return tuple(sorted(kept))


def _fitted(side: str, end: End) -> str:
    """A side as these parts can have it: none for an unpaired part; unknown where an answer said none of a paired."""
    if not end.paired:
        return "none"
    return "unknown" if side == "none" else side


def _within(pair: SidePair, wider: SidePair) -> bool:
    return all(w in (p, "unknown") for p, w in zip(pair, wider, strict=True))


def _contacts_in(pair: SidePair) -> int:
    return 2 if "both" in pair else 1


def _shares(
    spoken: Sequence[Sequence[SidePair]], votes: Sequence[SideVote], a: End, b: End
) -> list[tuple[float, SidePair]]:
    """(votes, sides) of every pair of single sides, the most named first."""
    sides_a, sides_b = (("left", "right") if end.paired else ("none",) for end in (a, b))
    parts: dict[SidePair, list[float]] = {pair: [] for pair in product(sides_a, sides_b)}
    for said, vote in zip(spoken, votes, strict=True):
        for pair in said:
            possible = [
                one for one in parts if all(s in (p, "unknown", "both") for p, s in zip(one, pair, strict=True))
            ]
            for one in possible:
                parts[one].append(vote.weight * _contacts_in(pair) / len(possible))
    return sorted(((math.fsum(parts[pair]), pair) for pair in parts), key=lambda row: (-row[0], row[1]))


def _sides_by_rank(shares: Sequence[tuple[float, SidePair]], supporters: Sequence[tuple[int, ...]]) -> list[SidePair]:
    """The sides of the first, second, ... contact; what ties is told apart only where that makes no difference."""
    out: list[SidePair] = []
    while len(out) < len(supporters):
        start = len(out)
        stop = start + 1
        while stop < len(shares) and math.isclose(shares[stop][0], shares[start][0], rel_tol=1e-9, abs_tol=1e-12):
            stop += 1
        tied, ranks = [pair for _, pair in shares[start:stop]], supporters[start:stop]
        if len(ranks) == len(tied) and len(set(ranks)) == 1:
            out += tied
        else:
            matching = len(ranks) >= 2 and len(set(ranks)) == 1
            out += [_common(tied, matching)] * len(ranks)
    return out


def _common(tied: Sequence[SidePair], matching: bool) -> SidePair:
    """The sides that tied pairs share; else `unknown`, or `both` where two contacts are sure."""
    first, second = ({pair[end] for pair in tied} for end in (0, 1))
    open_side = "both" if matching and len(first) == len(second) == 2 else "unknown"
    side_a, side_b = (found.pop() if len(found) == 1 else open_side for found in (first, second))
    return side_a, side_b
