"""From noise to data with a denoiser that predicts x0: DDPM (Ho et al. 2020) and DDIM (Song et al. 2021)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from apu.errors import InputError
from apu.prior.schedule import Schedule

Denoise = Callable[[Float[Tensor, "n d"], int], Float[Tensor, "n d"]]
"""x_t and t to an estimate of x_0."""


def times(schedule: Schedule, steps: int) -> list[int]:
    """Evenly spaced, falling, ending at 0.

    Raises:
        InputError: more steps than the schedule has, or none.
    """
    if not 1 <= steps <= schedule.steps:
        raise InputError(
            "So many sampling steps are not possible.",
            expected=f"1 to {schedule.steps}",
            got=steps,
            remedy="give a number of steps of the schedule, e.g. 50.",
        )
    return [i * (schedule.steps // steps) for i in range(steps)][::-1]


def ddim(
    denoise: Denoise,
    noise: Float[Tensor, "n d"],
    schedule: Schedule,
    steps: int = 50,
    eta: float = 0.0,
    draws: Iterator[Float[Tensor, "n d"]] | None = None,
) -> Float[Tensor, "n d"]:
    """DDIM, formula (12) with sigma of (16).

    Args:
        denoise: predicts x_0.
        noise: where to start, standard normal.
        schedule: that the denoiser was trained with.
        steps: calls of the denoiser.
        eta: share of fresh noise at every step; 0 is deterministic.
        draws: standard normal numbers, one per step, when eta is not 0.
    """
    x = noise
    for t, kept, before in _steps(schedule, times(schedule, steps)):
        x0 = denoise(x, t)
        direction = (x - kept**0.5 * x0) / (1 - kept) ** 0.5
        sigma = eta * ((1 - before) / (1 - kept) * (1 - kept / before)) ** 0.5
        x = before**0.5 * x0 + (1 - before - sigma**2) ** 0.5 * direction
        if sigma > 0:
            x = x + sigma * _next(draws)
    return x


def ddpm(
    denoise: Denoise,
    noise: Float[Tensor, "n d"],
    schedule: Schedule,
    draws: Iterator[Float[Tensor, "n d"]],
    steps: int | None = None,
) -> Float[Tensor, "n d"]:
    """DDPM with the posterior's own variance, formulas (6) and (7); no noise at the last step.

    Args:
        denoise, noise, schedule: as `ddim`.
        draws: standard normal numbers, one per step but the last.
        steps: calls of the denoiser; None for all of the schedule.
    """
    x = noise
    for t, kept, before in _steps(schedule, times(schedule, steps or schedule.steps)):
        x0 = denoise(x, t)
        alpha = kept / before
        x = (before**0.5 * (1 - alpha) * x0 + alpha**0.5 * (1 - before) * x) / (1 - kept)
        if t > 0:
            x = x + ((1 - before) / (1 - kept) * (1 - alpha)) ** 0.5 * _next(draws)
    return x


def normals(like: Float[Tensor, "n d"], generator: torch.Generator) -> Iterator[Float[Tensor, "n d"]]:
    """Standard normal numbers without end, drawn on the generator's device."""
    while True:
        drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=generator.device)
        yield drawn.to(like.device)


def _steps(schedule: Schedule, falling: Sequence[int]) -> Iterator[tuple[int, float, float]]:
    """Time, what is kept then, and what is kept at the next, smaller time; all is kept in the end."""
    kept = [float(schedule.kept[t]) for t in falling]
    return zip(falling, kept, [after for _, after in pairwise([*kept, 1.0])], strict=True)


def _next(draws: Iterator[Float[Tensor, "n d"]] | None) -> Float[Tensor, "n d"]:
    if draws is None:
        raise ValueError("eta is not 0, so `draws` is needed")
    return next(draws)
