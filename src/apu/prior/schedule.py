"""Noise schedules: how much of the data is left after t steps of diffusion."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.errors import InputError

Kind = Literal["cosine", "linear"]


@dataclass(frozen=True)
class Schedule:
    """x_t = sqrt(kept[t]) x_0 + sqrt(1 - kept[t]) noise.

    Attributes:
        kept: (T,) the share of variance that is data, falling; alpha-bar of the literature.
    """

    kept: Float[Tensor, " T"]

    @staticmethod
    def of(kind: Kind, steps: int = 1000) -> "Schedule":
        """Cosine (Nichol and Dhariwal 2021, betas below 0.999) or linear (Ho et al. 2020, 1e-4 to 0.02)."""
        betas = _cosine(steps) if kind == "cosine" else torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)
        return Schedule((1 - betas).cumprod(0).float())

    @property
    def steps(self) -> int:
        """T."""
        return len(self.kept)

    def check(self, time: int) -> int:
        """The same time.

        Raises:
            InputError: it lies outside the schedule.
        """
        if not 0 <= time < self.steps:
            raise InputError(
                "A time lies outside the diffusion's schedule.",
                expected=f"a whole number from 0 to {self.steps - 1}",
                got=time,
                remedy="give a time of the schedule; small ones mean little noise.",
            )
        return time

    def share(self, time: Int[Tensor, " n"]) -> Float[Tensor, "n 1"]:
        """What is kept at these times, as a column."""
        return self.kept.to(time.device)[time][:, None]

    def diffused(
        self, rows: Float[Tensor, "n d"], time: Int[Tensor, " n"], noise: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n d"]:
        """x_t of x_0."""
        kept = self.share(time).to(rows)
        return kept.sqrt() * rows + (1 - kept).sqrt() * noise


def _cosine(steps: int) -> Float[Tensor, " T"]:
    def kept(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - kept((t + 1) / steps) / kept(t / steps), 0.999) for t in range(steps)]
    return torch.tensor(betas, dtype=torch.float64)
