"""How long work tells its watcher where it stands, without knowing who watches."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Called with a short phrase and the share that is done."""

    def __call__(self, stage: str, fraction: float = 0.0) -> None:
        """Report that `stage` is `fraction` done, in [0, 1]."""
        ...


def silent(stage: str, fraction: float = 0.0) -> None:
    """The watcher that does not watch."""
