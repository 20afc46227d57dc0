"""Whoever watches a training sees all of it, and changes nothing."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_training import SIX_STEPS, fixture_pairs, trainer

from apu.errors import InputError
from apu.prior.checkpoint import load_prior
from apu.prior.sampling import sample
from apu.prior.train import Trainer
from apu.prior.watch import Watch


def watched(folder: Path, body, watches: Sequence[Watch]) -> Trainer:
    """As `small_training.trainer`."""
    pairs = fixture_pairs(body)
    kept = pairs.rows(torch.arange(18, 24))
    return Trainer(body, pairs.rows(torch.arange(18)), SIX_STEPS, folder, kept, watches=watches)


def rows_of_log(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_who_draws_at_random_changes_nothing_also_when_the_training_stops_in_between(tmp_path, body):
    def careless(step: int, prior) -> None:
        torch.manual_seed(step)
        torch.rand(100)
        np.random.seed(step)  # noqa: NPY002
        sample(prior, 2)
        prior.network.train()
        with torch.no_grad():
            next(prior.network.parameters()).zero_()

    trainer(tmp_path / "alone", body=body).run()
    watch = [Watch(shown=careless, every=1)]
    watched(tmp_path / "watched", body, watch).run(3)
    watched(tmp_path / "watched", body, watch).run()
    for name in ("model.safetensors", "training.safetensors"):
        alone, seen = load_file(tmp_path / "alone" / name), load_file(tmp_path / "watched" / name)
        assert [key for key in alone if not torch.equal(alone[key], seen[key])] == []
    assert (tmp_path / "alone" / "config.json").read_bytes() == (tmp_path / "watched" / "config.json").read_bytes()


def test_the_prior_is_shown_now_and_then_and_at_the_end_as_it_is_then(tmp_path, body):
    seen = []
    run = watched(tmp_path, body, [Watch(shown=lambda step, prior: seen.append((step, prior)), every=4)])
    run.run(5)
    run.run()
    assert [step for step, _ in seen] == [4, 6]
    last, kept = seen[1][1].network.state_dict(), load_prior(tmp_path, body).network.state_dict()
    assert all(torch.equal(last[name], kept[name]) for name in kept)
    assert any(not torch.equal(seen[0][1].network.state_dict()[name], kept[name]) for name in kept)


def test_what_is_shown_comes_before_the_state_so_that_a_kill_loses_none(tmp_path, body):
    def killed(step: int, _: object) -> None:
        assert step == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched(tmp_path, body, [Watch(shown=killed, every=2)]).run()
    assert not (tmp_path / "training.safetensors").exists()  # saved every 2 steps
    seen = []
    watched(tmp_path, body, [Watch(shown=lambda step, _: seen.append(step), every=2)]).run()
    assert seen == [2, 4, 6]


def test_every_line_of_the_log_is_told(tmp_path, body):
    told = []
    watched(tmp_path, body, [Watch(logged=told.append), Watch()]).run()
    assert told == rows_of_log(tmp_path)


def test_it_cannot_be_shown_less_than_every_step():
    with pytest.raises(InputError, match="so often"):
        Watch(every=0)
