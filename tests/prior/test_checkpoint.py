"""A prior comes back from the disk as it was, and nothing else comes in."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from apu.cache import sha256_file
from apu.errors import InputError
from apu.prior.checkpoint import load_prior, save_prior


@pytest.fixture
def folder(tmp_path, untrained) -> Path:
    save_prior(tmp_path / "prior", untrained, "cosine", {"pairs": 24, "classes": ["hug"]})
    return tmp_path / "prior"


def edit(folder: Path, **changes: object) -> None:
    row = json.loads((folder / "config.json").read_text())
    for name, value in changes.items():
        if value is None:
            del row[name]
        else:
            row[name] = value
    (folder / "config.json").write_text(json.dumps(row))


def problem(folder: Path, body) -> str:
    with pytest.raises(InputError) as error:
        load_prior(folder, body)
    return str(error.value)


def test_it_comes_back_as_it_was(folder, body, untrained, known_pairs):
    loaded = load_prior(folder, body)
    assert {f.name for f in folder.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    rows = untrained.rows(known_pairs.parameters)
    assert torch.equal(loaded.rows(known_pairs.parameters), rows)
    nothing = untrained.condition(24)
    for time in (0, 10, 999):
        assert torch.equal(loaded.denoised(rows, time, nothing), untrained.denoised(rows, time, nothing))


def test_the_card_says_what_it_is_and_what_it_is_not_for(folder, body):
    card = (folder / "README.md").read_text()
    assert body.name in card
    assert "Limits" in card
    assert '"pairs": 24' in card


def test_another_body_model_is_refused(folder, body, monkeypatch):
    monkeypatch.setattr(type(body), "name", property(lambda self: "anny-0.9.9"))
    text = problem(folder, body)
    assert "for other bodies" in text
    assert "anny-0.9.9" in text


def test_another_representation_is_refused(folder, body):
    edit(folder, representation="0" * 64)
    assert "in another way" in problem(folder, body)


def test_a_newer_schema_is_refused(folder, body):
    edit(folder, schema_version=2, something_new=3)
    text = problem(folder, body)
    assert "newer version" in text
    assert "update apu" in text


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schedule": "square"}, "schedule"),
        ({"diffusion_steps": "many"}, "diffusion_steps"),
        ({"diffusion_steps": 0}, "config.json"),
        ({"diffusion_steps": 10**12}, "config.json"),
        ({"network": {"layers": 10**9}}, "config.json"),
        ({"schema_version": 0}, "config.json"),
        ({"schema_version": True}, "schema_version"),
        ({"extra": 1}, "extra"),
        ({"weights_sha256": None}, "weights_sha256"),
        ({"network": {"width": 32, "depth": 2}}, "network.depth"),
        ({"network": {"width": 64.5}}, "network.width"),
    ],
)
def test_a_config_that_says_something_else_is_refused_and_the_field_named(folder, body, change, place):
    edit(folder, **change)
    assert place in problem(folder, body)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100000])
def test_a_config_that_is_none_is_refused(folder, body, text):
    (folder / "config.json").write_text(text)
    assert "config.json" in problem(folder, body)


def test_no_folder_is_refused(tmp_path, body):
    assert "config.json" in problem(tmp_path / "nowhere", body)


def test_a_truncated_file_is_refused(folder, body):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "sha256" in problem(folder, body)


def sealed(folder: Path) -> None:
    """Make the digest right again, as who forges a file would."""
    edit(folder, weights_sha256=sha256_file(folder / "model.safetensors"))


def test_a_pickle_under_the_name_of_the_weights_is_not_run(folder, body, tmp_path):
    class Harm:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    (folder / "model.safetensors").write_bytes(pickle.dumps(Harm()))
    sealed(folder)
    assert "safetensors" in problem(folder, body)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "nan", "double"])
def test_tensors_of_another_network_are_refused_and_named(folder, body, change):
    path, name = folder / "model.safetensors", "network.heads.pose.0.weight"
    tensors = load_file(path)
    if change == "missing":
        del tensors[name]
    elif change == "extra":
        name = "network.more"
        tensors[name] = torch.zeros(3)
    elif change == "shape":
        tensors[name] = tensors[name][:-1].contiguous()
    elif change == "nan":
        tensors[name][0, 0] = float("nan")
    else:
        tensors[name] = tensors[name].double()
    save_file(tensors, path)
    sealed(folder)
    assert name in problem(folder, body)


def test_other_sizes_than_the_weights_have_are_refused_before_memory_is_taken(folder, body):
    row = json.loads((folder / "config.json").read_text())["network"]
    edit(folder, network={**row, "feedforward": 10**9})  # 256 GB of weights
    assert "linear1" in problem(folder, body)


def test_a_folder_half_written_is_no_prior(folder, body, untrained, monkeypatch):
    def breaks(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("apu.prior.checkpoint.model_card", breaks)
    other = replace(untrained, statistics=replace(untrained.statistics, mean=untrained.statistics.mean + 1))
    with pytest.raises(KeyboardInterrupt):
        save_prior(folder, other, "cosine")
    assert "config.json" in problem(folder, body)
