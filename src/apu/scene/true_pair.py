"""Two people whose bodies are known: the truth of the synthetic world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from apu.contact.contact import Contact, ContactMap
from apu.contact.measured import TOUCHING_M, MeasuredContact

ClassGroup = Literal["seen", "dev-unseen", "test-unseen"]
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class TruePair:
    """Two bodies in contact, in a level frame: x right, y down, z away from the viewer, metres; the floor is y = 0.

    Attributes:
        id: unique, e.g. `test-0-hug-00012-03`.
        interaction: name of the class, e.g. `hug`.
        group: which classes it belongs to.
        split: which data it belongs to.
        base: where its base poses come from: `density`, `analytic`, or `mocap:SEQUENCE` of A and B.
        body_model: whose parameters they are.
        parameters: name -> (2, size), float32.
        contacts: every region pair within `TOUCHING_WIDE_M`, measured from the meshes, nearest first.
        intended: what the class asked for; all of them touch.
        penetration_max_m: deepest vertex of either body in the other.
        seed: of its generator.
    """

    id: str
    interaction: str
    group: ClassGroup
    split: Split
    base: tuple[str, str]
    body_model: str
    parameters: Mapping[str, Float[Tensor, "2 _"]]
    contacts: tuple[MeasuredContact, ...]
    intended: tuple[Contact, ...]
    penetration_max_m: float
    seed: int

    def contact_map(self, within_m: float = TOUCHING_M) -> ContactMap:
        """The measured contacts within a threshold, as single regions; source `truth`."""
        near = [c for c in self.contacts if c.distance_m <= within_m]
        return ContactMap(
            tuple(Contact(frozenset({c.region_a}), frozenset({c.region_b}), source="truth") for c in near), "truth"
        )
