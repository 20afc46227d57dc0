"""Who looks at a training while it runs. Nothing that is done with what is seen can change the training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apu.errors import InputError
from apu.prior.contact_prior import ContactPrior


def _nothing(_: Mapping[str, int | float]) -> None:
    pass


@dataclass(frozen=True)
class Watch:
    """One who looks.

    Attributes:
        logged: told every line of the log, with its `step`, when it is written.
        shown: shown the number of finished steps and the prior as it is then; None for nobody.
        every: steps from one showing to the next; the finished prior is shown in any case.
    """

    logged: Callable[[Mapping[str, int | float]], object] = _nothing
    shown: Callable[[int, ContactPrior], object] | None = None
    every: int = 1000

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(
                "A training cannot be shown so often.",
                expected="1 step or more from one showing to the next",
                got=self.every,
                remedy="leave `shown` out to show nothing.",
            )

    def due(self, step: int, steps: int) -> bool:
        """Whether the prior is shown after a step.

        Args:
            step: finished steps.
            steps: of the whole training.
        """
        return self.shown is not None and (step % self.every == 0 or step == steps)
