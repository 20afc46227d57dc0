"""Runs `apu eval verdict`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from apu.cli.evaluate_pairs import AskedPairs, benchmark_info, measured, names_in, tell_lost
from apu.cli.request import printable
from apu.evaluate.batches import default_body, versions_of
from apu.evaluate.findings import find
from apu.evaluate.report import PLOT, BenchmarkInfo, write_report
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.tables import Table
from apu.evaluate.verdict_benchmark import CLUE, Verdict, check_answers
from apu.evaluate.verdict_findings import VerdictFinding, find_verdict
from apu.evaluate.verdict_plot import draw_verdict
from apu.evaluate.verdict_tables import verdict_tables
from apu.prior.named import folder_of
from apu.prior.shipped import Shipped
from apu.unite.confidence import shipped


def run(asked: AskedPairs, answers: str, prior: Path | Shipped | None) -> None:
    """Measure, print, and write the results.

    Args:
        asked: which pairs.
        answers: factors of noise and controls, parted by commas.
        prior: that guides the fits.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    folder = None if prior is None else folder_of(prior, default_body())
    question = Verdict(check_answers(names_in(answers)), folder)
    pairs, rows = measured(asked, question, "fitting and judging")
    accurate_mm = shipped().accurate_mm
    found = find_verdict(rows, accurate_mm)
    words = ["apu", "eval", "verdict", *map(str, asked.data), "--pairs", str(asked.pairs), *asked.words()]
    words += ["--answers", ",".join(question.answers), "--prior", str(prior or "none")]
    info = benchmark_info(
        "Verdict on synthetic pairs", shlex.join(words), asked, pairs, versions_of(question),
        observation_noise="default, errors of answers times the factors",
    )  # fmt: skip
    tables = verdict_tables(found, accurate_mm)
    click.echo(printable("\n".join(info.lines())))
    for table in tables:
        click.echo()
        click.echo(printable(table.text()))
    tell_lost(rows)
    if asked.out is not None:
        _write(asked.out, info, tables, found, rows)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def _write(
    out: Path, info: BenchmarkInfo, tables: Sequence[Table], found: Sequence[VerdictFinding],
    rows: Sequence[BenchmarkRow],
) -> None:  # fmt: skip
    """All files; table.json has the curves, too."""
    draw_verdict(out / PLOT, info, found)
    metrics = find([BenchmarkRow(**{**vars(row), "values": _without_clues(row)}) for row in rows], ())
    write_report(out, info, tables, metrics, rows, {"verdict": [_plain(one) for one in found]})


def _plain(one: VerdictFinding) -> dict[str, Any]:
    curve = {"coverage": one.curve.coverage.tolist(), "risk": one.curve.risk.tolist(), "area": one.curve.area}
    return {**asdict(one), "curve": curve}


def _without_clues(row: BenchmarkRow) -> dict[str, float]:
    return {name: value for name, value in row.values.items() if not name.startswith(CLUE)}
