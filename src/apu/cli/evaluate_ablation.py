"""Runs `apu eval ablation`. Loads torch: import it inside the command only."""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
import torch

from apu.cache import cache_dir
from apu.cli import evaluate_synthetic
from apu.cli.evaluate_folder import WORK, prepare_out
from apu.cli.evaluate_synthetic import benchmark_info, chosen_pairs, interruptible, made_folder, making_of
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.dataset.engine import LocalEngine, SerialEngine
from apu.errors import InputError
from apu.evaluate.ablation import Ablation, ablation_versions, run_ablation
from apu.evaluate.ablation_table import ablation_table, variant_table
from apu.evaluate.ablation_variants import ANSWERS, FULL, Answers, Variant, chosen_variants, method_name
from apu.evaluate.findings import find
from apu.evaluate.report import BenchmarkInfo, write_report
from apu.evaluate.synthetic_tables import part_tables
from apu.scene.true_pair import Split, TruePair


@dataclass(frozen=True)
class Asked:
    """The options of the command; see its help.

    Attributes:
        data: data sets; none: one is made by `split`, `seed`, `mocap`, `classes` and `pairs`.
        pairs: at most, of all of them.
        classes, variants: names parted by commas; None for all.
        observation_seeds: of the observations.
        answers: `contacts`, `oracle` or `both`.
        out: folder of the results; None: only print, and keep the work in the cache.
    """

    data: tuple[Path, ...]
    pairs: int
    split: Split
    seed: int
    mocap: Path | None
    classes: str | None
    observation_seeds: tuple[int, ...]
    variants: str | None
    answers: str
    jobs: int
    out: Path | None
    overwrite: bool = False
    resume: bool = False

    def command(self) -> str:
        """The command line that gives the same tables."""
        words = ["apu", "eval", "ablation", *map(str, self.data), "--pairs", str(self.pairs)]
        if not self.data:
            words += ["--split", self.split, "--seed", str(self.seed)]
            words += [] if self.mocap is None else ["--mocap", str(self.mocap)]
        words += [] if self.classes is None else ["--classes", self.classes]
        words += ["--observation-seeds", ",".join(map(str, self.observation_seeds))]
        words += [] if self.variants is None else ["--variants", self.variants]
        return shlex.join([*words, "--answers", self.answers])

    def chosen_variants(self) -> dict[str, Variant]:
        """Raises InputError for an unknown one."""
        if self.variants is None:
            return chosen_variants(None)
        return chosen_variants([name.strip() for name in self.variants.split(",") if name.strip()])

    def chosen_answers(self) -> tuple[Answers, ...]:
        """One kind or both."""
        return tuple(one for one in ANSWERS if self.answers in (one, "both"))

    def of_pairs(self) -> evaluate_synthetic.Asked:
        """The part of the options that says which pairs there are."""
        return evaluate_synthetic.Asked(
            data=None, pairs=self.pairs, split=self.split, seed=self.seed, mocap=self.mocap, classes=self.classes,
            observation_seeds=self.observation_seeds, methods=None, jobs=self.jobs, per_class=False, out=self.out,
        )  # fmt: skip


def run(asked: Asked) -> None:
    """Measure, print, and write the results.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    variants, answers = asked.chosen_variants(), asked.chosen_answers()
    making = None if asked.data else making_of(asked.of_pairs())
    pairs = given_pairs(asked.data, asked.of_pairs())
    if asked.out is not None:
        prepare_out(asked.out, overwrite=asked.overwrite, resume=asked.resume)
    engine = SerialEngine() if asked.jobs == 1 else LocalEngine(asked.jobs)
    with interruptible():
        if making is not None:
            pairs = given_pairs((made_folder(making, asked.out, engine),), asked.of_pairs())
        ablation = Ablation(tuple(pairs), asked.observation_seeds, variants, answers)
        work = asked.out / WORK if asked.out is not None else cache_dir() / "eval"
        with shown_progress() as progress:
            rows = run_ablation(
                ablation, work, engine, watch=lambda done, total: progress("fitting and measuring", done / total)
            )
    found = find(rows, [method_name(FULL, one) for one in answers])
    known = benchmark_info(asked.command(), pairs, asked.observation_seeds)
    versions = {**ablation_versions(), "body_model": pairs[0].body_model}
    info = BenchmarkInfo("Ablation on synthetic pairs", known.command, known.facts, versions, known.notes)
    table = ablation_table(found, variants, answers)
    click.echo(printable("\n".join(info.lines())))
    click.echo()
    click.echo(printable(table.text()))
    if found.lost:
        click.echo(f"{len(found.lost)} of {len(rows)} observations were lost, the first one: {found.lost[0].lost}")
    if asked.out is not None:
        tables = [table, variant_table(variants), *part_tables(found, compact=False, classes=False)]
        write_report(asked.out, info, tables, found, rows)
        click.echo(f"Tables in {printable(asked.out)}/")


def given_pairs(folders: tuple[Path, ...], asked: evaluate_synthetic.Asked) -> list[TruePair]:
    """The first pairs of the data sets, one after another.

    Raises:
        InputError: a data set is wrong, or two of them have a pair in common.
    """
    pairs = [pair for folder in folders for pair in chosen_pairs(folder, asked)][: asked.pairs]
    twice = [id for id, count in Counter(pair.id for pair in pairs).items() if count > 1]
    if twice:
        raise InputError(
            "A pair is in two data sets.",
            where="DATA",
            expected="data sets of different seeds or splits",
            got=f"{twice[0]} twice",
            remedy="name each data set once.",
        )
    return pairs
