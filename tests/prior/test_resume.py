"""A training that stops, by itself or by force, goes on in another process as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_training import SIX_STEPS, TINY, trainer

from apu.errors import InputError
from apu.prior.settings import LossWeights
from apu.prior.train import Trainer

SCRIPT = Path(__file__).parent / "small_training.py"


def rows_of_log(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def in_a_process_of_its_own(folder: Path, until: int) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(until)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def same_files(one: Path, other: Path) -> None:
    for name in ("model.safetensors", "training.safetensors"):
        first, second = load_file(one / name), load_file(other / name)
        assert first.keys() == second.keys()
        assert [key for key in first if not torch.equal(first[key], second[key])] == []
    assert (one / "config.json").read_bytes() == (other / "config.json").read_bytes()


def untimed(rows: list[dict]) -> list[dict]:
    return [{name: value for name, value in row.items() if name != "seconds_per_step"} for row in rows]


def test_stopped_after_three_of_six_steps_and_gone_on_in_another_process_it_is_the_same_to_the_bit(tmp_path, body):
    in_a_process_of_its_own(tmp_path / "halves", 3)
    assert not (tmp_path / "halves" / "model.safetensors").exists()
    trainer(tmp_path / "halves", body=body).run()
    trainer(tmp_path / "whole", body=body).run()
    same_files(tmp_path / "whole", tmp_path / "halves")
    assert untimed(rows_of_log(tmp_path / "whole")) == untimed(rows_of_log(tmp_path / "halves"))


def test_killed_at_any_moment_it_goes_on_to_the_same_bits(tmp_path, body):
    killed = subprocess.Popen([sys.executable, str(SCRIPT), str(tmp_path / "killed"), "6"])
    patience = time.monotonic() + 60
    while not (tmp_path / "killed" / "training.safetensors").exists() and time.monotonic() < patience:
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert (tmp_path / "killed" / "training.safetensors").exists()
    trainer(tmp_path / "whole", body=body).run()
    trainer(tmp_path / "killed", body=body).run()
    same_files(tmp_path / "whole", tmp_path / "killed")
    assert untimed(rows_of_log(tmp_path / "whole")) == untimed(rows_of_log(tmp_path / "killed"))


def test_lines_logged_after_the_last_state_are_forgotten(tmp_path, body):
    trainer(tmp_path, body=body).run(2)
    with open(tmp_path / "log.jsonl", "a") as file:
        file.write('{"step": 3, "loss": 0.5}\n{"step": 4, "lo')
    trainer(tmp_path, body=body).run()
    assert [row["step"] for row in rows_of_log(tmp_path) if "loss" in row] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"rate": 1e-3}, "settings.rate"),
        ({"seed": 7}, "settings.seed"),
        ({"steps": 9}, "settings.steps"),
        ({"loss": LossWeights(pose=2.0, points=10.0)}, "settings.loss.pose"),
        ({"network": replace(TINY, dropout=0.2)}, "settings.network.dropout"),
    ],
)
def test_going_on_with_other_settings_is_refused_and_the_setting_named(tmp_path, body, changed, place):
    trainer(tmp_path, body=body).run(1)
    with pytest.raises(InputError, match="cannot go on") as error:
        trainer(tmp_path, replace(SIX_STEPS, **changed), body)
    assert place in str(error.value)


def test_going_on_with_other_data_is_refused_and_with_another_pace_is_not(tmp_path, body, known_pairs):
    trainer(tmp_path, body=body).run(1)
    with pytest.raises(InputError, match="cannot go on") as error:
        Trainer(body, known_pairs, SIX_STEPS, tmp_path)
    assert "data" in str(error.value)
    assert trainer(tmp_path, replace(SIX_STEPS, log_every=3, save_every=1), body).step == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_state_is_refused(tmp_path, body, damage):
    trainer(tmp_path, body=body).run(1)
    path = tmp_path / "training.safetensors"
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "other": b"\x80\x04cos\nsystem\n."}[damage])
    with pytest.raises(InputError, match="state of a training"):
        trainer(tmp_path, body=body)
