"""Drawing pairs from a prior: anything, given contacts or estimates, or B for a given A."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.errors import InputError
from apu.prior.condition import Condition
from apu.prior.contact_prior import ContactPrior
from apu.prior.representation import RootFrame
from apu.prior.samplers import ddim, ddpm, normals

Bodies = Mapping[str, Float[Tensor, "n 2 _"]]


@dataclass(frozen=True)
class SamplingSettings:
    """How to draw.

    Attributes:
        steps: calls of the network.
        eta: share of fresh noise at every step of DDIM.
        ancestral: DDPM instead of DDIM.
        seed: of all noise.
    """

    steps: int = 50
    eta: float = 0.0
    ancestral: bool = False
    seed: int = 0


def sample(
    prior: ContactPrior,
    count: int | None = None,
    condition: Condition | None = None,
    frame: RootFrame | None = None,
    given_a: Mapping[str, Float[Tensor, "n _"]] | None = None,
    settings: SamplingSettings | None = None,
    noise: Float[Tensor, "n d"] | None = None,
) -> dict[str, Float[Tensor, "n 2 _"]]:
    """Draw pairs; joint angles are held within their bounds.

    Args:
        prior: to draw from.
        count: how many, when nothing else says so.
        condition: what is known of each; None for nothing.
        frame: where each A stands; None for upright at the origin.
        given_a: name -> (n, size) the own parameters of A (pose, shape); B is drawn to go with it. They replace what
            the network makes of A at every step (Lugmayr et al. 2022, without their repeats).
        settings: see there.
        noise: (n, d) where to start; None for noise of the settings' seed.

    Returns:
        name -> (n, 2, size).

    Raises:
        InputError: the numbers of pairs differ, or so many steps are not possible.
    """
    settings = settings or SamplingSettings()
    n = _count(count, condition, frame, given_a, noise)
    generator = torch.Generator().manual_seed(settings.seed)
    like = prior.blank(n)
    draws = normals(like, generator)
    start = next(draws) if noise is None else noise
    told = condition or Condition.unknown(like)
    fixed, value = _of_a(prior, like, given_a)

    def denoise(x: Float[Tensor, "n d"], time: int) -> Float[Tensor, "n d"]:
        return torch.where(fixed, value, prior.denoised(x, time, told))

    if settings.ancestral:
        rows = ddpm(denoise, start, prior.schedule, draws, settings.steps)
    else:
        rows = ddim(denoise, start, prior.schedule, settings.steps, settings.eta, draws)
    bodies = prior.representation.decode(prior.statistics.restored(rows), frame or RootFrame.origin(rows))
    return prior.representation.within_bounds(bodies)


def _of_a(
    prior: ContactPrior, like: Float[Tensor, "n d"], given: Mapping[str, Float[Tensor, "n _"]] | None
) -> tuple[Bool[Tensor, " d"], Float[Tensor, "n d"]]:
    """Which columns are given, and their normalised values."""
    columns = torch.zeros(like.shape[1], dtype=torch.bool, device=like.device)
    rows = like.clone()
    for token in prior.representation.tokens:
        if given is not None and token.person == 0 and token.parameter in given:
            columns[token.columns] = True
            rows[:, token.columns] = given[token.parameter].to(like)
    return columns, prior.statistics.normalised(rows)


def _count(
    count: int | None,
    condition: Condition | None,
    frame: RootFrame | None,
    given_a: Mapping[str, Tensor] | None,
    noise: Tensor | None,
) -> int:
    said = {
        "count": count,
        "condition": None if condition is None else len(condition),
        "frame": None if frame is None else len(frame.translation),
        "given_a": None if given_a is None else len(next(iter(given_a.values()))),
        "noise": None if noise is None else len(noise),
    }
    said = {name: number for name, number in said.items() if number is not None}
    if len(set(said.values())) != 1 or min(said.values()) < 1:
        raise InputError(
            "It is not clear how many pairs to draw.",
            expected="one number of pairs, at least 1",
            got=", ".join(f"{name}: {number}" for name, number in said.items()) or "none",
            remedy="give `count`, or conditions, frames and bodies for equally many pairs.",
        )
    return next(iter(said.values()))
