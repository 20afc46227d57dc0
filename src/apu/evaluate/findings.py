"""What all rows of a benchmark amount to: summaries of every method, and methods compared with baselines."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apu.evaluate.accumulate import Accumulator, Comparison, Summary, compare
from apu.evaluate.bootstrap import Interval
from apu.evaluate.rows import BenchmarkRow, accumulated

MAIN_METRICS = (
    "pair_pa_mpjpe_mm", "pa_mpjpe_mm", "relative_translation_error_mm", "relative_depth_error_mm", "pcc_2cm_percent",
    "pcc_5cm_percent", "pcc_10cm_percent", "pcc_20cm_percent", "pcc_field_average_percent",
    "contact_f1_10mm_percent", "contact_f1_13mm_percent", "penetration_worst_mm", "penetration_volume_cm3",
    "reprojection_error_percent",
)  # fmt: skip
"""Told of groups and classes; of all pairs together, every metric is."""

COMPARED_METRICS = (
    "pair_pa_mpjpe_mm", "relative_translation_error_mm", "pa_mpjpe_mm", "pcc_5cm_percent", "penetration_worst_mm",
)  # fmt: skip
BASELINES = ("keypoints", "mindist")

Summaries = Mapping[str, Mapping[str, Summary]]
"""Method -> metric -> summary."""


@dataclass(frozen=True)
class Findings:
    """Everything that tables, files and plots tell.

    Attributes:
        methods: in their order.
        overall: every metric over all pairs.
        groups, classes: name -> the main metrics over its pairs; names in alphabetical order.
        comparisons: baseline -> method -> metric -> method against baseline; `difference` is method - baseline.
        lost: rows of which nothing came out.
    """

    methods: tuple[str, ...]
    overall: Summaries
    groups: Mapping[str, Summaries]
    classes: Mapping[str, Summaries]
    comparisons: Mapping[str, Mapping[str, Mapping[str, Comparison]]]
    lost: tuple[BenchmarkRow, ...]


def find(rows: Sequence[BenchmarkRow], baselines: Sequence[str] = BASELINES) -> Findings:
    """Summarise and compare.

    Args:
        rows: of one benchmark, any order but that of methods, which tables take over.
        baselines: methods that all others are compared with, where they are among the rows.
    """
    by_class = accumulated(rows)
    every = sorted({name for one in by_class.values() for name in one.metrics}) or MAIN_METRICS
    return Findings(
        methods=tuple(by_class),
        overall={method: _summaries(one, every) for method, one in by_class.items()},
        groups=_parts(rows, lambda row: row.group),
        classes=_parts(rows, lambda row: row.interaction),
        comparisons={
            base: {
                method: {metric: compare(one, by_class[base], metric) for metric in COMPARED_METRICS if metric in every}
                for method, one in by_class.items()
                if method != base
            }
            for base in baselines
            if base in by_class
        },
        lost=tuple(row for row in rows if row.lost),
    )


def pair_values(rows: Sequence[BenchmarkRow], metric: str) -> dict[str, list[float]]:
    """Method -> the metric's value of each pair that has one, averaged over its observations; ascending."""
    collected: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        own = collected.setdefault(row.method, {})
        if math.isfinite(row.values.get(metric, math.nan)):
            own.setdefault(row.pair, []).append(row.values[metric])
    return {method: sorted(sum(v) / len(v) for v in own.values()) for method, own in collected.items()}


def _parts(rows: Sequence[BenchmarkRow], part: Callable[[BenchmarkRow], str]) -> dict[str, Summaries]:
    """Name of a part -> method -> main metrics of its rows alone."""
    out: dict[str, Summaries] = {}
    for name in sorted({part(row) for row in rows}):
        mine = accumulated([row for row in rows if part(row) == name])
        metrics = [m for m in MAIN_METRICS if any(m in one.metrics for one in mine.values())]
        out[name] = {method: _summaries(one, metrics or MAIN_METRICS) for method, one in mine.items()}
    return out


def _summaries(one: Accumulator, metrics: Sequence[str]) -> dict[str, Summary]:
    return {m: one.summary(m) if m in one.metrics else _nothing(one) for m in metrics}


def _nothing(one: Accumulator) -> Summary:
    """Summary of a metric that no row has, as when all were lost."""
    pairs = {pair for pair, _ in one.rows}
    kept = {pair for (pair, _), row in one.rows.items() if not row.lost}
    none = Interval(math.nan, math.nan)
    lost = len(pairs - kept)
    share = sum(not row.lost for row in one.rows.values()) / max(1, len(one.rows))
    return Summary(math.nan, none, math.nan, none, 0, len(kept), lost, 100 * share)
