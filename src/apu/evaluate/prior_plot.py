"""The picture of `apu eval prior`: pair PA-MPJPE with every prior, by group, and what it changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from apu.evaluate.bootstrap import Interval
from apu.evaluate.findings import Summaries
from apu.evaluate.plots import LABEL, METRIC, save_figure, titled_figure
from apu.evaluate.prior_arms import HEARD, NONE
from apu.evaluate.prior_findings import ALL, PriorFindings
from apu.evaluate.report import BenchmarkInfo

if TYPE_CHECKING:
    from apu.evaluate.plots import Axes, Figure

COLOURS: Mapping[str, str] = {
    ALL: "#000000", "seen": "#0072B2", "dev-unseen": "#E69F00", "test-unseen": "#D55E00",
}  # fmt: skip
MARKERS: Mapping[str, str] = {ALL: "o", "seen": "s", "dev-unseen": "D", "test-unseen": "^"}


def draw_priors(path: Path, info: BenchmarkInfo, found: PriorFindings) -> None:
    """Write plot.png; the same numbers give the same bytes.

    Args:
        path: of the picture.
        info: what was measured; stands above and below it.
        found: of the benchmark.

    Raises:
        OutputError: it cannot be written.
    """
    save_figure(path, prior_figure(info, found))


def prior_figure(info: BenchmarkInfo, found: PriorFindings) -> "Figure":
    """One panel for every fit that was measured, and one of what the priors change.

    Args:
        info: what was measured.
        found: of the benchmark; a single group of classes stands for all pairs.
    """
    methods = found.findings.methods
    told = [line for line in info.lines()[1:] if not line.startswith("classes")]
    groups = found.findings.groups
    parts: dict[str, Summaries] = {ALL: found.findings.overall, **groups} if len(groups) != 1 else dict(groups)
    measured = [heard for heard in HEARD if any(_method_of(name) == heard for name in methods)]
    rows = max(sum(_method_of(name) == heard for name in methods) for heard in measured)
    figure = titled_figure(info.title, told, 2.2 + 0.22 * (1 + len(parts)) * rows)
    *of_fits, of_changes = figure.subplots(1, len(measured) + 1, squeeze=False)[0]
    for place, heard in zip(of_fits, measured, strict=True):
        names = [name for name in methods if _method_of(name) == heard]
        for part, summaries in parts.items():
            kept = {name: summaries[name][METRIC] for name in names if METRIC in summaries.get(name, {})}
            _dots(place, part, list(parts), names, {n: (s.mean, s.interval) for n, s in kept.items() if s.n})
        _labelled(place, [_heard_of(name) for name in names], f"fit with {heard}, 95 % intervals", LABEL)
        place.set_xlim(left=0)
    _changes(of_changes, found, list(parts))
    of_fits[0].legend(fontsize=8, framealpha=0.9)
    return figure


def _changes(axes: "Axes", found: PriorFindings, parts: list[str]) -> None:
    """Every prior against none, in per cent."""
    chosen = [c for c in found.comparisons if c.metric == METRIC and c.against == NONE and c.kind != "class"]
    names = list(dict.fromkeys(f"{one.method}: {one.prior}" for one in chosen))
    for part in parts:
        mine = [one for one in chosen if one.part == part and one.pairs]
        dots = {f"{one.method}: {one.prior}": (one.found.percent, one.found.percent_interval) for one in mine}
        _dots(axes, part, parts, names, dots)
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    _labelled(axes, names, "against no prior", "change of pair PA-MPJPE, % (below 0 is better)")


def _dots(
    axes: "Axes", part: str, parts: list[str], names: list[str], values: Mapping[str, tuple[float, Interval]]
) -> None:
    offset = 0.7 * (parts.index(part) / max(1, len(parts) - 1) - 0.5)
    for place, name in enumerate(names):
        if name in values:
            mean, interval = values[name]
            reach = [[max(0.0, mean - interval.low)], [max(0.0, interval.high - mean)]]
            axes.errorbar(
                [mean], [place + offset], xerr=reach, color=COLOURS.get(part, "#7F7F7F"), marker=MARKERS.get(part, "v"),
                markersize=5, capsize=2, ls="none",
            )  # fmt: skip
    axes.plot([], [], color=COLOURS.get(part, "#7F7F7F"), marker=MARKERS.get(part, "v"), ls="none", label=part)


def _labelled(axes: "Axes", names: list[str], title: str, label: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(label)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.08)


def _method_of(name: str) -> str:
    return name.partition("+")[0]


def _heard_of(name: str) -> str:
    return name.partition("+")[2] or "no prior"
