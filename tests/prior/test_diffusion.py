"""Schedules and samplers do what those of `diffusers` do; the formulas and two known answers are checked besides."""

import math

import pytest
import torch

from apu.errors import InputError
from apu.prior.samplers import ddim, ddpm, normals, times
from apu.prior.schedule import Schedule

SIZE = 11
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def diffusers():
    return pytest.importorskip("diffusers")


def theirs(diffusers, scheduler: str, kind: str, **options):
    beta = {"beta_schedule": "squaredcos_cap_v2"} if kind == "cosine" else {"beta_schedule": "linear"}
    return getattr(diffusers, scheduler)(
        num_train_timesteps=1000, prediction_type="sample", clip_sample=False, **beta, **options
    )


def denoise(x: torch.Tensor, time: int) -> torch.Tensor:
    """Some function of both that is far from linear, and forgets what it is given when there is much noise."""
    return torch.tanh(1.3 * x.roll(1, -1) + 0.2) * (1 - time / 1500) + 0.1 * math.sin(time)


def start(seed: int = 0) -> torch.Tensor:
    return torch.randn(5, SIZE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_the_schedule_is_that_of_diffusers(diffusers, kind):
    expected = theirs(diffusers, "DDPMScheduler", kind).alphas_cumprod
    assert torch.allclose(Schedule.of(kind).kept, expected, atol=1e-6, rtol=TOLERANCE)


def test_the_cosine_schedule_follows_its_formula():
    schedule = Schedule.of("cosine")
    for t in (9, 49, 99, 499, 899):
        expected = (
            math.cos(((t + 1) / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
        )
        assert float(schedule.kept[t]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_diffusing_is_that_of_diffusers(diffusers, kind):
    time = torch.tensor([0, 3, 250, 700, 999])
    x, noise = start(), start(1)
    expected = theirs(diffusers, "DDPMScheduler", kind).add_noise(x, noise, time)
    assert torch.allclose(Schedule.of(kind).diffused(x, time, noise), expected, atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["cosine", "linear"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("steps", [7, 50])
def test_ddim_is_that_of_diffusers(diffusers, kind, eta, steps):
    scheduler = theirs(diffusers, "DDIMScheduler", kind, set_alpha_to_one=True)
    scheduler.set_timesteps(steps)
    draws = normals(start(), torch.Generator().manual_seed(9))
    x = start()
    for time in scheduler.timesteps.tolist():
        # theirs draws even at the last step, where the variance is 0 and ours does not
        noise = next(draws) if time > 0 else torch.zeros_like(x)
        x = scheduler.step(denoise(x, time), time, x, eta=eta, variance_noise=noise).prev_sample
    ours = normals(start(), torch.Generator().manual_seed(9))
    assert times(Schedule.of(kind), steps) == scheduler.timesteps.tolist()
    assert torch.allclose(ddim(denoise, start(), Schedule.of(kind), steps, eta, ours), x, atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["cosine", "linear"])
@pytest.mark.parametrize("steps", [20, 1000])
def test_ddpm_is_that_of_diffusers(diffusers, kind, steps):
    scheduler = theirs(diffusers, "DDPMScheduler", kind, variance_type="fixed_small")
    scheduler.set_timesteps(steps)
    x = start()
    random = torch.Generator().manual_seed(9)
    for time in scheduler.timesteps.tolist():
        x = scheduler.step(denoise(x, time), time, x, generator=random).prev_sample
    draws = normals(start(), torch.Generator().manual_seed(9))
    found = ddpm(denoise, start(), Schedule.of(kind), draws, steps)
    assert torch.allclose(found, x, atol=TOLERANCE)


def test_both_samplers_of_a_perfect_denoiser_end_at_the_data():
    truth, schedule = start(2), Schedule.of("cosine")
    draws = normals(truth, torch.Generator().manual_seed(0))
    assert torch.allclose(ddim(lambda x, t: truth, start(), schedule, 10), truth, atol=1e-3)
    assert torch.allclose(ddpm(lambda x, t: truth, start(), schedule, draws, 10), truth, atol=1e-3)


def test_ddpm_of_a_gaussian_gives_the_gaussian():
    """The best denoiser of data with mean 1 and spread 2 is known; samples have its mean and spread."""
    schedule = Schedule.of("cosine")

    def best(x: torch.Tensor, time: int) -> torch.Tensor:
        kept = schedule.kept[time].double()
        gain = kept.sqrt() * 4 / (kept * 4 + 1 - kept)
        return 1 + gain * (x - kept.sqrt())

    noise = torch.randn(20000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = normals(noise, torch.Generator().manual_seed(1))
    for found in (ddpm(best, noise, schedule, draws, 250), ddim(best, noise, schedule, 250, 1.0, draws)):
        assert float(found.mean()) == pytest.approx(1.0, abs=0.05)
        assert float(found.std()) == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("time", [-1, 1000, 10**9])
def test_a_time_outside_the_schedule_is_refused(time):
    with pytest.raises(InputError, match="outside the diffusion's schedule") as error:
        Schedule.of("cosine").check(time)
    assert str(time) in str(error.value)


@pytest.mark.parametrize("steps", [0, 1001])
def test_more_sampling_steps_than_there_are_times_are_refused(steps):
    with pytest.raises(InputError, match="sampling steps"):
        ddim(denoise, start(), Schedule.of("cosine"), steps)
