"""From the replies to a question to its answer in the store, or to the one re-ask."""

from collections.abc import Callable, Sequence
from typing import Protocol

from apu.ask.provider import EarlierReply
from apu.ask.store import Store
from apu.ask.store_records import Answer

REASK = "Your reply could not be read: {problem} Reply again, with nothing but one JSON object as it was described."


class ParsedReply(Protocol):
    """What has to be known of a parsed reply."""

    @property
    def answer(self) -> object | None:
        """The answer; None if there is none."""
        ...

    @property
    def mends(self) -> Sequence[str]:
        """What was mended."""
        ...

    @property
    def problem(self) -> str | None:
        """Why there is no answer."""
        ...

    @property
    def refused(self) -> bool:
        """Whether the text declines to answer."""
        ...


def understood(
    store: Store, key: str, parse: Callable[[str], ParsedReply]
) -> tuple[Answer | None, EarlierReply | None]:
    """Finish a question if its replies so far allow it.

    The replies are those in the store, so it does not matter which process got them.

    Args:
        store: where they are.
        key: of the question.
        parse: makes an answer of a reply text; must not raise.

    Returns:
        The answer; else the reply to ask for again. Both are None if there is no reply yet.
    """
    replies = store.replies(key)
    if not replies:
        return None, None
    last = replies[-1]
    if last.refusal is not None:
        return store.finish(key, "refused", problem=last.refusal), None
    parsed = parse(last.text)
    if parsed.refused:
        problem = parsed.problem or "The reply declines to answer."
        return store.finish(key, "refused", problem=problem, mends=parsed.mends), None
    if parsed.answer is not None:
        return store.finish(key, "answered", mends=parsed.mends), None
    problem = parsed.problem or "It holds no answer."
    if len(replies) > 1:
        return store.finish(key, "unparsable", problem=problem, mends=parsed.mends), None
    return None, EarlierReply(last.text, REASK.format(problem=problem))
