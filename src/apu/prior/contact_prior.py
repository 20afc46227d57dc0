"""A trained prior, ready to be asked: representation, statistics, schedule and network together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.contact.contact import ContactMap
from apu.prior.condition import Condition
from apu.prior.contact_tokens import contact_tokens
from apu.prior.network import Denoiser
from apu.prior.pairs import PairArrays
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.statistics import Statistics

Bodies = Mapping[str, Float[Tensor, "n 2 _"]]


@dataclass(frozen=True)
class ContactPrior:
    """What two people in contact look like.

    Attributes:
        representation: rows of pairs.
        statistics: of the rows it learned from.
        network: in eval mode, without gradients.
    """

    representation: Representation
    statistics: Statistics
    network: Denoiser

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)

    @property
    def schedule(self) -> Schedule:
        """Of the noise."""
        return self.network.schedule

    @property
    def _like(self) -> Tensor:
        """A tensor of the network's device and dtype."""
        return next(self.network.parameters())

    def blank(self, count: int) -> Float[Tensor, "n d"]:
        """Rows of zeros, on the network's device and of its dtype."""
        return self._like.new_zeros(count, self.representation.size)

    def rows(self, bodies: Bodies) -> Float[Tensor, "n d"]:
        """Normalised rows of pairs."""
        return self.statistics.normalised(self.representation.encode(bodies))

    @torch.no_grad()
    def denoised(self, x: Float[Tensor, "n d"], time: int, condition: Condition) -> Float[Tensor, "n d"]:
        """x_0 of normalised rows at a time; the same input gives the same output.

        Raises:
            InputError: the time lies outside the schedule.
        """
        at = torch.full((len(x),), self.schedule.check(time), device=x.device)
        return self.network.eval()(x.to(self._like), at, condition).to(x)

    def condition(
        self,
        count: int,
        initial: Bodies | None = None,
        initial_known: Bool[Tensor, "n 2"] | None = None,
        contacts: Sequence[ContactMap] = (),
        seen_from: Bodies | None = None,
    ) -> Condition:
        """What is known of pairs.

        Args:
            count: how many pairs.
            initial: name -> (n, 2, size) estimates, camera frame; None without any.
            initial_known: (n, 2) of whom there is one; None for both, where there are any.
            contacts: one map per pair, or none at all.
            seen_from: bodies in the camera's frame whose A tells where the camera and its up are; None when that is not
                known.
        """
        like = self._like
        found = Condition.unknown(self.blank(count))
        if initial is not None:
            arrays = PairArrays.of(self.representation.body_model, initial, initial, initial_known)
            own = Condition.of(arrays, self.representation, self.statistics)
            known = own.initial_known.to(like.device)
            found = replace(found, initial=own.initial.to(like), initial_known=known)
        if contacts:
            found = replace(found, contacts=contact_tokens(contacts).to(like.device))
        if seen_from is not None:
            up = self.representation.up(seen_from).to(like)
            view, always = self.representation.view(seen_from).to(like), torch.ones_like(found.up_known)
            found = replace(found, up=up, up_known=always, view=view, view_known=always)
        return found

    def parameter_count(self) -> int:
        """Numbers that were learned."""
        return sum(math.prod(value.shape) for value in self.network.parameters())
