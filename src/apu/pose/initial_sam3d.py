"""SAM 3D Body: one record a person, as its estimator returns them, in one list or one npz file each.

Its keypoints are MHR's 70, camera axes (x right, y down, z forward), metres, relative to the body's own origin, which
`pred_cam_t` places in the photo's camera; pixels are those of the photo. Its people are estimated one by one.
`facebookresearch/sam-3d-body`: `sam_3d_body_estimator.py`, `models/heads/mhr_head.py`, `metadata/mhr70.py`.
"""

from pathlib import Path

import numpy as np

from apu.pose.initial_camera import pixels_of, seen_camera
from apu.pose.initial_content import Content
from apu.pose.initial_person import Estimated, EstimatedPerson, about_hips, body25_of
from apu.pose.initial_plausible import check_plausible, metres_per_unit
from apu.pose.initial_values import NEAREST_M, Fields, check_people
from apu.scene.camera import Camera

SOURCE = "sam-3d-body"
REMEDY = "save what SAM 3D Body's `process_one_image` returns as numpy arrays again, or leave --init out."

MHR70: dict[str, int] = {
    "nose": 0, "left_eye": 1, "right_eye": 2, "left_ear": 3, "right_ear": 4, "left_shoulder": 5, "right_shoulder": 6,
    "left_elbow": 7, "right_elbow": 8, "left_hip": 9, "right_hip": 10, "left_knee": 11, "right_knee": 12,
    "left_ankle": 13, "right_ankle": 14, "left_big_toe": 15, "left_small_toe": 16, "left_heel": 17,
    "right_big_toe": 18, "right_small_toe": 19, "right_heel": 20, "right_wrist": 41, "left_wrist": 62,
}  # fmt: skip
"""Our joint names -> index among MHR's 70 keypoints. Its neck is another place than BODY_25's."""

LARGEST_LENGTH = 1e5
LARGEST_PIXEL = 1e6
MISFIT = 0.05
"""Root mean square distance of the file's 2D joints from its projected 3D joints, in the size of the person."""


def sam3d_estimates(content: Content, path: Path, camera: Camera) -> list[Estimated]:
    """Everybody in a file of SAM 3D Body.

    Args:
        content: one record, or a list of them.
        path: the file, for errors.
        camera: of the photo.

    Raises:
        InputError: an entry makes no sense, or its 2D joints are not its 3D joints in any camera.
    """
    records = content if isinstance(content, list) else [content]
    check_people(len(records), path)
    inside = "person {}" if len(records) > 1 else ""
    return [_person(Fields(one, path, inside.format(i), REMEDY), i, camera) for i, one in enumerate(records)]


def _person(fields: Fields, row: int, camera: Camera) -> EstimatedPerson:
    unit = metres_per_unit(fields)
    points = fields.numbers("pred_keypoints_3d", (70, 3), (1, 70, 3), largest=LARGEST_LENGTH).reshape(70, 3) * unit
    place = fields.numbers("pred_cam_t", (3,), (1, 3), largest=LARGEST_LENGTH).reshape(3) * unit
    joints, known = body25_of(points, MHR70)
    absolute = joints + place
    if float(absolute[known, 2].min()) < NEAREST_M:
        raise fields.bad("pred_cam_t", "joints in front of the camera", f"a depth of {absolute[known, 2].min():.3g} m")
    focal = fields.number("focal_length", LARGEST_PIXEL) if "focal_length" in fields else None
    if "pred_keypoints_2d" not in fields:
        if focal is None:
            focal = float(np.hypot(camera.width, camera.height))  # the program's own, where it is told nothing
        theirs = Camera.of_image(camera.width, camera.height, focal_px=_positive(fields, focal))
        pixels = pixels_of(absolute, known, theirs)
    else:
        seen = fields.numbers("pred_keypoints_2d", (70, 2), (1, 70, 2), largest=LARGEST_PIXEL).reshape(70, 2)
        pixels, _ = body25_of(seen, MHR70)
        theirs = _camera(fields, absolute[known], pixels[known], focal, camera)
    place, joints = about_hips(absolute, known)
    one = EstimatedPerson(row, SOURCE, theirs, place, joints, known, pixels)
    check_plausible(one, fields.path)
    return one


def _camera(fields: Fields, points: np.ndarray, pixels: np.ndarray, focal: float | None, camera: Camera) -> Camera:
    """The one that the file says, or else that of its 2D joints, which must agree with it."""
    if focal is None:
        focal, _, _ = seen_camera(points, pixels)
    flat = points[:, :2] / points[:, 2:] * _positive(fields, focal)
    center = (pixels - flat).mean(0)
    apart = float(np.sqrt(((pixels - flat - center) ** 2).sum(1).mean()))
    size = float(np.hypot(*np.ptp(pixels, axis=0)))
    if apart > MISFIT * size:
        raise fields.bad(
            "pred_keypoints_2d",
            f"the projection of pred_keypoints_3d at pred_cam_t, within {100 * MISFIT:g} % of the person's size",
            f"{100 * apart / max(size, 1e-6):.0f} % off; lengths may be in different units, or the crop's pixels",
        )
    return Camera(focal, (float(center[0]), float(center[1])), camera.width, camera.height)


def _positive(fields: Fields, focal: float) -> float:
    if not focal > 1:
        raise fields.bad("focal_length", "a focal length in pixels", f"{focal:.4g}")
    return focal
