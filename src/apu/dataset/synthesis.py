"""Makes a synthetic data set: chunks by an engine, kept in the work folder, then put together in a fixed order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from apu.cache import sha256_file
from apu.dataset.engine import Engine, Failure
from apu.dataset.folder import WORK
from apu.dataset.layout import Layout
from apu.dataset.parquet import RecordFile, write_records
from apu.dataset.quota import ChunkCount, ClassProgress, Plan
from apu.dataset.record import ClassCount, DatasetInfo, PairRecord
from apu.dataset.store import write_dataset
from apu.dataset.synthetic.chunk import Chunk, ChunkResult
from apu.dataset.work import WorkFolder, run_stored
from apu.scene.true_pair import ClassGroup, Split

Chunks = WorkFolder[Chunk, ChunkResult, ChunkCount]
"""Finished chunks; of each, the count is read at once and the pairs at the end."""
Watcher = Callable[[Plan, bool], None]
"""Is called when a chunk has come in, with whether it was computed just now."""


@dataclass(frozen=True)
class Synthesis:
    """A synthetic data set that is to be made.

    Attributes:
        split: whose pairs.
        seed: of the chunks.
        quotas: class -> pairs.
        groups: class -> which classes it belongs to.
        layout: of the bodies.
        versions: what the result depends on.
        mocap: motion capture file with base poses; None for the shipped density.
    """

    split: Split
    seed: int
    quotas: Mapping[str, int]
    groups: Mapping[str, ClassGroup]
    layout: Layout
    versions: Mapping[str, str]
    mocap: Path | None = None

    def settings(self) -> dict[str, Any]:
        """As `dataset.json` has them; a file by its name and bytes, not by its place."""
        mocap = None if self.mocap is None else {"name": self.mocap.name, "sha256": sha256_file(self.mocap)}
        return {"split": self.split, "seed": self.seed, "quotas": dict(self.quotas), "mocap": mocap}

    def chunk(self, name: str, number: int) -> Chunk:
        """A piece of work."""
        return Chunk(name, self.split, number, self.seed, self.mocap)


def synthesise(
    folder: Path,
    asked: Synthesis,
    engine: Engine,
    make: Callable[[Chunk], ChunkResult],
    watch: Watcher = lambda plan, fresh: None,
) -> DatasetInfo:
    """Make the data set, taking over finished chunks that lie in the folder. The engine does not show in the bytes.

    Args:
        folder: of the data set.
        asked: what to make.
        engine: computes the chunks.
        make: pure and picklable, e.g. `make_chunk`.
        watch: is told how far it is.

    Raises:
        ApuError: a class yields nothing.
        OutputError: the folder cannot be written.
    """
    work = chunk_folder(folder, asked)
    plan = Plan(asked.quotas)

    def wanted() -> Iterator[Chunk]:
        while (found := plan.next()) is not None:
            yield asked.chunk(*found)

    def done(chunk: Chunk, outcome: ChunkCount | Failure, fresh: bool) -> None:
        count = ChunkCount(0, 0, {}, outcome.reason) if isinstance(outcome, Failure) else outcome
        plan.put(chunk.interaction, chunk.number, count)
        watch(plan, fresh)

    run_stored(engine, work, wanted(), make, done)
    info = write_dataset(
        folder,
        _in_turn(asked, plan, work),
        asked.layout,
        kind="synthetic",
        classes={name: _class_count(one, asked) for name, one in plan.classes.items()},
        settings=asked.settings(),
        versions=asked.versions,
    )
    work.remove()
    return info


@dataclass(frozen=True)
class _Write:
    """Writes a chunk to its file; a class, because it travels to other processes."""

    layout: Layout
    versions: Mapping[str, str]

    def __call__(self, path: Path, result: ChunkResult) -> None:
        records = (PairRecord.from_true_pair(pair, self.versions) for pair in result.pairs)
        write_records(path, records, self.layout, {"tried": result.tried, "rejected": dict(result.rejected)})


def chunk_folder(folder: Path, asked: Synthesis) -> Chunks:
    """The finished chunks of a data set."""
    return WorkFolder(folder / WORK, asked.versions, _Write(asked.layout, dict(asked.versions)), _count)


def make_chunk(chunk: Chunk) -> ChunkResult:
    """Generate a chunk of pairs of the default body, which is loaded once in each process."""
    from apu.dataset.synthetic.generate import generate_chunk

    return generate_chunk(_body(), chunk)


@cache
def _body():
    from apu.body.anny import AnnyBody

    return AnnyBody.load()


def _count(path: Path) -> ChunkCount:
    file = RecordFile(path)
    return ChunkCount(len(file), int(file.notes["tried"]), file.notes["rejected"])


def _in_turn(asked: Synthesis, plan: Plan, work: Chunks) -> Iterator[PairRecord]:
    """Pair by pair from each class in turn, so that any beginning of the data set has all classes."""
    classes = [_of_class(asked, one, work) for one in plan.classes.values()]
    while classes:
        for records in list(classes):
            record = next(records, None)
            if record is None:
                classes.remove(records)
            else:
                yield record


def _of_class(asked: Synthesis, one: ClassProgress, work: Chunks) -> Iterator[PairRecord]:
    def all_records() -> Iterator[PairRecord]:
        for number, count in enumerate(one.counting):
            if count.accepted:
                yield from RecordFile(work.place(asked.chunk(one.name, number))).records()

    return islice(all_records(), one.quota)


def _class_count(one: ClassProgress, asked: Synthesis) -> ClassCount:
    total = one.statistics()
    return ClassCount(
        group=asked.groups[one.name],
        pairs=one.pairs,
        tried=total.tried,
        accepted=total.accepted,
        rejected=dict(total.rejected),
        failed={f"{number:05d}": reason for number, reason in one.failures().items()},
    )
