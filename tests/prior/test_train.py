"""Training learns, averages, clips, validates, and refuses what it cannot learn from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_training import SIX_STEPS, TINY, trainer

from apu.errors import InputError
from apu.prior.augment import mirrored, swapped
from apu.prior.checkpoint import load_prior
from apu.prior.draws import batch_rows
from apu.prior.sampling import sample
from apu.prior.settings import TrainSettings
from apu.prior.train import Trainer, data_statistics, rate_at


def rows_of_log(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_training_does_not_disturb_the_callers_random_numbers(tmp_path, body):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    trainer(tmp_path, body=body).run(1)
    assert torch.equal(torch.rand(3), expected)


def test_a_smoke_training_learns_and_its_samples_are_pairs(tmp_path, body, known_pairs):
    """Validated on the pairs that it learns from: the question is whether it learns at all."""
    settings = TrainSettings(
        steps=150, batch=24, rate=4e-3, warm_up=10, swap=False, mirror=False, network=replace(TINY, dropout=0.0)
    )
    run = Trainer(body, known_pairs, settings, tmp_path, known_pairs)
    before = run.validate()["validation_loss"]
    run.run()
    assert run.validate()["validation_loss"] < 0.75 * before
    curve = [row["loss"] for row in rows_of_log(tmp_path) if "loss" in row]
    assert curve[-1] < 0.85 * curve[0]
    pairs = sample(load_prior(tmp_path, body), 5)
    assert {name: tuple(value.shape) for name, value in pairs.items()} == {
        name: (5, 2, one.size) for name, one in body.parameter_spec.items()
    }
    assert all(bool(value.isfinite().all()) for value in pairs.values())
    spec = body.parameter_spec["pose"]
    assert bool(((pairs["pose"] >= spec.lower) & (pairs["pose"] <= spec.upper)).all())
    apart = (pairs["translation"][:, 1] - pairs["translation"][:, 0]).norm(dim=-1)
    assert float(apart.max()) < 3.0  # people in contact are near each other


def test_the_validation_loss_is_the_same_each_time_and_logged(tmp_path, body):
    run = trainer(tmp_path, body=body)
    assert run.validate() == run.validate()
    run.run()
    logged = [row for row in rows_of_log(tmp_path) if "validation_loss" in row]
    assert [row["step"] for row in logged] == [3, 6]
    assert logged[-1]["validation_loss"] == pytest.approx(run.validate()["validation_loss"])


def test_averaged_weights_lag_behind_and_are_what_is_kept(tmp_path, body):
    run = trainer(tmp_path, body=body)
    before = run.model.heads["pose"][0].weight.detach().clone()
    run.run(1)
    new, average = run.model.heads["pose"][0].weight, run.average.heads["pose"][0].weight
    share = min(SIX_STEPS.ema, 1 / 10)
    assert torch.allclose(average, share * before + (1 - share) * new, atol=1e-7)
    assert torch.equal(run.prior().network.heads["pose"][0].weight, average)


def test_the_gradient_is_clipped(tmp_path, body):
    """After one step, Adam's first moment is a tenth of the gradient."""
    run = trainer(tmp_path, replace(SIX_STEPS, clip=1e-3), body)
    run.run(1)
    moments = [state["exp_avg"] for state in run.optimiser.state.values()]
    assert float(torch.stack([m.norm() for m in moments]).norm()) == pytest.approx(1e-4, rel=1e-3)


def test_the_rate_rises_and_falls():
    settings = TrainSettings(steps=1000, warm_up=100, rate=1.0)
    rates = [rate_at(step, settings) for step in range(1000)]
    assert rates[0] == pytest.approx(1 / 101)
    assert max(rates) == pytest.approx(rates[100], rel=0.02)
    assert rates[-1] < 1e-4
    assert rate_at(999, replace(settings, decay=False)) == 1.0


def test_every_pair_comes_once_in_an_epoch_and_each_epoch_has_its_own_order():
    steps = [batch_rows(0, 10, 4, step).tolist() for step in range(10)]
    order = [row for one in steps for row in one]
    epochs = [order[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert batch_rows(0, 3, 8, 1).shape == (8,)  # a batch may hold several epochs
    assert steps != [batch_rows(1, 10, 4, step).tolist() for step in range(10)]


def test_statistics_are_the_same_from_both_sides_and_in_the_mirror(body, representation, known_pairs):
    settings = TrainSettings()
    own = data_statistics(known_pairs, representation, settings)
    for other in (swapped(known_pairs), mirrored(known_pairs, body.parameter_spec)):
        theirs = data_statistics(other, representation, settings)
        assert torch.allclose(theirs.mean, own.mean, atol=1e-5)
        assert torch.allclose(theirs.std, own.std, atol=1e-5)


def test_another_seed_is_another_training(tmp_path, body):
    runs = [trainer(tmp_path / str(seed), replace(SIX_STEPS, seed=seed), body) for seed in (0, 1)]
    assert not torch.equal(*(run.model.heads["pose"][0].weight for run in runs))


def test_pairs_that_cannot_be_learned_from_are_refused_before_anything_is_written(tmp_path, body, known_pairs):
    values = {name: value.clone() for name, value in known_pairs.parameters.items()}
    values["pose"][2, 0, 0] = float("inf")
    with pytest.raises(InputError, match="not finite"):
        Trainer(body, replace(known_pairs, parameters=values), SIX_STEPS, tmp_path / "new")
    with pytest.raises(InputError, match="no pairs"):
        Trainer(body, known_pairs.rows(torch.arange(0)), SIX_STEPS, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_training_that_explodes_stops(tmp_path, body):
    with pytest.raises(InputError, match="no finite loss"):
        trainer(tmp_path, replace(SIX_STEPS, rate=1e30, warm_up=0), body).run()
