"""The seam to a provider's batches: many requests at once, answered within a day, at about half the price."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from apu.ask.provider import EarlierReply, ProviderError, Reply
from apu.ask.question import Question


@dataclass(frozen=True)
class Item:
    """A question of a batch; `earlier` is the reply that is being asked for again."""

    question: Question
    earlier: EarlierReply | None = None


@dataclass(frozen=True)
class Sendable:
    """Items that fit into one batch, and what the provider sends of them."""

    items: tuple[Item, ...]
    encoded: Any


@dataclass(frozen=True)
class BatchState:
    """Where a batch stands.

    Attributes:
        handle: replaces the earlier one.
        ended: whether its results can be fetched.
        words: for the user.
    """

    handle: str
    ended: bool
    words: str


@runtime_checkable
class BatchProvider(Protocol):
    """The batches of one model. A handle is a JSON text without secrets."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    def sendable(self, items: Iterable[Item]) -> AsyncIterator[Sendable]:
        """Divide items into as few batches as the provider's limits allow."""
        ...

    async def submit(self, batch: Sendable) -> str:
        """Send one batch and return its handle.

        Raises:
            ProviderError: it was not accepted, or it is not known whether it was.
        """
        ...

    async def state(self, handle: str) -> BatchState:
        """Ask where a batch stands.

        Raises:
            ProviderError: no answer.
        """
        ...

    async def results(self, handle: str, items: Iterator[Item]) -> list[tuple[str, Reply | ProviderError]]:
        """Fetch what became of the items of a batch that has ended: (key, outcome) of each, in any order.

        Raises:
            ProviderError: no answer.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
