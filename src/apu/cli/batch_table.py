"""The table at the end of several photos: one row for each, read back from the files that were written."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from apu.cli.output import FAILURE, RUN
from apu.cli.request import printable
from apu.cli.resume import read_record

TOUCHING_M = 0.02
"""As in `apu.cli.summary`, which loads torch; a test compares the two."""

COLUMNS = ("photo", "result", "people", "pairs", "accepted", "contacts within 2 cm", "penetration", "seconds")
STYLES = {"done": "green", "kept": "cyan", "partly": "yellow", "failed": "red"}


@dataclass(frozen=True)
class Row:
    """One photo.

    Attributes:
        cells: in the order of `COLUMNS`; the second is `done`, `kept` (from an earlier run), `partly` (a pair failed)
            or `failed`.
        note: why it, or a pair of it, failed; else empty.
    """

    cells: tuple[str, ...]
    note: str = ""


def row_of(name: str, folder: Path, *, kept: bool) -> Row:
    """The row of a photo whose folder holds `run.json` or `failure.json`."""
    name = printable(name)
    failure = read_record(folder / FAILURE)
    if failure is not None:
        return Row((name, "failed", *[""] * 6), printable(failure.get("what", "")))
    run = read_record(folder / RUN) or {}
    pairs = [pair for pair in _list(run.get("pairs")) if isinstance(pair, dict)]
    fits = [pair["fit"] for pair in pairs if isinstance(pair.get("fit"), dict)]
    failures = [failure for failure in _list(run.get("failures")) if isinstance(failure, dict)]
    notes = [f"pair {_pair(f.get('pair'))}: {str(f.get('reason', '')).splitlines()[0]}" for f in failures]
    notes += [str(note) for note in _list(run.get("notes"))]
    cells = (
        name,
        "partly" if failures else "kept" if kept else "done",
        _text(_inside(run, "people_found").get("count")),
        f"{len(pairs)} of {len(pairs) + len(failures)}" if failures else str(len(pairs)),
        _accepted(fits),
        _contacts(fits),
        _penetration(fits),
        _text(run.get("seconds"), "{:.1f}"),
    )
    return Row(cells, printable("; ".join(notes)))


def print_table(rows: Sequence[Row]) -> None:
    """Print it on stdout: with colours on a terminal, as plain columns anywhere else."""
    if not sys.stdout.isatty():
        click.echo(plain_table(rows))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        style = STYLES.get(row.cells[1], "")
        table.add_row(*(Text(cell, style=style if column == 1 else "") for column, cell in enumerate(row.cells)))
    console = Console()
    console.print(table)
    for row in rows:
        if row.note:
            console.print(Text(f"{row.cells[0]}: {row.note}", style="red"))


def plain_table(rows: Sequence[Row]) -> str:
    """Columns of text; why something failed stands below its row."""
    lines = [COLUMNS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = [_columns(COLUMNS, widths)]
    for row in rows:
        text += [_columns(row.cells, widths)] + ([f"    {row.note}"] if row.note else [])
    return "\n".join(text)


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _accepted(fits: Sequence[dict[str, Any]]) -> str:
    verdicts = [verdict for fit in fits if isinstance(verdict := _inside(fit, "verdict").get("accepted"), bool)]
    return f"{sum(verdicts)} of {len(verdicts)}" if verdicts else ""


def _contacts(fits: Sequence[dict[str, Any]]) -> str:
    distances = [
        distance
        for fit in fits
        for contact in _list(fit.get("contacts"))
        if isinstance(contact, dict) and (distance := _inside(contact, "distance_m"))
    ]
    before, after = (sum(_is_met(distance.get(when)) for distance in distances) for when in ("before", "after"))
    return f"{before} -> {after} of {len(distances)}"


def _penetration(fits: Sequence[dict[str, Any]]) -> str:
    depths = [depth for fit in fits if isinstance(depth := fit.get("penetration_max_m"), int | float)]
    return f"{100 * max(depths):.1f} cm" if depths else ""


def _is_met(metres: object) -> bool:
    return isinstance(metres, int | float) and metres <= TOUCHING_M


def _pair(value: object) -> str:
    return ",".join(map(str, _list(value)))


def _inside(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object, form: str = "{}") -> str:
    return form.format(value) if isinstance(value, int | float) else ""
