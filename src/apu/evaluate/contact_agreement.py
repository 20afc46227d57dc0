"""How well a contact map agrees with the true one: precision, recall, F1 and IoU, of regions and of parts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.region_names import REGION_NAMES
from apu.contact.measured import TOUCHING_M, TOUCHING_WIDE_M, MeasuredContact
from apu.contact.parts import part_of_region

THRESHOLDS_M = (TOUCHING_M, TOUCHING_WIDE_M)
"""A region pair nearer than this is a contact, in the prediction as in the truth; both are reported."""

Counts = Int[Tensor, " p"]


@dataclass(frozen=True)
class Agreement:
    """Counts of contacts, and the shares that follow from them.

    A share of nothing is NaN: precision where nothing is predicted, recall where nothing is true, F1 and IoU where
    both are empty. So F1 and IoU are 0 where only one is empty, and silence costs them, though not precision.

    Attributes:
        hits: (p,) contacts that are predicted and true.
        predicted, true: (p,) all that are predicted, all that are true.
    """

    hits: Counts
    predicted: Counts
    true: Counts

    @property
    def precision_percent(self) -> Float[Tensor, " p"]:
        """Share of the predicted contacts that are true."""
        return _percent(self.hits, self.predicted)

    @property
    def recall_percent(self) -> Float[Tensor, " p"]:
        """Share of the true contacts that are predicted."""
        return _percent(self.hits, self.true)

    @property
    def f1_percent(self) -> Float[Tensor, " p"]:
        """Harmonic mean of precision and recall."""
        return _percent(2 * self.hits, self.predicted + self.true)

    @property
    def iou_percent(self) -> Float[Tensor, " p"]:
        """Share of the contacts that are predicted or true which are both."""
        return _percent(self.hits, self.predicted + self.true - self.hits)

    def pooled(self) -> "Agreement":
        """All pairs as one, (1,): the micro average, in which a pair with many contacts weighs more."""
        return Agreement(self.hits.sum(0, True), self.predicted.sum(0, True), self.true.sum(0, True))

    def rows(self, start: str, end: str) -> dict[str, Float[Tensor, " p"]]:
        """`{start}_f1_{end}_percent` and so on, for an accumulator."""
        shares = ("precision", "recall", "f1", "iou")
        return {f"{start}_{name}_{end}_percent": getattr(self, f"{name}_percent") for name in shares}


def agreement(predicted: Bool[Tensor, "p n m"], true: Bool[Tensor, "p n m"]) -> Agreement:
    """Compare contact maps entry by entry; A's regions or parts are rows, B's are columns."""
    return Agreement((predicted & true).sum((1, 2)), predicted.sum((1, 2)), true.sum((1, 2)))


def region_maps(contacts: Sequence[Collection[MeasuredContact]], within_m: float) -> Bool[Tensor, "p 75 75"]:
    """Measured contacts as region x region maps.

    Args:
        contacts: of each pair, measured at least as far as `within_m`.
        within_m: what is at most so far apart touches, metres.
    """
    index = {name: i for i, name in enumerate(REGION_NAMES)}
    out = torch.zeros(len(contacts), len(index), len(index), dtype=torch.bool)
    for pair, found in enumerate(contacts):
        for contact in found:
            if contact.distance_m <= within_m:
                out[pair, index[contact.region_a], index[contact.region_b]] = True
    return out


def side_aware_part(region: str) -> str:
    """The part of a region; with the side where a body has two of them: `left hand`, but `back`."""
    part = part_of_region(region)
    return f"{region.partition('_')[0]} {part.name}" if part.paired else part.name


def side_blind_part(region: str) -> str:
    """The part of a region, without side."""
    return part_of_region(region).name


def part_maps(regions: Bool[Tensor, "p 75 75"], *, sides: bool = True) -> Bool[Tensor, "p n n"]:
    """Region maps as part x part maps: two parts touch when any of their regions do.

    Args:
        regions: (p, 75, 75) in the order of `REGION_NAMES`.
        sides: left and right parts count as two (27 parts, else 17). The halves of the back, and of all that a body
            has only once, are one part either way.
    """
    of_region = [(side_aware_part if sides else side_blind_part)(name) for name in REGION_NAMES]
    parts = sorted(set(of_region))
    member = torch.tensor([[own == part for part in parts] for own in of_region]).to(regions.device, torch.float32)
    return torch.einsum("rn,prs,sm->pnm", member, regions.to(torch.float32), member) > 0.5


def contact_rows(
    predicted: Sequence[Collection[MeasuredContact]], true: Sequence[Collection[MeasuredContact]]
) -> dict[str, Float[Tensor, " p"]]:
    """Agreement at both `THRESHOLDS_M`, of regions and of parts, with and without sides, percent, by name.

    Names are `contact_`, `part_` or `part_side_blind_`, then the share, then `10mm` or `13mm`.

    Args:
        predicted, true: of each pair, by `measure_contacts`, which looks as far as the wider threshold.
    """
    rows = {}
    for threshold in THRESHOLDS_M:
        maps = region_maps(predicted, threshold), region_maps(true, threshold)
        end = f"{round(1000 * threshold)}mm"
        rows |= agreement(*maps).rows("contact", end)
        rows |= agreement(*(part_maps(m) for m in maps)).rows("part", end)
        rows |= agreement(*(part_maps(m, sides=False) for m in maps)).rows("part_side_blind", end)
    return rows


def _percent(share: Counts, whole: Counts) -> Float[Tensor, " p"]:
    """NaN for a share of nothing."""
    return 100 * share.double() / whole
