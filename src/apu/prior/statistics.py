"""Mean and spread of every column of a data set's rows: what a network sees has unit scale."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.errors import InputError

CONSTANT_BELOW = 1e-4
"""A column that varies less is a constant; it is shifted, and not scaled up."""


@dataclass(frozen=True)
class Statistics:
    """Of `d` columns.

    Attributes:
        mean: (d,).
        std: (d,) positive; 1 of a constant column.
    """

    mean: Float[Tensor, " d"]
    std: Float[Tensor, " d"]

    def __post_init__(self) -> None:
        if not bool(self.mean.isfinite().all() and self.std.isfinite().all() and (self.std > 0).all()):
            raise InputError(
                "The statistics of a prior make no sense.",
                expected="finite means and positive spreads",
                got="something else",
                remedy="train the prior again.",
            )

    @staticmethod
    def of(rows: Float[Tensor, "n d"]) -> "Statistics":
        """Of a data set; float32."""
        wide = rows.double()
        std = wide.std(0, unbiased=False)
        return Statistics(wide.mean(0).float(), torch.where(std < CONSTANT_BELOW, 1.0, std).float())

    def normalised(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Rows of about zero mean and unit spread."""
        return (rows - self.mean.to(rows)) / self.std.to(rows)

    def restored(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The inverse."""
        return rows * self.std.to(rows) + self.mean.to(rows)

    def to(self, like: Tensor) -> "Statistics":
        """On the device and of the dtype of a tensor."""
        return Statistics(self.mean.to(like), self.std.to(like))
