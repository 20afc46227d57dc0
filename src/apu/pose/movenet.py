"""MoveNet MultiPose: a picture in, output maps out."""

import math
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from apu.pose.decode import Heads
from apu.pose.onnx_session import OnnxSession
from apu.pose.resample import resized

OUTPUTS = {
    "center": "StatefulPartitionedCall/center_0/conv2d_4/BiasAdd",
    "heat": "StatefulPartitionedCall/kpt_heatmap_0/conv2d_7/BiasAdd",
    "regression": "StatefulPartitionedCall/kpt_regress_0/conv2d_8/BiasAdd",
    "offset": "StatefulPartitionedCall/kpt_offset_0/conv2d_9/BiasAdd",
}
"""Output of the ONNX model -> node of the TF.js graph: the maps before MoveNet's own decoding, which merges hugs."""

_MULTIPLE = 32
"""The net halves its input five times."""


@runtime_checkable
class PoseNet(Protocol):
    """Anything that gives MoveNet's output maps."""

    def heads(self, pixels: UInt8[np.ndarray, "h w 3"], long_side: int) -> tuple[Heads, float]:
        """See `MoveNet.heads`."""
        ...


class MoveNet:
    """The net, loaded once and used for many pictures; one thread, so that pictures can be run side by side.

    Args:
        path: the ONNX model, from `apu.pose.weights.ensure_movenet`.

    Raises:
        ModelFileError: onnxruntime cannot load it.
    """

    def __init__(self, path: Path) -> None:
        self._session = OnnxSession(path, "The people detector", "the converted MoveNet MultiPose")

    def heads(self, pixels: UInt8[np.ndarray, "h w 3"], long_side: int) -> tuple[Heads, float]:
        """Run the net on a picture.

        Args:
            pixels: (h, w, 3) RGB.
            long_side: the picture is scaled to this many pixels on its longer side; 192 to 320 works, and more loses
                people who fill the picture.

        Returns:
            The maps, and the scale: pixels of the net's input per pixel of the picture.
        """
        height, width = pixels.shape[:2]
        scale = long_side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        padded = np.zeros((_padded(height * scale), _padded(width * scale), 3), np.float32)
        padded[: size[1], : size[0]] = resized(pixels, *size)
        values = self._session.run(list(OUTPUTS), {"input": padded[None]})
        center, heat, regression, offset = (value[0] for value in values)
        grid = center.shape[:2]
        return (
            Heads(
                _sigmoid(center[..., 0]),
                _sigmoid(heat),
                regression.reshape(*grid, 17, 2),
                offset.reshape(*grid, 17, 2),
            ),
            scale,
        )


def _padded(size: float) -> int:
    return max(1, math.ceil(round(size) / _MULTIPLE)) * _MULTIPLE


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))
