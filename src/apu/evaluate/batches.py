"""What every benchmark on true pairs shares: a question is asked of batches of them, and finished batches are kept.

A batch is content-addressed by its pairs, its seed, the question, the settings, the versions and our sources, so a
killed run goes on where it stopped, and ends with the same numbers. Wall times are kept beside them, and are not
reproducible.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from apu.body.protocol import BodyModel
from apu.dataset.engine import Engine, Failure
from apu.dataset.record import PairRecord
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.versions import versions
from apu.dataset.work import WorkFolder, run_stored
from apu.evaluate.cases import partners
from apu.evaluate.recovery import Lost
from apu.evaluate.rows import BenchmarkRow, lost_row, read_rows, write_rows
from apu.scene.true_pair import TruePair

BATCH = 8
"""Pairs that are fitted together. Sums over another batch differ in their last digits, so it is no option."""

MEASURING = (
    "accumulate", "batches", "cases", "contact_agreement", "decomposition", "joint_errors", "methods", "pcc",
    "penetration_metrics", "procrustes", "recovery", "reprojection", "synthetic_benchmark", "trusted_answers",
)  # fmt: skip
"""Modules of this room that decide what a row says, whatever is asked."""

Named = tuple[tuple[str, str], ...]
"""(id, digest) of some pairs."""

Rows = tuple[BenchmarkRow, ...]

Watcher = Callable[[int, int], None]
"""Is called with the number of batches that are done, and of all."""


@dataclass(frozen=True)
class Part:
    """A few true pairs, and how they are looked at.

    Attributes:
        pairs: at most `BATCH`.
        others: for each pair the one whose answer a control is given.
        seed: of the observation.
        settings: of the observation.
    """

    pairs: Sequence[TruePair]
    others: Sequence[TruePair]
    seed: int
    settings: ObservationSettings = field(default_factory=ObservationSettings)


class Question(ABC):
    """What a benchmark asks of every batch. A frozen, picklable dataclass: its fields are part of a batch's address.

    Attributes:
        sources: name among the versions -> files that decide a row, beside the modules of every benchmark.
    """

    sources: ClassVar[Mapping[str, tuple[Path, ...]]] = {}

    @property
    @abstractmethod
    def methods(self) -> tuple[str, ...]:
        """Methods of the rows, in the order of the result."""

    @abstractmethod
    def measure(self, body: BodyModel, part: Part) -> list[BenchmarkRow]:
        """The rows of every method on every pair; all may share first fits.

        Args:
            body: the body model.
            part: of one batch.
        """

    def check(self) -> None:
        """Refuse what would spoil every batch, before the first is begun.

        Raises:
            InputError: it would.
        """
        return


Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True)
class Batch(Generic[Q]):
    """A piece of work.

    Attributes:
        pairs: of at most `BATCH` pairs, in a fixed order.
        others: of the pair whose answer a control is given, for each.
        seed: of the observation.
        question: what is asked.
        settings: of the observation.
    """

    pairs: Named
    others: Named
    seed: int
    question: Q
    settings: ObservationSettings = field(default_factory=ObservationSettings)


@dataclass(frozen=True)
class Benchmark(Generic[Q]):
    """What is to be measured.

    Attributes:
        pairs: true pairs, in the order in which they are put into batches.
        seeds: of the observations; every pair is observed once with each.
        question: what is asked of them.
        settings: of the observations.
    """

    pairs: tuple[TruePair, ...]
    seeds: tuple[int, ...]
    question: Q
    settings: ObservationSettings = field(default_factory=ObservationSettings)

    def batches(self) -> list[Batch[Q]]:
        """All pieces of work."""
        named, other = {pair.id: (pair.id, digest(pair)) for pair in self.pairs}, partners(self.pairs)
        parts = [self.pairs[start : start + BATCH] for start in range(0, len(self.pairs), BATCH)]
        return [
            Batch(
                tuple(named[p.id] for p in part), tuple(named[other[p.id].id] for p in part), seed, self.question,
                self.settings,
            )
            for seed in self.seeds
            for part in parts
        ]  # fmt: skip


@dataclass(frozen=True)
class Work:
    """Does one batch with the default body, which is loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that batches name.
    """

    pairs: Mapping[str, TruePair]

    def __call__(self, batch: Batch) -> Rows:
        """The rows of every method on every pair."""
        pairs, others = ([self.pairs[id] for id, _ in some] for some in (batch.pairs, batch.others))
        return tuple(batch.question.measure(default_body(), Part(pairs, others, batch.seed, batch.settings)))


def run_benchmark(
    asked: Benchmark[Q],
    folder: Path,
    engine: Engine,
    function: Callable[[Batch[Q]], Rows] | None = None,
    watch: Watcher = lambda done, total: None,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet; the pairs of a batch that fails are lost to every method.

    Args:
        asked: what to measure.
        folder: keeps the rows of finished batches.
        engine: does the work.
        function: of a batch; the question is checked, and `Work` of the pairs done, when left out.
        watch: is told how far it is.

    Returns:
        Rows in the order of pairs, seeds and methods, whoever computed them, and when.

    Raises:
        InputError: the question would spoil every batch.
        OutputError: the folder cannot be written.
        ModelFileError: the body model is missing.
    """
    true, batches, found = {pair.id: pair for pair in asked.pairs}, asked.batches(), list[Rows]()
    methods = asked.question.methods
    if function is None:
        asked.question.check()
        function = Work(true)

    def done(batch: Batch[Q], rows: Rows | Failure, fresh: bool) -> None:
        if isinstance(rows, Failure):
            lost = Lost(rows.reason)
            rows = tuple(lost_row(true[id], batch.seed, method, lost) for id, _ in batch.pairs for method in methods)
        found.append(rows)
        watch(len(found), len(batches))

    run_stored(engine, work_folder(folder, asked.question), batches, function, done)
    place = {pair.id: i for i, pair in enumerate(asked.pairs)}
    order, rank = {seed: i for i, seed in enumerate(asked.seeds)}, {name: i for i, name in enumerate(methods)}
    rows = [row for some in found for row in some]
    return sorted(rows, key=lambda row: (place[row.pair], order[row.seed], rank[row.method]))


def work_folder(folder: Path, question: Q) -> WorkFolder[Batch[Q], Rows, Rows]:
    """The finished batches in a folder."""
    return WorkFolder(folder, versions_of(question), write_rows, read_rows, ".json")


def versions_of(question: Question) -> dict[str, str]:
    """Name -> version of all that a row depends on; those of a question's own sources are hashes of them."""
    return {**benchmark_versions(), **{name: _hash_of(files) for name, files in question.sources.items()}}


def benchmark_versions() -> dict[str, str]:
    """Those that every question shares; `sources` and `metrics` are hashes of our own files."""
    return {**versions(), "metrics": _hash_of(modules(*MEASURING))}


def modules(*names: str) -> tuple[Path, ...]:
    """Files of modules of this room."""
    return tuple(Path(__file__).parent / f"{name}.py" for name in names)


def digest(pair: TruePair) -> str:
    """A hash of all that is known of a pair.

    Raises:
        InputError: a number is not finite, or a field is wrong.
    """
    text = PairRecord.from_true_pair(pair, {}).model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def default_body() -> BodyModel:
    """The body that is fitted, loaded once in each process."""
    from apu.body.anny import AnnyBody

    return AnnyBody.load()


@cache
def _hash_of(files: tuple[Path, ...]) -> str:
    """As the files were when this process first asked, so that work has one address as long as it runs."""
    hashed = hashlib.sha256()
    for file in files:
        hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    return hashed.hexdigest()[:16]
