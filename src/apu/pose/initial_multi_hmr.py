"""Multi-HMR: a list of records, one a person, with joints in the camera's frame in metres.

The network sees the photo shrunk into the middle of a square, whose camera has a field of view of 60 degrees unless
told another; `j2d` are pixels of that square. Joints are SMPL-X's (body, hands, face landmarks), or the 163 bones of
Anny in the version of 2026. `naver/multi-hmr`: `model.py`, `blocks/smpl_layer.py`, `multi_hmr_anny/multi_hmr.py`.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.pose.initial_camera import of_padded_square, pixels_of, seen_camera
from apu.pose.initial_content import Content
from apu.pose.initial_person import Estimated, EstimatedPerson, about_hips, body25_of
from apu.pose.initial_plausible import check_plausible, metres_per_unit
from apu.pose.initial_values import NEAREST_M, Fields, check_people
from apu.scene.camera import Camera

SOURCE = "multi-hmr"
REMEDY = "save the list of people that Multi-HMR's model returns as numpy arrays again, or leave --init out."

SMPLX_JOINTS: dict[str, int] = {
    "left_hip": 1, "right_hip": 2, "left_knee": 4, "right_knee": 5, "left_ankle": 7, "right_ankle": 8,
    "left_shoulder": 16, "right_shoulder": 17, "left_elbow": 18, "right_elbow": 19, "left_wrist": 20,
    "right_wrist": 21, "nose": 55, "right_eye": 56, "left_eye": 57, "right_ear": 58, "left_ear": 59,
    "left_big_toe": 60, "left_small_toe": 61, "left_heel": 62,
    "right_big_toe": 63, "right_small_toe": 64, "right_heel": 65,
}  # fmt: skip
"""Our joint names -> index among SMPL-X's joints, landmarks included."""

ANNY_BONES: dict[str, int] = {
    "left_hip": 2, "left_knee": 4, "left_ankle": 6, "right_hip": 22, "right_knee": 24, "right_ankle": 26,
    "left_shoulder": 50, "left_elbow": 52, "left_wrist": 54, "right_shoulder": 76, "right_elbow": 78,
    "right_wrist": 80,
}  # fmt: skip
"""Our joint names -> index among the bones of Anny's default rig, whose heads lie at the joints."""
ANNY_COUNT = 163
LEAST_JOINTS = 66

LARGEST_LENGTH = 1e5
LARGEST_PIXEL = 1e5
MISFIT_PX = 4.0
"""Of the square: half precision, in which the network runs, rounds pixels to 0.5 and depths to 2 mm."""


def multi_hmr_estimates(content: Content, path: Path, camera: Camera) -> list[Estimated]:
    """Everybody in a file of Multi-HMR.

    Args:
        content: a list of records, or one.
        path: the file, for errors.
        camera: of the photo.

    Raises:
        InputError: an entry makes no sense.
    """
    records = content if isinstance(content, list) else [content]
    check_people(len(records), path)
    fields = [Fields(one, path, f"person {i}", REMEDY) for i, one in enumerate(records)]
    points = [_joints(one) for one in fields]
    theirs = _camera(fields, points, camera)
    people: list[Estimated] = []
    for row, absolute in enumerate(points):
        joints, known = body25_of(absolute, ANNY_BONES if len(absolute) == ANNY_COUNT else SMPLX_JOINTS)
        pixels = pixels_of(joints, known, theirs)
        place, joints = about_hips(joints, known)
        one = EstimatedPerson(row, SOURCE, theirs, place, joints, known, pixels)
        check_plausible(one, path)
        people.append(one)
    return people


def _joints(fields: Fields) -> Float[np.ndarray, "k 3"]:
    key = fields.first_of("j3d", "j3d_smplx")
    points = fields.numbers(key, (None, 3), (1, None, 3), largest=LARGEST_LENGTH) * metres_per_unit(fields)
    points = points.reshape(-1, 3)
    if len(points) < LEAST_JOINTS:
        raise fields.bad(key, f"at least {LEAST_JOINTS} joints of SMPL-X, or {ANNY_COUNT} of Anny", len(points))
    if float(points[:, 2].min()) < NEAREST_M:
        raise fields.bad(key, "joints in front of the camera", f"a depth of {points[:, 2].min():.3g} m")
    return points


def _camera(fields: list[Fields], points: list[np.ndarray], camera: Camera) -> Camera:
    """By `K`, else by where the file says that its joints appear in the square, else a field of view of 60 degrees."""
    first = fields[0]
    if "K" in first:
        k = first.numbers("K", (3, 3), (1, 3, 3), largest=LARGEST_PIXEL).reshape(3, 3)
        if not (k[0, 0] > 1 and k[0, 2] > 1):
            raise first.bad("K", "a focal length and a principal point in pixels", f"{k[0, 0]:.4g}, {k[0, 2]:.4g}")
        return of_padded_square(float(k[0, 0]), 2 * float(k[0, 2]), camera)
    key = first.first_of("j2d", "j2d_smplx")
    if key not in first:
        return Camera.of_image(camera.width, camera.height)
    seen = [
        one.numbers(key, (len(xyz), 2), (1, len(xyz), 2), largest=LARGEST_PIXEL).reshape(-1, 2)
        for one, xyz in zip(fields, points, strict=True)
    ]
    focal, center, apart = seen_camera(np.concatenate(points), np.concatenate(seen))
    if apart > MISFIT_PX or focal <= 1 or min(center) <= 1:
        raise first.bad(key, "the projection of the 3D joints, pixels of the network's square", f"{apart:.3g} px off")
    return of_padded_square(focal, center[0] + center[1], camera)
