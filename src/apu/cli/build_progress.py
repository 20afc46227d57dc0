"""Progress of `apu build` on stderr: pieces of work that are done, pairs that are accepted, and time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from apu.cli.batch_progress import duration
from apu.cli.progress import REPEAT_SECONDS


class BuildProgress:
    """A line now and then.

    Args:
        wanted: pairs; None for all.
        write_line: shows it.
        every_s: at most so often.
    """

    def __init__(
        self, wanted: int | None, write_line: Callable[[str], object], every_s: float = REPEAT_SECONDS
    ) -> None:
        self.done = 0
        self._wanted, self._write_line, self._every_s = wanted, write_line, every_s
        self._began = self._said_at = time.monotonic()
        self._kept = self._kept_taken = 0

    def __call__(self, done: int, total: int, taken: int, fresh: bool) -> None:
        """A piece has come in; those of an earlier run tell nothing about the speed."""
        self.done = done
        now = time.monotonic()
        if not fresh:
            self._kept, self._kept_taken, self._began = done, taken, now
        ended = done == total or (self._wanted is not None and taken >= self._wanted)
        if now - self._said_at < self._every_s and not ended:
            return
        self._said_at = now
        self._write_line(self.line(done, total, taken, now - self._began))

    def line(self, done: int, total: int, taken: int, seconds: float) -> str:
        """What there is to say after so many seconds."""
        told = f"{done} of {total} pieces, {taken} pairs accepted"
        share = (total - done) / (done - self._kept) if done > self._kept else None
        if self._wanted is not None and taken > self._kept_taken:
            of_pairs = max(0, self._wanted - taken) / (taken - self._kept_taken)
            share = of_pairs if share is None else min(share, of_pairs)
        left = f", about {duration(seconds * share)} left" if share else ""
        return told + left


@contextmanager
def shown_build(wanted: int | None) -> Iterator[BuildProgress]:
    """Show on stderr how far it is: one line that changes on a terminal, lines anywhere else."""
    if not sys.stderr.isatty():
        yield BuildProgress(wanted, lambda line: click.echo(line, err=True))
        return
    yield BuildProgress(wanted, lambda line: click.echo(f"\r\x1b[K{line}", err=True, nl=False), every_s=0.5)
    click.echo(err=True)
