"""Progress over several photos: which one, what is done to it, and how long the rest will take."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from apu.cli.progress import PlainProgress
from apu.progress import Progress


class Estimate:
    """How long the rest takes, by what the fitted photos took; those that failed at once tell nothing.

    Args:
        photos: how many are to be fitted.
    """

    def __init__(self, photos: int) -> None:
        self._left = photos
        self._took: list[float] = []
        self._began = 0.0

    def begin(self) -> None:
        """A photo begins."""
        self._began = time.monotonic()

    def end(self, *, failed: bool) -> float:
        """It has ended; gives back its seconds."""
        seconds = time.monotonic() - self._began
        self._took += [] if failed else [seconds]
        self._left -= 1
        return seconds

    def __str__(self) -> str:
        if not self._took or self._left <= 0:
            return ""
        return f"about {duration(self._left * sum(self._took) / len(self._took))} left"


def duration(seconds: float) -> str:
    """Seconds in words that one can plan with: `8 s`, `4 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


class PlainBatch:
    """Lines, each with the photo before it."""

    def __init__(self, total: int, write_line: Callable[[str], object]) -> None:
        self._total = total
        self._estimate = Estimate(total)
        self._write_line = write_line
        self._done = 0
        self._head = ""

    def begin(self, name: str) -> Progress:
        """Start a photo; gives back the watcher of its stages."""
        self._estimate.begin()
        self._head = f"[{self._done + 1}/{self._total}] {name}: "
        return PlainProgress(lambda line: self._write_line(f"{self._head}{line}"))

    def end(self, *, failed: bool) -> None:
        """Finish the photo."""
        took = self._estimate.end(failed=failed)
        outcome = "failed" if failed else "done"
        self._done += 1
        self._write_line("; ".join(filter(None, (f"{self._head}{outcome} in {took:.1f} s", str(self._estimate)))))


class BarBatch:
    """One bar for all photos, which names the photo and its stage."""

    def __init__(self, total: int, bars) -> None:
        self._estimate = Estimate(total)
        self._bars = bars
        self._task = bars.add_task("", total=total, left="")

    def begin(self, name: str) -> Progress:
        """Start a photo; gives back the watcher of its stages."""
        from rich.markup import escape

        self._estimate.begin()

        def show(stage: str, fraction: float = 0.0) -> None:
            share = f" {fraction:.0%}" if fraction > 0.0 else ""
            self._bars.update(self._task, description=escape(f"{name}: {stage}{share}"))

        return show

    def end(self, *, failed: bool) -> None:
        """Finish the photo."""
        self._estimate.end(failed=failed)
        self._bars.update(self._task, advance=1, left=str(self._estimate))


@contextmanager
def shown_batch(total: int) -> Iterator[PlainBatch | BarBatch]:
    """Show on stderr how far `total` photos are."""
    if not sys.stderr.isatty():
        yield PlainBatch(total, lambda line: click.echo(line, err=True))
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bars

    left = TextColumn("{task.fields[left]}")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), left)
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield BarBatch(total, bars)
