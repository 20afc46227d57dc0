"""The table at the end of `apu ask`: one row for each pair."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from apu.cli.ask_files import AskedPair, AskedPhoto
from apu.cli.request import printable

COLUMNS = ("photo", "pair", "answer", "cost", "contacts")
LONGEST = 100
"""Letters of the last column."""


def print_answers(photos: Sequence[AskedPhoto], failures: Mapping[str, str], out: Path, asked_now: int | None) -> None:
    """Print the table on stdout, and where the files are.

    Args:
        photos: in order.
        failures: photo -> what went wrong.
        out: the folder of the files.
        asked_now: questions that were sent; None where that is not to be told.
    """
    rows = [COLUMNS, *(_row(photo.name, pair) for photo in photos for pair in photo.pairs)]
    rows += [(name, "", "failed", "", "") for name in failures]
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"\nFiles in {printable(out)}/: NAME_contacts.json for `apu fit --contacts`, NAME_answers.json")
    if asked_now is not None:
        click.echo(f"Asked now: {asked_now}; from the store: {_answers(photos) - asked_now}.")


def _row(name: str, pair: AskedPair) -> tuple[str, ...]:
    return (name, f"{pair.people[0]},{pair.people[1]}", _status(pair), _cost(pair), _contacts(pair))


def _status(pair: AskedPair) -> str:
    counts = Counter(one.record.status for one in pair.answers)
    if len(pair.answers) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {status}" for status, number in counts.most_common())


def _cost(pair: AskedPair) -> str:
    costs = [one.record.cost_usd for one in pair.answers if one.record.attempts]
    known = [cost for cost in costs if cost is not None]
    return f"${sum(known):.4f}" if known else "unknown" if costs else ""


def _contacts(pair: AskedPair) -> str:
    found = pair.annotation.contacts
    if found is None:
        return pair.annotation.note.partition("because ")[2][:LONGEST]
    names = "; ".join(contact.name for contact in found.contacts) or "no contact"
    return names if len(names) <= LONGEST else f"{names[: LONGEST - 4]} ..."


def _answers(photos: Sequence[AskedPhoto]) -> int:
    return sum(len(pair.answers) for photo in photos for pair in photo.pairs)
