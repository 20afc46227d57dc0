"""Other errors of a program that estimates meshes, so that nothing is tuned to the first family's. For tests only.

Limbs err one by one and with heavy tails, now and then left and right arms or legs are exchanged, all people lean
alike because the estimator mistakes the camera's tilt, depths err by Student's t and share a bias in scale. Shapes are
drawn far towards the mean and have no noise. All numbers are hand-set.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, ParameterSpec
from apu.dataset.synthetic.initial_noise import ANGLE_SCALE, Bodies, along_sight, turned
from apu.dataset.synthetic.random_streams import Streams

SOURCE = "synthetic-second"
TAIL, LARGEST_TAIL = 2.5, 4.0
"""Degrees of freedom of a limb's error, and its bound."""

LIMB_ERROR = 0.25
MIRRORED = 0.12
"""Chance of either the arms or the legs of a person."""

SHAPE_PULL = 0.6
YAW_DEG, LEAN_DEG = 9.0, 6.0
DEPTH_TAIL, DEPTH_M = 3.0, 0.12
SCALE_BIAS, SCALE_SPREAD = 0.08, 0.05
SIDEWAYS = 0.01
"""Metres for each metre of depth."""

_LEGS = ("hip", "knee", "ankle")


def second_family(body: BodyModel, truth: Bodies, streams: Streams) -> dict[str, Tensor]:
    """Estimates of A and B in the camera frame: name -> (2, size), of the dtype of the truth.

    Args:
        body: the body model.
        truth: name -> (2, size), camera frame.
        streams: of the pair.
    """
    spec = body.parameter_spec
    default, age = spec["shape"].default, spec["shape"].names.index("age") if "age" in spec["shape"].names else None
    shape = truth["shape"] + SHAPE_PULL * (default - truth["shape"])
    if age is not None:
        shape[:, age] = truth["shape"][:, age]
    estimate = {
        "orientation": turned(truth["orientation"], _turns(streams)),
        "translation": _place(truth["translation"].double(), streams),
        "pose": _pose(truth["pose"], spec["pose"], streams),
        "shape": shape,
    }
    return {name: estimate[name].to(truth[name]) for name in spec}


def _pose(true: Float[Tensor, "2 d"], spec: ParameterSpec, streams: Streams) -> Float[Tensor, "2 d"]:
    limbs = [_limb(name) for name in spec.names]
    distinct = sorted(set(limbs))
    tail = np.abs(streams("second/limbs").standard_t(TAIL, size=(2, len(distinct)))).clip(0, LARGEST_TAIL)
    noise = tail[:, [distinct.index(limb) for limb in limbs]] * streams("second/pose").normal(size=tuple(true.shape))
    scale = spec.scale.clamp(*ANGLE_SCALE)
    pose = _mirrored(true, spec, streams) + LIMB_ERROR * scale * torch.from_numpy(noise).to(true)
    return torch.maximum(torch.minimum(pose, spec.upper), spec.lower)


def _mirrored(true: Float[Tensor, "2 d"], spec: ParameterSpec, streams: Streams) -> Float[Tensor, "2 d"]:
    """Left and right of some people's arms or legs exchanged."""
    chance = streams("second/mirrored").random((2, 2))
    out = true.clone()
    for i, name in enumerate(spec.names):
        limb = _limb(name)
        if limb == "spine":
            continue
        side, _, rest = name.partition("_")
        other = spec.names.index(f"{'right' if side == 'left' else 'left'}_{rest}")
        for person in (0, 1):
            if chance[person, int("leg" in limb)] < MIRRORED:
                out[person, i] = true[person, other]
    return out


def _limb(angle: str) -> str:
    side, _, rest = angle.partition("_")
    if side not in ("left", "right"):
        return "spine"
    return f"{side} {'leg' if rest.startswith(_LEGS) else 'arm'}"


def _turns(streams: Streams) -> Float[Tensor, "2 3"]:
    draw = streams("second/orientation")
    yaw = np.radians(YAW_DEG * draw.standard_t(3.0, size=2).clip(-4, 4))
    lean, tilt = np.radians(LEAN_DEG) * draw.normal(size=2)
    return torch.tensor([[lean, yaw[0], tilt], [lean, yaw[1], tilt]], dtype=torch.float64)


def _place(true: Float[Tensor, "2 3"], streams: Streams) -> Float[Tensor, "2 3"]:
    draw = streams("second/depth")
    scale = float(np.exp(SCALE_BIAS + SCALE_SPREAD * draw.normal()))
    depth = true[:, 2] * scale + DEPTH_M * torch.from_numpy(draw.standard_t(DEPTH_TAIL, size=2).clip(-8, 8))
    return along_sight(true, depth, SIDEWAYS * torch.from_numpy(draw.normal(size=(2, 2))))
