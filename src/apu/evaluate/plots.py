"""The picture of the synthetic benchmark: pair PA-MPJPE of each method, by class, and over pairs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from apu.cache import written_whole
from apu.evaluate.accumulate import Summary
from apu.evaluate.findings import Findings, pair_values
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.rows import BenchmarkRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes  # both are handed on to other pictures of this room
    from matplotlib.figure import Figure as Figure

METRIC = "pair_pa_mpjpe_mm"
LABEL = "pair PA-MPJPE, mm (lower is better)"
BY_CLASS = ("keypoints", "contacts", "oracle")

COLOURS: Mapping[str, str] = {
    "init": "#000000", "keypoints": "#0072B2", "mindist": "#CC79A7", "contacts": "#D55E00",
    "contacts+oracle-sides": "#E69F00", "shuffled": "#7F7F7F", "oracle": "#009E73", "oracle+true-keypoints": "#56B4E9",
}  # fmt: skip
"""Okabe and Ito's palette, which colour-blind readers tell apart, with a grey for its yellow; markers differ too."""
MARKERS: Mapping[str, str] = dict(zip(COLOURS, "osDv^XPh", strict=True))
LINES: Mapping[str, tuple[int, tuple[int, ...]]] = dict(
    zip(COLOURS, ((0, ()), (0, ()), (0, (4, 1)), (0, ()), (0, (4, 1)), (0, (1, 1)), (0, ()), (0, (4, 1))), strict=True)
)


def draw_benchmark(path: Path, info: BenchmarkInfo, found: Findings, rows: Sequence[BenchmarkRow]) -> None:
    """Write plot.png; the same numbers give the same bytes.

    Args:
        path: of the picture.
        info: what was measured; stands above and below it.
        found: of the benchmark.
        rows: of the same.

    Raises:
        OutputError: it cannot be written.
    """
    told = [line for line in info.lines()[1:] if not line.startswith("classes")]  # classes are on an axis
    figure = titled_figure(info.title, told, max(4.8, 1.6 + 0.26 * len(found.classes)))
    axes = figure.subplots(1, 3)
    _by_method(axes[0], found)
    _by_class(axes[1], found)
    _over_pairs(axes[2], pair_values(rows, METRIC))
    save_figure(path, figure)


def titled_figure(title: str, told: Sequence[str], tall: float) -> "Figure":
    """An empty figure of the benchmarks' width.

    Args:
        title: stands above it.
        told: stands below it, small.
        tall: inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15.5, tall), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    figure.supxlabel("\n".join(wrap("; ".join(told), 230, break_on_hyphens=False)), fontsize=7, color="#444444")
    return figure


def save_figure(path: Path, figure: "Figure") -> None:
    """Write a figure as PNG, whole or not at all; the same figure gives the same bytes.

    Raises:
        OutputError: it cannot be written.
    """
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _by_method(axes: "Axes", found: Findings) -> None:
    for place, method in enumerate(found.methods):
        _dot(axes, float(place), method, found.overall[method].get(METRIC))
    axes.set_yticks(range(len(found.methods)), found.methods)
    axes.invert_yaxis()
    _labelled(axes, "all pairs, 95 % intervals")


def _by_class(axes: "Axes", found: Findings) -> None:
    methods = [method for method in BY_CLASS if method in found.methods] or list(found.methods[:3])
    for place, summaries in enumerate(found.classes.values()):
        for i, method in enumerate(methods):
            offset = 0.22 * (i - (len(methods) - 1) / 2)
            _dot(axes, place + offset, method, summaries.get(method, {}).get(METRIC))
    names = [name or "no class" for name in found.classes]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    _labelled(axes, "by class, 95 % intervals")
    for method in methods:  # drawn nowhere, for the legend alone
        axes.plot([], [], color=_of(COLOURS, method, "#000000"), marker=_of(MARKERS, method, "o"), ls="", label=method)
    axes.legend(fontsize=8, framealpha=0.9)


def _over_pairs(axes: "Axes", values: Mapping[str, Sequence[float]]) -> None:
    for method, own in values.items():
        share = 100 * np.arange(1, len(own) + 1) / max(1, len(own))
        style = {"color": _of(COLOURS, method, "#000000"), "linestyle": _of(LINES, method, "-"), "label": method}
        axes.step([own[0], *own] if own else [], [0.0, *share] if own else [], where="post", linewidth=1.6, **style)
    axes.set_ylabel("pairs at most so far off, %")
    axes.set_ylim(0, 100)
    _labelled(axes, "cumulative, over pairs")
    if values:
        axes.legend(fontsize=8, framealpha=0.9, loc="lower right")


def _dot(axes: "Axes", place: float, method: str, summary: Summary | None) -> None:
    if summary is None or summary.n == 0:
        return
    ends = summary.interval.low, summary.interval.high
    reach = [[abs(summary.mean - end)] for end in ends]
    colour, marker = _of(COLOURS, method, "#000000"), _of(MARKERS, method, "o")
    axes.errorbar([summary.mean], [place], xerr=reach, color=colour, marker=marker, capsize=3, ls="none")


def _labelled(axes: "Axes", title: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(LABEL)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.08)
    axes.set_xlim(left=0)


def _of(table: Mapping[str, object], method: str, other: object):
    return table.get(method, other)
