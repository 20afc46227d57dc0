"""ViTPose, run by `transformers`: the adapter, and the weights that it takes.

The weights are a folder as `save_pretrained` writes it, or the default model, by the library's own hub and cache. Only
safetensors are read, so that no weights can carry code.
"""

import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from functools import cache
from http.client import HTTPException
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import torch
from jaxtyping import Float, UInt8

from apu.errors import InputError, ModelFileError
from apu.pose.net_joints import LAYOUTS
from apu.progress import Progress, silent
from apu.scene.person import Box

DEFAULT = "usyd-community/vitpose-base-simple"
"""On the hub; 17 joints, Apache-2.0."""

FILES = "config.json, preprocessor_config.json and model.safetensors"
HUB_SECONDS = 10.0
AT_ONCE = 16
"""People in one batch; bounds the memory."""

COCO_EXPERT = 0
"""ViTPose+ has an expert for each data set that it was trained on; this one knows COCO's joints."""


def load_vitpose(weights: Path | None = None, progress: Progress = silent) -> "VitPose":
    """The net, loaded once for each folder.

    Args:
        weights: a folder with `FILES`; when left out, `DEFAULT` out of the hub's cache, fetched where it is not there.
        progress: told about the loading.

    Raises:
        InputError: the package is not installed.
        ModelFileError: the weights are missing, cannot be fetched, or are of another model.
    """
    if find_spec("transformers") is None:
        raise InputError(
            "The package that runs ViTPose is not installed.",
            where="--detector vitpose",
            expected="the package transformers",
            got="no such package",
            remedy='pip install "ask-pose-unite[vitpose]"',
        )
    if weights is not None and not (weights / "config.json").is_file():
        raise _not_usable(weights, "a file" if weights.is_file() else "no config.json there")
    progress("loading ViTPose" if weights else "loading ViTPose, and fetching its weights where they are not cached")
    return _loaded(None if weights is None else weights.resolve())


class VitPose:
    """The net and its pictures' preparation; a `apu.pose.top_down.TopDownNet`."""

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor

    @torch.no_grad()
    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"], boxes: Sequence[Box]) -> list[Float[np.ndarray, "j 3"]]:
        """For each box, x and y in pixels and confidence of each joint."""
        found: list[Float[np.ndarray, "j 3"]] = []
        for start in range(0, len(boxes), AT_ONCE):
            places = [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in boxes[start : start + AT_ONCE]]
            inputs = self._processor(pixels, boxes=[places], return_tensors="pt")
            outputs = self._model(inputs["pixel_values"], **self._experts(len(places)))
            (people,) = self._processor.post_process_pose_estimation(outputs, boxes=[places])
            for person in people:
                xy, confidence = person["keypoints"].numpy(), person["scores"].numpy()
                found.append(np.concatenate([xy, confidence[:, None]], axis=1).astype(np.float64))
        return found

    def _experts(self, people: int) -> dict[str, Any]:
        several = self._model.config.backbone_config.num_experts > 1
        return {"dataset_index": torch.full((people,), COCO_EXPERT)} if several else {}


@cache
def _loaded(folder: Path | None) -> VitPose:
    if folder is not None:
        return _read(str(folder), folder, offline=True)
    try:
        return _read(DEFAULT, DEFAULT, offline=True)
    except ModelFileError:  # not in the cache
        _check_hub()
        return _read(DEFAULT, DEFAULT, offline=False)


def _check_hub() -> None:
    """See that the hub can be reached: the library itself tries for half a minute, and prints each of its tries."""
    from huggingface_hub import hf_hub_url

    try:
        with urlopen(Request(hf_hub_url(DEFAULT, "config.json"), method="HEAD"), timeout=HUB_SECONDS):
            pass
    except (OSError, ValueError, HTTPException) as error:
        raise _not_usable(DEFAULT, f"nothing in the hub's cache, and no hub: {error}") from error


def _read(name: str, where: object, *, offline: bool) -> VitPose:
    from transformers import AutoConfig, VitPoseConfig, VitPoseForPoseEstimation, VitPoseImageProcessorPil

    quiet = StringIO() if offline else sys.stderr  # a download shows how far it is, a file needs not
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=offline)
        if not isinstance(config, VitPoseConfig):
            raise _not_usable(where, f"a model of type {config.model_type}")
        if config.num_labels not in LAYOUTS:
            raise _not_usable(where, f"a model of {config.num_labels} joints")
        processor = VitPoseImageProcessorPil.from_pretrained(name, local_files_only=offline)
        with redirect_stderr(quiet):
            loaded: Any = VitPoseForPoseEstimation.from_pretrained(
                name, config=config, local_files_only=offline, use_safetensors=True, output_loading_info=True
            )
    except ModelFileError:
        raise
    except Exception as error:  # damaged files fail in the errors of three libraries
        raise _not_usable(where, " ".join(str(error).split())[:300]) from error
    model, report = loaded
    lacking = sorted(report["missing_keys"])
    if lacking:
        raise _not_usable(where, f"weights without {', '.join(lacking[:3])}, ...")
    return VitPose(model.eval(), processor)


def _not_usable(where: object, got: object) -> ModelFileError:
    return ModelFileError(
        "ViTPose's weights are not there, or are of another model.",
        where=where,
        expected=f"a folder with {FILES} of a ViTPose of {', '.join(map(str, LAYOUTS))} joints",
        got=got,
        remedy=f"where there is a network, `hf download {DEFAULT} --local-dir vitpose`; then, here, "
        "--detector-weights vitpose.",
    )
