"""BlazePose GHUM heavy: an upright square about one person in, landmarks, heat maps and a mask out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from apu.pose.onnx_session import OnnxSession

SIDE = 256
"""Pixels of the square."""

OUTPUTS = {
    "landmarks": "Identity_2",
    "heat": "Identity",
    "world": "Identity_4",
    "mask": "Identity_1",
    "presence": "Identity_3",
}
"""Output of the ONNX model -> node of the TF.js graph."""

LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_big_toe", "right_big_toe",
    "circle_center", "circle_top", "hand_33", "hand_34", "hand_35", "hand_36",
)  # fmt: skip
"""The 39 points. MediaPipe calls the big toes "foot index"; the last six only serve its tracking."""


@dataclass(frozen=True)
class SquareBody:
    """What the net says about a square.

    Attributes:
        landmarks: (39, 5) x, y in pixels of the square, z in the same unit, logits of being visible and of being
            inside the square.
        heat: (64, 64, 39) probability of a landmark in a cell.
        world: (39, 3) metres from the middle of the hips: x right, y down, z away from the camera, in the square.
        mask: (256, 256) probability that a pixel shows the person.
        presence: probability that there is a person.
    """

    landmarks: Float[np.ndarray, "39 5"]
    heat: Float[np.ndarray, "64 64 39"]
    world: Float[np.ndarray, "39 3"]
    mask: Float[np.ndarray, "256 256"]
    presence: float


@runtime_checkable
class BodyNet(Protocol):
    """Anything that gives BlazePose's output."""

    def look(self, square: UInt8[np.ndarray, "256 256 3"]) -> SquareBody:
        """See `BlazePose.look`."""
        ...


class BlazePose:
    """The net, loaded once and used for many people.

    Args:
        path: the ONNX model, from `apu.pose.weights.ensure_blazepose`.

    Raises:
        ModelFileError: onnxruntime cannot load it.
    """

    def __init__(self, path: Path) -> None:
        self._session = OnnxSession(path, "The 3D pose estimator", "the converted BlazePose heavy")

    def look(self, square: UInt8[np.ndarray, "256 256 3"]) -> SquareBody:
        """Run the net on an RGB square (`apu.pose.roi`)."""
        picture = square[None].astype(np.float32) / 255
        landmarks, heat, world, mask, presence = self._session.run(list(OUTPUTS), {"input_1": picture})
        return SquareBody(
            landmarks.reshape(39, 5),
            heat[0],  # the graph ends in sigmoids for heat, mask and presence
            world.reshape(39, 3),
            mask[0, :, :, 0],
            float(presence.ravel()[0]),
        )
