"""A data set on the disk: a folder of Parquet files, and `dataset.json`, which is written last and says it is whole."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from apu.cache import sha256_file, written_whole
from apu.dataset.folder import INFO, shard_name, shards_in
from apu.dataset.layout import Layout
from apu.dataset.parquet import RecordFile, sync, write_records
from apu.dataset.record import ClassCount, DatasetInfo, PairRecord, Shard, validated
from apu.errors import InputError

PAIRS_PER_SHARD = 5000


class PairStore:
    """A data set, opened; its pairs are read when they are asked for.

    Args:
        folder: where it lies.

    Attributes:
        folder: as given.
        info: what `dataset.json` says.

    Raises:
        InputError: there is none, or it is damaged or unfinished.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info = read_info(folder)

    def __len__(self) -> int:
        return self.info.pairs

    @cached_property
    def files(self) -> list[RecordFile]:
        """All files, in order."""
        return [RecordFile(self.folder / shard.file) for shard in self.info.shards]

    def records(self) -> Iterator[PairRecord]:
        """All pairs, in order.

        Raises:
            InputError: a file or a pair is wrong, or an id comes twice.
        """
        seen: dict[str, Path] = {}
        for file in self.files:
            for record in file.records():
                _once(record.id, seen, file.path)
                yield record

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of all pairs, in order, as plain values; unchecked."""
        return chain.from_iterable(file.rows(columns) for file in self.files)

    def parameters(self) -> Iterator[dict[str, Float32[np.ndarray, "n 2 _"]]]:
        """Name -> (n, 2, size) body parameters of all pairs, some hundred at a time; fast, and unchecked."""
        return chain.from_iterable(file.parameters() for file in self.files)

    def with_ids(self, ids: Sequence[str]) -> list[PairRecord]:
        """Some pairs, in the order of their ids.

        Raises:
            InputError: there is no pair of one of these ids.
        """
        found = {record.id: record for file in self.files for record in file.with_ids(set(ids))}
        missing = [id for id in ids if id not in found]
        if missing:
            raise InputError(
                "The data set has no such pair.",
                where=self.folder,
                expected=f"ids of its {len(self)} pairs, such as {next(iter(self.rows(['id'])), {'id': '-'})['id']}",
                got=", ".join(missing[:5]),
                remedy="`apu dataset show` without ids draws some of each class, with their ids.",
            )
        return [found[id] for id in ids]


def read_info(folder: Path) -> DatasetInfo:
    """Read `dataset.json`.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / INFO
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        got = "no such folder" if not folder.exists() else "a file" if not folder.is_dir() else "a folder without it"
        raise InputError(
            "This is no finished data set.",
            where=folder,
            expected=f"a folder with {INFO} in it",
            got=got,
            remedy="finish it with the command that made it and --resume, or name another folder.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{INFO} cannot be read.",
            where=path,
            expected="a JSON file that apu has written",
            got=" ".join(str(error).split())[:200],
            remedy="copy it again from where it came, or make the data set again.",
        ) from error
    return validated(DatasetInfo, content, path)


def write_dataset(
    folder: Path,
    records: Iterable[PairRecord],
    layout: Layout,
    *,
    kind: str,
    classes: Mapping[str, ClassCount] | None = None,
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    pairs_per_shard: int = PAIRS_PER_SHARD,
) -> DatasetInfo:
    """Write a data set, in place of one that is there. The same arguments give the same bytes.

    A kill leaves a folder without `dataset.json`, never one that looks whole and is not.

    Args:
        folder: is made when it is missing.
        records: read as they are written.
        layout: of the bodies.
        kind: `synthetic` or `photo`.
        classes, settings, versions: go into `dataset.json`.
        pairs_per_shard: of every file but the last.

    Raises:
        InputError: a record is wrong, or an id comes twice.
        OutputError: the folder cannot be written.
    """
    (folder / INFO).unlink(missing_ok=True)
    seen: dict[str, Path] = {}
    records = iter(records)
    shards: list[Shard] = []
    for first in records:
        path = folder / shard_name(len(shards))
        mine = chain([first], islice(records, pairs_per_shard - 1))
        count = write_records(path, (_new(record, seen, path) for record in mine), layout)
        shards.append(Shard(file=path.name, pairs=count, sha256=sha256_file(path)))
    for path in shards_in(folder):
        if path.name not in {shard.file for shard in shards}:
            path.unlink()
    info = {
        "kind": kind,
        "body_model": layout.body_model,
        "parameters": {name: list(names) for name, names in layout.parameters.items()},
        "pairs": len(seen),
        "shards": [shard.model_dump() for shard in shards],
        "classes": {name: count.model_dump() for name, count in (classes or {}).items()},
        "settings": dict(settings or {}),
        "versions": dict(versions or {}),
    }
    checked = validated(DatasetInfo, info, folder / INFO)
    with written_whole(folder / INFO) as temporary:
        temporary.write_text(json.dumps(checked.model_dump(), indent=1) + "\n", encoding="utf-8")
        sync(temporary)
    sync(folder)
    return checked


def _new(record: PairRecord, seen: dict[str, Path], path: Path) -> PairRecord:
    _once(record.id, seen, path)
    return record


def _once(id: str, seen: dict[str, Path], path: Path) -> None:
    if id in seen:
        raise InputError(
            "An id comes twice in the data set.",
            where=f"{path}: pair {id}",
            expected="ids that are unique",
            got=f"the same in {seen[id].name}",
            remedy="make the data set again, or give each pair its own id.",
        )
    seen[id] = path
