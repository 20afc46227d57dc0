import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_world import SLOW_VARIABLE, make_chunk
from killed_synthesis import ASKED

from apu.dataset.engine import LocalEngine, SerialEngine
from apu.dataset.quota import EMPTY_CHUNKS
from apu.dataset.store import PairStore
from apu.dataset.synthesis import synthesise
from apu.errors import ApuError

SCRIPT = Path(__file__).parent / "killed_synthesis.py"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial")
    synthesise(folder, ASKED, SerialEngine(), make_chunk)
    return folder


def test_every_class_gives_its_quota_and_they_take_turns(serial: Path):
    records = list(PairStore(serial).records())
    assert [record.interaction for record in records] == ["broken", "hug", "kick"] * 5 + ["hug"]
    numbers = [int(record.id.split("-")[2]) for record in records if record.interaction == "hug"]
    assert numbers == sorted(numbers)


def test_statistics_and_failed_chunks_are_in_the_description(serial: Path):
    classes = PairStore(serial).info.classes
    assert classes["broken"].failed == {"00001": "ValueError: this chunk never works"}
    for one in classes.values():
        assert one.pairs <= one.accepted
        assert one.tried == one.accepted + sum(one.rejected.values())


def test_no_work_is_left_behind(serial: Path):
    assert sorted(contents(serial)) == ["dataset.json", "pairs-00000.parquet"]


def test_a_killed_run_that_two_processes_resume_gives_the_same_bytes(serial: Path, tmp_path: Path):
    arguments = [sys.executable, str(SCRIPT), str(tmp_path)]
    environment = os.environ | {SLOW_VARIABLE: "0.02"}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as killed:
        assert killed.stdout is not None
        for _ in range(4):
            killed.stdout.readline()
        killed.kill()
    left = list((tmp_path / ".work").glob("*.parquet"))
    assert len(left) >= 3  # of four chunks, one may have failed
    assert not (tmp_path / "dataset.json").exists()
    fresh = []
    synthesise(tmp_path, ASKED, LocalEngine(2), make_chunk, lambda plan, new: fresh.append(new))
    assert fresh.count(False) >= len(left)  # taken over, not computed again
    assert contents(tmp_path) == contents(serial)


def test_a_finished_chunk_is_not_computed_again(serial: Path, tmp_path: Path):
    def only_kick_is_missing(chunk):
        if chunk.interaction == "kick":
            raise KeyboardInterrupt
        return make_chunk(chunk)

    with pytest.raises(KeyboardInterrupt):
        synthesise(tmp_path, ASKED, SerialEngine(), only_kick_is_missing)
    fresh = []
    synthesise(tmp_path, ASKED, SerialEngine(), make_chunk, lambda plan, new: fresh.append(new))
    assert not fresh[0]
    assert contents(tmp_path) == contents(serial)


def test_another_seed_gives_other_pairs(serial: Path, tmp_path: Path):
    synthesise(tmp_path, replace(ASKED, seed=4), SerialEngine(), make_chunk)
    assert (tmp_path / "pairs-00000.parquet").read_bytes() != (serial / "pairs-00000.parquet").read_bytes()


def test_a_class_that_yields_nothing_ends_it_and_the_work_is_kept(tmp_path: Path):
    asked = replace(ASKED, quotas={"hug": 2, "empty": 1}, groups={"empty": "seen", "hug": "seen"})
    with pytest.raises(ApuError, match="`empty` yields no more") as caught:
        synthesise(tmp_path, asked, SerialEngine(), make_chunk)
    assert caught.value.got == f"0 pairs of {8 * EMPTY_CHUNKS} candidates; rejected: contact {8 * EMPTY_CHUNKS}"
    fresh = []
    rest = replace(asked, quotas={"hug": 2})
    synthesise(tmp_path, rest, SerialEngine(), make_chunk, lambda plan, new: fresh.append(new))
    assert not fresh[0]
