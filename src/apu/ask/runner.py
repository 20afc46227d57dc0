"""Many questions to answers: several at a time, at the provider's pace, within a budget, and each paid for once."""

import asyncio
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass

from apu.ask.asking import Asking
from apu.ask.event_loop import in_event_loop
from apu.ask.pace import Pace
from apu.ask.provider import Provider, Reply
from apu.ask.question import Question
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.ask.store_records import Answer
from apu.ask.understanding import ParsedReply
from apu.progress import Progress, silent


@dataclass(frozen=True)
class Run:
    """What a run brought.

    Attributes:
        answers: one per question, in order; None where the run stopped before.
        requests: sent in this run.
        from_store: answers that were there before, or are pending in a batch.
        cost_usd: of the replies of this run; None if a price is not known.
        stopped: why questions were not asked; None if all were.
    """

    answers: tuple[Answer | None, ...]
    requests: int
    from_store: int
    cost_usd: float | None
    stopped: str | None

    @property
    def not_asked(self) -> int:
        """Number of questions without any answer, not even a failed one."""
        return sum(answer is None for answer in self.answers)


class Runner:
    """Asks one provider.

    Args:
        provider: whom.
        store: where questions, attempts, replies and answers are kept.
        parse: makes an answer of a reply text; must not raise.
        limits: how it may ask.
        price: US dollars of a reply; None if that is not known.
        most: US dollars that a request can cost, given the earlier reply that it repeats; a budget needs it.
    """

    def __init__(
        self,
        provider: Provider,
        store: Store,
        parse: Callable[[str], ParsedReply],
        limits: RunLimits | None = None,
        *,
        price: Callable[[Question, Reply], float | None] = lambda _question, _reply: None,
        most: Callable[[Question, str], float | None] = lambda _question, _earlier: None,
    ) -> None:
        self._provider, self._store, self._parse = provider, store, parse
        self._limits, self._price, self._most = limits or RunLimits(), price, most
        self._pace = Pace(self._limits.requests_per_minute)

    def run(self, questions: Iterable[Question], progress: Progress = silent) -> Run:
        """Ask what is not answered yet.

        Args:
            questions: taken one by one as they are asked, so a generator may make them.
            progress: told after each question.

        Raises:
            ProviderError: nothing can be asked, e.g. the key is wrong. What was answered before is in the store.
            InputError: there is a budget, and no price is known.
            KeyboardInterrupt: after the replies that were under way have come, as they are paid for; at once when it
                is pressed again. The store is whole, and the next run goes on from there.
        """
        return in_event_loop(self._run(questions, progress))

    async def _run(self, questions: Iterable[Question], progress: Progress) -> Run:
        limits = self._limits
        asking = Asking(self._provider, self._store, self._parse, limits, self._pace, self._price, self._most)
        total = len(questions) if isinstance(questions, Sized) else None
        numbered = enumerate(questions)
        answers: dict[int, Answer | None] = {}
        same: dict[str, asyncio.Future[Answer | None]] = {}
        done = 0

        async def answer(question: Question) -> Answer | None:
            if question.key in same:
                return await same[question.key]
            future = same[question.key] = asyncio.get_running_loop().create_future()
            try:
                found = await asking.answer(question)
            except BaseException:
                future.cancel()
                raise
            future.set_result(found)
            return found

        async def work() -> None:
            nonlocal done
            for number, question in numbered:
                if asking.interrupted or asking.error is not None:
                    return
                answers[number] = None
                answers[number] = await answer(question)
                done += 1
                progress(f"asked {done}" + (f" of {total}" if total else ""), done / total if total else 0.0)

        workers = [asyncio.create_task(work()) for _ in range(limits.concurrency)]
        try:
            ended, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for worker in ended:
                worker.result()
        except asyncio.CancelledError:
            asking.interrupted = True
            asking.stop("interrupted")
            progress("waiting for the replies that are under way")
            await asyncio.wait(workers)
            raise
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._provider.close()
        if asking.error is not None:
            raise asking.error
        cost = asking.budget.known if asking.budget.complete else None
        ordered = tuple(answers[number] for number in range(len(answers)))
        return Run(ordered, asking.requests, asking.from_store, cost, asking.stopped)
