"""`apu dataset` on two default bodies that stand side by side; `tests/dataset` has the tests of what it calls."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from apu.body.protocol import default_parameters
from apu.cli import dataset_checks
from apu.contact.contact import Contact
from apu.contact.measured import MeasuredContact
from apu.dataset.layout import Layout
from apu.dataset.record import PairRecord
from apu.dataset.store import write_dataset
from apu.scene.true_pair import TruePair

TOUCH = ("left_upper_arm_back", "right_upper_arm_back")


def pair(body, id: str, interaction: str) -> PairRecord:
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"][:] = torch.tensor([[0.0, -0.9, 0.0], [2.0, -0.9, 0.0]])
    contact = Contact(frozenset(TOUCH[:1]), frozenset(TOUCH[1:]))
    made = TruePair(
        id, interaction, "seen", "train", ("density", "density"), body.name, parameters,
        (MeasuredContact(*TOUCH, 0.004),), (contact,), 0.0, 0,
    )  # fmt: skip
    return PairRecord.from_true_pair(made, {})


@pytest.fixture
def folder(run, tmp_path: Path, body, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`data`: three hugs and a handshake. They do not really touch."""
    classes = {name: SimpleNamespace(name=name, group="seen") for name in ("hug", "handshake")}
    monkeypatch.setattr(dataset_checks, "interactions", lambda: classes)
    names = ("hug", "handshake", "hug", "hug")
    records = [pair(body, f"train-{name}-{i}", name) for i, name in enumerate(names)]
    layout = Layout.of_body(body.name, body.parameter_spec)
    write_dataset(tmp_path / "data", records, layout, kind="synthetic")
    return tmp_path / "data"


def test_statistics_for_people_and_for_programs_agree(run, folder: Path):
    text = run("dataset", "stats", "data").stdout
    assert text.splitlines()[0] == "4 pairs: 4 synthetic"
    assert "     4  upper arm - upper arm" in text
    found = json.loads(run("dataset", "stats", "data", "--json").stdout)
    assert found["classes"] == {"handshake": 1, "hug": 3}
    assert 1.5 < found["height_m"]["mean"] < 1.9
    assert f"{100 * found['height_m']['mean']:.2f}" in text


def test_a_sound_data_set_passes(run, folder: Path):
    result = run("dataset", "verify", "data")
    assert (result.exit_code, result.output) == (0, "No problem was found in data/\n")


def test_contacts_that_are_not_there_are_found_by_measuring(run, folder: Path):
    result = run("dataset", "verify", "data", "--measure", "2")
    assert result.exit_code == 1
    told = result.stdout.splitlines()
    assert told == [
        f"pair train-hug-{i}: contact {TOUCH[0]} - {TOUCH[1]} is stored as 4.00 mm, measured as none" for i in (0, 2)
    ]
    assert "2 problems in data/" in result.stderr


def test_every_problem_has_its_line(run, folder: Path):
    content = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(content | {"pairs": 9}))
    (folder / "pairs-00001.parquet").write_text("surplus")
    result = run("dataset", "verify", "data")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2


def test_what_is_no_data_set_is_called_so(run):
    for command in (("stats",), ("show", "--out", "x.png")):
        result = run("dataset", command[0], "nothing", *command[1:])
        assert result.exit_code == 2
        assert "no finished data set" in result.stderr
    assert run("dataset", "verify", "nothing").exit_code == 1


def test_pairs_are_drawn_by_id_and_by_class(run, folder: Path):
    result = run("dataset", "show", "data", "train-hug-2", "--out", "one.png")
    assert (result.exit_code, result.output) == (0, "one.png  1 pairs\n")
    one = np.asarray(Image.open("one.png"))
    assert run("dataset", "show", "data", "--class", "hug", "--count", "2", "--out", "hug.png").exit_code == 0
    assert np.asarray(Image.open("hug.png")).shape[1] > 1.9 * one.shape[1]


def test_several_classes_get_a_sheet_each(run, folder: Path):
    result = run("dataset", "show", "data", "--count", "1", "--out", "s.png")
    assert result.output.splitlines() == ["s_handshake.png  1 pairs", "s_hug.png  1 pairs"]
    assert Path("s_hug.png").is_file()
    assert Path("s_handshake.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody",), "no such pair"),
        (("--class", "kick"), "one of handshake, hug"),
        (("train-hug-2", "--class", "hug"), "exclude each other"),
    ],
)
def test_what_cannot_be_drawn_is_named(run, folder: Path, arguments, told: str):
    result = run("dataset", "show", "data", *arguments, "--out", "x.png")
    assert result.exit_code == 2
    assert told in result.stderr
    assert not Path("x.png").exists()


def test_a_set_is_compared_with_itself_and_with_one_of_fewer_classes(run, tmp_path: Path, folder: Path, body):
    result = run("dataset", "compare", "data", "data", "--out", "same")
    assert result.exit_code == 0, result.output
    assert {file.name for file in (tmp_path / "same").iterdir()} == {"table.md", "table.json", "plot.png"}
    same = json.loads((tmp_path / "same" / "table.json").read_text())["measures"]
    assert {one["difference"] for one in same.values()} == {0.0}
    layout = Layout.of_body(body.name, body.parameter_spec)
    write_dataset(tmp_path / "hugs", [pair(body, f"h{i}", "hug") for i in range(6)], layout, kind="synthetic")
    text = run("dataset", "compare", "data", "hugs").stdout
    assert "Diversity at 4 pairs each" in text
    assert "larger set is measured at the size of the smaller" in " ".join(text.split())
    told = json.loads(run("dataset", "compare", "data", "hugs", "--json").stdout)
    assert told["facts"]["B"] == "hugs, 6 of 6 pairs, synthetic"
    entropy = told["measures"]["interaction_type_entropy_bits"]
    assert (round(entropy["a"], 3), entropy["b"]) == (0.811, 0.0)  # three hugs and a handshake


def test_a_comparison_does_not_overwrite_and_is_the_same_again(run, tmp_path: Path, folder: Path):
    assert run("dataset", "compare", "data", "data", "--out", "o").exit_code == 0
    files = {file.name: file.read_bytes() for file in (tmp_path / "o").iterdir()}
    assert "not empty" in run("dataset", "compare", "data", "data", "--out", "o").stderr
    assert run("dataset", "compare", "data", "data", "--out", "o", "--overwrite").exit_code == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "o").iterdir()} == files
    into_data = run("dataset", "compare", "data", "data", "--out", "data", "--overwrite")
    assert into_data.exit_code == 2
    assert "holds a data set" in into_data.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda info: info | {"body_model": "smplx-1"}, "different body models"),
        (lambda info: info | {"parameters": {"pose": ["knee"]}}, "different body models"),
        (lambda info: info | {"schema_version": 2}, "schema_version"),
        (lambda info: None, "no finished data set"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(run, tmp_path: Path, folder: Path, change, told: str):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    changed = change(json.loads((other / "dataset.json").read_text()))
    (other / "dataset.json").unlink()
    if changed is not None:
        (other / "dataset.json").write_text(json.dumps(changed))
    result = run("dataset", "compare", "data", "other", "--out", "o")
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "o").exists()
