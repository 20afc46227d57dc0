"""`apu dataset` on two default bodies that stand side by side; `tests/dataset` has the tests of what it calls."""

import json
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
