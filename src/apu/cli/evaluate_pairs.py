"""What the commands share that measure something on synthetic pairs. Loads torch: import it inside a command only."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click
import torch

from apu.cache import cache_dir
from apu.cli.evaluate_folder import DATA, WORK, prepare_out
from apu.cli.progress import shown_progress
from apu.cli.synth_progress import shown_synthesis
from apu.cli.synth_run import asked_for
from apu.dataset import synthesis
from apu.dataset.engine import Engine, LocalEngine, SerialEngine
from apu.dataset.folder import check_same, prepare
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.synthesis import Synthesis
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.errors import InputError
from apu.evaluate.batches import Benchmark, Question, run_benchmark
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.rows import BenchmarkRow
from apu.scene.true_pair import Split, TruePair

NOTES = (
    "All of this is measured on synthetic pairs, with simulated keypoints, initial estimates and contact answers; it "
    "says nothing of photos by itself.",
)


@dataclass(frozen=True)
class AskedPairs:
    """The options that all of the commands have; see their help.

    Attributes:
        data: data sets; none: one is made by `split`, `seed`, `mocap`, `classes` and `pairs`.
        pairs: at most, of all of them.
        classes: names parted by commas; None for all.
        observation_seeds: of the observations.
        jobs: processes.
        out: folder of the results; None: only print, and keep the work in the cache.
    """

    data: tuple[Path, ...]
    pairs: int
    split: Split
    seed: int
    mocap: Path | None
    classes: str | None
    observation_seeds: tuple[int, ...]
    jobs: int
    out: Path | None
    overwrite: bool = False
    resume: bool = False

    def words(self) -> list[str]:
        """Words of the command line that say which pairs there are, and how they are seen; all but the data sets."""
        words = [] if self.data else ["--split", self.split, "--seed", str(self.seed)]
        words += [] if self.data or self.mocap is None else ["--mocap", str(self.mocap)]
        words += [] if self.classes is None else ["--classes", self.classes]
        return [*words, "--observation-seeds", ",".join(map(str, self.observation_seeds))]

    def engine(self) -> Engine:
        """Who does the work."""
        return SerialEngine() if self.jobs == 1 else LocalEngine(self.jobs)


def measured(
    asked: AskedPairs, question: Question, doing: str, settings: ObservationSettings | None = None
) -> tuple[list[TruePair], list[BenchmarkRow]]:
    """The pairs, and what is measured on them, with a progress bar.

    Args:
        asked: which pairs; the folder of results is checked before anything is done.
        question: what to ask of them.
        doing: what the bar says.
        settings: of the observations; the default noise.

    Raises:
        InputError: an option, the question or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    pairs = ready_pairs(asked)
    benchmark = Benchmark(tuple(pairs), asked.observation_seeds, question, settings or ObservationSettings())
    work = asked.out / WORK if asked.out is not None else cache_dir() / "eval"
    with interruptible(), shown_progress() as progress:
        return pairs, run_benchmark(
            benchmark, work, asked.engine(), watch=lambda done, total: progress(doing, done / total)
        )


def ready_pairs(asked: AskedPairs, more: Sequence[str] = ()) -> list[TruePair]:
    """The pairs, which are made where no data set is named; the folder of results can take them.

    Args:
        asked: which.
        more: names of files that are written beside the usual ones.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    making = None if asked.data else asked_for(asked.split, asked.pairs, asked.seed, asked.classes, asked.mocap)
    pairs = given_pairs(asked.data, asked)
    if asked.out is not None:
        prepare_out(asked.out, overwrite=asked.overwrite, resume=asked.resume, more=more)
    if making is None:
        return pairs
    with interruptible():
        return given_pairs((made_folder(making, asked.out, asked.engine()),), asked)


def given_pairs(folders: tuple[Path, ...], asked: AskedPairs) -> list[TruePair]:
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


def chosen_pairs(folder: Path, asked: AskedPairs) -> list[TruePair]:
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


def benchmark_info(
    title: str, command: str, asked: AskedPairs, pairs: Sequence[TruePair], versions: Mapping[str, str],
    **facts: Any,
) -> BenchmarkInfo:  # fmt: skip
    """What a reader has to know beside the numbers.

    Args:
        title: of the tables.
        command: the command line that gives the same tables.
        asked: the options.
        pairs: that were measured.
        versions: that the numbers depend on, beside the body model.
        facts: further ones, or others than the usual.
    """
    base = Counter(one.partition(":")[0] for pair in pairs for one in pair.base)
    usual = {
        "data": "synthetic",
        "pairs": len(pairs),
        "classes": dict(sorted(Counter(pair.interaction for pair in pairs).items())),
        "split": sorted({pair.split for pair in pairs}),
        "base_poses": dict(sorted(base.items())),
        "generator_seed": sorted({pair.seed for pair in pairs}),
        "observation_seeds": list(asked.observation_seeds),
        "observation_noise": "default",
    }
    body_model = pairs[0].body_model
    return BenchmarkInfo(title, command, {**usual, **facts}, {**versions, "body_model": body_model}, NOTES)


def names_in(text: str) -> list[str]:
    """What is parted by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def tell_lost(rows: Sequence[BenchmarkRow]) -> None:
    """Say how many observations were lost, if any, and why the first was."""
    lost = [row for row in rows if row.lost]
    if lost:
        click.echo(f"{len(lost)} of {len(rows)} observations were lost, the first one: {lost[0].lost}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Says how to go on when the work in it is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Interrupted. What is done is kept. To go on: the same command, with --resume where there is --out."
        ) from None
