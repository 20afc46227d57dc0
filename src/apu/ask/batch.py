"""Submit questions in batches at about half the price, and collect the answers later, also in another process.

Everything is written down before it is sent. If a process dies while it submits, it cannot be known whether the
provider has the batch: its questions then stay `pending`, and are never sent a second time unless the user, who can
look at the provider's console, says that the batch does not exist (`forget`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apu.ask.asking import UNBILLED
from apu.ask.batch_provider import BatchProvider, Item
from apu.ask.batch_store import StoredBatch, batches, begin_batch, end_batch, set_stage
from apu.ask.event_loop import in_event_loop
from apu.ask.provider import ProviderError, Reply
from apu.ask.question import Question
from apu.ask.store import Store
from apu.ask.store_records import SETTLED
from apu.ask.understanding import ParsedReply, understood
from apu.errors import InputError
from apu.progress import Progress, silent


@dataclass(frozen=True)
class Submitted:
    """What was sent.

    Attributes:
        batches: that the provider accepted now.
        questions: in them.
        known: that were answered, or in a batch, before.
        not_sent: that are in no batch, because the budget is used up or somebody else was asking them.
    """

    batches: int
    questions: int
    known: int
    not_sent: int


@dataclass(frozen=True)
class Collected:
    """What came back.

    Attributes:
        waiting: batches that have not ended.
        answers: status -> questions that were finished now. `failed` ones are asked again by the next run; that is also
            how a reply that could not be read gets its re-ask.
        uncertain: batches of which it is not known whether the provider has them; see `Batches.forget`.
        words: where each waiting batch stands.
    """

    waiting: int
    answers: dict[str, int]
    uncertain: tuple[StoredBatch, ...]
    words: tuple[str, ...]


class Batches:
    """The batches of one model.

    Args:
        provider: whom to send them to.
        store: see `Store`.
        model: as the user wrote it, as in the questions.
        parse: makes an answer of a reply text; must not raise.
        price: US dollars of a reply in a batch; None if that is not known.
    """

    def __init__(
        self,
        provider: BatchProvider,
        store: Store,
        model: str,
        parse: Callable[[str], ParsedReply],
        *,
        price: Callable[[Question, Reply], float | None] = lambda _question, _reply: None,
    ) -> None:
        self._provider, self._store, self._model, self._parse, self._price = provider, store, model, parse, price

    def submit(
        self,
        questions: Iterable[Question],
        *,
        budget_usd: float | None = None,
        most: Callable[[Question], float | None] = lambda _question: None,
    ) -> Submitted:
        """Send what is not answered yet.

        Args:
            questions: taken one by one.
            budget_usd: of the batches that are sent now.
            most: US dollars that a question can cost in a batch; needed for a budget.

        Raises:
            ProviderError: a batch was not accepted, or it is not known whether it was. Earlier ones are.
            InputError: there is a budget, and no price is known.
        """
        return in_event_loop(self._submit(questions, budget_usd, most))

    def collect(self) -> Collected:
        """Ask once where the batches stand, and take in the results of those that have ended.

        Raises:
            ProviderError: no answer; what was taken in before is in the store.
        """
        return in_event_loop(self._collect())

    def wait(self, *, every_s: float = 60.0, progress: Progress = silent) -> Collected:
        """Collect again and again until no batch is waiting. May be interrupted, and goes on from there."""
        total: dict[str, int] = {}
        while True:
            now = self.collect()
            for status, count in now.answers.items():
                total[status] = total.get(status, 0) + count
            if not now.waiting:
                return Collected(0, total, now.uncertain, ())
            progress("; ".join(now.words))
            time.sleep(every_s)

    def forget(self, batch: StoredBatch) -> None:
        """Take the user's word that the provider never got a batch: its questions may be asked again.

        Raises:
            InputError: the batch has a handle, so the provider has it.
        """
        if batch.stage != "submitting":
            raise InputError(
                "Only a batch whose sending was interrupted can be forgotten.",
                where=f"batch {batch.id}",
                expected="stage submitting",
                got=batch.stage,
                remedy="collect it.",
            )
        end_batch(self._store, batch, "forgotten", "interrupted", "The batch did not reach the provider.")

    async def _submit(
        self, questions: Iterable[Question], budget: float | None, most: Callable[[Question], float | None]
    ) -> Submitted:
        counts = {"known": 0, "unaffordable": 0}
        sent = made = others = 0
        try:
            async for batch in self._provider.sendable(self._items(questions, budget, most, counts)):
                number = begin_batch(self._store, self._model, [item.question.key for item in batch.items])
                if number is None:
                    others += len(batch.items)
                    continue
                try:
                    handle = await self._provider.submit(batch)
                except ProviderError as error:
                    self._maybe_rejected(number, error)
                    raise
                set_stage(self._store, number, "submitted", handle)
                made, sent = made + 1, sent + len(batch.items)
        finally:
            await self._provider.close()
        return Submitted(made, sent, counts["known"], counts["unaffordable"] + others)

    def _items(
        self,
        questions: Iterable[Question],
        budget: float | None,
        most: Callable[[Question], float | None],
        counts: dict[str, int],
    ) -> Iterator[Item]:
        spent = 0.0
        seen: set[str] = set()
        for question in questions:
            answer = self._store.answer(question.key)
            if question.key in seen or (answer is not None and answer.status in (*SETTLED, "pending")):
                counts["known"] += 1
                continue
            seen.add(question.key)
            self._store.add(question)
            done, earlier = understood(self._store, question.key, self._parse)
            if done is not None:
                counts["known"] += 1
                continue
            if budget is not None:
                cost = most(question)
                if cost is None:
                    raise InputError(
                        "A budget cannot be kept: the price of this model is not known.",
                        where="--budget",
                        remedy="leave --budget out, or update the package genai-prices.",
                    )
                if spent + cost > budget:
                    counts["unaffordable"] += 1
                    continue
                spent += cost
            yield Item(question, earlier)

    def _maybe_rejected(self, number: int, error: ProviderError) -> None:
        """Free the questions of a batch that the provider did not take; where that is not certain, leave them."""
        if error.kind in UNBILLED and error.kind != "unavailable":  # a server in trouble may have taken it
            (batch,) = [one for one in batches(self._store, "submitting") if one.id == number]
            end_batch(self._store, batch, "rejected", error.kind, f"{error.what} {error.got or ''}".strip())

    async def _collect(self) -> Collected:
        words: list[str] = []
        answers: dict[str, int] = {}
        try:
            for batch in batches(self._store, "submitted", model=self._model):
                assert batch.handle is not None
                state = await self._provider.state(batch.handle)
                set_stage(self._store, batch.id, "submitted", state.handle)
                if not state.ended:
                    words.append(state.words)
                    continue
                attempts = dict(batch.open)
                for key, outcome in await self._provider.results(state.handle, self._stored_items(batch)):
                    status = self._taken_in(key, attempts[key], outcome)
                    answers[status] = answers.get(status, 0) + 1
                    await asyncio.sleep(0)
                set_stage(self._store, batch.id, "collected")
        finally:
            await self._provider.close()
        uncertain = batches(self._store, "submitting", model=self._model)
        return Collected(len(words), answers, tuple(uncertain), tuple(words))

    def _stored_items(self, batch: StoredBatch) -> Iterator[Item]:
        for key, _ in batch.open:
            question = self._store.question(key)
            assert question is not None, "an attempt is of a stored question"
            yield Item(question)

    def _taken_in(self, key: str, attempt: int, outcome: Reply | ProviderError) -> str:
        store = self._store
        if isinstance(outcome, ProviderError):
            problem = f"{outcome.what} {outcome.got or ''}".strip()
            store.got_error(attempt, outcome.kind, problem)
            return store.finish(key, "failed", problem=problem).status
        question = store.question(key)
        assert question is not None
        store.got_reply(attempt, outcome, self._price(question, outcome), None)
        done, _ = understood(store, key, self._parse)
        # A first reply that cannot be read is asked for once more by whatever run or batch comes next.
        return (done or store.finish(key, "failed", problem="The reply could not be read.")).status
