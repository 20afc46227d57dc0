"""What a run may spend: money is set aside before a request goes out, so that the sum is never exceeded."""

import asyncio

from apu.errors import InputError


class Budget:
    """Money of one run, in US dollars. Lives in one event loop.

    Args:
        limit: None for no limit.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._set_aside = 0.0
        self._in_flight = 0
        self._change = asyncio.Condition()
        self.known = 0.0
        """Cost of the replies whose price is known."""

        self.complete = True
        """Whether the price of every reply was known."""

        self._charged = 0.0

    async def reserve(self, most: float | None) -> bool:
        """Set aside what a request can cost at most; wait for requests in flight, if they hold what is missing.

        Returns:
            False if the rest is too little.

        Raises:
            InputError: there is a limit, but it is not known what the request can cost.
        """
        if self._limit is None:
            return True
        if most is None:
            raise InputError(
                "A budget cannot be kept: the price of this model is not known.",
                where="--budget",
                remedy="leave --budget out and limit the number of photos, or update the package genai-prices.",
            )
        async with self._change:
            while self._charged + self._set_aside + most > self._limit:
                if self._in_flight == 0:
                    return False
                await self._change.wait()
            self._set_aside += most
            self._in_flight += 1
        return True

    async def settle(self, most: float | None, cost: float | None, *, replied: bool) -> None:
        """Give back what was set aside, and charge what the request did cost.

        Args:
            most: what was set aside.
            cost: of the request; None if that is not known, which is charged as `most`.
            replied: whether there is a reply, so that `cost` is more than a guess.
        """
        if replied:
            self.known += cost or 0.0
            self.complete = self.complete and cost is not None
        if self._limit is None or most is None:
            return
        async with self._change:
            self._in_flight -= 1
            self._set_aside = self._set_aside - most if self._in_flight else 0.0
            self._charged += most if cost is None else cost
            self._change.notify_all()
