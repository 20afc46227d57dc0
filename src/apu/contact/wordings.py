"""Different words for the same contact: when two pairs of parts speak of one thing, and which words are kept."""

from collections.abc import Mapping, Sequence
from functools import cache

from apu.contact.end import End

Wording = tuple[str, str]
"""(part of A, part of B), whatever their sides."""

ENOUGH = 0.5
"""Share of the votes that must say or imply a wording for it to be kept."""


@cache
def compatible(first: Wording, second: Wording) -> bool:
    """Whether two wordings can mean one contact: their parts share a region at both ends, sides aside."""
    return all(_regions(p) & _regions(q) for p, q in zip(first, second, strict=True))


@cache
def implies(fine: Wording, coarse: Wording) -> bool:
    """Whether every contact of the one wording is one of the other: `fingers - back` implies `hand - back`."""
    return all(_regions(p) <= _regions(q) for p, q in zip(fine, coarse, strict=True))


def common_wordings(votes: Mapping[Wording, float]) -> tuple[Wording, ...]:
    """The wordings that stand for all others, each the finest that enough votes share.

    The finest wordings found groups, the finest of all first; a wording that is compatible with the founder of a group
    belongs to it, and may belong to several (`arm` to `upper arm` and to `forearm`). Of a group the finest wording is
    kept that at least half of its votes say or imply, else the one that most do. A kept wording that a finer kept one
    implies is dropped, since the finer one says it too. All this depends on no order.

    Args:
        votes: wording -> sum of the weights of the answers that say it.
    """
    order = sorted(votes, key=lambda wording: (_size(wording), -votes[wording], wording))
    groups: list[list[Wording]] = []
    for wording in order:
        homes = [group for group in groups if compatible(group[0], wording)]
        for group in homes:
            group.append(wording)
        if not homes:
            groups.append([wording])
    kept = sorted({_finest(group, votes) for group in groups})
    return tuple(w for w in kept if not any(v != w and implies(v, w) and not implies(w, v) for v in kept))


def _finest(group: Sequence[Wording], votes: Mapping[Wording, float]) -> Wording:
    total = sum(votes[wording] for wording in group)
    share = {w: sum(votes[v] for v in group if implies(v, w)) / total for w in group}
    enough = [w for w in group if share[w] >= ENOUGH - 1e-9]
    if enough:
        return min(enough, key=lambda w: (_size(w), -round(share[w], 9), w))
    return min(group, key=lambda w: (-round(share[w], 9), _size(w), w))


def _size(wording: Wording) -> int:
    """Region pairs that it covers."""
    return len(_regions(wording[0])) * len(_regions(wording[1]))


@cache
def _regions(part: str) -> frozenset[str]:
    return End(part).regions
