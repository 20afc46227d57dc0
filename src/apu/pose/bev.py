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

from apu.errors import InputError
from apu.pose.initial_content import KIND, Content
from apu.pose.initial_person import Estimated, EstimatedPerson, body25_of
from apu.pose.initial_plausible import check_plausible
from apu.pose.initial_values import MOST_PEOPLE, Fields, Shape
from apu.restricted_load import load_npz
from apu.scene.camera import Camera

SOURCE = "bev"
REMEDY = "run BEV or ROMP on the photo again, or leave --init out."

SMPL_JOINTS: dict[str, int] = {
    "left_hip": 1, "right_hip": 2, "left_knee": 4, "right_knee": 5, "left_ankle": 7, "right_ankle": 8,
    "left_shoulder": 16, "right_shoulder": 17, "left_elbow": 18, "right_elbow": 19, "left_wrist": 20,
    "right_wrist": 21, "nose": 24, "right_eye": 25, "left_eye": 26, "right_ear": 27, "left_ear": 28,
    "left_big_toe": 29, "left_small_toe": 30, "left_heel": 31,
    "right_big_toe": 32, "right_small_toe": 33, "right_heel": 34,
}  # fmt: skip
"""Our joint names -> BEV's index. Neck and middle of the hips are missing: BODY_25 means other places by them."""

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

    def estimated(self, camera: Camera) -> EstimatedPerson:
        """The person in our terms, in BEV's camera of a photo of this size."""
        joints, known = body25_of(self.joints_m, SMPL_JOINTS)
        pixels, _ = body25_of(self.pixels, SMPL_JOINTS)
        theirs = Camera.of_image(camera.width, camera.height)
        return EstimatedPerson(self.row, SOURCE, theirs, self.translation_m, joints, known, pixels)


def read_bev(path: Path) -> list[BevPerson]:
    """Everybody in a BEV or ROMP file, in its order.

    Raises:
        InputError: it is missing, damaged, hostile or of another kind, or has numbers that make no sense.
    """
    return bev_people(load_npz(path, KIND), path)


def bev_estimates(content: Content, path: Path, camera: Camera) -> list[Estimated]:
    """Everybody in a file of BEV or ROMP, in its camera: a field of view of 60 degrees over the longer side.

    Args:
        content: what the file holds.
        path: the file, for errors.
        camera: tells the photo's size.

    Raises:
        InputError: a field makes no sense.
    """
    people = bev_people(content if isinstance(content, Mapping) else {}, path)
    estimates = [one.estimated(camera) for one in people]
    for one in estimates:
        check_plausible(one, path)
    return [*estimates]


def bev_people(arrays: Mapping[str, Any], path: Path) -> list[BevPerson]:
    """Everybody in the arrays of a BEV or ROMP file, in its order. Raises InputError as `read_bev`."""
    fields = Fields(_results(arrays, path), path, "results", REMEDY)
    thetas = _numbers(fields, "smpl_thetas", (None, 72))
    count = len(thetas)
    if count > MOST_PEOPLE:
        raise fields.bad("smpl_thetas", f"at most {MOST_PEOPLE} people", count)
    betas = _numbers(fields, "smpl_betas", (count, 10), (count, 11))
    kid = betas[:, 10] if betas.shape[1] == 11 else np.zeros(count, np.float32)
    translation = _numbers(fields, "cam_trans", (count, 3))
    joints = _numbers(fields, "joints", (count, 71, 3))
    pixels = _numbers(fields, "pj2d_org", (count, 71, 2))
    confidence = np.ones(count, np.float32)
    if "center_confs" in fields.values:
        confidence = _numbers(fields, "center_confs").reshape(-1).clip(0, 1)
    if len(confidence) != count:
        raise fields.bad("center_confs", f"{count} numbers", len(confidence))
    if count and float(translation[:, 2].min()) <= 0:
        raise fields.bad("cam_trans", "people in front of the camera", f"a depth of {translation[:, 2].min():g}")
    return [
        BevPerson(
            i, thetas[i].reshape(24, 3), betas[i, :10], float(kid[i]), translation[i], joints[i], pixels[i],
            float(confidence[i]),
        )
        for i in range(count)
    ]  # fmt: skip


def _numbers(fields: Fields, key: str, *shapes: Shape) -> Float[np.ndarray, "..."]:
    return fields.numbers(key, *shapes, largest=LARGEST.get(key, np.inf))


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
