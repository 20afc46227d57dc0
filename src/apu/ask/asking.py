"""One question of a run, from the look into the store to its answer: attempts, waits, one re-ask."""

import asyncio
import random
import time
from collections.abc import Callable

from apu.ask.budget import Budget
from apu.ask.pace import Pace, pause
from apu.ask.provider import EarlierReply, Provider, ProviderError, Reply
from apu.ask.question import Question
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.ask.store_records import SETTLED, Answer
from apu.ask.understanding import ParsedReply, understood

LEASE_MARGIN_S = 30.0
CLAIM_POLL_S = 0.25

HOPELESS = 5
"""So many HTTP 404 in a row, before any reply, stop the run: there is no such model."""

UNBILLED = ("rate_limit", "unavailable", "rejected", "redirect", "key", "quota", "parameter")
"""Failures that the server declared itself. After any other, it may have done the work, and may bill it."""


class Asking:
    """Asks questions one by one; several may be under way. What is shared by those of one run is kept here.

    Args:
        provider: whom to ask.
        store: see `Store`.
        parse: makes an answer of a reply text; must not raise.
        limits: see `RunLimits`.
        pace: when requests may go out.
        price: US dollars of a reply.
        most: US dollars that a request, with an earlier reply, can cost.
    """

    def __init__(
        self,
        provider: Provider,
        store: Store,
        parse: Callable[[str], ParsedReply],
        limits: RunLimits,
        pace: Pace,
        price: Callable[[Question, Reply], float | None],
        most: Callable[[Question, str], float | None],
    ) -> None:
        self._provider, self._store, self._parse = provider, store, parse
        self._limits, self._pace, self._price, self._most = limits, pace, price, most
        self.budget = Budget(limits.budget_usd)
        self._halt = asyncio.Event()
        self._replied = False
        self._not_found = 0
        self.requests = self.from_store = 0
        self.stopped: str | None = None
        self.error: ProviderError | None = None
        self.interrupted = False

    def known(self, question: Question) -> Answer | None:
        """The answer, if the question need not be asked: it is settled, or in a batch."""
        answer = self._store.answer(question.key)
        return answer if answer is not None and answer.status in (*SETTLED, "pending") else None

    async def answer(self, question: Question) -> Answer | None:
        """The answer to a question; None if the run stopped before there was one."""
        known = self.known(question)
        if known is None and self.stopped is None:
            self._store.add(question)
            while not self._store.claim(question.key, self._lease()):
                await pause(CLAIM_POLL_S, self._halt)  # another thread or process asks the same
                if self.stopped is not None:
                    return None
            try:
                known = self.known(question)
                if known is None:
                    return await self._asked(question)
            finally:
                self._store.release(question.key)
        self.from_store += known is not None
        return known

    async def _asked(self, question: Question) -> Answer | None:
        failures = 0
        dice = random.Random(f"{self._limits.seed} {question.key}")
        while True:
            done, earlier = understood(self._store, question.key, self._parse)
            if done is not None or self.stopped is not None:
                return done
            failure = await self._attempt(question, earlier)
            if failure is None:
                continue
            failures += failure.kind != "parameter"  # that one cannot come twice
            self._stop_if_hopeless(failure)
            if not failure.retry or failures >= self._limits.max_attempts:
                problem = f"{failure.what} {failure.got or ''}".strip()
                return self._store.finish(question.key, "failed", problem=problem)
            wait = self._limits.backoff.wait(max(failures, 1), failure.retry_after_s, dice)
            if failure.retry_after_s:
                self._pace.hold(wait)
            self._store.renew(question.key, self._lease(wait))
            await pause(wait, self._halt)

    async def _attempt(self, question: Question, earlier: EarlierReply | None) -> ProviderError | None:
        """Send one request, if the run still may, and keep its reply; or give its failure."""
        most = self._most(question, "" if earlier is None else earlier.text + earlier.problem)
        if not await self.budget.reserve(most):
            self.stop(f"the budget of ${self._limits.budget_usd:.2f} is used up")
            return None
        cost, replied = 0.0, False
        try:
            await self._pace.turn(self._halt)
            if self.stopped is not None:
                return None
            self._store.renew(question.key, self._lease())
            attempt = self._store.begin(question.key, "ask" if earlier is None else "reask")
            self.requests += 1
            cost = None  # from here on, until the provider says otherwise
            begun = time.monotonic()
            try:
                reply = await self._provider.ask(question, timeout_s=self._limits.timeout_s, earlier=earlier)
            except ProviderError as error:
                cost = 0.0 if error.kind in UNBILLED else None
                self._store.got_error(attempt, error.kind, f"{error.what} {error.got or ''}".strip())
                return error
            except BaseException as error:
                self._store.got_error(attempt, "interrupted", type(error).__name__)
                raise
            cost, replied = self._price(question, reply), True
            self._store.got_reply(attempt, reply, cost, time.monotonic() - begun)
            self._replied = True
            return None
        finally:
            await self.budget.settle(most, cost, replied=replied)

    def _stop_if_hopeless(self, failure: ProviderError) -> None:
        self._not_found = self._not_found + 1 if failure.status == 404 else 0
        if failure.stops_run or (self._not_found >= HOPELESS and not self._replied):
            self.error = self.error or failure
            self.stop(failure.what)

    def stop(self, why: str) -> None:
        """Send nothing more; requests in flight are waited for."""
        self.stopped = self.stopped or why
        self._halt.set()

    def _lease(self, wait: float = 0.0) -> float:
        return wait + self._limits.timeout_s + self._limits.backoff.most_s + LEASE_MARGIN_S
