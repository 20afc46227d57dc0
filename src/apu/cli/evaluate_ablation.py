"""Runs `apu eval ablation`. Loads torch: import it inside the command only."""

import shlex

import click

from apu.cli.evaluate_pairs import AskedPairs, benchmark_info, measured, names_in, tell_lost
from apu.cli.request import printable
from apu.evaluate.ablation import Ablation
from apu.evaluate.ablation_table import ablation_table, variant_table
from apu.evaluate.ablation_variants import ANSWERS, FULL, chosen_variants, method_name
from apu.evaluate.batches import versions_of
from apu.evaluate.findings import find
from apu.evaluate.report import write_report
from apu.evaluate.synthetic_tables import part_tables


def run(asked: AskedPairs, variants: str | None, answers: str) -> None:
    """Measure, print, and write the results.

    Args:
        asked: which pairs.
        variants: names parted by commas; None for all.
        answers: `contacts`, `oracle` or `both`.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    chosen = chosen_variants(None if variants is None else names_in(variants))
    question = Ablation(chosen, tuple(one for one in ANSWERS if answers in (one, "both")))
    pairs, rows = measured(asked, question, "fitting and measuring")
    found = find(rows, [method_name(FULL, one) for one in question.answers])
    words = ["apu", "eval", "ablation", *map(str, asked.data), "--pairs", str(asked.pairs), *asked.words()]
    words += [] if variants is None else ["--variants", variants]
    command = shlex.join([*words, "--answers", answers])
    info = benchmark_info("Ablation on synthetic pairs", command, asked, pairs, versions_of(question))
    table = ablation_table(found, chosen, question.answers)
    click.echo(printable("\n".join(info.lines())))
    click.echo()
    click.echo(printable(table.text()))
    tell_lost(rows)
    if asked.out is not None:
        tables = [table, variant_table(chosen), *part_tables(found, compact=False, classes=False)]
        write_report(asked.out, info, tables, found, rows)
        click.echo(f"Tables in {printable(asked.out)}/")
