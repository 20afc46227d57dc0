"""The tables of the benchmark on photos: each source of keypoints by itself, and pair by pair."""

import math
from collections.abc import Mapping, Sequence

from apu.evaluate.accumulate import Summary
from apu.evaluate.findings import Findings
from apu.evaluate.photos_benchmark import PHOTO_WORDS
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.tables import NONE, Column, Table, number

COLUMNS = (
    Column("PCC@2", "pcc_2cm_percent"),
    Column("@5", "pcc_5cm_percent"),
    Column("@10", "pcc_10cm_percent"),
    Column("@20", "pcc_20cm_percent"),
    Column("F1", "part_f1_10mm_percent"),
    Column("recall", "part_recall_10mm_percent"),
    Column("prec.", "part_precision_10mm_percent"),
    Column("worst mm", "penetration_worst_mm"),
    Column("cm3", "penetration_volume_cm3"),
    Column("2D %", "reprojection_error_percent", digits=2),
)
NOTES = (
    "PCC: annotated contacts whose regions are within 2, 5, 10, 20 cm, %. F1, recall, precision: of parts with sides "
    "that touch within 1.0 cm, %.",
    "The annotation is sparse: not all that touches is marked. So precision, and with it F1, is a lower bound.",
    "Means are over the pairs whose people the source of keypoints found; `lost` says how many it did not find.",
    "`annotated` is fitted to the very contacts that it is measured by. There is no 3D truth: no PA-MPJPE.",
)


def photo_tables(found: Findings, rows: Sequence[BenchmarkRow]) -> list[Table]:
    """Means over pairs, then every pair.

    Args:
        found: of the rows.
        rows: of the benchmark.
    """
    means = [
        (*method.split(":"), *_counts(one), *(c.cell(one.get(c.metric), compact=True) for c in COLUMNS))
        for method, one in sorted(found.overall.items(), key=lambda item: item[0].split(":")[0])
    ]
    each = [
        (row.pair, *row.method.split(":"), *_values(row)) for row in sorted(rows, key=lambda row: (row.pair, row.group))
    ]
    headers = tuple(c.header for c in COLUMNS)
    return [
        Table("Means over annotated pairs", ("keypoints", "method", "pairs", "lost", *headers), tuple(means), 2, NOTES),
        Table("Pair by pair", ("pair", "keypoints", "method", *headers), tuple(each), 3),
    ]


def photo_method_table() -> Table:
    """What each method is."""
    return Table("Methods", ("method", "what it is given"), tuple((str(m), w) for m, w in PHOTO_WORDS.items()), 2)


def _counts(metrics: Mapping[str, Summary]) -> tuple[str, str]:
    """All pairs, and those that were lost."""
    one = next(iter(metrics.values()))
    return str(one.n + one.undefined + one.lost), str(one.lost)


def _values(row: BenchmarkRow) -> tuple[str, ...]:
    if row.lost:
        return ("lost", *(NONE for _ in COLUMNS[1:]))
    return tuple(number(row.values.get(c.metric, math.nan), c.digits) for c in COLUMNS)
