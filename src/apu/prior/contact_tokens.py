"""Contact maps as fixed arrays that a network can read: a few contacts, each a set of regions on either side."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.region_names import REGION_NAMES, mirrored
from apu.contact.contact import ContactMap

SLOTS = 8
"""Contacts of a pair that are read at most; the most trusted ones."""

_MIRROR = [REGION_NAMES.index(mirrored(name)) for name in REGION_NAMES]


@dataclass(frozen=True)
class ContactTokens:
    """Contacts of `n` pairs in `k` slots over `r` regions.

    Attributes:
        on_a, on_b: (n, k, r) which regions a contact names on A and B.
        weight: (n, k) trust in (0, 1]; 0 where the slot is empty. A pair without any says: nothing is known.
    """

    on_a: Bool[Tensor, "n k r"]
    on_b: Bool[Tensor, "n k r"]
    weight: Float[Tensor, "n k"]

    def rows(self, index: Tensor) -> "ContactTokens":
        """Those of some pairs."""
        return ContactTokens(self.on_a[index], self.on_b[index], self.weight[index])

    def to(self, device: torch.device) -> "ContactTokens":
        """On a device."""
        return ContactTokens(self.on_a.to(device), self.on_b.to(device), self.weight.to(device))

    def swapped(self) -> "ContactTokens":
        """With A and B exchanged."""
        return ContactTokens(self.on_b, self.on_a, self.weight)

    def mirrored(self) -> "ContactTokens":
        """With left and right exchanged."""
        return ContactTokens(self.on_a[..., _MIRROR], self.on_b[..., _MIRROR], self.weight)

    @staticmethod
    def joined(parts: Sequence["ContactTokens"]) -> "ContactTokens":
        """One after the other; as many slots as the widest has."""
        slots = max(one.weight.shape[1] for one in parts)
        wide = [one.with_slots(slots) for one in parts]
        return ContactTokens(
            torch.cat([one.on_a for one in wide]),
            torch.cat([one.on_b for one in wide]),
            torch.cat([one.weight for one in wide]),
        )

    def with_slots(self, slots: int) -> "ContactTokens":
        """The first contacts, or all and empty slots."""
        n, have, regions = self.on_a.shape
        if have >= slots:
            return ContactTokens(self.on_a[:, :slots], self.on_b[:, :slots], self.weight[:, :slots])
        empty = self.on_a.new_zeros(n, slots - have, regions)
        return ContactTokens(
            torch.cat([self.on_a, empty], 1),
            torch.cat([self.on_b, empty], 1),
            torch.cat([self.weight, self.weight.new_zeros(n, slots - have)], 1),
        )


def no_contacts(pairs: int, slots: int = SLOTS) -> ContactTokens:
    """Nothing is known of what touches."""
    nowhere = torch.zeros(pairs, slots, len(REGION_NAMES), dtype=torch.bool)
    return ContactTokens(nowhere, nowhere, torch.zeros(pairs, slots))


def contact_tokens(maps: Sequence[ContactMap], slots: int = SLOTS) -> ContactTokens:
    """The most trusted contacts of each map; of equal trust, the first.

    Args:
        maps: one per pair; an empty one says that nothing is known.
        slots: contacts kept per pair.
    """
    on = torch.zeros(2, len(maps), slots, len(REGION_NAMES), dtype=torch.bool)
    weight = torch.zeros(len(maps), slots)
    for i, one in enumerate(maps):
        for k, contact in enumerate(sorted(one.contacts, key=lambda c: -c.weight)[:slots]):
            weight[i, k] = contact.weight
            for side, regions in enumerate((contact.regions_a, contact.regions_b)):
                on[side, i, k, [REGION_NAMES.index(name) for name in sorted(regions)]] = True
    return ContactTokens(on[0], on[1], weight)
