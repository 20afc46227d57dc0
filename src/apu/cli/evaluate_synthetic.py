"""Runs `apu eval synthetic`. Loads torch: import it inside the command only."""

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
import torch

from apu.cache import cache_dir
from apu.cli.evaluate_folder import DATA, WORK, prepare_out
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.cli.synth_progress import shown_synthesis
from apu.cli.synth_run import asked_for
from apu.dataset import synthesis
from apu.dataset.engine import Engine, LocalEngine, SerialEngine
from apu.dataset.folder import check_same, prepare
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.synthesis import Synthesis
from apu.errors import InputError
from apu.evaluate.findings import Findings, find
from apu.evaluate.methods import METHODS, Method, baselines, check_methods
from apu.evaluate.plots import draw_benchmark
from apu.evaluate.report import PLOT, BenchmarkInfo, write_report
from apu.evaluate.rows import BenchmarkRow, mean_seconds
from apu.evaluate.synthetic_benchmark import SyntheticBenchmark, benchmark_versions, run_benchmark
from apu.evaluate.synthetic_tables import (
    comparison_tables,
    decomposition_table,
    main_tables,
    method_table,
    part_tables,
)
from apu.scene.true_pair import Split, TruePair

NOTES = (
    "All of this is measured on synthetic pairs, with simulated keypoints, initial estimates and contact answers; it "
    "says nothing of photos by itself.",
)


@dataclass(frozen=True)
class Asked:
    """The options of the command; see its help.

    Attributes:
        data: the data set; None: one is made by `split`, `seed`, `mocap`, `classes` and `pairs`.
        pairs: at most.
        classes: names parted by commas; None for all.
        observation_seeds: of the observations.
        methods: names parted by commas; None for the usual ones.
        per_class: whether the table of classes is printed.
        out: folder of the results; None: only print, and keep the work in the cache.
    """

    data: Path | None
    pairs: int
    split: Split
    seed: int
    mocap: Path | None
    classes: str | None
    observation_seeds: tuple[int, ...]
    methods: str | None
    jobs: int
    per_class: bool
    out: Path | None
    overwrite: bool = False
    resume: bool = False

    def command(self) -> str:
        """The command line that gives the same tables: without what does not show in them."""
        words = ["apu", "eval", "synthetic", "--pairs", str(self.pairs)]
        if self.data is not None:
            words += ["--data", str(self.data)]
        else:
            words += ["--split", self.split, "--seed", str(self.seed)]
            words += [] if self.mocap is None else ["--mocap", str(self.mocap)]
        words += [] if self.classes is None else ["--classes", self.classes]
        words += ["--observation-seeds", ",".join(map(str, self.observation_seeds))]
        return shlex.join([*words, "--methods", ",".join(self.chosen_methods())])

    def chosen_methods(self) -> tuple[Method, ...]:
        """Raises InputError for an unknown one."""
        if self.methods is None:
            return METHODS
        return check_methods([name.strip() for name in self.methods.split(",") if name.strip()])


def run(asked: Asked) -> None:
    """Measure, print, and write the results.

    Raises:
        InputError: an option or the data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    methods = asked.chosen_methods()
    making = None if asked.data is not None else making_of(asked)
    pairs = [] if asked.data is None else chosen_pairs(asked.data, asked)
    if asked.out is not None:
        prepare_out(asked.out, overwrite=asked.overwrite, resume=asked.resume)
    engine = SerialEngine() if asked.jobs == 1 else LocalEngine(asked.jobs)
    with interruptible():
        if making is not None:
            pairs = chosen_pairs(made_folder(making, asked.out, engine), asked)
        benchmark = SyntheticBenchmark(tuple(pairs), asked.observation_seeds, methods)
        work = asked.out / WORK if asked.out is not None else cache_dir() / "eval"
        with shown_progress() as progress:
            rows = run_benchmark(
                benchmark, work, engine, watch=lambda done, total: progress("fitting and measuring", done / total)
            )
    found = find(rows, baselines(methods))
    info = benchmark_info(asked.command(), pairs, asked.observation_seeds)
    _print(info, found, rows, asked.per_class)
    if asked.out is not None:
        _write(asked.out, info, found, rows)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def benchmark_info(command: str, pairs: Sequence[TruePair], observation_seeds: Sequence[int]) -> BenchmarkInfo:
    """What a reader has to know beside the numbers."""
    base = Counter(one.partition(":")[0] for pair in pairs for one in pair.base)
    facts = {
        "data": "synthetic",
        "pairs": len(pairs),
        "classes": dict(sorted(Counter(pair.interaction for pair in pairs).items())),
        "split": sorted({pair.split for pair in pairs}),
        "base_poses": dict(sorted(base.items())),
        "generator_seed": sorted({pair.seed for pair in pairs}),
        "observation_seeds": list(observation_seeds),
        "observation_noise": "default",
    }
    versions = {**benchmark_versions(), "body_model": pairs[0].body_model}
    return BenchmarkInfo("Benchmark on synthetic pairs", command, facts, versions, NOTES)


def making_of(asked: Asked) -> Synthesis:
    """How the test set is made that the options describe."""
    return asked_for(asked.split, asked.pairs, asked.seed, asked.classes, asked.mocap)


def made_folder(making: Synthesis, out: Path | None, engine: Engine) -> Path:
    """The folder of the test set, which is made now unless it is there."""
    name = json.dumps([making.settings(), dict(making.versions)], sort_keys=True)
    cached = cache_dir() / "synthetic" / hashlib.sha256(name.encode()).hexdigest()[:16]
    folder = out / DATA if out is not None else cached
    if prepare(folder, overwrite=False, resume=True) == "finished":
        check_same(folder, making.settings(), dict(making.versions))
        return folder
    with shown_synthesis(sum(making.quotas.values())) as shown:
        synthesis.synthesise(folder, making, engine, synthesis.make_chunk, shown)
    return folder


def chosen_pairs(folder: Path, asked: Asked) -> list[TruePair]:
    """The first pairs of a data set, of the classes that are asked for."""
    store = PairStore(folder)
    body_of(store.info.body_model)
    classes = None if asked.classes is None else {n.strip() for n in asked.classes.split(",") if n.strip()}
    there = set(store.info.classes) or {row["interaction"] for row in store.rows(["interaction"])}
    if classes is not None and (not classes or classes - there):
        raise InputError(
            "A class is not in the data set." if classes else "No class is named.",
            where="--classes",
            expected=", ".join(sorted(there)),
            got=", ".join(sorted(map(repr, classes - there))) or "nothing",
            remedy="check the spelling, or leave --classes out.",
        )
    wanted = (record for record in store.records() if classes is None or record.interaction in classes)
    pairs = [record.to_true_pair() for record in islice(wanted, asked.pairs)]
    if not pairs:
        raise InputError("The data set has no pairs.", where=folder, expected="at least one", got="none")
    return pairs


@contextmanager
def interruptible() -> Iterator[None]:
    """Says how to go on when the work in it is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Interrupted. What is done is kept. To go on: the same command, with --resume where there is --out."
        ) from None


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
    if found.lost:
        click.echo(f"{len(found.lost)} of {len(rows)} observations were lost, the first one: {found.lost[0].lost}")


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
