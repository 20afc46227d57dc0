"""A program that estimates meshes, with errors like BEV's: the first family of initial estimates.

The error of the pose is made of a pull towards the mean pose and of random angles, of which left and right limbs, and
the joints of the spine, have a part in common. It is scaled, person by person, until the PA-MPJPE is the one drawn.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, ParameterSpec, Parts
from apu.dataset.synthetic.observation_settings import InitialSettings
from apu.dataset.synthetic.random_streams import Streams

Bodies = Mapping[str, Float[Tensor, "2 _"]]

SOURCE = "synthetic-bev"
ANGLE_SCALE = (0.2, 0.7)
"""Bounds of an angle's typical deviation, radians: stiff joints are mistaken too, free ones not beyond measure."""

RANDOM_PART = 0.35
COMMON = 0.4
"""Share of the variance that an angle has in common with its mirror image, or with the rest of the spine."""

PA_RANGE_MM = (35.0, 115.0)
GROWN_M = 1.5
"""People below this height have a PA-MPJPE in proportion to it."""

LARGEST_STRETCH, HALVINGS = 6.0, 12
"""Bisection of the scale of the error."""

PULL_LIMIT = 0.7
CHILD_BELOW_M = 1.4
ADULT_AGE, CHILD_AGE, AGE_SPREAD = (0.70, 0.24, 0.25)
"""Age attributes of people who are taken for the other age group, and the spread of their logits."""

NEAREST_M = 0.8


def bev_like(body: BodyModel, truth: Bodies, streams: Streams, settings: InitialSettings) -> dict[str, Tensor]:
    """Estimates of A and B in the camera frame, with errors of the first family.

    Args:
        body: the body model.
        truth: name -> (2, size), camera frame.
        streams: of the pair.
        settings: see there.

    Returns:
        name -> (2, size), of the dtype of the truth.
    """
    spec = body.parameter_spec
    other_age = _other_age(body, truth, streams, settings)
    wrong_size = (body.height({**truth, "shape": other_age}) / body.height(truth)).double()
    shape = other_age + _shape_error(spec["shape"], truth["shape"], streams, settings)
    pose = _pose(body, truth, shape, streams, settings)
    place = _place(truth["translation"].double(), wrong_size, streams, settings)
    orientation = turned(truth["orientation"], _turns(streams, settings))
    like = {"orientation": orientation, "translation": place, "pose": pose, "shape": shape}
    return {name: like[name].to(truth[name]) for name in spec}


# ---- shape


def _other_age(body: BodyModel, truth: Bodies, streams: Streams, settings: InitialSettings) -> Float[Tensor, "2 s"]:
    """The true shapes, but for the age of people who are taken for the other age group."""
    shape, names = truth["shape"].clone(), body.parameter_spec["shape"].names
    if "age" not in names:
        return shape
    child = body.height(truth) < CHILD_BELOW_M
    chance, logits = streams("initial/age").random(2), AGE_SPREAD * streams("initial/other age").normal(size=2)
    for person in (0, 1):
        taken_for = (settings.child_as_adult, ADULT_AGE) if child[person] else (settings.adult_as_child, CHILD_AGE)
        if chance[person] < taken_for[0]:
            shape[person, names.index("age")] = math.log(taken_for[1] / (1 - taken_for[1])) + logits[person]
    return shape


def _shape_error(
    spec: ParameterSpec, true: Float[Tensor, "2 s"], streams: Streams, settings: InitialSettings
) -> Float[Tensor, "2 s"]:
    """A pull to the default and noise; age is not pulled."""
    pull = torch.full_like(true, settings.shape_pull)
    if "age" in spec.names:
        pull[:, spec.names.index("age")] = 0.0
    return pull * (spec.default - true) + settings.shape * normals(streams("initial/shape"), true.shape).to(true)


# ---- pose


def _pose(
    body: BodyModel, truth: Bodies, shape: Float[Tensor, "2 s"], streams: Streams, settings: InitialSettings
) -> Float[Tensor, "2 d"]:
    spec, true = body.parameter_spec["pose"], truth["pose"]
    if settings.pa_mpjpe_mm <= 0:
        return true
    draw = streams("initial/accuracy")
    wanted_mm = np.clip(settings.pa_mpjpe_mm + settings.pa_mpjpe_spread_mm * draw.normal(size=2), *PA_RANGE_MM)
    small = (body.height(truth) / GROWN_M).clamp(max=1.0)
    wanted = torch.tensor(wanted_mm / 1000).to(true) * small
    pull = torch.tensor(draw.uniform(*settings.pull, size=2)).to(true)
    random = RANDOM_PART * spec.scale.clamp(*ANGLE_SCALE) * _correlated(spec, streams).to(true)
    error = PoseError(true, spec.default, pull, random, spec.lower, spec.upper)
    goal = _j14(body, truth)

    def accuracy(stretch: Float[Tensor, " 2"]) -> Float[Tensor, " 2"]:
        pose = error.stretched(stretch)
        return pa_mpjpe(_j14(body, {**truth, "pose": pose, "shape": shape}), goal)

    return error.stretched(bisected(accuracy, wanted))


@dataclass(frozen=True)
class PoseError:
    """A direction in which two poses err.

    Attributes:
        true: (2, d) radians.
        mean: (d,) the pose that they are drawn to.
        pull: (2,) weight of it.
        random: (2, d) radians.
        lower, upper: (d,) bounds.
    """

    true: Float[Tensor, "2 d"]
    mean: Float[Tensor, " d"]
    pull: Float[Tensor, " 2"]
    random: Float[Tensor, "2 d"]
    lower: Float[Tensor, " d"]
    upper: Float[Tensor, " d"]

    def stretched(self, stretch: Float[Tensor, " 2"]) -> Float[Tensor, "2 d"]:
        """The poses with so many times the error, within the bounds."""
        drawn = (stretch * self.pull).clamp(max=PULL_LIMIT)[:, None] * (self.mean - self.true)
        pose = self.true + drawn + stretch[:, None] * self.random
        return torch.maximum(torch.minimum(pose, self.upper), self.lower)


def bisected(
    function: Callable[[Float[Tensor, " 2"]], Float[Tensor, " 2"]], wanted: Float[Tensor, " 2"]
) -> Float[Tensor, " 2"]:
    """Where a function that grows by and large has the wanted values; the ends where it does not reach them."""
    low, high = torch.zeros_like(wanted), torch.full_like(wanted, LARGEST_STRETCH)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = function(middle) > wanted
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2


def pa_mpjpe(found: Float[Tensor, "n j 3"], true: Float[Tensor, "n j 3"]) -> Float[Tensor, " n"]:
    """Mean joint distance after the best similarity transform without reflection, metres."""
    found, true = (points - points.mean(1, keepdim=True) for points in (found, true))
    rotation = roma.special_procrustes(true.mT @ found)
    assert isinstance(rotation, Tensor)
    aligned = found @ rotation.mT
    scale = (aligned * true).sum((1, 2)) / found.square().sum((1, 2))
    return (scale[:, None, None] * aligned - true).norm(dim=-1).mean(-1)


def _j14(body: BodyModel, parameters: Bodies) -> Float[Tensor, "2 14 3"]:
    joints = body.forward(parameters, Parts("j14")).joints
    assert joints is not None
    return joints


def _correlated(spec: ParameterSpec, streams: Streams) -> Float[Tensor, "2 d"]:
    """Unit normals; angles of the same kind, see `_kind`, have `COMMON` of their variance in common."""
    kinds = [_kind(name) for name in spec.names]
    distinct = sorted(set(kinds))
    common = normals(streams("initial/common pose"), (2, len(distinct)))[:, [distinct.index(kind) for kind in kinds]]
    return math.sqrt(COMMON) * common + math.sqrt(1 - COMMON) * normals(streams("initial/pose"), (2, spec.size))


def _kind(angle: str) -> str:
    """`hip_flexion` of either side; `flexion` of all the spine, the neck and the head."""
    side, _, rest = angle.partition("_")
    return rest if side in ("left", "right") else f"spine {angle.rsplit('_', 1)[-1]}"


# ---- place and orientation


def _turns(streams: Streams, settings: InitialSettings) -> Float[Tensor, "2 3"]:
    draw = streams("initial/orientation")
    axis = draw.normal(size=(2, 3))
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    degrees = np.abs(settings.orientation_deg + settings.orientation_spread_deg * draw.normal(size=(2, 1)))
    return torch.from_numpy(axis * np.radians(degrees))


def turned(orientation: Float[Tensor, "2 3"], by: Float[Tensor, "2 3"]) -> Float[Tensor, "2 3"]:
    """Orientations turned further in the camera frame; rotation vectors."""
    return roma.rotvec_composition((by, orientation.double()))


def _place(
    true: Float[Tensor, "2 3"], wrong_size: Float[Tensor, " 2"], streams: Streams, settings: InitialSettings
) -> Float[Tensor, "2 3"]:
    """Along the line of sight as far as the age is wrong, and then as the errors of depth say."""
    draw, gross = streams("initial/depth"), streams("initial/gross depth")
    relative = settings.depth_m * draw.normal()
    common = 1 + settings.common_depth * draw.normal()
    amount = gross.uniform(*settings.gross_m) * gross.choice((-1.0, 1.0))
    if gross.random() < settings.gross:
        relative += amount
    depth = true[:, 2] * wrong_size * common + torch.tensor([relative / 2, -relative / 2], dtype=true.dtype)
    sideways = settings.sideways_m / 3.0 * normals(streams("initial/sideways"), (2, 2))
    return along_sight(true, depth, sideways)


def along_sight(
    true: Float[Tensor, "2 3"], depth_m: Float[Tensor, " 2"], sideways: Float[Tensor, "2 2"]
) -> Float[Tensor, "2 3"]:
    """Places seen at the same pixels in another depth, then moved sideways by so much per metre of depth."""
    depth = depth_m.clamp(min=NEAREST_M)[:, None]
    return torch.cat([(true[:, :2] / true[:, 2:] + sideways) * depth, depth], -1)


def normals(generator: np.random.Generator, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
    """Standard normal numbers, float64."""
    return torch.from_numpy(generator.normal(size=tuple(shape)))
