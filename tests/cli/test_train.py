"""`apu train` and `apu sample` from data set to pictures; `tests/prior` has the tests of what they call."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import trimesh
from PIL import Image
from safetensors.torch import load_file

from apu.cli import train_sheets

DATA = str(Path(__file__).resolve().parents[1] / "dataset" / "fixture_pairs")
TINY = ("--steps", "4", "--batch", "4", "--width", "16", "--layers", "1", "--heads", "2", "--sheet-every", "0")


def test_a_prior_is_trained_and_pairs_are_drawn_from_it(run, tmp_path: Path):
    result = run("train", DATA, "--out", "prior", *TINY, "--skin", "10")
    assert result.exit_code == 0, result.output
    assert "A prior of 23 pairs in prior/; validation loss" in result.stdout
    config = json.loads((tmp_path / "prior" / "config.json").read_text())
    assert config["network"]["width"] == 16
    assert config["training"]["pairs"] == 23
    assert config["training"]["data_sets"] == ["fixture_pairs"]
    assert (tmp_path / "prior" / "README.md").stat().st_mode & 0o044
    assert (tmp_path / "prior" / "model.safetensors").stat().st_mode & 0o044

    refused = run("train", DATA, "--out", "prior", *TINY)
    assert refused.exit_code == 2
    assert "not empty" in refused.stderr
    again = run("train", DATA, "--out", "prior", *TINY, "--skin", "10", "--resume")
    assert again.exit_code == 0, again.output
    other = run("train", DATA, "--out", "prior", *TINY, "--resume")
    assert other.exit_code == 2
    assert "settings.loss.points" in other.stderr

    id = config_id()
    drawn = run(
        "sample", "--prior", "prior", "--out", "drawn", "--count", "2", "--steps", "3",
        "--like", DATA, id, "--given", "a", "--given", "contacts",
    )  # fmt: skip
    assert drawn.exit_code == 0, drawn.output
    assert {file.name for file in (tmp_path / "drawn").iterdir()} == {"samples.png", "pair-000.glb", "pair-001.glb"}
    with Image.open(tmp_path / "drawn" / "samples.png") as picture:
        assert picture.width > 500
    scene = trimesh.load(tmp_path / "drawn" / "pair-000.glb")
    assert set(scene.geometry) == {"A", "B"}
    assert abs(float(scene.bounds[0][1])) < 1e-3  # y is up in glTF, and the lowest point stands on the floor


def test_sheets_are_drawn_now_and_then_and_change_no_bit_of_the_prior(run, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(train_sheets, "EACH", 1)
    tiny = [*TINY[:-2], "--held-out", "0.2"]
    assert run("train", DATA, "--out", "plain", *tiny, "--sheet-every", "0").exit_code == 0
    assert not (tmp_path / "plain" / "sheets").exists()
    result = run("train", DATA, "--out", "drawn", *tiny, "--sheet-every", "3", "--tensorboard")
    assert result.exit_code == 0, result.output
    sheets = sorted((tmp_path / "drawn" / "sheets").iterdir())
    assert [sheet.name for sheet in sheets] == ["step-000003.png", "step-000004.png"]
    first, last = (np.asarray(Image.open(sheet)).astype(int) for sheet in sheets)
    lines = train_sheets.TILE_PX[1]
    assert first.shape == last.shape
    assert 3 * lines < first.shape[0] < 4 * lines  # anything, contacts, B for A
    assert (first != last).any()
    for name in ("model.safetensors", "training.safetensors"):
        plain, drawn = (load_file(tmp_path / folder / name) for folder in ("plain", "drawn"))
        assert [key for key in plain if not torch.equal(plain[key], drawn[key])] == []
    # the log of four steps is one line, and a validation
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    scalars = reading.EventAccumulator(str(tmp_path / "drawn" / "tensorboard"))
    scalars.Reload()
    logged = {}
    for line in (tmp_path / "drawn" / "log.jsonl").read_text().splitlines():
        logged |= json.loads(line)
    shown = {tag: scalars.Scalars(tag)[-1].value for tag in scalars.Tags()["scalars"]}
    assert shown == {name: pytest.approx(value) for name, value in logged.items() if name != "step"}


def test_a_prior_that_is_told_no_contacts_has_a_sheet_without_them(run, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(train_sheets, "EACH", 1)
    assert run("train", DATA, "--out", "p", *TINY[:-2], "--no-contacts").exit_code == 0
    picture = np.asarray(Image.open(tmp_path / "p" / "sheets" / "step-000004.png"))
    assert 2 * train_sheets.TILE_PX[1] < picture.shape[0] < 3 * train_sheets.TILE_PX[1]


def test_without_tensorboard_the_training_does_not_begin(run, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    result = run("train", DATA, "--out", "p", *TINY, "--tensorboard")
    assert result.exit_code == 2
    assert "ask-pose-unite[tensorboard]" in result.stderr
    assert not (tmp_path / "p").exists()


def said(text: str, other: str) -> Callable[[Path], None]:
    """Another word in dataset.json."""

    def change(folder: Path) -> None:
        info = (folder / "dataset.json").read_text()
        assert text in info
        (folder / "dataset.json").write_text(info.replace(text, other))

    return change


def stored(edit: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """Other pairs in the file."""

    def change(folder: Path) -> None:
        path = folder / "pairs-00000.parquet"
        pq.write_table(edit(pq.read_table(path)), path)

    return change


def with_nan(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("param_shape")
    values = table.column(place).to_pylist()
    values[3][1][2] = float("nan")
    return table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))


def of_one_class(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("interaction")
    return table.set_column(place, table.schema.field(place), pa.array(["hug"] * len(table)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(said('"anny-0.6.2"', '"smplx-1"'), ("another body model", "smplx-1"), id="another body"),
        pytest.param(said('"schema_version": 1', '"schema_version": 2'), ("schema_version",), id="another schema"),
        pytest.param(said('"pairs": 24', '"pairs": "many"'), ("pairs",), id="damaged"),
        pytest.param(stored(lambda table: table[:0]), ("no pairs to learn from",), id="no pairs"),
        pytest.param(stored(of_one_class), ("of one class", "24 of `hug`"), id="one class"),
        pytest.param(stored(with_nan), ("shape[1][2]", "nan"), id="NaN"),
    ],
)
def test_data_that_nothing_can_be_learned_from_is_refused_with_the_reason(run, tmp_path: Path, change, told):
    shutil.copytree(DATA, tmp_path / "data")
    change(tmp_path / "data")
    result = run("train", "data", "--out", "p", *TINY, "--held-out", "0")
    assert result.exit_code == 2, result.output
    assert not [word for word in told if word not in result.stderr], result.stderr
    assert not (tmp_path / "p").exists()


def test_a_truncated_state_and_estimates_that_are_not_there_are_refused(run, tmp_path: Path):
    assert run("train", DATA, "--out", "p", *TINY).exit_code == 0
    missing = run("sample", "--prior", "p", "--out", "o", "--like", DATA, config_id(), "--given", "initial")
    assert missing.exit_code == 2
    assert "no initial estimates" in missing.stderr
    state = tmp_path / "p" / "training.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    again = run("train", DATA, "--out", "p", *TINY, "--resume")
    assert again.exit_code == 2
    assert "state of a training cannot be read" in again.stderr
    weights = tmp_path / "p" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    drawn = run("sample", "--prior", "p", "--out", "o")
    assert drawn.exit_code == 2
    assert "no sound prior" in drawn.stderr


def config_id() -> str:
    from apu.dataset.store import PairStore

    return next(PairStore(Path(DATA)).records()).id


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--like", DATA, "x"), "give both or none"),
        (("--given", "a"), "give both or none"),
    ],
)
def test_a_half_of_a_condition_is_refused(run, arguments, told):
    result = run("sample", "--prior", "p", "--out", "o", *arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_no_prior_is_refused(run):
    result = run("sample", "--prior", "nowhere", "--out", "o")
    assert result.exit_code == 2
    assert "There is no prior in the folder" in result.stderr
