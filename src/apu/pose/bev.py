"""BEV and ROMP results (`simple_romp`, one npz a photo): people as SMPL poses, joints and places in metric depth.

Keys and conventions were read off files, and hold to 0.5 pixels: `joints + cam_trans`, x right, y down, z forward,
projects onto `pj2d_org` with a field of view of 60 degrees over the longer side and the photo's centre. Joints are 24
of SMPL, 21 that lie on the skin, and 26 of other definitions; their origin is the middle of the hips.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.errors import InputError
from apu.restricted_load import load_npz

SOURCE = "bev"
KIND = "initial estimate"

SMPL_JOINTS: dict[str, int] = {
    "left_hip": 1, "right_hip": 2, "left_knee": 4, "right_knee": 5, "left_ankle": 7, "right_ankle": 8,
    "left_shoulder": 16, "right_shoulder": 17, "left_elbow": 18, "right_elbow": 19, "left_wrist": 20,
    "right_wrist": 21, "nose": 24, "right_eye": 25, "left_eye": 26, "right_ear": 27, "left_ear": 28,
    "left_big_toe": 29, "left_small_toe": 30, "left_heel": 31,
    "right_big_toe": 32, "right_small_toe": 33, "right_heel": 34,
}  # fmt: skip
"""Our joint names -> BEV's index. Neck and middle of the hips are missing: BODY_25 means other places by them."""

MOST_PEOPLE = 1000
LARGEST = {"smpl_thetas": 100.0, "smpl_betas": 100.0, "cam_trans": 1e4, "joints": 100.0, "pj2d_org": 1e6}
"""Larger numbers are none of radians, metres or pixels."""


@dataclass(frozen=True)
class BevPerson:
    """One person as BEV sees them.

    Attributes:
        row: in the file.
        rotations: (24, 3) SMPL's rotation vectors; the first turns SMPL's axes (x left, y up, z to the front) into the
            camera's.
        betas: (10,) SMPL's shape.
        kid: 0 an adult, 1 a child of SMPL-A; 0 where the file says nothing. Adults get up to 0.55: a hint, no more.
        translation_m: (3,) of the middle of the hips, for a field of view of 60 degrees.
        joints_m: (71, 3) camera axes, relative to the middle of the hips.
        pixels: (71, 2) of the upright photo.
        confidence: of the person's centre, in [0, 1].
    """

    row: int
    rotations: Float[np.ndarray, "24 3"]
    betas: Float[np.ndarray, " 10"]
    kid: float
    translation_m: Float[np.ndarray, " 3"]
    joints_m: Float[np.ndarray, "71 3"]
    pixels: Float[np.ndarray, "71 2"]
    confidence: float

    def named_joints(self, joint_set: str) -> tuple[Float[np.ndarray, "j 3"], Float[np.ndarray, "j 2"], list[bool]]:
        """Joints in metres and pixels in one of our orders, and which of them BEV has; zeros for the others."""
        names = joint_names(joint_set)
        known = [name in SMPL_JOINTS for name in names]
        rows = [SMPL_JOINTS.get(name, 0) for name in names]
        mask = np.array(known)[:, None]
        return self.joints_m[rows] * mask, self.pixels[rows] * mask, known


def read_bev(path: Path) -> list[BevPerson]:
    """Everybody in a BEV or ROMP file, in its order.

    Raises:
        InputError: it is missing, damaged, hostile or of another kind, or has numbers that make no sense.
    """
    results = _results(load_npz(path, KIND), path)
    thetas = _numbers(results, "smpl_thetas", (None, 72), path)
    count = len(thetas)
    if count > MOST_PEOPLE:
        raise _bad_field(path, "smpl_thetas", f"at most {MOST_PEOPLE} people", count)
    betas = _numbers(results, "smpl_betas", (count, 11 if _width(results, "smpl_betas") == 11 else 10), path)
    kid = betas[:, 10] if betas.shape[1] == 11 else np.zeros(count, np.float32)
    translation = _numbers(results, "cam_trans", (count, 3), path)
    joints = _numbers(results, "joints", (count, 71, 3), path)
    pixels = _numbers(results, "pj2d_org", (count, 71, 2), path)
    confidence = np.ones(count, np.float32)
    if "center_confs" in results:
        confidence = _numbers(results, "center_confs", None, path).reshape(-1).clip(0, 1)
    if len(confidence) != count:
        raise _bad_field(path, "center_confs", f"{count} numbers", len(confidence))
    if count and float(translation[:, 2].min()) <= 0:
        raise _bad_field(path, "cam_trans", "people in front of the camera", f"a depth of {translation[:, 2].min():g}")
    return [
        BevPerson(
            i, thetas[i].reshape(24, 3), betas[i, :10], float(kid[i]), translation[i], joints[i], pixels[i],
            float(confidence[i]),
        )
        for i in range(count)
    ]  # fmt: skip


def _results(arrays: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    results = arrays.get("results")
    if not isinstance(results, Mapping):
        raise InputError(
            "The initial estimate file is of no kind that is known.",
            where=path,
            expected='an npz file of BEV or ROMP, with a dictionary "results"',
            got="an npz file with " + (", ".join(map(repr, list(arrays)[:8])) or "nothing"),
            remedy="give the file PHOTO_0.08.npz that `bev -i PHOTO` writes.",
        )
    return results


def _numbers(
    results: Mapping[str, Any], key: str, shape: tuple[int | None, ...] | None, path: Path
) -> Float[np.ndarray, "..."]:
    """One field as finite float32 numbers of the given shape; None stands for any size."""
    sizes = ", ".join("N" if n is None else str(n) for n in shape or ())
    wanted = f"numbers of shape ({sizes})" if shape else "numbers"
    value = results.get(key)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        found = "nothing" if value is None else type(value).__name__
        raise _bad_field(path, key, wanted, found if not isinstance(value, np.ndarray) else f"type {value.dtype}")
    if shape is not None and (
        value.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, value.shape, strict=True))
    ):
        raise _bad_field(path, key, wanted, f"shape {value.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = value.astype(np.float32)
        wrong = ~(np.abs(numbers) <= LARGEST.get(key, np.inf)) | ~np.isfinite(numbers)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise _bad_field(path, f"{key}{list(place)}", "a finite number of sensible size", f"{value[place]}")
    return numbers


def _width(results: Mapping[str, Any], key: str) -> int:
    value = results.get(key)
    return value.shape[-1] if isinstance(value, np.ndarray) and value.ndim else 0


def _bad_field(path: Path, field: str, expected: object, got: object) -> InputError:
    return InputError(
        "A field of the initial estimate file makes no sense.",
        where=f'{path}, results["{field}"]' if "[" not in field else f"{path}, results, {field}",
        expected=expected,
        got=got,
        remedy="run BEV or ROMP on the photo again, or leave --init out.",
    )
