"""Which solved candidates are pairs: every rule has a limit, and the first that fails is the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.dataset.synthetic.interaction import Interaction
from apu.dataset.synthetic.support import centre_of_mass, support_distance

INTENDED_M = 0.010
"""Every intended contact has to be this near."""
DEEPEST_M = 0.015
"""No vertex may be deeper in the other body."""
BOUND_RAD = 0.02
"""No angle may leave its anatomical bounds by more."""
BALANCE_M = 0.10
"""The centre of mass may be this far outside the support."""
STUMBLE_M = 0.25
"""The same where a class says `loose`: people who push, kick or are hit are caught in motion."""
FLOOR_M = 0.03
"""Whoever stands on the floor has his lowest point within this of it."""

REASONS = ("contact", "penetration", "bounds", "floor", "balance")


@dataclass(frozen=True)
class Measures:
    """What the rules look at, of one candidate.

    Attributes:
        contact_m: the farthest intended contact.
        penetration_m: the deepest vertex.
        beyond_rad: the angle that is farthest outside its bounds, by how much.
        floor_m: the lowest point's distance to the floor, of the worse of those who stand on it; 0 where nobody does.
        balance_m: how far the centre of mass is outside the support, of the worse; 0 for a class that is exempt.
        balance_limit_m: what the class allows.
    """

    contact_m: float
    penetration_m: float
    beyond_rad: float
    floor_m: float
    balance_m: float
    balance_limit_m: float = BALANCE_M

    @property
    def reason(self) -> str | None:
        """Out of `REASONS`, why this is no pair; None when it is one."""
        holds = {
            "contact": self.contact_m <= INTENDED_M,
            "penetration": self.penetration_m <= DEEPEST_M,
            "bounds": self.beyond_rad <= BOUND_RAD,
            "floor": self.floor_m <= FLOOR_M,
            "balance": self.balance_m <= self.balance_limit_m,
        }
        return next((name for name in REASONS if not holds[name]), None)


def measure(
    body: BodyModel, one: Interaction, parameters: Mapping[str, Float[Tensor, "2 _"]],
    vertices: Float[Tensor, "2 v 3"], contact_m: float, penetration_m: float,
) -> Measures:  # fmt: skip
    """Measure one solved candidate.

    Args:
        body: the body model.
        one: its class.
        parameters, vertices: of both, level frame.
        contact_m, penetration_m: measured elsewhere, for the whole batch at once.
    """
    spec = body.parameter_spec["pose"]
    pose = parameters["pose"]
    beyond = torch.maximum(pose - spec.upper, spec.lower - pose).amax()
    standing = on_floor(one)
    lowest = [abs(float(v[:, 1].amax())) for v, stands in zip(vertices, standing, strict=True) if stands]
    limit = STUMBLE_M if one.balance == "loose" else BALANCE_M
    off = _imbalance(body, one, vertices)
    return Measures(contact_m, penetration_m, float(beyond), max(lowest, default=0.0), off, limit)


def on_floor(one: Interaction) -> tuple[bool, bool]:
    """Which of the two roles stands on the floor."""
    return one.carried != "a", one.carried != "b"


def _imbalance(body: BodyModel, one: Interaction, vertices: Float[Tensor, "2 v 3"]) -> float:
    if one.balance == "exempt":
        return 0.0
    centre, volume = centre_of_mass(vertices, body.surface.collision_faces)
    if one.balance == "together":
        both = (centre * volume[:, None]).sum(0) / volume.sum()
        ground = torch.cat([v for v, stands in zip(vertices, on_floor(one), strict=True) if stands])
        return support_distance(both, ground)
    return max(support_distance(c, v) for c, v in zip(centre, vertices, strict=True))
