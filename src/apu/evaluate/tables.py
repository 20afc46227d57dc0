"""Tables of text: cells, how numbers look in them, and how they are set for a terminal or for Markdown."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from apu.evaluate.accumulate import Comparison, Summary
from apu.evaluate.bootstrap import Interval

NONE = "-"
"""Stands where there is no number."""
WIDTH = 98
"""Of notes on a terminal."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: one line.
        header: names of the columns.
        rows: as many cells each; the first `labels` are words, the others numbers.
        labels: columns that are set to the left.
        notes: lines below it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int = 1
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """For a terminal."""
        cells = [self.header, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.header))]
        lines = ["  ".join(self._aligned(row, widths)).rstrip() for row in cells]
        notes = [line for note in self.notes for line in textwrap.wrap(note, WIDTH)]
        return "\n".join([self.title, *lines, *notes])

    def markdown(self) -> str:
        """For table.md; cells that GitHub would set otherwise are escaped."""
        rule = [":--" if i < self.labels else "--:" for i in range(len(self.header))]
        lines = [f"| {' | '.join(_escaped(c) for c in row)} |" for row in (self.header, *self.rows)]
        table = "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])
        return "\n\n".join([f"## {self.title}", table, *self.notes])

    def _aligned(self, row: Sequence[str], widths: Sequence[int]) -> list[str]:
        return [c.ljust(w) if i < self.labels else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]


@dataclass(frozen=True)
class Column:
    """One metric in a table of summaries.

    Attributes:
        header: above it, with unit.
        metric: its name.
        interval: whether the 95 % interval stands beside it.
        digits: after the point.
        median: instead of the mean.
    """

    header: str
    metric: str
    interval: bool = False
    digits: int = 1
    median: bool = False

    def cell(self, summary: Summary | None, *, compact: bool) -> str:
        """The number; `compact` rounds the interval for a narrow terminal."""
        if summary is None:
            return NONE
        value, interval = (summary.median, summary.median_interval) if self.median else (summary.mean, summary.interval)
        if not self.interval or summary.n < 2:  # one pair tells nothing of others
            return number(value, self.digits)
        return with_interval(value, interval, self.digits, compact=compact)


def number(value: float, digits: int = 1, *, sign: bool = False) -> str:
    """A number, or `-` for none; never `-0.0`."""
    if not math.isfinite(value):
        return NONE
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign else ''}.{digits}f}"


def with_interval(value: float, interval: Interval, digits: int = 1, *, compact: bool = False) -> str:
    """`85.3 [82.1, 88.4]`, or compact `85.3 [82, 88]`, where ends below 10 keep their digits."""
    if not math.isfinite(value):
        return NONE
    ends = [number(end, 0 if compact and abs(end) >= 10 else digits) for end in (interval.low, interval.high)]
    return f"{number(value, digits)} [{ends[0]}, {ends[1]}]"


def excludes(interval: Interval, value: float) -> bool:
    """Whether a value lies outside an interval; never of an interval of nothing."""
    return value < interval.low or value > interval.high


def difference_cells(found: Comparison, digits: int = 1) -> tuple[str, str]:
    """`-12.3 [-15.0, -9.8]`, and `yes` when the interval excludes 0."""
    if not math.isfinite(found.difference):
        return NONE, NONE
    interval = found.difference_interval
    ends = [number(end, digits, sign=True) for end in (interval.low, interval.high)]
    text = f"{number(found.difference, digits, sign=True)} [{ends[0]}, {ends[1]}]"
    return text, "yes" if excludes(interval, 0.0) else "no"


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*")
