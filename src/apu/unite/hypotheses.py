"""Starts of the joint stage: posture x facing x age, all in one batch, because a photo shows none of them for sure.

Where another program has estimated a body, its pose is a posture of its own, `initial`, once for either age group.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import ParameterSpec
from apu.scene.estimate import InitialBody
from apu.scene.pair import AgeGroup, PairObservation

POSTURES: dict[str, dict[str, float]] = {
    "stand": {},
    "sit": {"hip_flexion": 1.40, "knee_flexion": 1.50},
    "kneel": {"hip_flexion": 0.15, "knee_flexion": 1.80, "ankle_plantarflexion": 0.70},
}
"""Angles of either side that differ from the relaxed standing pose, radians."""

POSTURE_COST = {"stand": 0.0, "sit": 1.5, "kneel": 2.0}
"""Minus logarithm of how likely a posture is before the photo is seen, up to a constant. Hand-set."""

POSTURE_OF_WORD = {"standing": "stand", "sitting": "sit", "kneeling": "kneel"}
"""An annotator's word -> the posture it means. Its other words mean none of ours, and change nothing."""

POSTURE_WORD_COST, AGE_WORD_COST = 3.0, 5.0
"""Minus logarithm of how likely an annotator's word is when the posture or age group is another one, against when it is
the one it names: one in 20, and one in 150. Hand-set; the second must outweigh what a child costs by itself."""

YAWS = (0.0, math.pi / 2, math.pi, -math.pi / 2)
"""Turn about the vertical, radians; 0 faces the camera."""


@dataclass(frozen=True)
class AgeStart:
    """What an age group means for the shape.

    Attributes:
        age: the body's age attribute the start stands at.
        age_scale: how far its logit may go.
        height_m, height_sigma_m: standing height.
        cost: minus logarithm of how likely the group is before the photo is seen, up to a constant.
    """

    age: float
    age_scale: float
    height_m: float
    height_sigma_m: float
    cost: float


AGES: dict[str, AgeStart] = {
    "adult": AgeStart(age=0.72, age_scale=0.4, height_m=1.70, height_sigma_m=0.09, cost=0.0),
    "child": AgeStart(age=0.22, age_scale=0.6, height_m=1.17, height_sigma_m=0.25, cost=3.0),
}


INITIAL = "initial"
"""Posture of the starts that stand where another program's estimate does."""

INITIAL_HEIGHT_SIGMA_M = 0.08
"""Error of an estimate's height, which goes with its depth."""

INITIAL_POSE = 0.45
"""Spread of an estimate's angles, as a share of a stranger's."""

INITIAL_TURN_RAD = 0.25
INITIAL_DEPTH_M = 0.2
"""Error of an estimate's orientation, about each axis, and of its root's depth."""

INITIAL_BONUS = 15.0
"""A body near its estimate is much likelier than one anywhere: the logarithm of how much the spreads shrink, less a
doubt whether the estimate is any good. Hand-set, as the four numbers above, on synthetic validation pairs."""

CHILD_BELOW_M = 1.45
"""An estimate of this height or more is of an adult."""

OTHER_AGE_COST = 1.7
"""Minus logarithm of the odds that an estimate errs in the age group: about one in six. Hand-set; BEV takes some
grown women for children."""


@dataclass(frozen=True)
class Beliefs:
    """Per body: what its start says about it. `n` bodies, or any other leading axes.

    Attributes:
        pose, pose_scale: mean and spread of the angles, radians.
        shape, shape_scale: of the logits.
        height_m, height_sigma_m: of the standing height.
        turn, turn_precision: orientation as another program estimates it, and 1 / sigma^2 of each axis; 0 where none
            does.
        depth_m, depth_precision: the same for the root's depth.
        cost: of the start itself, before the photo is seen.
    """

    pose: Float[Tensor, "*n d"]
    pose_scale: Float[Tensor, "*n d"]
    shape: Float[Tensor, "*n s"]
    shape_scale: Float[Tensor, "*n s"]
    height_m: Float[Tensor, "*n"]
    height_sigma_m: Float[Tensor, "*n"]
    turn: Float[Tensor, "*n 3"]
    turn_precision: Float[Tensor, "*n"]
    depth_m: Float[Tensor, "*n"]
    depth_precision: Float[Tensor, "*n"]
    cost: Float[Tensor, "*n"]

    def map(self, function: Callable[[Tensor], Tensor]) -> "Beliefs":
        """Apply a function of tensors (an indexing, a reshape) to every field."""
        return Beliefs(*(function(getattr(self, f)) for f in self.__dataclass_fields__))

    def select(self, index: Tensor) -> "Beliefs":
        """Rows of the batch."""
        return self.map(lambda x: x[index])

    @staticmethod
    def concatenated(parts: Sequence["Beliefs"]) -> "Beliefs":
        """All bodies of the parts, in order."""
        return Beliefs(*(torch.cat([getattr(one, f) for one in parts]) for f in Beliefs.__dataclass_fields__))


@dataclass(frozen=True)
class Start:
    """One combination for one person."""

    posture: str
    yaw: float
    age: str


def starts_of(ages: AgeGroup) -> list[Start]:
    """All starts of a person whose age group may be known."""
    groups = [ages] if ages != "unknown" else list(AGES)
    return [Start(p, y, a) for p, y, a in itertools.product(POSTURES, YAWS, groups)]


def word_costs(observation: PairObservation, person: int, starts: Sequence[Start]) -> list[float]:
    """What each start of A (`person` 0) or B (1) costs for standing against the annotator's words.

    A word on the age is not heard where the user knows it. Another program's estimate has a posture without a name,
    which no word speaks against.
    """
    words = observation.words
    posture = POSTURE_OF_WORD.get(words.postures[person])
    age = words.ages[person] if observation.ages[person] == "unknown" else "unknown"
    return [
        POSTURE_WORD_COST * (posture is not None and start.posture not in (posture, INITIAL))
        + AGE_WORD_COST * (age not in ("unknown", start.age))
        for start in starts
    ]


def beliefs_of(starts: Sequence[Start], spec: Mapping[str, ParameterSpec]) -> Beliefs:
    """Prior means and spreads of the starts, for any body whose angles and attributes carry the usual names."""
    pose, shape = spec["pose"], spec["shape"]
    means, shapes, scales = [], [], []
    for start in starts:
        mean = pose.default.clone()
        for name, angle in POSTURES.get(start.posture, {}).items():
            for side in ("left", "right"):
                mean[pose.names.index(f"{side}_{name}")] = angle
        means.append(mean)
        logit, scale = shape.default.clone(), shape.scale.clone()
        if "age" in shape.names:
            age, i = AGES[start.age], shape.names.index("age")
            logit[i], scale[i] = math.log(age.age / (1 - age.age)), age.age_scale
        shapes.append(logit)
        scales.append(scale)

    def tensor(values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=pose.default.dtype, device=pose.default.device)

    none = torch.zeros(len(starts), dtype=pose.default.dtype, device=pose.default.device)
    return Beliefs(
        pose=torch.stack(means),
        pose_scale=pose.scale.expand(len(starts), -1).clone(),
        shape=torch.stack(shapes),
        shape_scale=torch.stack(scales),
        height_m=tensor([AGES[s.age].height_m for s in starts]),
        height_sigma_m=tensor([AGES[s.age].height_sigma_m for s in starts]),
        turn=none[:, None].expand(-1, 3).clone(),
        turn_precision=none,
        depth_m=none,
        depth_precision=none,
        cost=tensor([POSTURE_COST.get(s.posture, 0.0) + AGES[s.age].cost for s in starts]),
    )


def parameters_of(
    starts: Sequence[Start], beliefs: Beliefs, spec: Mapping[str, ParameterSpec]
) -> dict[str, Float[Tensor, "n _"]]:
    """Parameters at the starts; the translation is still the default."""
    like = beliefs.pose
    yaw = torch.tensor([s.yaw for s in starts], dtype=like.dtype, device=like.device)
    zero = torch.zeros_like(yaw)
    return {
        "orientation": torch.stack([zero, yaw, zero], -1),
        "translation": spec["translation"].default.expand(len(starts), 3).clone(),
        "pose": beliefs.pose.clone(),
        "shape": beliefs.shape.clone(),
    }


def initial_starts(
    initial: InitialBody, height_m: float, spec: Mapping[str, ParameterSpec]
) -> tuple[list[Start], Beliefs, dict[str, Float[Tensor, "2 _"]]]:
    """Both starts of an estimate: its pose with each age group, the group that its height speaks for first.

    With the other group the shape is that group's, and the body is moved along its ray so that it looks as large as
    before: what is a child near by may be an adult farther off.

    Args:
        initial: the estimate.
        height_m: its standing height.
        spec: of the body.

    Returns:
        The starts, what they say of a body, and the parameters they stand at.
    """
    group = "child" if height_m < CHILD_BELOW_M else "adult"
    yaw = _yaw(initial.parameters["orientation"])
    starts = [Start(INITIAL, yaw, age) for age in (group, *(one for one in AGES if one != group))]
    general = beliefs_of(starts, spec)
    mine = {name: value.to(general.pose).repeat(2, 1) for name, value in initial.parameters.items()}
    precision = general.height_sigma_m[0] ** -2, INITIAL_HEIGHT_SIGMA_M**-2
    height, sigma = general.height_m.clone(), general.height_sigma_m.clone()
    height[0] = (precision[0] * height[0] + precision[1] * height_m) / sum(precision)
    sigma[0] = sum(precision) ** -0.5
    shape = torch.stack([mine["shape"][0], general.shape[1]])
    translation = mine["translation"] * torch.stack([torch.ones_like(height[1]), height[1] / height_m])[:, None]
    beliefs = Beliefs(
        pose=mine["pose"],
        pose_scale=INITIAL_POSE * general.pose_scale,
        shape=shape,
        shape_scale=general.shape_scale,
        height_m=height,
        height_sigma_m=sigma,
        turn=mine["orientation"],
        turn_precision=torch.full_like(height, INITIAL_TURN_RAD**-2),
        depth_m=translation[:, 2],
        depth_precision=torch.tensor([INITIAL_DEPTH_M**-2, 0.0]).to(height),  # who errs in size errs in depth
        cost=general.cost + torch.tensor([0.0, OTHER_AGE_COST]).to(general.cost) - INITIAL_BONUS,
    )
    return starts, beliefs, {**mine, "translation": translation, "shape": shape}


def _yaw(orientation: Float[Tensor, " 3"]) -> float:
    """Turn about the vertical, radians; 0 faces the camera."""
    x, y, z = orientation.tolist()
    cross = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]], dtype=torch.float64)
    back = torch.linalg.matrix_exp(cross)[:, 2]
    return math.atan2(float(back[0]), float(back[2]))
