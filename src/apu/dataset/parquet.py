"""Parquet files of `PairRecord`s: the one file that knows pyarrow. The same records give the same bytes."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32

from apu.cache import written_whole
from apu.dataset.layout import Layout
from apu.dataset.record import SCHEMA_VERSION, PairRecord, validated
from apu.errors import InputError

ROWS_PER_GROUP = 500
"""What is read at once."""

_VERSION, _LAYOUT, _NOTES = b"apu.schema_version", b"apu.layout", b"apu.notes"


def write_records(
    path: Path, records: Iterable[PairRecord], layout: Layout, notes: Mapping[str, Any] | None = None
) -> int:
    """Write a file, whole or not at all; gives back how many records it has.

    Args:
        path: of the file.
        records: read as they are written, some hundred at a time.
        layout: of their bodies.
        notes: anything that JSON can hold, kept with the file.

    Raises:
        InputError: a record's body has another layout, or an id comes twice.
        OutputError: the file cannot be written.
    """
    schema = _schema(layout, notes or {})
    ids: set[str] = set()
    records = iter(records)
    with written_whole(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer:
            while batch := list(islice(records, ROWS_PER_GROUP)):
                rows = [_row(record, layout, ids, path) for record in batch]
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        sync(temporary)
    sync(path.parent)
    return len(ids)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class RecordFile:
    """One file, read lazily.

    Args:
        path: of the file.

    Attributes:
        layout: of the bodies.
        notes: what was kept with it.

    Raises:
        InputError: it is damaged, of another schema version, or lacks columns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable(path):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        metadata = self._file.schema_arrow.metadata or {}
        self._check_version(metadata.get(_VERSION))
        try:
            layout = json.loads(metadata[_LAYOUT])
            self.layout = Layout(layout["body_model"], {n: tuple(names) for n, names in layout["parameters"]})
            self.notes: dict[str, Any] = json.loads(metadata[_NOTES])
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, "no description of the body's parameters") from error
        self._check_columns()

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Plain values, row group by row group; all columns, or some."""
        wanted = list(self._columns if columns is None else columns)
        for group in range(self._file.num_row_groups):
            with _readable(self.path):
                rows = self._file.read_row_group(group, columns=wanted).to_pylist()
            yield from rows

    def records(self) -> Iterator[PairRecord]:
        """All of them, checked."""
        for row in self.rows():
            yield self.record(row)

    def record(self, row: dict[str, Any]) -> PairRecord:
        """A row with all columns as a record."""
        return validated(PairRecord, _nested(row, self.layout), self.path, str(row.get("id")))

    def with_ids(self, ids: set[str]) -> Iterator[PairRecord]:
        """Those with these ids; row groups that hold none are not read."""
        start = 0
        for group in range(self._file.num_row_groups):
            size = self._file.metadata.row_group(group).num_rows
            found = [i for i, id in enumerate(self.ids[start : start + size]) if id in ids]
            start += size
            if found:
                with _readable(self.path):
                    rows = self._file.read_row_group(group, columns=list(self._columns)).take(found).to_pylist()
                yield from map(self.record, rows)

    @cached_property
    def ids(self) -> list[str]:
        """Of all records, in order."""
        return [row["id"] for row in self.rows(["id"])]

    def parameters(self) -> Iterator[dict[str, Float32[np.ndarray, "n 2 _"]]]:
        """Name -> (n, 2, size) arrays of all bodies, row group by row group; fast, and unchecked."""
        names = {f"param_{name}": (name, size) for name, size in self.layout.sizes().items()}
        for group in range(self._file.num_row_groups):
            with _readable(self.path):
                table = self._file.read_row_group(group, columns=list(names))
            yield {
                name: table[column].combine_chunks().flatten().flatten().to_numpy().reshape(-1, 2, size)
                for column, (name, size) in names.items()
            }

    @property
    def _columns(self) -> list[str]:
        return self._wanted.names

    @cached_property
    def _wanted(self) -> pa.Schema:
        return _schema(self.layout, {})

    def _check_version(self, version: bytes | None) -> None:
        if version != str(SCHEMA_VERSION).encode():
            raise InputError(
                "A file of the data set has another schema version.",
                where=self.path,
                expected=SCHEMA_VERSION,
                got="no version" if version is None else version.decode("ascii", "replace")[:20],
                remedy="read it with the version of apu that wrote it, or make the data set again.",
            )

    def _check_columns(self) -> None:
        there = self._file.schema_arrow
        missing = [f.name for f in self._wanted if f.name not in there.names]
        other = [f.name for f in self._wanted if f.name in there.names and not f.type.equals(there.field(f.name).type)]
        if missing or other:
            raise InputError(
                "A file of the data set lacks columns." if missing else "A column of the data set has another type.",
                where=f"{self.path}: {', '.join(missing or other)}",
                expected="all columns of this schema version" if missing else self._wanted.field(other[0]).type,
                got=f"{len(there.names)} others" if missing else there.field(other[0]).type,
                remedy="make the data set again.",
            )


def _schema(layout: Layout, notes: Mapping[str, Any]) -> pa.Schema:
    """Tensors are nested lists of fixed size, (person, number) or (person, joint, xyc)."""
    text, number = pa.string(), pa.float64()
    bodies = {name: _fixed(_fixed(pa.float32(), size), 2) for name, size in layout.sizes().items()}
    contact = [("region_a", text), ("region_b", text), ("distance_m", number), ("weight", number)]
    named = [("regions_a", pa.list_(text)), ("regions_b", pa.list_(text)), ("weight", number)]
    named += [("source", text), ("label_a", text), ("label_b", text)]
    rule = [("name", text), ("value", number), ("limit", number), ("unit", text), ("sense", text)]
    camera = [("focal_px", number), ("center_px", _fixed(number, 2)), ("width", pa.int32()), ("height", pa.int32())]
    image = [(name, text) for name in ("sha256", "source_url", "licence", "attribution")]
    columns: list[tuple[str, pa.DataType]] = [
        *((name, text) for name in ("id", "kind")),
        ("schema_version", pa.int32()),
        *((name, text) for name in ("body_model", "interaction", "group", "split")),
        ("base", pa.list_(text)),
        ("frame", text),
        *((f"param_{name}", kind) for name, kind in bodies.items()),
        ("contacts", pa.list_(pa.struct(contact))),
        ("intended", pa.list_(pa.struct(named))),
        ("penetration_max_m", number),
        ("camera", pa.struct(camera)),
        ("keypoints", _fixed(_fixed(_fixed(pa.float32(), 3), 25), 2)),
        *((f"initial_{name}", kind) for name, kind in bodies.items()),
        ("answers", text),
        ("decisions", text),
        ("losses", pa.map_(text, number)),
        ("verdict", pa.struct([("accepted", pa.bool_()), ("rules", pa.list_(pa.struct(rule)))])),
        ("image", pa.struct(image)),
        ("versions", pa.map_(text, text)),
        ("seeds", pa.map_(text, pa.uint64())),
    ]
    described = {"body_model": layout.body_model, "parameters": [[n, list(v)] for n, v in layout.parameters.items()]}
    metadata = {
        _VERSION: str(SCHEMA_VERSION),
        _LAYOUT: json.dumps(described),
        _NOTES: json.dumps(notes, sort_keys=True),
    }
    return pa.schema(columns, metadata=metadata)


def _fixed(inner: pa.DataType, size: int) -> pa.DataType:
    return pa.list_(inner, size)


def _row(record: PairRecord, layout: Layout, ids: set[str], path: Path) -> dict[str, Any]:
    """The columns of a record."""
    got = (record.body_model, record.sizes())
    if got != (layout.body_model, layout.sizes()) or record.id in ids:
        twice = record.id in ids
        raise InputError(
            "An id comes twice." if twice else "A pair has another body than its data set.",
            where=f"{path}: pair {record.id}",
            expected="ids that are unique" if twice else f"{layout.body_model} {layout.sizes()}",
            got=record.id if twice else f"{got[0]} {got[1]}",
            remedy="give each pair its own id." if twice else "write the bodies of one model into one data set.",
        )
    ids.add(record.id)
    row = record.model_dump()
    parameters, initial = row.pop("parameters"), row.pop("initial")
    row |= {f"param_{name}": value for name, value in parameters.items()}
    row |= {f"initial_{name}": value for name, value in (initial or {}).items()}
    return {name: list(value.items()) if name in ("losses", "versions", "seeds") and value else value
            for name, value in row.items()}  # fmt: skip


def _nested(row: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """The fields of a record."""
    row = dict(row)
    row["parameters"] = {name: row.pop(f"param_{name}") for name in layout.parameters}
    initial = {name: row.pop(f"initial_{name}") for name in layout.parameters}
    row["initial"] = None if all(value is None for value in initial.values()) else initial
    return row


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise _damaged(path, "no such file" if missing else " ".join(str(error).split())[:200]) from error


def _damaged(path: Path, got: str) -> InputError:
    return InputError(
        "A file of the data set cannot be read.",
        where=path,
        expected="a whole Parquet file that apu has written",
        got=got,
        remedy="copy it again from where it came, or make the data set again.",
    )
