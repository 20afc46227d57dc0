"""When the next request may go out: requests per minute, waits that a server asks for, and backing off."""

import asyncio
import math
import random
import time
from contextlib import suppress
from dataclasses import dataclass


class Pace:
    """Spaces the requests to one provider evenly, and holds all of them back when it says that it has enough.

    Args:
        requests_per_minute: None for no limit.
    """

    def __init__(self, requests_per_minute: float | None = None) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next = self._held_until = -math.inf

    async def turn(self, halt: asyncio.Event) -> None:
        """Wait until it is this caller's turn, or until `halt` is set."""
        while True:
            now = time.monotonic()
            slot = max(now, self._next, self._held_until)
            self._next = slot + self._gap
            await pause(slot - now, halt)
            if halt.is_set() or time.monotonic() >= self._held_until:
                return  # else it was held back while it waited, and needs a new place

    def hold(self, seconds: float) -> None:
        """Let nobody ask for a while."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)


async def pause(seconds: float, halt: asyncio.Event) -> None:
    """Sleep, but no longer than until `halt` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(halt.wait(), max(seconds, 0.0))


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a request is tried again.

    Attributes:
        first_s: middle of the wait after the first failure; it doubles with each further one.
        most_s: longest wait, also where a server asks for more.
    """

    first_s: float = 1.0
    most_s: float = 120.0

    def wait(self, failures: int, retry_after_s: float | None, dice: random.Random) -> float:
        """Seconds to wait after the given number of failures, at least 1.

        A server's own wish is kept, within `most_s`; a little is added, so that not all return at the same moment.
        """
        if retry_after_s is not None and math.isfinite(retry_after_s):
            return min(max(0.0, retry_after_s), self.most_s) * (1 + 0.1 * dice.random())
        doubled = self.first_s * 2.0 ** min(failures - 1, 30)
        return min(doubled * (0.5 + dice.random()), self.most_s)
