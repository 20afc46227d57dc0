"""How people hold themselves before a contact is asked of them: base poses by family, one by one person.

Standing people come from the shipped pose density or from motion capture frames, all others from small tables with
arms, neck and head of standing people.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny_pose import DOFS
from apu.dataset.synthetic.analytic_poses import posed
from apu.dataset.synthetic.postures import POSTURES
from apu.errors import InputError

STANDING = "standing"
FAMILIES = (STANDING, *POSTURES)


@dataclass(frozen=True)
class BasePose:
    """`n` people without place and yaw.

    Attributes:
        pose: (n, 47) angles in the order of `apu.body.anny_pose.DOFS`, radians, within their bounds.
        tilt: (n, 3) orientation without yaw, a rotation vector of the level frame (x right, y down, z away from the
            viewer) whose y is zero. Rotated by a yaw about y from the left it is an orientation.
        source: n strings: `density`, `analytic`, or `mocap:SEQUENCE`.
    """

    pose: Float[Tensor, "n 47"]
    tilt: Float[Tensor, "n 3"]
    source: tuple[str, ...]


class BasePoses(Protocol):
    """Where base poses come from."""

    def sample(self, family: str, count: int, rng: np.random.Generator) -> BasePose:
        """Draw people.

        Args:
            family: one of `FAMILIES`.
            count: how many.
            rng: equal states give equal people.

        Raises:
            InputError: there is no such family.
        """
        ...


class RelaxedPoses:
    """Relaxed standing people with a little noise; the other families with their arms. Needs no data at all."""

    def sample(self, family: str, count: int, rng: np.random.Generator) -> BasePose:
        """See `BasePoses.sample`."""
        default = torch.tensor([d.default for d in DOFS])
        scale = torch.tensor([d.scale for d in DOFS])
        noise = torch.from_numpy(rng.standard_normal((count, len(DOFS))).astype(np.float32)).clamp(-2, 2)
        lower, upper = torch.tensor([d.lower for d in DOFS]), torch.tensor([d.upper for d in DOFS])
        pose = (default + 0.15 * scale * noise).clamp(lower, upper)
        return with_family(family, BasePose(pose, torch.zeros(count, 3), ("analytic",) * count), rng)


def with_family(family: str, standing: BasePose, rng: np.random.Generator) -> BasePose:
    """Standing people as they are, or their arms, neck and head on the bodies of another family."""
    if family == STANDING:
        return standing
    if family not in POSTURES:
        raise InputError(
            "There is no such family of poses.", expected=", ".join(FAMILIES), got=family, remedy="choose one of them."
        )
    pose, tilt = posed(family, standing.pose, rng)
    return BasePose(pose, tilt, ("analytic",) * len(pose))
