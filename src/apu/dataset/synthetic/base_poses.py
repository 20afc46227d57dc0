"""How people hold themselves before a contact is asked of them: base poses by family, one by one person.

Standing people come from the shipped pose density or from motion capture frames, all others from small tables with
arms, neck and head of standing people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.anny_pose import DOFS
from apu.body.pose_density import PoseDensity
from apu.dataset.synthetic.analytic_poses import posed
from apu.dataset.synthetic.legs import NAMES, column, on_both_feet, with_columns
from apu.dataset.synthetic.mocap import Mocap, standing_frames
from apu.dataset.synthetic.mocap_retarget import retarget_frames
from apu.dataset.synthetic.postures import POSTURES
from apu.errors import InputError
from apu.scene.true_pair import Split

STANDING = "standing"
FAMILIES = (STANDING, *POSTURES)
CALM = 0.8
"""Share of its deviation from the relaxed pose that an arm keeps."""
STRIDE = 0.5
"""The same for legs, trunk and tilt of people from the density, of whom most walk."""
MOCAP_LEGS = 0.6
"""The same for the legs of motion capture: its skeleton, shared by all people, walks with bent knees."""
STEEPEST = 0.24
"""Most that such a pelvis leans before it is calmed, radians."""
CLOSEST_LEGS = -0.13
"""Smallest abduction of a standing person's hips, radians: below it the feet would be one in the other."""
CLOSEST_ARM, FREE_ARM = -0.50, 0.6
"""Smallest abduction of a hanging arm, and how much less it may be for every radian that the arm is swung."""

_RELAXED = torch.tensor([d.default for d in DOFS])
_ARMS = torch.tensor([any(w in n for w in ("clavicle", "shoulder", "elbow", "forearm", "wrist")) for n in NAMES])
_LEGS = torch.tensor([any(w in n for w in ("hip", "knee", "ankle")) for n in NAMES])


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


@runtime_checkable
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


@dataclass(frozen=True)
class DensityPoses:
    """Standing people of the pose density, both feet on the ground; the other families with their arms.

    Attributes:
        density: where people are drawn from.
        calm: share of its deviation from the relaxed pose that an arm keeps.
    """

    density: PoseDensity
    calm: float = CALM

    def sample(self, family: str, count: int, rng: np.random.Generator) -> BasePose:
        """See `BasePoses.sample`."""
        return _in_family(family, count, rng, self._standing)

    def _standing(self, count: int, rng: np.random.Generator) -> BasePose:
        pose, tilt = self.density.sample(count, torch.Generator().manual_seed(int(rng.integers(2**62))))
        keep = torch.where(_ARMS, self.calm, STRIDE)
        tilted = STRIDE * torch.stack([tilt[:, 0], torch.zeros(count), tilt[:, 1]], 1).clamp(-STEEPEST, STEEPEST)
        return BasePose(*_settled(_RELAXED + keep * (pose - _RELAXED), tilted), ("density",) * count)


@dataclass(frozen=True)
class MocapPoses:
    """Standing and walking people of motion capture, both feet on the ground; the other families with their arms.

    No sequence serves two splits.

    Attributes:
        mocap: the frames.
        body: which body they are retargeted to.
        split: whose sequences.
        calm: share of its deviation from the relaxed pose that an arm keeps.
    """

    mocap: Mocap
    body: AnnyBody
    split: Split
    calm: float = CALM

    def sample(self, family: str, count: int, rng: np.random.Generator) -> BasePose:
        """See `BasePoses.sample`. Takes some hundredths of a second a person."""
        return _in_family(family, count, rng, self._standing)

    @cached_property
    def _frames(self) -> dict[str, Int[np.ndarray, " _"]]:
        """Action -> its frames."""
        frames = standing_frames(self.mocap, self.split)
        actions = self.mocap.action[frames]
        return {str(action): frames[actions == action] for action in sorted(set(actions))}

    def _standing(self, count: int, rng: np.random.Generator) -> BasePose:
        if not self._frames:
            raise InputError(
                f"The motion capture file has no standing people for the split {self.split}.",
                expected="sequences of people who stand or walk",
                remedy="give a file with more sequences, or none: the pose density needs no file.",
            )
        actions = list(self._frames.values())
        chosen = [int(rng.choice(actions[rng.integers(len(actions))])) for _ in range(count)]
        pose, tilt = retarget_frames(self.body, self.mocap, chosen)
        keep = torch.where(_ARMS, self.calm, torch.where(_LEGS, MOCAP_LEGS, 1.0))
        return BasePose(
            *_settled(_RELAXED + keep * (pose - _RELAXED), tilt),
            tuple(f"mocap:{self.mocap.sequence[i]}" for i in chosen),
        )


def _in_family(
    family: str, count: int, rng: np.random.Generator, standing: Callable[[int, np.random.Generator], BasePose]
) -> BasePose:
    """Standing people as they are, or their arms, neck and head on the bodies of another family."""
    if family not in FAMILIES:
        raise InputError(
            "There is no such family of poses.", expected=", ".join(FAMILIES), got=family, remedy="choose one of them."
        )
    upright = standing(count, rng)
    if family == STANDING:
        return upright
    pose, tilt = posed(family, upright.pose, rng)
    return BasePose(pose, tilt, ("analytic",) * count)


def _settled(
    pose: Float[Tensor, "n 47"], tilt: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, "n 47"], Float[Tensor, "n 3"]]:
    """Arms out of the trunk, legs out of each other, both feet on the ground."""
    bounds = {}
    for side in ("left", "right"):
        swing = (column(pose, f"{side}_shoulder_flexion").abs() - 0.2).clamp_min(0)
        closest = CLOSEST_ARM - FREE_ARM * swing
        bounds[f"{side}_shoulder_abduction"] = torch.maximum(column(pose, f"{side}_shoulder_abduction"), closest)
        bounds[f"{side}_hip_abduction"] = column(pose, f"{side}_hip_abduction").clamp_min(CLOSEST_LEGS)
    return on_both_feet(with_columns(pose, bounds), tilt), tilt
