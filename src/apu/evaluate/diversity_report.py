"""What `apu dataset compare` tells: tables, and the files table.md and table.json."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from apu.cache import written_whole
from apu.evaluate.bootstrap import Interval
from apu.evaluate.diversity import FEWEST_FOR_INTERVALS, SUBSAMPLES, Compared
from apu.evaluate.diversity_measures import MEASURES
from apu.evaluate.report import JSON, MARKDOWN, BenchmarkInfo, document
from apu.evaluate.rows import json_of
from apu.evaluate.tables import NONE, Table, excludes, number, with_interval

SCHEMA_VERSION = 1
"""Of table.json; rises when a field changes its meaning."""

NOTES = (
    "Intervals are 95 %, over pairs; a pair that is in both sets is drawn for both. Larger is more various, but for "
    "the number of region pairs that touch, which is no diversity. The number of types has no interval, and nothing "
    f"has one where a set has fewer than {FEWEST_FOR_INTERVALS} pairs.",
    "Types are the names of the classes; entropies count one vote of a pair for each of its kinds. Poses are joint "
    "angles alone, on the default body; places are where each person's hips are as the other's root sees them. Of two "
    "pairs, A and B are compared as they are and exchanged, and the smaller distance counts.",
)
MATCHED = (
    f"The larger set is measured at the size of the smaller: entropies and types are means over {SUBSAMPLES} "
    "subsamples, the nearest other pair is its expectation over all subsamples."
)


def diversity_tables(found: Mapping[str, Compared], names: tuple[str, str], counts: tuple[int, int]) -> list[Table]:
    """The comparison at one size; where the sizes differ, also both sets as they are.

    Args:
        found: of `compare`.
        names: of the data sets, A and B.
        counts: pairs of each that were measured.
    """
    differ = counts[0] != counts[1]
    rows = [(MEASURES[key].words, *_cells(one, MEASURES[key].digits)) for key, one in found.items()]
    title = f"Diversity at {min(counts)} pairs each"
    header = ("measure", f"A: {names[0]}", f"B: {names[1]}", "B - A", "excludes 0")
    tables = [Table(title, header, tuple(rows), notes=(*NOTES, *([MATCHED] if differ else [])))]
    if differ:
        whole = [
            (MEASURES[key].words, *(number(value, MEASURES[key].digits) for value in (one.a_whole, one.b_whole)))
            for key, one in found.items()
        ]
        own = ("measure", *(f"{which}: {count} pairs" for which, count in zip("AB", counts, strict=True)))
        note = "Not comparable: entropies, types and nearest neighbours depend on the number of pairs."
        tables.append(Table("Each set at its own size", own, tuple(whole), notes=(note,)))
    return tables


def write_comparison(
    folder: Path, info: BenchmarkInfo, tables: list[Table], found: Mapping[str, Compared]
) -> tuple[Path, Path]:
    """Write table.md and, last, table.json.

    Args:
        folder: is made when it is missing.
        info: what was measured.
        tables: for people.
        found: for programs.

    Raises:
        OutputError: the folder cannot be written.
    """
    with written_whole(folder / MARKDOWN) as temporary:
        temporary.write_text(document(info, tables), encoding="utf-8", newline="")
    with written_whole(folder / JSON) as temporary:
        temporary.write_text(json_of(as_json(info, found), indent=1), encoding="utf-8", newline="")
    return folder / MARKDOWN, folder / JSON


def as_json(info: BenchmarkInfo, found: Mapping[str, Compared]) -> dict[str, object]:
    """table.json as plain values."""
    return {
        "schema_version": SCHEMA_VERSION,
        **asdict(info),
        "measures": {key: asdict(one) for key, one in found.items()},
    }


def _cells(one: Compared, digits: int) -> tuple[str, str, str, str]:
    if not math.isfinite(one.difference_interval.low):
        numbers = (number(one.a, digits), number(one.b, digits), number(one.difference, digits, sign=True))
        return *numbers, NONE
    sides = [with_interval(value, interval, digits) for value, interval in _sides(one)]
    ends = [number(end, digits, sign=True) for end in vars(one.difference_interval).values()]
    differs = "yes" if excludes(one.difference_interval, 0.0) else "no"
    return sides[0], sides[1], f"{number(one.difference, digits, sign=True)} [{ends[0]}, {ends[1]}]", differs


def _sides(one: Compared) -> tuple[tuple[float, Interval], tuple[float, Interval]]:
    return (one.a, one.a_interval), (one.b, one.b_interval)
