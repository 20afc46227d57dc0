"""The picture of `apu dataset compare`: by how many per cent B is more, or less, various than A."""

import math
from collections.abc import Mapping
from pathlib import Path

from apu.evaluate.diversity import Compared
from apu.evaluate.diversity_measures import MEASURES
from apu.evaluate.plots import save_figure, titled_figure
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.tables import excludes

CLEAR, UNCLEAR = "#0072B2", "#7F7F7F"


def draw_diversity(path: Path, info: BenchmarkInfo, found: Mapping[str, Compared]) -> None:
    """Write plot.png; the same numbers give the same bytes.

    Args:
        path: of the picture.
        info: what was measured; stands above and below it.
        found: of `compare`.

    Raises:
        OutputError: it cannot be written.
    """
    shown = {key: one for key, one in found.items() if math.isfinite(one.difference) and one.a}
    figure = titled_figure(info.title, info.lines()[1:], 1.8 + 0.3 * len(shown))
    axes = figure.subplots()
    for place, one in enumerate(shown.values()):
        ends, percent = one.difference_interval, 100 * one.difference / one.a
        colour = CLEAR if excludes(ends, 0.0) else UNCLEAR
        reach = [[100 * abs(one.difference - end) / one.a] for end in (ends.low, ends.high)]
        known = reach if math.isfinite(ends.low) else None
        axes.errorbar([percent], [place], xerr=known, color=colour, marker="o", capsize=3, ls="none")
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [MEASURES[key].words.rsplit(", ", 1)[0] for key in shown])
    axes.invert_yaxis()
    axes.set_xlabel("B - A in % of A, 95 % intervals; blue: the interval excludes 0")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    save_figure(path, figure)
