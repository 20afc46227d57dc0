"""The tables of the synthetic benchmark."""

from collections.abc import Mapping, Sequence

from apu.evaluate.accumulate import Summary
from apu.evaluate.decomposition import FACTORS
from apu.evaluate.findings import COMPARED_METRICS, Findings, Summaries
from apu.evaluate.methods import WORDS
from apu.evaluate.tables import NONE, Column, Table, difference_cell, number, ratio_cell, with_interval

ACCURACY = (
    Column("pair PA-MPJPE", "pair_pa_mpjpe_mm", interval=True),
    Column("PA-MPJPE", "pa_mpjpe_mm", interval=True),
    Column("rel. transl.", "relative_translation_error_mm", interval=True),
    Column("depth", "relative_depth_error_mm"),
)
CONTACT = (
    Column("PCC@2", "pcc_2cm_percent"),
    Column("PCC@5", "pcc_5cm_percent", interval=True),
    Column("@10", "pcc_10cm_percent"),
    Column("@20", "pcc_20cm_percent"),
    Column("field", "pcc_field_average_percent"),
    Column("F1 1.0 cm", "contact_f1_10mm_percent", interval=True),
    Column("F1 1.3", "contact_f1_13mm_percent"),
)
BODIES = (
    Column("worst, mm", "penetration_worst_mm", interval=True),
    Column("median", "penetration_worst_mm", median=True),
    Column("volume, cm3", "penetration_volume_cm3", interval=True),
    Column("2D error, %", "reprojection_error_percent", interval=True, digits=2),
)
HEADLINES = (ACCURACY[0], ACCURACY[1], ACCURACY[2], CONTACT[1], CONTACT[5], BODIES[0])

INTERVALS = "95 % bootstrap intervals over pairs; the observations of a pair are averaged first."
PCC_NOTE = (
    "PCC: true contacts whose regions are within 2, 5, 10, 20 cm, %; field: as other works average it, at most 95. "
    "F1: of region contacts within 1.0 and 1.3 cm, %."
)
COMPARED_WORDS: Mapping[str, str] = {
    "pair_pa_mpjpe_mm": "pair PA-MPJPE, mm",
    "relative_translation_error_mm": "relative translation, mm",
    "pa_mpjpe_mm": "PA-MPJPE, mm",
    "pcc_5cm_percent": "PCC@5 cm, %",
    "penetration_worst_mm": "worst penetration, mm",
}


def main_tables(found: Findings, seconds: Mapping[str, float] | None = None, *, compact: bool) -> list[Table]:
    """All pairs: how accurate, what touches, how sound. Narrower than 100 columns when compact.

    Args:
        found: of the benchmark.
        seconds: method -> wall time for each pair, shown when given; no part of what is reproducible.
        compact: for a terminal.
    """
    physical = _summary_table("Penetration, fit to the photo", found.overall, BODIES, compact=compact)
    if seconds is not None:
        rows = tuple((*r, number(seconds[m], 2)) for r, m in zip(physical.rows, found.overall, strict=True))
        notes = ("s/pair: wall time of this run, with a share of the first fit; not reproducible.",)
        physical = Table(physical.title, (*physical.header, "s/pair"), rows, 1, notes)
    accuracy = _summary_table("Accuracy, mm", found.overall, ACCURACY, compact=compact, counts=True)
    contact = _summary_table("Contact, %", found.overall, CONTACT, compact=compact)
    return [
        _noted(accuracy, f"{INTERVALS} lost %: observations without a result."),
        _noted(contact, PCC_NOTE),
        physical,
    ]


def part_tables(found: Findings, *, compact: bool, classes: bool) -> list[Table]:
    """The headline metrics for each group, and for each class if asked for."""
    tables = [_part_table("By group of classes", "group", found.groups, compact=compact)]
    return tables + ([_part_table("By class", "class", found.classes, compact=compact)] if classes else [])


def comparison_tables(found: Findings) -> list[Table]:
    """For each baseline the paired differences and ratios of all methods."""
    return [_comparison_table(found, base) for base in found.comparisons]


def decomposition_table(found: Findings) -> Table:
    """Pair PA-MPJPE when one factor of the prediction is replaced by the truth."""
    names = ["pair_pa_mpjpe_mm", *(f"pair_pa_mpjpe_true_{factor}_mm" for factor in FACTORS)]
    header = ("method", "as it is", *(f"true {factor.replace('_', ' ')}" for factor in FACTORS))
    rows = [
        (method, *(_mean(metrics.get(name)) for name in names)) for method, metrics in found.overall.items()
    ]
    note = "Factors are not independent and do not add up; replacing one may raise the error."
    return Table("Where pair PA-MPJPE comes from, mm", header, tuple(rows), 1, (note,))


def method_table(methods: Sequence[str]) -> Table:
    """What each method is."""
    words = {str(name): text for name, text in WORDS.items()}
    return Table("Methods", ("method", "what it is given"), tuple((m, words.get(m, NONE)) for m in methods), 2)


def _comparison_table(found: Findings, base: str) -> Table:
    rows = []
    for method, metrics in found.comparisons[base].items():
        for name in (n for n in COMPARED_METRICS if n in metrics):
            one = metrics[name]
            rows.append((method, COMPARED_WORDS[name], difference_cell(one), ratio_cell(one), str(one.n)))
    notes = (
        f"Each pair against itself, by {base}. The star marks an interval that excludes 0 (of a difference) or 1 (of a "
        "ratio).",
        f"Errors and penetration: negative and below 1 is better than {base}; PCC: positive and above 1 is.",
    )
    header = ("method", "metric", "difference", "ratio", "pairs")
    return Table(f"Against `{base}`", header, tuple(rows), 2, notes)


def _summary_table(
    title: str, summaries: Summaries, columns: Sequence[Column], *, compact: bool, counts: bool = False
) -> Table:
    header = ("method", *(("pairs", "lost %") if counts else ()), *(c.header for c in columns))
    rows = [
        (method, *(_counts(metrics) if counts else ()), *_cells(metrics, columns, compact))
        for method, metrics in summaries.items()
    ]
    return Table(title, header, tuple(rows))


def _part_table(title: str, what: str, parts: Mapping[str, Summaries], *, compact: bool) -> Table:
    columns = [Column(c.header, c.metric, c.interval and (not compact or i == 0)) for i, c in enumerate(HEADLINES)]
    rows = [
        (name, method, *_counts(metrics), *_cells(metrics, columns, compact))
        for name, summaries in parts.items()
        for method, metrics in summaries.items()
    ]
    return Table(title, (what, "method", "pairs", "lost %", *(c.header for c in columns)), tuple(rows), 2)


def _cells(metrics: Mapping[str, Summary], columns: Sequence[Column], compact: bool) -> tuple[str, ...]:
    return tuple(column.cell(metrics.get(column.metric), compact=compact) for column in columns)


def _counts(metrics: Mapping[str, Summary]) -> tuple[str, str]:
    """Pairs, and the share of their observations that was lost."""
    any_one = next(iter(metrics.values()), None)
    if any_one is None:
        return NONE, NONE
    return str(any_one.n + any_one.undefined + any_one.lost), number(100 - any_one.coverage_percent)


def _mean(summary: Summary | None) -> str:
    return NONE if summary is None else with_interval(summary.mean, summary.interval)


def _noted(table: Table, *notes: str) -> Table:
    return Table(table.title, table.header, table.rows, table.labels, (*table.notes, *notes))
