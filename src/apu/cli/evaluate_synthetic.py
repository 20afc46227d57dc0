"""Runs `apu eval synthetic`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from apu.cli.evaluate_pairs import AskedPairs, benchmark_info, measured, names_in, tell_lost
from apu.cli.request import printable
from apu.evaluate.batches import versions_of
from apu.evaluate.findings import Findings, find
from apu.evaluate.methods import METHODS, baselines, check_methods
from apu.evaluate.plots import draw_benchmark
from apu.evaluate.report import PLOT, BenchmarkInfo, write_report
from apu.evaluate.rows import BenchmarkRow, mean_seconds
from apu.evaluate.synthetic_benchmark import Methods
from apu.evaluate.synthetic_tables import (
    comparison_tables,
    decomposition_table,
    main_tables,
    method_table,
    part_tables,
)


def run(asked: AskedPairs, methods: str | None, *, per_class: bool) -> None:
    """Measure, print, and write the results.

    Args:
        asked: which pairs.
        methods: names parted by commas; None for the usual ones.
        per_class: whether the table of classes is printed.

    Raises:
        InputError: an option or the data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    question = Methods(METHODS if methods is None else check_methods(names_in(methods)))
    pairs, rows = measured(asked, question, "fitting and measuring")
    found = find(rows, baselines(question.methods))
    words = ["apu", "eval", "synthetic", "--pairs", str(asked.pairs)]
    words += [word for folder in asked.data for word in ("--data", str(folder))]
    command = shlex.join([*words, *asked.words(), "--methods", ",".join(question.methods)])
    info = benchmark_info("Benchmark on synthetic pairs", command, asked, pairs, versions_of(question))
    _print(info, found, rows, per_class)
    if asked.out is not None:
        _write(asked.out, info, found, rows)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def _print(info: BenchmarkInfo, found: Findings, rows: Sequence[BenchmarkRow], per_class: bool) -> None:
    tables = [
        *main_tables(found, mean_seconds(rows), compact=True),
        *part_tables(found, compact=True, classes=per_class),
        *comparison_tables(found),
        decomposition_table(found, compact=True),
    ]
    for text in ("\n".join(info.lines()), *(table.text() for table in tables)):
        click.echo(printable(text))
        click.echo()
    tell_lost(rows)


def _write(out: Path, info: BenchmarkInfo, found: Findings, rows: Sequence[BenchmarkRow]) -> None:
    tables = [
        method_table(found.methods),
        *main_tables(found, compact=False),
        *part_tables(found, compact=False, classes=True),
        *comparison_tables(found),
        decomposition_table(found, compact=False),
    ]
    draw_benchmark(out / PLOT, info, found, rows)
    write_report(out, info, tables, found, rows)
