"""Building a data set of fits: nothing is lost or done twice, whoever does the work and however often it is killed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_fits import ASKED, PIECES, Piece, fit
from fake_world import SLOW_VARIABLE

from apu.dataset.build import build
from apu.dataset.engine import Failure, LocalEngine, SerialEngine
from apu.dataset.folder import prepare
from apu.dataset.parquet import RecordFile
from apu.dataset.store import PairStore
from apu.errors import InputError, OutputError

SCRIPT = Path(__file__).parent / "fake_fits.py"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial")
    build(folder, ASKED, PIECES, SerialEngine(), fit)
    return folder


def test_accepted_pairs_are_the_data_set_in_the_order_of_the_pieces(serial: Path):
    ids = [record.id for record in PairStore(serial).records()]
    assert ids == [f"p{n}-{i}" for n in (0, 1, 3, 5, 6) for i in (0, 2)]


def test_rejected_pairs_are_kept_with_their_bodies_and_lost_ones_with_their_reason(serial: Path):
    assert RecordFile(serial / "rejected.parquet").ids == [f"p{n}-1" for n in (0, 1, 3, 5, 6)]
    lines = [json.loads(line) for line in (serial / "rejected.jsonl").read_text().splitlines()]
    assert {(line["id"], line["why"], line["detail"]) for line in lines} == {
        *((f"p{n}-1", "penetration", "9 cm") for n in (0, 1, 3, 5, 6)),
        *((f"p2-{i}", "failed", "nobody there") for i in range(3)),
        *((f"p4-{i}", "failed", "ValueError: this piece never works") for i in range(3)),
    }
    count = PairStore(serial).info.classes["hug"]
    assert (count.tried, count.accepted, count.rejected) == (21, 10, {"failed": 6, "penetration": 5})
    assert sorted(contents(serial)) == ["dataset.json", "pairs-00000.parquet", "rejected.jsonl", "rejected.parquet"]


def test_two_processes_give_the_same_bytes(serial: Path, tmp_path: Path):
    build(tmp_path, ASKED, PIECES, LocalEngine(2), fit)
    assert contents(tmp_path) == contents(serial)


def test_a_killed_run_that_is_resumed_gives_the_same_bytes_and_does_nothing_twice(serial: Path, tmp_path: Path):
    environment = os.environ | {SLOW_VARIABLE: "0.05"}
    arguments = [sys.executable, str(SCRIPT), str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as killed:
        assert killed.stdout is not None
        for _ in range(3):
            killed.stdout.readline()
        killed.kill()
    assert not (tmp_path / "dataset.json").exists()
    assert prepare(tmp_path, overwrite=False, resume=True) == "unfinished"
    left = len(list((tmp_path / ".work").glob("*.parquet")))
    done: list[Piece] = []

    def noted(piece: Piece):
        done.append(piece)
        return fit(piece)

    build(tmp_path, ASKED, PIECES, SerialEngine(), noted)
    assert left >= 3
    assert len(done) == len(PIECES) - left
    assert contents(tmp_path) == contents(serial)


@pytest.mark.parametrize("engine", [SerialEngine(), LocalEngine(2)])
def test_a_wanted_number_is_met_exactly_and_no_later_piece_shows(engine, tmp_path: Path):
    report = build(tmp_path, replace(ASKED, wanted=3), PIECES, engine, fit)
    assert [record.id for record in PairStore(tmp_path).records()] == ["p0-0", "p0-2", "p1-0"]
    assert RecordFile(tmp_path / "rejected.parquet").ids == ["p0-1"]
    assert [entry.id for entry in report.entries] == ["p0-0", "p0-1", "p0-2", "p1-0"]


def test_with_a_wanted_number_later_pieces_are_not_begun(tmp_path: Path):
    begun: list[Piece] = []

    def noted(piece: Piece):
        begun.append(piece)
        return fit(piece)

    build(tmp_path, replace(ASKED, wanted=3), PIECES, SerialEngine(), noted)
    assert begun == PIECES[:2]


def test_a_damaged_piece_is_done_again(serial: Path, tmp_path: Path):
    def stops(piece: Piece):
        if piece.number == 2:
            raise KeyboardInterrupt
        return fit(piece)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, ASKED, PIECES, SerialEngine(), stops)
    damaged = next((tmp_path / ".work").glob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    build(tmp_path, ASKED, PIECES, SerialEngine(), fit)
    assert contents(tmp_path) == contents(serial)


def test_overwriting_removes_what_was_rejected_before(serial: Path, tmp_path: Path):
    build(tmp_path, ASKED, PIECES, SerialEngine(), fit)
    with pytest.raises(OutputError, match="cannot take"):
        prepare(tmp_path, overwrite=False, resume=False)
    assert prepare(tmp_path, overwrite=True, resume=False) == "new"
    assert not list(tmp_path.iterdir())


def test_an_error_that_says_it_stops_the_run_does(tmp_path: Path):
    class Broke(InputError):
        stops_run = True

    def broke(piece: Piece):
        raise Broke("no money is left")

    assert Failure.of(Broke("no money is left")).error is not None
    with pytest.raises(Broke):
        build(tmp_path, ASKED, PIECES, SerialEngine(), broke)
