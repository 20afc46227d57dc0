"""Work on many at once; where that fails, on each by itself, so that one bad case costs no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from apu.errors import ApuError, ModelFileError, OutputError

Item = TypeVar("Item")
Result = TypeVar("Result")

FAILURES = (ApuError, RuntimeError, ArithmeticError, ValueError)
"""What a single case can cause; anything else is a mistake of ours and ends the batch."""


@dataclass(frozen=True)
class Lost:
    """Stands where a result should be.

    Attributes:
        reason: in one line.
    """

    reason: str

    @staticmethod
    def of(error: Exception) -> "Lost":
        """What an exception says."""
        text = error.what if isinstance(error, ApuError) else str(error)
        return Lost(f"{type(error).__name__}: {' '.join(text.split())[:300] or 'no message'}")


def all_or_each(work: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]) -> list[Result | Lost]:
    """Do the work on all items, or else on one after another.

    Args:
        work: gives one result for each item.
        items: one batch.

    Raises:
        OutputError, ModelFileError: what would happen to every item.
    """
    if not items:
        return []
    try:
        return list(work(items))
    except (OutputError, ModelFileError):
        raise
    except FAILURES as error:
        if len(items) == 1:
            return [Lost.of(error)]
    return [result for item in items for result in all_or_each(work, [item])]
