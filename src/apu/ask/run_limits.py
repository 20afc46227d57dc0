"""How fast, how often and for how much money a run may ask."""

from dataclasses import dataclass, field

from apu.ask.pace import Backoff
from apu.errors import InputError


@dataclass(frozen=True)
class RunLimits:
    """Limits of one run.

    Attributes:
        concurrency: requests at the same time.
        requests_per_minute: None for no limit.
        budget_usd: None for no limit.
        max_attempts: failures of one question in one run after which it is given up.
        timeout_s: from sending a request to the last byte of its reply.
        seed: of the random part of waits.
        backoff: waits after failures.

    Raises:
        InputError: one of them makes no sense.
    """

    concurrency: int = 4
    requests_per_minute: float | None = None
    budget_usd: float | None = None
    max_attempts: int = 6
    timeout_s: float = 120.0
    seed: int = 0
    backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        for name in ("concurrency", "requests_per_minute", "max_attempts", "timeout_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise _senseless(name, "a number above 0", value)
        if self.budget_usd is not None and not self.budget_usd >= 0:
            raise _senseless("budget_usd", "0 or more dollars", self.budget_usd)


def _senseless(name: str, expected: str, got: object) -> InputError:
    return InputError(
        "A limit of the run makes no sense.", where=name, expected=expected, got=got, remedy="change or leave it out."
    )
