"""How many pairs each class gives, and which chunks make them: the same ones, in whatever order they are computed.

The chunks of a class are numbered. They count in the order of their numbers, up to the one that fills the quota; what
has been computed beyond it is dropped. So neither the number of processes nor a kill in between shows in the result.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apu.errors import ApuError

EMPTY_CHUNKS = 12
"""A class that yields nothing in so many chunks in a row will never be filled."""


@dataclass(frozen=True)
class ChunkCount:
    """What a chunk came to, without the pairs themselves.

    Attributes:
        accepted: pairs.
        tried: candidates; 0 where the chunk could not be computed.
        rejected: reason -> candidates.
        failure: why it could not be computed; empty where it could.
    """

    accepted: int
    tried: int
    rejected: Mapping[str, int]
    failure: str = ""


@dataclass
class ClassProgress:
    """One class on its way to its quota.

    Attributes:
        name: of the class.
        quota: pairs that are wanted.
        counting: the chunks that count so far: known without a gap, up to the one that fills the quota.
        beyond: chunk -> what it came to, of those that are known and do not count (yet).
        asked: chunks that have been given out; they are 0, 1, 2, ...
        accepted: pairs of all chunks that count.
    """

    name: str
    quota: int
    counting: list[ChunkCount] = field(default_factory=list)
    beyond: dict[int, ChunkCount] = field(default_factory=dict)
    asked: int = 0
    accepted: int = 0

    def put(self, number: int, count: ChunkCount) -> None:
        """Note what a chunk came to.

        Raises:
            ApuError: the class yields nothing.
        """
        self.beyond[number] = count
        while not self.full and len(self.counting) in self.beyond:
            next_one = self.beyond.pop(len(self.counting))
            self.counting.append(next_one)
            self.accepted += next_one.accepted
            self._check()

    @property
    def pairs(self) -> int:
        """Pairs that are sure to be in the result."""
        return min(self.quota, self.accepted)

    @property
    def full(self) -> bool:
        """Whether nothing more is needed."""
        return self.accepted >= self.quota

    @property
    def under_way(self) -> int:
        """Chunks that have been given out and have not come back."""
        return self.asked - len(self.counting) - len(self.beyond)

    def need(self) -> float:
        """Share of the quota that nobody is expected to make yet; chunks under way are taken for average ones."""
        known = self.accepted + sum(count.accepted for count in self.beyond.values())
        rate = (known + 1.0) / (self.asked - self.under_way + 1.0)
        expected = known + rate * self.under_way
        return max(self.quota - expected, 0.0) / self.quota

    def statistics(self) -> ChunkCount:
        """Sum over the chunks that count."""
        rejected: Counter[str] = Counter()
        for count in self.counting:
            rejected.update(count.rejected)
        tried = sum(count.tried for count in self.counting)
        return ChunkCount(self.accepted, tried, dict(sorted(rejected.items())))

    def failures(self) -> dict[int, str]:
        """Chunks that count and could not be computed -> why."""
        return {i: count.failure for i, count in enumerate(self.counting) if count.failure}

    def _check(self) -> None:
        """Give up on a class of which the last chunks that count were all empty.

        Raises:
            ApuError: with the statistics of what was tried.
        """
        last = self.counting[-EMPTY_CHUNKS:]
        if self.full or len(last) < EMPTY_CHUNKS or any(count.accepted for count in last):
            return
        total = self.statistics()
        reasons = ", ".join(f"{name} {count}" for name, count in total.rejected.items()) or "no candidate was measured"
        failure = next((count.failure for count in reversed(last) if count.failure), "")
        raise ApuError(
            f"The class `{self.name}` yields no more pairs.",
            where=f"{EMPTY_CHUNKS} chunks in a row without one",
            expected=f"{self.quota} pairs",
            got=f"{self.pairs} pairs of {total.tried} candidates; rejected: {reasons}"
            + (f"; the last failure: {failure}" if failure else ""),
            remedy="leave the class out (--classes), or mend its description; with --resume the others are kept.",
        )


class Plan:
    """All classes of a data set.

    Args:
        quotas: class -> pairs.
    """

    def __init__(self, quotas: Mapping[str, int]) -> None:
        self.classes = {name: ClassProgress(name, quota) for name, quota in quotas.items() if quota}

    def next(self) -> tuple[str, int] | None:
        """(class, chunk number) of what to compute next, or None when every quota is filled."""
        open_ones = [one for one in self.classes.values() if not one.full]
        if not open_ones:
            return None
        neediest = max(open_ones, key=lambda one: (one.need(), -one.under_way))
        neediest.asked += 1
        return neediest.name, neediest.asked - 1

    def put(self, name: str, number: int, count: ChunkCount) -> None:
        """Note what a chunk came to.

        Raises:
            ApuError: its class yields nothing.
        """
        self.classes[name].put(number, count)

    @property
    def pairs(self) -> int:
        """Pairs that are sure to be in the result."""
        return sum(one.pairs for one in self.classes.values())

    @property
    def wanted(self) -> int:
        """All quotas."""
        return sum(one.quota for one in self.classes.values())


def even_quotas(classes: Sequence[str], pairs: int) -> dict[str, int]:
    """Share pairs among classes as evenly as possible; the first in alphabetical order get the rest.

    Args:
        classes: names, in any order.
        pairs: altogether.
    """
    each, rest = divmod(pairs, len(classes))
    return {name: each + (i < rest) for i, name in enumerate(sorted(classes))}
