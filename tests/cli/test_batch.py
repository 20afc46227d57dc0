"""Several photos with a stand-in for the pipeline: what is recorded, what goes on, what stops, and what is kept."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from apu.cli import batch_progress, batch_table
from apu.cli.run import THREADS_VARIABLE
from apu.errors import ModelFileError, OutputError, PhotoError

BAD = PhotoError("The photo cannot be decoded.", where="b.jpg", expected="an image", got="noise", remedy="fetch it.")


def folders(out: Path) -> list[str]:
    return sorted(entry.name for entry in out.iterdir() if entry.is_dir())


def test_every_photo_gets_its_folder(run, stub, photos: Path, tmp_path: Path):
    result = run("fit", "in")
    assert result.exit_code == 0, result.output
    assert folders(tmp_path / "apu_results") == ["a", "b", "c"]
    assert [photo.name for photo, _ in stub.calls] == ["a.JPG", "b.jpg", "c.png"]


def test_all_photos_are_on_one_page_also_the_bad_ones(run, stub, photos: Path, tmp_path: Path):
    stub.bad = {"b": BAD}
    run("fit", "in", "--out", "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "./a/panel.png" in page
    assert "./b/failure.json" in page
    assert BAD.what in page


def test_the_table_is_as_stored(run, stub, photos: Path, snapshot):
    stub.bad = {"b": BAD}
    stub.failures = (((2, 0), "too few joints are seen"),)
    result = run("fit", "in")
    snapshot("table", result.stdout)


def test_a_bad_photo_is_recorded_and_the_others_finish(run, stub, photos: Path, tmp_path: Path):
    stub.bad = {"b": BAD}
    result = run("fit", "in", "--out", "out", "--seed", "3")
    assert result.exit_code == 1
    record = json.loads((tmp_path / "out" / "b" / "failure.json").read_text())
    assert {name: record[name] for name in ("what", "where", "expected", "got", "remedy")} == {
        "what": BAD.what, "where": BAD.where, "expected": BAD.expected, "got": BAD.got, "remedy": BAD.remedy,
    }  # fmt: skip
    assert (record["photo"], record["path"], record["kind"]) == ("b", "in/b.jpg", "PhotoError")
    assert record["options"]["seed"] == 3
    assert (tmp_path / "out" / "c" / "run.json").is_file()
    assert "b.jpg: Error: The photo cannot be decoded." in result.stderr
    assert "1 of 3 photos failed" in result.stderr


@pytest.mark.parametrize("error", [ValueError("odd\nnumbers"), MemoryError(), OSError("weird")])
def test_an_unforeseen_error_costs_its_photo_only(run, stub, photos: Path, tmp_path: Path, error: Exception):
    stub.bad = {"a": error}
    assert run("fit", "in").exit_code == 1
    record = json.loads((tmp_path / "apu_results" / "a" / "failure.json").read_text())
    assert record["what"].startswith(f"Unexpected {type(error).__name__}: ")
    assert folders(tmp_path / "apu_results") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(ModelFileError("npm could not fetch."), 3), (OutputError("No room."), 2), (OSError(28, "No space left"), 1)],
)
def test_what_would_befall_every_photo_stops_all_and_says_how_to_go_on(run, stub, photos: Path, error, code: int):
    stub.bad = {"b": error}
    result = run("fit", "in")
    assert result.exit_code == code
    assert [photo.name for photo, _ in stub.calls] == ["a.JPG", "b.jpg"]
    assert "1 of 3 photos are done. To go on: the same command with --resume." in result.stderr


def test_a_failed_pair_makes_the_photo_partly_done_and_the_exit_code_1(run, stub, photos: Path):
    stub.failures = (((2, 0), "too few joints are seen"),)
    result = run("fit", "in")
    assert result.exit_code == 1
    assert "partly" in result.stdout
    assert "pair 2,0: too few joints are seen" in result.stdout


def test_progress_names_photo_stage_and_time_left(run, stub, photos: Path):
    lines = run("fit", "in").stderr.splitlines()
    assert "[1/3] a.JPG: finding people ..." in lines
    assert any(line.startswith("[2/3] b.jpg: done in 0.") and line.endswith("s; about 1 s left") for line in lines)


def test_a_folder_with_results_is_refused_before_any_work(run, stub, photos: Path):
    run("fit", "in")
    stub.calls.clear()
    result = run("fit", "in")
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert stub.calls == []


def test_overwrite_does_all_again_and_forgets_old_failures(run, stub, photos: Path, tmp_path: Path):
    stub.bad = {"b": BAD}
    run("fit", "in")
    stub.bad = {"a": BAD}
    run("fit", "in", "--overwrite")
    assert not (tmp_path / "apu_results" / "b" / "failure.json").exists()
    assert not (tmp_path / "apu_results" / "a" / "run.json").exists()
    assert (tmp_path / "apu_results" / "a" / "failure.json").is_file()


@pytest.mark.parametrize("resume", [("--resume",), ("--overwrite",)])
def test_a_photos_folder_with_other_things_in_it_is_refused(run, stub, photos: Path, tmp_path: Path, resume):
    (tmp_path / "apu_results" / "b").mkdir(parents=True)
    (tmp_path / "apu_results" / "b" / "thesis.tex").write_text("mine")
    result = run("fit", "in", *resume)
    assert result.exit_code == 2
    assert "something else" in result.stderr
    assert stub.calls == []


# ---- --resume


def test_what_is_finished_is_kept(run, stub, photos: Path, tmp_path: Path):
    stub.bad = {"b": BAD}
    run("fit", "in")
    stub.bad = {}
    stub.calls.clear()
    result = run("fit", "in", "--resume")
    assert result.exit_code == 0, result.output
    assert [photo.name for photo, _ in stub.calls] == ["b.jpg"]
    assert not (tmp_path / "apu_results" / "b" / "failure.json").exists()
    assert result.stdout.count("kept") == 2
    assert "2 of 3 photos are finished already." in result.stderr


def _drop_run_json(out: Path, photos: Path) -> None:
    (out / "b" / "run.json").unlink()
    (out / "b" / ".apu-0123456789abcdef.glb").write_text("half")


def _change_photo(out: Path, photos: Path) -> None:
    (photos / "b.jpg").write_text("another photo")


def _other_version(out: Path, photos: Path) -> None:
    file = out / "b" / "run.json"
    record = json.loads(file.read_text())
    record["versions"]["apu"] = "0.0.1"
    file.write_text(json.dumps(record))


def _damage(out: Path, photos: Path) -> None:
    (out / "b" / "run.json").write_text("{")


@pytest.mark.parametrize("spoil", [_drop_run_json, _change_photo, _other_version, _damage])
def test_what_is_not_this_runs_result_is_done_again(run, stub, photos: Path, tmp_path: Path, spoil):
    run("fit", "in")
    spoil(tmp_path / "apu_results", photos)
    stub.calls.clear()
    assert run("fit", "in", "--resume").exit_code == 0
    assert [photo.name for photo, _ in stub.calls] == ["b.jpg"]
    assert not list((tmp_path / "apu_results" / "b").glob(".apu-*"))


def test_other_options_do_all_again(run, stub, photos: Path):
    run("fit", "in")
    stub.calls.clear()
    run("fit", "in", "--resume", "--seed", "1")
    assert len(stub.calls) == 3
    run("fit", "in", "--resume", "--seed", "1")
    assert len(stub.calls) == 3


def test_a_contact_file_that_was_edited_counts_as_another(run, stub, photos: Path, tmp_path: Path):
    contacts = tmp_path / "contacts"
    contacts.mkdir()
    for stem in ("a", "b", "c"):
        (contacts / f"{stem}.json").write_text("{}")
    run("fit", "in", "--contacts", "contacts")
    stub.calls.clear()
    later = (tmp_path / "apu_results" / "b" / "run.json").stat().st_mtime + 5
    os.utime(contacts / "b.json", (later, later))
    run("fit", "in", "--contacts", "contacts", "--resume")
    assert [photo.name for photo, _ in stub.calls] == ["b.jpg"]


def test_one_photo_can_be_resumed_too(run, stub, photos: Path):
    run("fit", "in/b.jpg")
    result = run("fit", "in/b.jpg", "--resume")
    assert result.exit_code == 0
    assert "finished already" in result.stdout
    assert len(stub.calls) == 1
    assert run("fit", "in/b.jpg", "--resume", "--seed", "1").exit_code == 0
    assert len(stub.calls) == 2


def test_resume_in_a_fresh_place_is_a_first_run(run, stub, photos: Path):
    assert run("fit", "in", "--resume").exit_code == 0
    assert len(stub.calls) == 3


# ---- files for each photo


def test_a_missing_entry_is_a_recorded_failure(run, stub, photos: Path, tmp_path: Path):
    (tmp_path / "k").mkdir()
    for stem in ("a", "c"):
        (tmp_path / "k" / f"{stem}_keypoints.json").write_text("{}")
    result = run("fit", "in", "--keypoints", "k")
    assert result.exit_code == 1
    given = [options.keypoints for _, options in stub.calls]
    assert given == [(Path("k/a_keypoints.json"),), (Path("k/c_keypoints.json"),)]
    assert json.loads((tmp_path / "apu_results" / "b" / "failure.json").read_text())["kind"] == "KeypointFileError"


@pytest.mark.parametrize(
    "arguments", [("--person-box", "0,0,9,9"), ("--person-keypoints", "0=k.json"), ("--overwrite", "--resume")]
)
def test_what_makes_no_sense_for_several_is_refused(run, stub, photos: Path, snapshot, arguments: tuple[str, ...]):
    result = run("fit", "in", *arguments)
    assert result.exit_code == 2
    assert stub.calls == []
    snapshot(f"wrong several {arguments[0]}", result.stderr)


def test_a_video_is_asked_for_and_is_part_of_being_finished(run, stub, photos: Path):
    assert run("fit", "in/b.jpg", "--video").exit_code == 0
    assert run("fit", "in/b.jpg", "--video", "--resume").exit_code == 0
    assert stub.videos == [True, True]  # the stand-in made none, so it is tried again


# ---- interruption


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(run, stub, photos: Path, tmp_path: Path):
    stub.bad = {"b": KeyboardInterrupt()}
    result = run("fit", "in")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == (
        "Interrupted. 1 of 3 photos are done. To go on: the same command with --resume."
    )
    assert folders(tmp_path / "apu_results") == ["a"]
    run("fit", "in", "--overwrite")
    assert "with --resume instead of --overwrite." in run("fit", "in", "--overwrite").stderr


def test_a_wrong_number_of_threads_stops_before_the_first_photo(run, stub, photos: Path, monkeypatch):
    monkeypatch.setenv(THREADS_VARIABLE, "0")
    assert run("fit", "in").exit_code == 2
    assert stub.calls == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output and error say that they are a terminal."""
    for module in (batch_table, batch_progress):
        monkeypatch.setattr(module, "sys", Terminal())


class Terminal:
    """Stands in for `sys`."""

    def __getattr__(self, name: str) -> object:
        stream = getattr(sys, name)
        monkey = Stream()
        monkey.__dict__ |= {"write": stream.write, "flush": stream.flush}
        return monkey


class Stream:
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_a_table_that_fits_its_width(run, stub, photos: Path, terminal):
    stub.bad = {"b": BAD}
    result = run("fit", "in")
    assert "c.png" in result.stderr
    assert "3/3" in result.stderr
    assert "b: The photo cannot be decoded." in result.stdout
    assert "penetration" in result.stdout


def test_removing_a_photo_between_runs_is_a_failure_of_that_photo(run, stub, photos: Path, tmp_path: Path):
    run("fit", "in/a.JPG", "in/b.jpg")
    shutil.move(photos / "b.jpg", tmp_path / "elsewhere.jpg")
    stub.bad = {"b": BAD}
    assert run("fit", "in/a.JPG", "in/b.jpg", "--resume").exit_code == 1
