"""`apu train` and `apu sample` from data set to pictures; `tests/prior` has the tests of what they call."""

import json
from pathlib import Path

import pytest
import trimesh
from PIL import Image

DATA = str(Path(__file__).resolve().parents[1] / "dataset" / "fixture_pairs")
TINY = ("--steps", "4", "--batch", "4", "--width", "16", "--layers", "1", "--heads", "2")


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
    assert "no sound prior" in result.stderr
