"""Finished pieces of work on the disk: one file each, named by what it is the result of. A killed run loses none."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from apu.cache import sha256_file
from apu.dataset.engine import Engine, Failure
from apu.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class WorkFolder(Generic[Item, Result, Kept]):
    """Results of one kind of work.

    Attributes:
        folder: of the files.
        versions: what else a result depends on; results of other versions are left alone.
        write: writes a result to a path, whole or not at all; picklable.
        read: reads back what has to be known of it at once; raises `InputError` when the file is damaged.
        suffix: of the files.
    """

    folder: Path
    versions: Mapping[str, str]
    write: Callable[[Path, Result], object]
    read: Callable[[Path], Kept]
    suffix: str = ".parquet"

    def place(self, item: Item) -> Path:
        """The file of an item: equal items have equal files."""
        content = json.dumps([plain(item), dict(self.versions)], sort_keys=True)
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}{self.suffix}"

    def found(self, item: Item) -> Kept | None:
        """The result that is there; a damaged file is none."""
        place = self.place(item)
        if not place.is_file():
            return None
        try:
            return self.read(place)
        except InputError:
            place.unlink(missing_ok=True)
            return None

    def sweep(self) -> None:
        """Delete what a killed run left half-written."""
        for file in self.folder.glob(".apu-*"):
            file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete all results."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Stored(Generic[Item, Result, Kept]):
    """A function that leaves its result in a file, and hands back only the path."""

    function: Callable[[Item], Result]
    work: WorkFolder[Item, Result, Kept]

    def __call__(self, item: Item) -> Path:
        """Do the item, unless its file is there."""
        place = self.work.place(item)
        if not place.is_file():
            self.work.write(place, self.function(item))
        return place


def run_stored(
    engine: Engine,
    work: WorkFolder[Item, Result, Kept],
    items: Iterable[Item],
    function: Callable[[Item], Result],
    done: Callable[[Item, Kept | Failure, bool], None],
) -> None:
    """Do every item whose result is not on the disk yet; hand over all results as they are there, in any order.

    Args:
        engine: does the work.
        work: keeps the results.
        items: read late, see `Engine.run`.
        function: of an item; pure and picklable.
        done: is called once for each item, in this process: item, result, whether it was computed just now.

    Raises:
        OutputError, ModelFileError: what would happen to every item.
    """
    work.sweep()

    def missing() -> Iterator[Item]:
        for item in items:
            result = work.found(item)
            if result is None:
                yield item
            else:
                done(item, result, False)

    for item, outcome in engine.run(missing(), Stored(function, work)):
        if isinstance(outcome, Failure) and outcome.error is not None:
            raise outcome.error
        done(item, outcome if isinstance(outcome, Failure) else work.read(outcome), True)


def plain(value: Any) -> Any:
    """A value as JSON has it; a file counts by its bytes, wherever it lies."""
    if isinstance(value, Path):
        if value.is_dir():
            return {"folder": {file.name: plain(file) for file in sorted(value.iterdir()) if file.is_file()}}
        stat = value.stat()
        return {"file": _sha256(value, stat.st_size, stat.st_mtime_ns)}
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__, **{f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256_file(path)
