"""The synthetic benchmark: true pairs are observed, fitted by every method, and scored, batch by batch.

A batch is content-addressed by its pairs, its seed, the methods, the settings and the versions, so a killed run goes
on where it stopped, and ends with the same numbers. Wall times are kept beside them, and are not reproducible.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from apu.body.protocol import BodyModel
from apu.dataset.engine import Engine, Failure
from apu.dataset.record import PairRecord
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.versions import versions
from apu.dataset.work import WorkFolder, run_stored
from apu.evaluate.cases import make_cases, partners, score
from apu.evaluate.methods import Case, Method, Outcome, solve
from apu.evaluate.recovery import FAILURES, Lost, all_or_each
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.scene.true_pair import TruePair

BATCH = 8
"""Pairs that are fitted together. Sums over another batch differ in their last digits, so it is no option."""

MEASURING = (
    "accumulate", "cases", "contact_agreement", "decomposition", "joint_errors", "methods", "pcc",
    "penetration_metrics", "procrustes", "recovery", "reprojection", "synthetic_benchmark", "trusted_answers",
)  # fmt: skip
"""Modules of this room that decide what a row says."""

Watcher = Callable[[int, int], None]
"""Is called with the number of batches that are done, and of all."""

Solver = Callable[[BodyModel, Sequence[Case], Sequence[Any]], Mapping[Any, Sequence[Outcome]]]
"""As `solve`: every named method on every case."""


@runtime_checkable
class AnyBatch(Protocol):
    """One piece of work, whatever is done with its pairs."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(id, digest) of every pair."""
        ...

    @property
    def seed(self) -> int:
        """Of the observations."""
        ...


B = TypeVar("B", bound=AnyBatch)


@dataclass(frozen=True)
class Batch:
    """A piece of work.

    Attributes:
        pairs: (id, digest) of each pair, at most `BATCH`, in a fixed order.
        others: (id, digest) of the pair whose answer the control is given, for each.
        seed: of the observation.
        methods: all of them, as they share the first fit.
        settings: of the observation.
    """

    pairs: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    seed: int
    methods: tuple[Method, ...]
    settings: ObservationSettings = field(default_factory=ObservationSettings)


@dataclass(frozen=True)
class SyntheticBenchmark:
    """What is to be measured.

    Attributes:
        pairs: true pairs, in the order in which they are put into batches.
        seeds: of the observations; every pair is observed once with each.
        methods: in the order of the tables.
        settings: of the observations.
    """

    pairs: tuple[TruePair, ...]
    seeds: tuple[int, ...]
    methods: tuple[Method, ...]
    settings: ObservationSettings = field(default_factory=ObservationSettings)

    def batches(self) -> list[Batch]:
        """All pieces of work."""
        return [Batch(*part, self.methods, self.settings) for part in parts_of(self.pairs, self.seeds)]


@dataclass(frozen=True)
class Evaluation:
    """Does one batch with the default body, which is loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that batches name.
    """

    pairs: Mapping[str, TruePair]

    def __call__(self, batch: Batch) -> tuple[BenchmarkRow, ...]:
        """The rows of every method on every pair."""
        pairs, others = ([self.pairs[id] for id, _ in some] for some in (batch.pairs, batch.others))
        return tuple(evaluate_batch(default_body(), pairs, others, batch.seed, batch.methods, batch.settings))


def run_benchmark(
    asked: SyntheticBenchmark,
    folder: Path,
    engine: Engine,
    function: Callable[[Batch], tuple[BenchmarkRow, ...]] | None = None,
    watch: Watcher = lambda done, total: None,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet.

    Args:
        asked: what to measure.
        folder: keeps the rows of finished batches.
        engine: does the work.
        function: of a batch; `Evaluation` of the pairs when left out.
        watch: is told how far it is.

    Returns:
        Rows in the order of pairs, seeds and methods, whoever computed them, and when.

    Raises:
        OutputError: the folder cannot be written.
        ModelFileError: the body model is missing.
    """
    return run_batches(
        engine, batch_folder(folder), asked.batches(), function or Evaluation({p.id: p for p in asked.pairs}),
        asked.pairs, asked.seeds, asked.methods, watch,
    )  # fmt: skip


def run_batches(
    engine: Engine,
    work: WorkFolder[B, tuple[BenchmarkRow, ...], tuple[BenchmarkRow, ...]],
    batches: Sequence[B],
    function: Callable[[B], tuple[BenchmarkRow, ...]],
    pairs: Sequence[TruePair],
    seeds: Sequence[int],
    methods: Sequence[str],
    watch: Watcher,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet; the pairs of a batch that fails are lost to every method.

    Args:
        engine: does the work.
        work: keeps the rows of finished batches.
        batches: all of them.
        function: of a batch.
        pairs, seeds, methods: of all batches, in the order of the result.
        watch: is told how far it is.
    """
    true, found = {pair.id: pair for pair in pairs}, list[tuple[BenchmarkRow, ...]]()

    def done(batch: B, rows: tuple[BenchmarkRow, ...] | Failure, fresh: bool) -> None:
        if isinstance(rows, Failure):
            lost = Lost(rows.reason)
            rows = tuple(lost_row(true[id], batch.seed, method, lost) for id, _ in batch.pairs for method in methods)
        found.append(rows)
        watch(len(found), len(batches))

    run_stored(engine, work, batches, function, done)
    place = {pair.id: i for i, pair in enumerate(pairs)}
    order, rank = {seed: i for i, seed in enumerate(seeds)}, {str(name): i for i, name in enumerate(methods)}
    rows = [row for some in found for row in some]
    return sorted(rows, key=lambda row: (place[row.pair], order[row.seed], rank[row.method]))


def parts_of(
    pairs: Sequence[TruePair], seeds: Sequence[int]
) -> list[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], int]]:
    """(id, digest) of the pairs of every batch, of those whose answers the control is given, and the seed."""
    named, other = {pair.id: (pair.id, digest(pair)) for pair in pairs}, partners(pairs)
    parts = [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]
    return [
        (tuple(named[p.id] for p in part), tuple(named[other[p.id].id] for p in part), seed)
        for seed in seeds
        for part in parts
    ]


def evaluate_batch(
    body: BodyModel,
    pairs: Sequence[TruePair],
    others: Sequence[TruePair],
    seed: int,
    methods: Sequence[str],
    settings: ObservationSettings | None = None,
    solver: Solver | None = None,
) -> list[BenchmarkRow]:
    """Observe, fit and score one batch. A pair that fails is lost to the method it failed for; the others go on.

    Args:
        body: the body model.
        pairs: one batch.
        others: for each pair the one whose answer the control is given.
        seed: of the observation.
        methods: which.
        settings: defaults are the project's default noise.
        solver: of these methods; `apu.evaluate.methods.solve` when left out.
    """

    def observed(some: Sequence[tuple[TruePair, TruePair]]) -> list[Case]:
        return make_cases(body, [p for p, _ in some], [o for _, o in some], seed, settings)

    cases = all_or_each(observed, list(zip(pairs, others, strict=True)))
    good = [case for case in cases if not isinstance(case, Lost)]
    rows = []
    for method, outcomes in _solved(body, good, methods, solver or solve).items():
        results = iter(_scored(body, good, outcomes))
        rows += [
            _row(pair, seed, method, case if isinstance(case, Lost) else next(results))
            for pair, case in zip(pairs, cases, strict=True)
        ]
    return rows


def batch_folder(folder: Path) -> WorkFolder[Batch, tuple[BenchmarkRow, ...], tuple[BenchmarkRow, ...]]:
    """The finished batches in a folder."""
    return WorkFolder(folder, benchmark_versions(), write_rows, read_rows, ".json")


@cache
def benchmark_versions() -> dict[str, str]:
    """Name -> version of all that a row depends on; `sources` and `metrics` are hashes of our own files."""
    hashed = hashlib.sha256()
    for name in MEASURING:
        hashed.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return {**versions(), "metrics": hashed.hexdigest()[:16]}


def digest(pair: TruePair) -> str:
    """A hash of all that is known of a pair.

    Raises:
        InputError: a number is not finite, or a field is wrong.
    """
    text = PairRecord.from_true_pair(pair, {}).model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()


def _solved(
    body: BodyModel, cases: Sequence[Case], methods: Sequence[str], solver: Solver
) -> dict[str, list[Outcome | Lost]]:
    """Every method on every case: all methods together, else each by itself, else each case by itself."""
    if not cases:
        return {method: [] for method in methods}
    try:
        return {method: list(outcomes) for method, outcomes in solver(body, cases, methods).items()}
    except FAILURES:
        return {m: all_or_each(lambda some, m=m: solver(body, some, [m])[m], cases) for m in methods}


def _scored(
    body: BodyModel, cases: Sequence[Case], outcomes: Sequence[Outcome | Lost]
) -> list[dict[str, float] | Lost]:
    """Metrics of each case; bodies that are not finite are lost, and are kept away from the others' metrics."""
    checked = [out if isinstance(out, Lost) or _finite(out) else Lost("The bodies are not finite.") for out in outcomes]
    sound = [(case, out) for case, out in zip(cases, checked, strict=True) if isinstance(out, Outcome)]
    scores = iter(all_or_each(lambda some: score(body, [c for c, _ in some], [o for _, o in some]), sound))
    return [out if isinstance(out, Lost) else next(scores) for out in checked]


def _finite(outcome: Outcome) -> bool:
    return all(bool(value.isfinite().all()) for value in outcome.parameters.values())


def _row(pair: TruePair, seed: int, method: str, result: Mapping[str, float] | Lost) -> BenchmarkRow:
    if isinstance(result, Lost):
        return lost_row(pair, seed, method, result)
    values = {name: value for name, value in result.items() if name != "seconds"}
    return BenchmarkRow(pair.id, pair.interaction, pair.group, seed, method, values, seconds=result["seconds"])


def lost_row(pair: TruePair, seed: int, method: str, lost: Lost) -> BenchmarkRow:
    """The row of an observation of which nothing came out."""
    return BenchmarkRow(pair.id, pair.interaction, pair.group, seed, method, {}, lost=lost.reason)


@cache
def default_body() -> BodyModel:
    """The body that is fitted, loaded once in each process."""
    from apu.body.anny import AnnyBody

    return AnnyBody.load()
