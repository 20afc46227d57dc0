"""Stored replies understood once more, e.g. by a better parser: nothing is sent, and nothing is paid."""

from apu.ask.parse import parse_reply
from apu.ask.store import Store
from apu.ask.store_records import SETTLED, Answer


def replayed(store: Store, key: str) -> Answer | None:
    """Parse the stored reply to a question again, and keep what comes out.

    Args:
        store: of questions and answers.
        key: of the question.

    Returns:
        The answer as it is now; unchanged where there is no reply, or where the provider itself refused. None where the
        question is not in the store.
    """
    known = store.answer(key)
    if known is None or known.reply is None or known.status not in SETTLED:
        return known
    replies = store.replies(key)
    if replies and replies[-1].refusal is not None:
        return known
    parsed = parse_reply(known.reply)
    status = "answered" if parsed.answer is not None else "refused" if parsed.refused else "unparsable"
    store.reparsed(key, status, parsed.problem, parsed.mends)
    return store.answer(key)
