"""Two processes train as one does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from safetensors.torch import load_file
from small_training import SIX_STEPS, TINY, one_of_two, trainer

from apu.errors import InputError


def rows_of_log(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_two_processes_give_the_loss_curve_of_one(tmp_path, body):
    still = replace(SIX_STEPS, network=replace(TINY, dropout=0.0))  # each process has dropout of its own
    trainer(tmp_path / "one", still, body).run()
    (tmp_path / "two").mkdir()
    mp.spawn(one_of_two, args=(str(tmp_path / "two"), still), nprocs=2)
    for one, two in zip(rows_of_log(tmp_path / "one"), rows_of_log(tmp_path / "two"), strict=True):
        assert one.keys() == two.keys()
        for name in one.keys() - {"seconds_per_step"}:
            assert two[name] == pytest.approx(one[name], rel=1e-4), name
    one, two = (load_file(tmp_path / which / "model.safetensors") for which in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=2e-4) for name in one)


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, body, monkeypatch):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 0)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    with pytest.raises(InputError, match="cannot be shared"):
        trainer(tmp_path, body=body)
