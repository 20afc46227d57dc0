"""The tables of the synthetic benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from apu.evaluate.accumulate import Summary
from apu.evaluate.decomposition import FACTORS
from apu.evaluate.findings import COMPARED_METRICS, Findings, Summaries
from apu.evaluate.methods import WORDS
from apu.evaluate.tables import NONE, Column, Table, difference_cells, number, with_interval

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
HEADLINES = (
    Column("pair PA-MPJPE", "pair_pa_mpjpe_mm", interval=True),
    Column("PA-MPJPE", "pa_mpjpe_mm", interval=True),
    Column("transl.", "relative_translation_error_mm", interval=True),
    Column("PCC@5", "pcc_5cm_percent", interval=True),
    Column("F1", "contact_f1_10mm_percent", interval=True),
    Column("worst", "penetration_worst_mm", interval=True),
)
"""Of groups and classes; the notes of the main tables say more of them."""

INTERVALS = "95 % bootstrap intervals over pairs; the observations of a pair are averaged first."
PCC_NOTE = (
    "PCC: true contacts whose regions are within 2, 5, 10, 20 cm, %; field: as other works average it, at most 95. "
    "F1: of region contacts within 1.0 and 1.3 cm, %."
)
FACTOR_WORDS = {
    "root_position": "position",
    "root_orientation": "orientation",
    "articulation_and_size": "pose and size",
}
COMPARED_WORDS: Mapping[str, str] = {
    "pair_pa_mpjpe_mm": "pair PA-MPJPE",
    "relative_translation_error_mm": "rel. transl.",
    "pa_mpjpe_mm": "PA-MPJPE",
    "pcc_5cm_percent": "PCC@5",
    "penetration_worst_mm": "worst penetr.",
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
        physical = replace(physical, header=(*physical.header, "s/pair"), rows=rows, notes=notes)
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


def decomposition_table(found: Findings, *, compact: bool) -> Table:
    """Pair PA-MPJPE when one factor of the prediction is replaced by the truth."""
    names = ["pair_pa_mpjpe_mm", *(f"pair_pa_mpjpe_true_{factor}_mm" for factor in FACTORS)]
    columns = [Column("", name, interval=True) for name in names]
    header = ("method", "as it is", *(f"true {FACTOR_WORDS[factor]}" for factor in FACTORS))
    rows = [(method, *_cells(metrics, columns, compact)) for method, metrics in found.overall.items()]
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
            ratio = with_interval(one.ratio, one.ratio_interval, 2)
            rows.append((method, COMPARED_WORDS[name], *difference_cells(one), ratio, str(one.n)))
    notes = (
        f"Each pair against itself, method - {base} in mm or %, and ratio of means, with 95 % intervals; excludes 0: "
        "whether that of the difference does.",
        f"Of errors and penetration, negative and below 1 is better than {base}; of PCC, positive and above 1.",
    )
    header = ("method", "metric", "difference", "excludes 0", "ratio", "pairs")
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
    columns = [replace(c, interval=False) for c in HEADLINES if c.header != "PA-MPJPE"] if compact else HEADLINES
    columns = [HEADLINES[0], *columns[1:]]
    counts = 1 if compact else 2
    rows = [
        (name, method, *_counts(metrics)[:counts], *_cells(metrics, columns, compact))
        for name, summaries in parts.items()
        for method, metrics in summaries.items()
    ]
    header = (what, "method", *("pairs", "lost %")[:counts], *(c.header for c in columns))
    return Table(title, header, tuple(rows), 2)


def _cells(metrics: Mapping[str, Summary], columns: Sequence[Column], compact: bool) -> tuple[str, ...]:
    return tuple(column.cell(metrics.get(column.metric), compact=compact) for column in columns)


def _counts(metrics: Mapping[str, Summary]) -> tuple[str, str]:
    """Pairs, and the share of their observations that was lost."""
    any_one = next(iter(metrics.values()), None)
    if any_one is None:
        return NONE, NONE
    return str(any_one.n + any_one.undefined + any_one.lost), number(100 - any_one.coverage_percent)


def _noted(table: Table, *notes: str) -> Table:
    return replace(table, notes=(*table.notes, *notes))
