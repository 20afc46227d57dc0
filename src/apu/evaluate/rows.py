"""What a benchmark measured: one row for each observation of a pair and method, as plain numbers that JSON can hold."""

import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apu.cache import written_whole
from apu.errors import InputError
from apu.evaluate.accumulate import Accumulator
from apu.evaluate.recovery import Lost
from apu.scene.true_pair import TruePair


@dataclass(frozen=True)
class BenchmarkRow:
    """One method on one observation of one pair.

    Attributes:
        pair: its id.
        interaction: its class; empty where nobody knows.
        group: what else it belongs to, e.g. `test-unseen`.
        seed: of the observation.
        method: who made the bodies.
        values: metric -> value, in the unit that its name says; NaN where it is undefined. Empty when lost.
        lost: why nothing came out; empty when something did.
        seconds: wall time; no part of what is reproducible.
    """

    pair: str
    interaction: str
    group: str
    seed: int
    method: str
    values: Mapping[str, float]
    lost: str = ""
    seconds: float = math.nan


def lost_row(pair: TruePair, seed: int, method: str, lost: Lost) -> BenchmarkRow:
    """The row of an observation of which nothing came out."""
    return BenchmarkRow(pair.id, pair.interaction, pair.group, seed, method, {}, lost=lost.reason)


def write_rows(path: Path, rows: Sequence[BenchmarkRow]) -> None:
    """Write rows as JSON, whole or not at all; a number that is not finite becomes null.

    Raises:
        OutputError: the folder cannot be written.
    """
    with written_whole(path) as temporary:
        temporary.write_text(json_of([vars(row) for row in rows]), encoding="utf-8")


def read_rows(path: Path) -> tuple[BenchmarkRow, ...]:
    """Read what `write_rows` wrote.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return tuple(_row(entry) for entry in json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "A file of benchmark rows cannot be read.",
            where=path,
            expected="rows that apu has written",
            got=" ".join(str(error).split())[:200],
            remedy="delete it; it is computed again.",
        ) from error


def json_of(value: object, indent: int | None = None) -> str:
    """A value as strict JSON with a newline: null for numbers that are not finite."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False) + "\n"


def accumulated(
    rows: Iterable[BenchmarkRow], group: Callable[[BenchmarkRow], str] = lambda row: row.interaction
) -> dict[str, Accumulator]:
    """Method -> its rows, in the order in which methods come up.

    Args:
        rows: of one benchmark.
        group: what the accumulators call a row's group.

    Raises:
        InputError: an observation comes twice for one method.
    """
    out: dict[str, Accumulator] = {}
    for row in rows:
        mine = out.setdefault(row.method, Accumulator())
        if row.lost:
            mine.add_lost(row.pair, seed=row.seed, group=group(row))
        else:
            mine.add(row.pair, row.values, seed=row.seed, group=group(row))
    return out


def mean_seconds(rows: Iterable[BenchmarkRow]) -> dict[str, float]:
    """Method -> mean wall time for each observation that was not lost; NaN where all were."""
    return {method: sum(all_) / len(all_) if all_ else math.nan for method, all_ in _times(rows).items()}


def median_seconds(rows: Iterable[BenchmarkRow]) -> dict[str, float]:
    """Method -> median wall time for each observation that was not lost; NaN where all were."""
    return {method: statistics.median(all_) if all_ else math.nan for method, all_ in _times(rows).items()}


def _times(rows: Iterable[BenchmarkRow]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    for row in rows:
        times.setdefault(row.method, []).extend([row.seconds] if math.isfinite(row.seconds) else [])
    return times


def _row(entry: Mapping[str, Any]) -> BenchmarkRow:
    values = {str(name): math.nan if value is None else float(value) for name, value in entry["values"].items()}
    seconds = math.nan if entry["seconds"] is None else float(entry["seconds"])
    text = {name: str(entry[name]) for name in ("pair", "interaction", "group", "method", "lost")}
    return BenchmarkRow(**text, seed=int(entry["seed"]), values=values, seconds=seconds)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(entry) for name, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value
