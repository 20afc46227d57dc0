"""The picture of `apu eval ask`: F1 of annotators, weights against precision, and risk against coverage."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apu.evaluate.ask_findings import LEVELS, AskFinding
from apu.evaluate.plots import save_figure, titled_figure
from apu.evaluate.report import BenchmarkInfo

if TYPE_CHECKING:
    from apu.evaluate.plots import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito's palette, with a grey for its yellow."""
MARKERS = "osD^vPXh"
_CURVE = re.compile(r"(\d+) answers?, rho ([\d.]+)")


def draw_annotators(path: Path, info: BenchmarkInfo, found: Sequence[AskFinding]) -> None:
    """Write plot.png; the same numbers give the same bytes.

    Args:
        path: of the picture.
        info: what was measured; stands above and below it.
        found: of all annotators.

    Raises:
        OutputError: it cannot be written.
    """
    curves = [(int(m[1]), m[2], one) for one in found if (m := _CURVE.fullmatch(one.annotator))]
    told = [line for line in info.lines()[1:] if not line.startswith("classes")]
    figure = titled_figure(info.title, told, max(4.8, 1.8 + 0.3 * len(found)))
    axes = figure.subplots(1, 4 if curves else 3)
    _f1(axes[0], found)
    weighted = [one for one in found if sum(b.contacts > 0 for b in one.bins) > 1]
    shown = [one for one in weighted if "rho" not in one.annotator or one.annotator.startswith("5 ")] or list(found)
    _reliability(axes[1], shown)
    _risk(axes[2], shown)
    if curves:
        _votes(axes[3], curves)
    save_figure(path, figure)


def _f1(axes: "Axes", found: Sequence[AskFinding]) -> None:
    for i, level in enumerate(LEVELS):
        for place, one in enumerate(found):
            score = one.f1[level]
            if score.value == score.value:
                ends = [[100 * abs(score.value - end)] for end in (score.interval.low, score.interval.high)]
                axes.errorbar(
                    [100 * score.value], [place + 0.2 * (i - 1)], xerr=ends, color=COLOURS[i], marker=MARKERS[i],
                    capsize=2, ls="none", label=level if place == 0 else None,
                )  # fmt: skip
    axes.set_yticks(range(len(found)), [one.annotator for one in found], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 102)
    _labelled(axes, "F1 of contacts, 95 % intervals", "%")
    axes.legend(fontsize=8)


def _reliability(axes: "Axes", found: Sequence[AskFinding]) -> None:
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for i, one in enumerate(found):
        bins = [b for b in one.bins if b.contacts]
        axes.plot([b.weight for b in bins], [b.right_blind for b in bins], label=one.annotator, **_style(i))
    axes.set_ylabel("right, sides aside")
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlim(-0.02, 1.04)
    _labelled(axes, "reliability", "mean weight")
    axes.legend(fontsize=7)


def _risk(axes: "Axes", found: Sequence[AskFinding]) -> None:
    for i, one in enumerate(found):
        curve = one.calibration["side-blind"].curve
        style = {name: value for name, value in _style(i).items() if name != "marker"}
        axes.plot(100 * curve.coverage, 100 * curve.risk, label=one.annotator, **style)
    axes.set_ylabel("wrong among them, sides aside, %")
    axes.set_xlim(0, 102)
    axes.set_ylim(bottom=0)
    _labelled(axes, "risk and coverage", "contacts of largest weight, % of all")


def _votes(axes: "Axes", curves: Sequence[tuple[int, str, AskFinding]]) -> None:
    for i, rho in enumerate(dict.fromkeys(rho for _, rho, _ in curves)):
        mine = sorted(((k, one) for k, r, one in curves if r == rho), key=lambda point: point[0])
        for level, line in (("side-blind", "-"), ("denoised", "--")):
            label = f"rho {rho}" if level == "side-blind" else None
            values = [100 * one.f1[level].value for _, one in mine]
            axes.plot([k for k, _ in mine], values, label=label, **{**_style(i), "linestyle": line})
    axes.set_xticks(sorted({k for k, _, _ in curves}))
    axes.set_ylabel("F1, %")
    axes.set_ylim(0, 102)
    _labelled(axes, "votes: side-blind (-), denoised (--)", "answers")
    axes.legend(fontsize=8)


def _style(i: int) -> dict:
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "linestyle": "-", "linewidth": 1.4}


def _labelled(axes: "Axes", title: str, below: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(below)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
