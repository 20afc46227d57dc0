"""The picture of the verdict's benchmark: risk against coverage, what is accepted as answers get worse, calibration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apu.evaluate.plots import save_figure, titled_figure
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.verdict_benchmark import CONTROLS
from apu.evaluate.verdict_findings import VerdictFinding

if TYPE_CHECKING:
    from apu.evaluate.plots import Axes

COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")
MARKERS = "osD^vPXh"
TARGET = (0.5, 0.1)
"""Coverage and risk that the filter is meant to reach."""


def draw_verdict(path: Path, info: BenchmarkInfo, found: Sequence[VerdictFinding]) -> None:
    """Write plot.png; the same numbers give the same bytes.

    Args:
        path: of the picture.
        info: what was measured; stands above and below it.
        found: kinds of answers.

    Raises:
        OutputError: it cannot be written.
    """
    figure = titled_figure(info.title, info.lines()[1:], 5.2)
    axes = figure.subplots(1, 3)
    _risk(axes[0], found)
    _noise(axes[1], found)
    _calibration(axes[2], found)
    save_figure(path, figure)


def _risk(axes: "Axes", found: Sequence[VerdictFinding]) -> None:
    for i, one in enumerate(found):
        colour = COLOURS[i % len(COLOURS)]
        axes.plot(100 * one.curve.coverage, 100 * one.curve.risk, color=colour, linewidth=1.5, label=one.method)
        axes.plot(
            [100 * one.accepted], [100 * (1 - one.precision)], color=colour, marker=MARKERS[i % len(MARKERS)], ls="none"
        )
    axes.plot([100 * TARGET[0]], [100 * TARGET[1]], color="#000000", marker="+", markersize=12, ls="none")
    axes.set_title("risk against coverage: curve, chance alone; marker, all rules; +, the aim", fontsize=9)
    axes.set_xlabel("fits that are kept, %")
    axes.set_ylabel("wrong ones among them, %")
    _finish(axes)


def _noise(axes: "Axes", found: Sequence[VerdictFinding]) -> None:
    lines = {
        "accurate among all": ([one.accurate for one in found], "#7F7F7F", "o"),
        "accepted": ([one.accepted for one in found], "#0072B2", "s"),
        "accurate among accepted": ([one.precision for one in found], "#D55E00", "D"),
    }
    levels = [i for i, one in enumerate(found) if one.method not in CONTROLS]
    for name, (values, colour, marker) in lines.items():
        shown = [100 * value for value in values]
        axes.plot(levels, [shown[i] for i in levels], color=colour, linewidth=1.5)
        axes.plot(range(len(shown)), shown, color=colour, marker=marker, ls="none", label=name)
    axes.set_xticks(range(len(found)), [one.method for one in found], rotation=20)
    axes.set_title("the filter as answers get worse", fontsize=9)
    axes.set_ylabel("%")
    _finish(axes)


def _calibration(axes: "Axes", found: Sequence[VerdictFinding]) -> None:
    axes.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=1)
    for i, one in enumerate(found):
        bins = [b for b in one.bins if b.n]
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        means, shares = [100 * b.chance for b in bins], [100 * b.accurate for b in bins]
        axes.plot(means, shares, color=colour, marker=marker, linewidth=1, label=one.method)
    axes.set_title("calibration of the chance", fontsize=9)
    axes.set_xlabel("mean chance, %")
    axes.set_ylabel("accurate, %")
    _finish(axes)


def _finish(axes: "Axes") -> None:
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylim(0, 100)
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(fontsize=8, framealpha=0.9)
