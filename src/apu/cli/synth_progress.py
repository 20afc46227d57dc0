"""Progress of `apu synth` on stderr: pairs so far, pairs per minute, and how long the rest will take."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from apu.cli.batch_progress import duration
from apu.cli.progress import REPEAT_SECONDS

if TYPE_CHECKING:
    from apu.dataset.quota import Plan


class SynthProgress:
    """A line now and then.

    Args:
        wanted: pairs.
        write_line: shows it.
        every_s: at most so often.
    """

    def __init__(self, wanted: int, write_line: Callable[[str], object], every_s: float = REPEAT_SECONDS) -> None:
        self.pairs = 0
        self._wanted = wanted
        self._write_line = write_line
        self._every_s = every_s
        self._began = self._said_at = time.monotonic()
        self._kept = 0

    def __call__(self, plan: "Plan", fresh: bool) -> None:
        """A chunk has come in; those of an earlier run tell nothing about the speed."""
        self.pairs = plan.pairs
        now = time.monotonic()
        if not fresh:
            self._kept, self._began = self.pairs, now
        if now - self._said_at < self._every_s and self.pairs < self._wanted:
            return
        self._said_at = now
        self._write_line(self.line(now - self._began))

    def line(self, seconds: float) -> str:
        """What there is to say after so many seconds."""
        made = self.pairs - self._kept
        told = f"{self.pairs} of {self._wanted} pairs"
        if made <= 0 or seconds <= 0:
            return told
        a_minute = 60 * made / seconds
        left = self._wanted - self.pairs
        rest = f", about {duration(60 * left / a_minute)} left" if left > 0 else ""
        return f"{told}, {a_minute:.0f} a minute{rest}"


@contextmanager
def shown_synthesis(wanted: int) -> Iterator[SynthProgress]:
    """Show on stderr how far `wanted` pairs are: one line that changes on a terminal, lines anywhere else."""
    if not sys.stderr.isatty():
        yield SynthProgress(wanted, lambda line: click.echo(line, err=True))
        return
    yield SynthProgress(wanted, lambda line: click.echo(f"\r\x1b[K{line}", err=True, nl=False), every_s=0.5)
    click.echo(err=True)
