"""Progress on stderr: bars on a terminal, plain lines anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from apu.progress import Progress

REPEAT_SECONDS = 5.0
"""A stage that takes long says again where it stands, this often, when there is no terminal."""


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Give a watcher that shows what it is told, on stderr."""
    if not sys.stderr.isatty():
        yield PlainProgress(lambda line: print(line, file=sys.stderr, flush=True))
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        watcher = BarProgress(bars)
        yield watcher
        watcher.finish()


class PlainProgress:
    """One line for each stage, and one now and then while it lasts."""

    def __init__(self, write_line: Callable[[str], object]) -> None:
        self._write_line = write_line
        self._stage = ""
        self._said_at = 0.0

    def __call__(self, stage: str, fraction: float = 0.0) -> None:
        """Say so when the stage is new, or when it has been silent for long."""
        now = time.monotonic()
        if stage == self._stage and (now - self._said_at < REPEAT_SECONDS or fraction <= 0.0):
            return
        share = f" {fraction:.0%}" if stage == self._stage else ""
        self._write_line(f"{stage}{share} ...")
        self._stage, self._said_at = stage, now


class BarProgress:
    """One bar for each stage; it pulses as long as the share is not known."""

    def __init__(self, bars) -> None:
        self._bars = bars
        self._stage = ""
        self._task = None

    def __call__(self, stage: str, fraction: float = 0.0) -> None:
        """Move the stage's bar; a new stage completes the one before."""
        if stage != self._stage:
            self.finish()
            self._stage, self._task = stage, self._bars.add_task(stage, total=None)
        if fraction > 0.0:
            self._bars.update(self._task, total=1.0, completed=fraction)

    def finish(self) -> None:
        """Complete the bar that is moving."""
        if self._task is not None:
            self._bars.update(self._task, total=1.0, completed=1.0)
            self._task = None
