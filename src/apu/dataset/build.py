"""`apu build`: fits of photos, or of simulated observations, become a data set; what is not taken is kept beside it.

Pieces of work are done by an engine and kept in the work folder; then they are put together in their order, so the
engine does not show in the bytes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from apu.cache import written_whole
from apu.dataset.engine import Engine, Failure
from apu.dataset.folder import REASONS, REJECTED, WORK
from apu.dataset.layout import Layout
from apu.dataset.parquet import RecordFile, write_records
from apu.dataset.record import ClassCount, DatasetInfo, PairRecord
from apu.dataset.store import write_dataset
from apu.dataset.work import WorkFolder, run_stored
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup

FAILED = "failed"
"""Reason of a pair, or of a whole photo, that could not even be fitted."""


@dataclass(frozen=True)
class Entry:
    """What became of a pair.

    Attributes:
        id: of its record; of a photo that could not be read, its name.
        interaction: name of the class; empty where nobody knows.
        why: the reason why it is not taken, in few words; empty where it is.
        detail: the numbers behind it, or the error.
    """

    id: str
    interaction: str = ""
    why: str = ""
    detail: str = ""

    @property
    def taken(self) -> bool:
        """Whether it is in the data set."""
        return not self.why


@dataclass(frozen=True)
class Built:
    """Result of a piece of work.

    Attributes:
        records: of all pairs that were fitted, taken or not.
        entries: what became of every pair, in order.
    """

    records: tuple[PairRecord, ...]
    entries: tuple[Entry, ...]


@runtime_checkable
class Piece(Protocol):
    """A piece of work: a value that can be pickled and hashed, and that holds all that its result depends on."""

    def lost(self, reason: str) -> tuple[Entry, ...]:
        """What became of its pairs when nothing came of it."""
        ...


P = TypeVar("P", bound=Piece)
Watcher = Callable[[int, int, int, bool], None]
"""Is called with the number of pieces that are done, of all, of pairs that are taken, and whether it is a fresh one."""


@dataclass(frozen=True)
class Asked:
    """A data set that is to be built.

    Attributes:
        kind: of the records, `simulated` or `photo`.
        layout: of the bodies.
        versions: what the result depends on beside the pieces of work.
        settings: as `dataset.json` has them.
        groups: class -> which classes it belongs to; empty where nobody knows classes.
        wanted: pairs; None for all that are accepted.
    """

    kind: str
    layout: Layout
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    groups: Mapping[str, ClassGroup] = field(default_factory=dict)
    wanted: int | None = None


@dataclass(frozen=True)
class Report:
    """A data set that was built, and what is not in it.

    Attributes:
        info: its description.
        entries: what became of every pair.
    """

    info: DatasetInfo
    entries: tuple[Entry, ...]


def build(
    folder: Path, asked: Asked, pieces: Sequence[P], engine: Engine, function: Callable[[P], Built],
    watch: Watcher = lambda done, total, taken, fresh: None,
) -> Report:  # fmt: skip
    """Build the data set, taking over finished pieces that lie in the folder.

    With `wanted`, pieces are begun until those before them have given enough; the first pairs in order count.

    Args:
        folder: of the data set.
        asked: what to build.
        pieces: all of them, each once, in order.
        engine: does them.
        function: pure and picklable.
        watch: is told how far it is.

    Raises:
        OutputError: the folder cannot be written.
        ApuError: what would happen to every piece.
    """
    work = work_folder(folder, asked)
    place = {piece: i for i, piece in enumerate(pieces)}
    found: dict[int, tuple[Entry, ...]] = {}
    failed: set[int] = set()

    def begun() -> Iterator[P]:
        for piece in pieces:
            if _enough(found, asked.wanted) is not None:
                return
            yield piece

    def done(piece: P, outcome: tuple[Entry, ...] | Failure, fresh: bool) -> None:
        number = place[piece]
        if isinstance(outcome, Failure):
            failed.add(number)
            outcome = piece.lost(outcome.reason)
        found[number] = outcome
        watch(len(found), len(pieces), sum(e.taken for entries in found.values() for e in entries), fresh)

    run_stored(engine, work, begun(), function, done)
    used = range(_enough(found, asked.wanted) or len(found))
    entries = tuple(_first(chain.from_iterable(found[i] for i in used), asked.wanted))

    def records(taken: bool) -> Iterator[PairRecord]:
        ids = {e.id for e in entries if e.taken == taken}
        for i in used:
            if i not in failed:
                yield from (r for r in RecordFile(work.place(pieces[i])).records() if r.id in ids)

    write_records(folder / REJECTED, records(False), asked.layout)
    _write_reasons(folder / REASONS, entries)
    info = write_dataset(
        folder,
        records(True),
        asked.layout,
        kind=asked.kind,
        classes={name: _class_count(group, [e for e in entries if e.interaction == name])
                 for name, group in sorted(asked.groups.items())},
        settings=asked.settings,
        versions=asked.versions,
    )  # fmt: skip
    work.remove()
    return Report(info, entries)


def work_folder(folder: Path, asked: Asked) -> WorkFolder[Any, Built, tuple[Entry, ...]]:
    """The finished pieces of a data set."""
    return WorkFolder(folder / WORK, asked.versions, _Write(asked.layout), _entries)


@dataclass(frozen=True)
class _Write:
    """Writes a piece to its file; a class, because it travels to other processes."""

    layout: Layout

    def __call__(self, path: Path, result: Built) -> None:
        write_records(path, result.records, self.layout, {"entries": [asdict(entry) for entry in result.entries]})


def _entries(path: Path) -> tuple[Entry, ...]:
    try:
        return tuple(Entry(**entry) for entry in RecordFile(path).notes["entries"])
    except (KeyError, TypeError) as error:
        raise InputError("A finished piece of work is damaged.", where=path) from error


def _enough(found: Mapping[int, Sequence[Entry]], wanted: int | None) -> int | None:
    """How many pieces from the first one on have given enough pairs; None while they have not."""
    taken, number = 0, 0
    while wanted is not None and number in found:
        taken += sum(entry.taken for entry in found[number])
        number += 1
        if taken >= wanted:
            return number
    return None


def _first(entries: Iterator[Entry], wanted: int | None) -> Iterator[Entry]:
    """Up to the last pair that is wanted."""
    left = wanted
    for entry in entries:
        if left is not None and entry.taken:
            if left == 0:
                return
            left -= 1
        yield entry
        if left == 0:
            return


def _write_reasons(path: Path, entries: Sequence[Entry]) -> None:
    with written_whole(path) as temporary:
        lines = [json.dumps(asdict(entry)) + "\n" for entry in entries if not entry.taken]
        temporary.write_text("".join(lines), encoding="utf-8")


def _class_count(group: ClassGroup, entries: Sequence[Entry]) -> ClassCount:
    """As of a synthetic class: each pair was one candidate."""
    taken = sum(entry.taken for entry in entries)
    why = Counter(entry.why for entry in entries if not entry.taken)
    return ClassCount(
        group=group,
        pairs=taken,
        tried=len(entries),
        accepted=taken,
        rejected=dict(sorted(why.items())),
        failed={entry.id: entry.detail for entry in entries if entry.why == FAILED},
    )
