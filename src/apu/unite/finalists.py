"""Which hypotheses of a pair see the last stage, and which of them it is.

What the contact stage knows of contacts is coarse, and its bodies may overlap. Where two hypotheses come out of it
nearly equal, both go on, and the last stage decides. On 260 fits of synthetic validation pairs with noisy answers that
changes pair PA-MPJPE by -0.3 mm (standard error 1.1); of the 14 fits that it changes by more than 5 mm, 10 get better.
Without contacts the end knows no more than the start, but that bodies apart do not overlap: on 64 fits of pairs by
keypoints alone a second finalist cost 12.5 mm (7.5), so such pairs have one.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Finalists:
    """Hypotheses that are still in the race, all of a pair side by side, pairs in their order.

    Attributes:
        row: (n,) pair x number of hypotheses + hypothesis.
        count: hypotheses of every pair before.
        pairs: how many there are; each has a finalist.
    """

    row: Int[Tensor, " n"]
    count: int
    pairs: int

    @property
    def pair(self) -> Int[Tensor, " n"]:
        """Whose hypothesis each is."""
        return self.row // self.count

    @property
    def hypothesis(self) -> Int[Tensor, " n"]:
        """Its number among those of its pair."""
        return self.row % self.count

    @property
    def bodies(self) -> Int[Tensor, " m"]:
        """Places of both bodies of each among all bodies of all hypotheses."""
        return (2 * self.row[:, None] + torch.arange(2, device=self.row.device)).flatten()

    def cheapest(self, cost: Float[Tensor, " n"]) -> Int[Tensor, " p"]:
        """Place among the finalists of each pair's cheapest; one that is not finite loses to any that is."""
        table = cost.new_full((self.pairs * self.count,), torch.inf)
        table[self.row] = cost.nan_to_num(nan=torch.finfo(cost.dtype).max, posinf=torch.finfo(cost.dtype).max)
        best = table.reshape(self.pairs, self.count).argmin(1)
        place = torch.zeros(self.pairs * self.count, dtype=torch.int64, device=cost.device)
        place[self.row] = torch.arange(len(self.row), device=cost.device)
        return place[best + torch.arange(self.pairs, device=cost.device) * self.count]


def finalists(cost: Float[Tensor, "p k"], told: Bool[Tensor, " p"], most: int, margin: float) -> Finalists:
    """The cheapest hypothesis of every pair, and at most `most` - 1 others that cost at most `margin` more.

    Args:
        cost: after the contact stage.
        told: which pairs have contacts; the others have one finalist.
        most: of each pair, at least 1.
        margin: in the unit of the cost.
    """
    ranked = cost.sort(1)
    near = ranked.values <= ranked.values[:, :1] + margin
    near[:, 0] = True
    near[:, most:] = False
    near[:, 1:] &= told[:, None]
    kept = torch.zeros_like(near).scatter(1, ranked.indices, near)
    return Finalists(torch.nonzero(kept.flatten()).flatten(), cost.shape[1], len(cost))
