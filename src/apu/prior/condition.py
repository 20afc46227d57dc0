"""What a denoiser may be told about a pair: estimates of either body, what touches, where the camera is and its up."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.prior.contact_tokens import ContactTokens, no_contacts
from apu.prior.pairs import PairArrays
from apu.prior.representation import Representation
from apu.prior.statistics import Statistics


@dataclass(frozen=True)
class Condition:
    """Of `n` pairs; anything of it may be unknown.

    Attributes:
        initial: (n, d) normalised rows of the initial estimates.
        initial_known: (n, 2) of A and of B; what relates them is known when both are.
        contacts: what touches.
        up: (n, 3) the camera's up in A's root frame.
        up_known: (n,).
        view: (n, 3) from the camera to A, in A's root frame.
        view_known: (n,).
    """

    initial: Float[Tensor, "n d"]
    initial_known: Bool[Tensor, "n 2"]
    contacts: ContactTokens
    up: Float[Tensor, "n 3"]
    up_known: Bool[Tensor, " n"]
    view: Float[Tensor, "n 3"]
    view_known: Bool[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.up_known)

    @staticmethod
    def unknown(rows: Float[Tensor, "n d"]) -> "Condition":
        """Nothing is known of the pairs of these rows."""
        n = len(rows)
        nobody = torch.zeros(n, 2, dtype=torch.bool, device=rows.device)
        contacts = no_contacts(n).to(rows.device)
        nowhere = rows.new_zeros(n, 3)
        return Condition(torch.zeros_like(rows), nobody, contacts, nowhere, nobody[:, 0], nowhere, nobody[:, 0])

    @staticmethod
    def of(pairs: PairArrays, representation: Representation, statistics: Statistics) -> "Condition":
        """What the arrays hold; tilt and view are those of the true A."""
        known = pairs.initial_known[:, :, None]
        initial = {name: torch.where(known, value, 0.0) for name, value in pairs.initial.items()}
        rows = statistics.normalised(representation.encode(initial))
        up, view = representation.up(pairs.parameters), representation.view(pairs.parameters)
        always = torch.ones_like(pairs.seen)
        return Condition(rows, pairs.initial_known, pairs.contacts, up, always, view, pairs.seen)

    def without(
        self,
        initial: Bool[Tensor, "n 2"] | None = None,
        contacts: Bool[Tensor, " n"] | None = None,
        up: Bool[Tensor, " n"] | None = None,
        view: Bool[Tensor, " n"] | None = None,
    ) -> "Condition":
        """The same with some things forgotten: the estimates of A and B, all contacts, the tilt, the view."""
        known = self.initial_known if initial is None else self.initial_known & ~initial
        touching = self.contacts
        if contacts is not None:
            touching = replace(touching, weight=torch.where(contacts[:, None], 0.0, touching.weight))
        return replace(
            self,
            initial_known=known,
            contacts=touching,
            up_known=self.up_known if up is None else self.up_known & ~up,
            view_known=self.view_known if view is None else self.view_known & ~view,
        )
