"""The files of a benchmark: table.md for people, table.json and table.csv for programs, timing.json beside them.

The same measurements give the same bytes, on whatever machine and however often the run was interrupted; all but
timing.json, which holds wall times.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apu.cache import written_whole
from apu.evaluate.findings import Findings
from apu.evaluate.rows import BenchmarkRow, json_of, mean_seconds, median_seconds
from apu.evaluate.tables import Table, number

MARKDOWN, JSON, CSV, TIMING, PLOT = "table.md", "table.json", "table.csv", "timing.json", "plot.png"
FILES = (MARKDOWN, JSON, CSV, TIMING, PLOT)
SCHEMA_VERSION = 1
"""Of table.json; rises when a field changes its meaning."""
MOST_LOST = 20
"""Reasons of lost observations in table.md; table.json has all."""

_CSV_HEAD = ("pair", "class", "group", "seed", "method", "lost")


@dataclass(frozen=True)
class BenchmarkInfo:
    """What a reader has to know of a benchmark beside its numbers.

    Attributes:
        title: says what the data are, e.g. that they are synthetic.
        command: what gives these numbers again.
        facts: name -> what was measured; words and numbers that JSON can hold.
        versions: name -> version of all that the numbers depend on.
        notes: what the numbers do not say.
    """

    title: str
    command: str
    facts: Mapping[str, Any]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For a terminal, without the versions of other packages."""
        facts = [f"{name.replace('_', ' ')}: {_words(value)}" for name, value in self.facts.items()]
        ours = ", ".join(
            f"{n} {v}" for n, v in self.versions.items() if n in ("apu", "sources", "metrics", "body_model")
        )
        return [self.title, *facts, f"versions: {ours}", f"command: {self.command}"]


def write_report(
    folder: Path, info: BenchmarkInfo, tables: Sequence[Table], findings: Findings, rows: Sequence[BenchmarkRow],
    more: Mapping[str, Any] | None = None,
) -> list[Path]:  # fmt: skip
    """Write everything but the plot; table.json comes last.

    Args:
        folder: is made when it is missing.
        info: what was measured.
        tables: of table.md.
        findings: of table.json.
        rows: of table.csv.
        more: further fields of table.json; plain values.

    Raises:
        OutputError: the folder cannot be written.
    """
    texts = {
        MARKDOWN: markdown(info, tables, findings),
        CSV: csv_of(rows),
        TIMING: json_of(timing(rows), indent=1),
        JSON: json_of({**machine_readable(info, findings), **(more or {})}, indent=1),
    }
    for name, text in texts.items():
        with written_whole(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    return [folder / name for name in texts]


def markdown(info: BenchmarkInfo, tables: Sequence[Table], findings: Findings) -> str:
    """table.md as text."""
    closing = [*_lost_part(findings.lost), "Wall times are in timing.json: they are not reproducible."]
    return document(info, tables, closing)


def document(info: BenchmarkInfo, tables: Sequence[Table], closing: Sequence[str] = ()) -> str:
    """What was measured, and its tables, as Markdown.

    Args:
        info: of the head.
        tables: in their order.
        closing: paragraphs at the end.
    """
    facts = "\n".join(f"- {name.replace('_', ' ')}: {_words(value)}" for name, value in info.facts.items())
    versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
    parts = [
        f"# {info.title}",
        f"{facts}\n- versions: {versions}",
        f"```\n{info.command}\n```",
        *info.notes,
        *(table.markdown() for table in tables),
        *closing,
    ]
    return "\n\n".join(parts) + "\n"


def machine_readable(info: BenchmarkInfo, findings: Findings) -> dict[str, Any]:
    """table.json as plain values: all that is known of the benchmark but its single rows and its wall times."""
    lost = [{"pair": row.pair, "seed": row.seed, "method": row.method, "reason": row.lost} for row in findings.lost]
    return {"schema_version": SCHEMA_VERSION, **asdict(info), **asdict(findings), "lost": lost}


def csv_of(rows: Sequence[BenchmarkRow]) -> str:
    """table.csv as text: one line for each row, empty where a value is undefined or the row was lost."""
    metrics = sorted({name for row in rows for name in row.values})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_CSV_HEAD, *metrics))
    for row in rows:
        values = (row.values.get(name) for name in metrics)
        cells = ("" if value is None or value != value else repr(value) for value in values)
        writer.writerow((row.pair, row.interaction, row.group, row.seed, row.method, row.lost, *cells))
    return text.getvalue()


def timing(rows: Sequence[BenchmarkRow]) -> dict[str, Any]:
    """timing.json: mean and median seconds of each method, and those of every row."""
    return {
        "note": "wall times; not reproducible, and not comparable between machines",
        "mean_seconds_per_pair": mean_seconds(rows),
        "median_seconds_per_pair": median_seconds(rows),
        "rows": [{"pair": r.pair, "seed": r.seed, "method": r.method, "seconds": r.seconds} for r in rows],
    }


def _lost_part(lost: Sequence[BenchmarkRow]) -> list[str]:
    if not lost:
        return ["No observation was lost."]
    lines = [f"- {row.pair}, seed {row.seed}, {row.method}: {row.lost}" for row in lost[:MOST_LOST]]
    rest = [f"- and {len(lost) - MOST_LOST} more"] if len(lost) > MOST_LOST else []
    return [f"## Lost: {len(lost)} rows without a result", "\n".join([*lines, *rest])]


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(entry) for entry in value)
    return number(value, 3) if isinstance(value, float) else str(value)
