"""RTMPose and RTMO, run by `rtmlib`: the adapter, and the weights that they take.

The weights are an ONNX file, or the library's default, which it fetches from its authors' server into its own cache;
nobody checks a hash of it. `rtmlib` takes pictures as they come: RTMPose was trained on RGB, RTMO on BGR (the configs
of mmpose), so each gets that.
"""

from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, UInt8

from apu.errors import InputError, ModelFileError
from apu.pose.net_joints import LAYOUTS
from apu.progress import Progress, silent
from apu.scene.person import Box

Kind = Literal["rtmpose", "rtmo"]

PACKAGE = "rtmlib>=0.0.16,<0.1"
INSTALL = f'pip install --no-deps "{PACKAGE}" tqdm'
"""Its wheel asks for two more builds of OpenCV, which would overwrite the one that is there; it runs with that one."""

INPUT_PX = {"rtmpose": (256, 192), "rtmo": (640, 640)}
"""Height and width of models whose files do not say."""

MIN_SCORE = 0.3
"""Of a person whom RTMO sees. A heuristic: the library's 0.7 is for crowds in videos, and hidden people score less."""

SAME_BOX = 0.65
"""Intersection over union of two boxes of RTMO that are one person; the config's own. People who hug overlap more than
the library's 0.45."""


def load_rtmpose(weights: Path | None = None, progress: Progress = silent) -> "RtmPose":
    """RTMPose, which looks at one person; loaded once for each file.

    Args:
        weights: an ONNX file; when left out, the library's model of 26 joints, fetched where it is not in its cache.
        progress: told about the loading.

    Raises:
        InputError: the package is not installed.
        ModelFileError: the weights are missing, cannot be fetched, or are of another model.
    """
    return RtmPose(_loaded("rtmpose", weights, progress))


def load_rtmo(weights: Path | None = None, progress: Progress = silent) -> "Rtmo":
    """RTMO, which finds all people at once; see `load_rtmpose`."""
    return Rtmo(_loaded("rtmo", weights, progress))


class RtmPose:
    """RTMPose as a `apu.pose.top_down.TopDownNet`."""

    def __init__(self, net: Any) -> None:
        self._net = net

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"], boxes: Sequence[Box]) -> list[Float[np.ndarray, "j 3"]]:
        """For each box, x and y in pixels and confidence of each joint."""
        if not boxes:
            return []
        xy, confidence = self._net(pixels, bboxes=[list(box) for box in boxes])
        return list(np.concatenate([xy, confidence[..., None]], axis=2).astype(np.float64))


class Rtmo:
    """RTMO."""

    def __init__(self, net: Any) -> None:
        self._net = net

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"]) -> list[Float[np.ndarray, "j 3"]]:
        """Of each person, x and y in pixels and confidence of each joint."""
        bgr = np.ascontiguousarray(pixels[..., ::-1])
        xy, confidence = self._net(bgr, nms_thr=SAME_BOX, score_thr=MIN_SCORE)
        people = np.concatenate([xy, confidence[..., None]], axis=2).astype(np.float64)
        return [person for person in people if (person[:, 2] > 0).any()]  # nobody comes as one person of zeros


def _loaded(kind: Kind, weights: Path | None, progress: Progress) -> Any:
    if find_spec("rtmlib") is None:
        raise InputError(
            "The package that runs RTMPose and RTMO is not installed.",
            where=f"--detector {kind}",
            expected="the package rtmlib",
            got="no such package",
            remedy=INSTALL,
        )
    if weights is not None and not weights.is_file():
        raise _not_usable(kind, weights, "a folder" if weights.is_dir() else "no such file")
    progress(f"loading {kind}" if weights else f"loading {kind}, and fetching its weights where they are not cached")
    return _net(kind, weights and weights.resolve())


@cache
def _net(kind: Kind, weights: Path | None) -> Any:
    from rtmlib import RTMO, Body, BodyWithFeet, RTMPose

    where = str(weights or (BodyWithFeet.MODE if kind == "rtmpose" else Body.RTMO_MODE)["balanced"]["pose"])
    try:
        with redirect_stdout(StringIO()):  # it prints
            net: Any = (RTMPose if kind == "rtmpose" else RTMO)(where, backend="onnxruntime")
        height, width = _input_px(kind, net.session.get_inputs()[0].shape)
        net.model_input_size = (width, height) if kind == "rtmpose" else (height, width)
        outputs = net.inference(np.zeros((height, width, 3), np.float32))
    except Exception as error:  # onnxruntime has no public base class for its errors, and fetching fails in many ways
        raise _not_usable(kind, where, " ".join(str(error).split())[:300]) from error
    shapes = [np.shape(output) for output in outputs]
    if not _fits(kind, shapes):
        raise _not_usable(kind, where, f"outputs of shapes {', '.join(map(str, shapes))}")
    return net


def _input_px(kind: Kind, shape: Sequence[object]) -> tuple[int, int]:
    """Height and width of the picture that the net takes; its file has names instead where any will do."""
    height, width = (
        size if isinstance(size, int) else usual for size, usual in zip(shape[2:], INPUT_PX[kind], strict=True)
    )
    return height, width


def _fits(kind: Kind, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether outputs are those of such a net: (1, joints, bins) of x and of y; or boxes and (1, n, joints, 3)."""
    if [len(shape) for shape in shapes] != ([3, 3] if kind == "rtmpose" else [3, 4]):
        return False
    if kind == "rtmpose":
        return shapes[0][1] == shapes[1][1] and shapes[0][1] in LAYOUTS
    return shapes[0][2] >= 5 and shapes[1][2] in LAYOUTS and shapes[1][3] == 3


def _not_usable(kind: Kind, where: object, got: object) -> ModelFileError:
    joints, name = ", ".join(map(str, LAYOUTS)), {"rtmpose": "RTMPose", "rtmo": "RTMO"}[kind]
    return ModelFileError(
        f"The weights of {kind} are not there, or are of another model.",
        where=where,
        expected=f"an ONNX file of {name} (out of its `onnx_sdk`), of {joints} joints",
        got=got,
        remedy="where there is a network, fetch the model's zip file and unpack it (docs/keypoints.md says which); "
        "then, here, --detector-weights end2end.onnx.",
    )
