from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from errands import square, whims, write_text

from apu.dataset.engine import Failure, SerialEngine
from apu.dataset.work import WorkFolder, run_stored
from apu.errors import InputError, OutputError


@dataclass(frozen=True)
class Piece:
    name: str
    file: Path


def read_number(path: Path) -> int:
    text = path.read_text()
    if not text.isdecimal():
        raise InputError("Damaged.")
    return int(text)


def folder(path: Path, **versions: str) -> WorkFolder[int, int, int]:
    return WorkFolder(path / "work", versions, write_text, read_number, ".txt")


def run(work, items, function=square) -> dict:
    outcomes = {}
    run_stored(SerialEngine(), work, items, function, lambda item, out, fresh: outcomes.update({item: (out, fresh)}))
    return outcomes


def test_what_is_finished_is_not_computed_again(tmp_path: Path):
    work = folder(tmp_path)
    assert run(work, [1, 2]) == {1: (1, True), 2: (4, True)}
    assert run(work, [1, 2, 3], whims_for_3) == {1: (1, False), 2: (4, False), 3: (9, True)}


def whims_for_3(number: int) -> int:
    assert number == 3
    return 9


def test_other_versions_and_damaged_files_are_computed_again(tmp_path: Path):
    run(folder(tmp_path, apu="1"), [2])
    assert run(folder(tmp_path, apu="2"), [2]) == {2: (4, True)}
    work = folder(tmp_path, apu="1")
    work.place(2).write_text("half of i")
    assert run(work, [2]) == {2: (4, True)}


def test_a_file_counts_by_its_bytes_and_not_by_its_place(tmp_path: Path):
    for name, text in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / name).write_text(text)
    work = WorkFolder[Piece, int, int](tmp_path / "work", {}, write_text, read_number)
    a, b, c = (work.place(Piece("x", tmp_path / name)) for name in "abc")
    assert a == b != c
    assert work.place(Piece("y", tmp_path / "a")) != a


def test_a_failure_is_handed_over_and_tried_again_next_time(tmp_path: Path):
    work = WorkFolder[str, str, str](tmp_path / "work", {}, write_text, Path.read_text, ".txt")
    first = run(work, ["a", "raise"], whims)
    assert first["a"] == ("A", True)
    assert isinstance(first["raise"][0], Failure)
    assert run(work, ["a", "raise"], str.upper) == {"a": ("A", False), "raise": ("RAISE", True)}


def full(path: Path, result: object) -> None:
    raise OutputError("The disk is full.")


def test_a_full_disk_ends_the_run(tmp_path: Path):
    with pytest.raises(OutputError, match="full"):
        run(replace(folder(tmp_path), write=full), [1, 2])


def test_what_a_killed_run_left_half_written_is_swept(tmp_path: Path):
    work = folder(tmp_path)
    run(work, [1])
    half = work.folder / ".apu-0123456789abcdef.parquet"
    half.write_text("half")
    run(work, [1])
    assert not half.exists()
    assert work.place(1).exists()
