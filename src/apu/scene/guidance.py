"""The seam between a solver and a learned prior: where it thinks that pairs should be, and how hard it pulls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from apu.contact.contact import ContactMap

Bodies = Mapping[str, Float[Tensor, "p 2 _"]]
"""Name -> (p, 2, size) parameters of A and B in the camera frame."""


@dataclass(frozen=True)
class KnownPairs:
    """What is known of `p` pairs besides where they are now.

    Attributes:
        names: unique; with them noise is the same whatever else is in a batch.
        initial: estimates before any contact was used; None without any.
        initial_known: (p, 2) of whom there is one; None for both, where there are any.
        contacts: one map per pair, an empty one where nothing is known; or none at all.
    """

    names: tuple[str, ...]
    initial: Bodies | None = None
    initial_known: Bool[Tensor, "p 2"] | None = None
    contacts: Sequence[ContactMap] = ()


@runtime_checkable
class Guidance(Protocol):
    """A prior over two people. The target may be kept for several steps of a solver; the loss is asked at each."""

    def target(self, parameters: Bodies, pairs: KnownPairs, time: int) -> Bodies:
        """Where the prior would have the pairs, detached; A's place and orientation are those of `parameters`.

        Args:
            parameters: where the pairs are.
            pairs: what is known of them.
            time: how far to diffuse before denoising; more forgets more of `parameters`.

        Raises:
            InputError: the time lies outside the prior's schedule.
        """
        ...

    def loss(self, parameters: Bodies, target: Bodies, told: Bool[Tensor, " p"] | None = None) -> Float[Tensor, " p"]:
        """Pulls pose, shape, and the orientation and translation of the two relative to each other.

        Moving both people together costs nothing.

        Args:
            parameters: where the pairs are; gradients flow to them.
            target: what `target` gave.
            told: whose contacts the solver has heard of, and obeys too; None for nobody's.
        """
        ...

    def start(self, pairs: KnownPairs, parameters: Bodies, steps: int) -> Bodies:
        """A sample of each pair to start from; A's place and orientation are those of `parameters`.

        Args:
            pairs: what is known of them.
            parameters: where the pairs are; only A's place, A's orientation and the camera's up are used.
            steps: of the sampler.
        """
        ...
