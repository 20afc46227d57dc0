"""4D-Humans (HMR 2.0): what its network returns for the crops of a photo, one row a person.

Joints are 44: BODY_25 and 19 others, camera axes, metres, relative to the body model's origin. The camera is that of a
square crop: without where the crop lies (`box_center`, `box_size`, `img_size` of its data set), nobody has a place in
the photo. The focal length of the photo's camera is 5000 / 256 of its longer side: a field of view of 3 degrees, so
depths are some twenty times ours. `shubham-goel/4D-Humans`: `demo.py`, `hmr2/models/hmr2.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.body.smpl_rotations import SMPL_PELVIS_M
from apu.pose.initial_camera import crop_to_full, pixels_of
from apu.pose.initial_content import Content
from apu.pose.initial_person import JOINT_SET, Estimated, EstimatedPerson, RotatedPerson, about_hips, body25_of
from apu.pose.initial_plausible import check_plausible, metres_per_unit
from apu.pose.initial_rotations import rotation_vectors
from apu.pose.initial_values import NEAREST_M, Fields, check_people
from apu.scene.camera import Camera

SOURCE = "4d-humans"
REMEDY = (
    "save pred_keypoints_3d and pred_cam of the network with box_center, box_size and img_size of its batch "
    "(docs/initial_estimates.md), or leave --init out."
)
FOCAL_PER_PIXEL = 5000 / 256
"""EXTRA.FOCAL_LENGTH / MODEL.IMAGE_SIZE of its configuration."""

BODY25 = {name: i for i, name in enumerate(joint_names(JOINT_SET))}
LEAST_JOINTS = 25
BODY_JOINTS = 21
LARGEST_LENGTH = 1e6
LARGEST_PIXEL = 1e6


def hmr2_estimates(content: Content, path: Path, camera: Camera) -> list[Estimated]:
    """Everybody in a file of 4D-Humans.

    Args:
        content: one dictionary whose arrays have a row per person, or a list of such, batch by batch.
        path: the file, for errors.
        camera: of the photo.

    Raises:
        InputError: an entry is missing or makes no sense, or the photo had another size.
    """
    batches = content if isinstance(content, list) else [content]
    people: list[Estimated] = []
    for i, batch in enumerate(batches):
        fields = Fields(batch, path, f"batch {i}" if len(batches) > 1 else "", REMEDY)
        people += _rotated(fields, camera) if "pred_keypoints_3d" not in fields else _joints(fields, camera)
    check_people(len(people), path)
    return [replace(one, row=row) for row, one in enumerate(people)]


def _joints(fields: Fields, camera: Camera) -> list[Estimated]:
    key, unit = "pred_keypoints_3d", metres_per_unit(fields)
    points = fields.numbers(key, (None, None, 3), largest=LARGEST_LENGTH) * unit
    if points.shape[1] < LEAST_JOINTS:
        raise fields.bad(key, "44 joints, the first 25 as in BODY_25", points.shape[1])
    places, theirs = _places(fields, len(points), camera)
    people: list[Estimated] = []
    for row, (one, place) in enumerate(zip(points, places * unit, strict=True)):
        joints, known = body25_of(one + place, BODY25)
        if float(joints[:, 2].min()) < NEAREST_M:
            raise fields.bad(key, "joints in front of the camera", f"a depth of {joints[:, 2].min():.3g} m")
        pixels = pixels_of(joints, known, theirs)
        middle, joints = about_hips(joints, known)
        person = EstimatedPerson(row, SOURCE, theirs, middle, joints, known, pixels)
        check_plausible(person, fields.path)
        people.append(person)
    return people


def _rotated(fields: Fields, camera: Camera) -> list[Estimated]:
    smpl = fields.values.get("pred_smpl_params")
    poses = replace(fields, values=smpl, inside="pred_smpl_params") if isinstance(smpl, Mapping) else fields
    if "body_pose" not in poses:
        raise fields.bad("pred_keypoints_3d", "numbers of shape (N, 44, 3), or pred_smpl_params", "nothing")
    bodies = rotation_vectors(poses, "body_pose", None, 23)
    turns = rotation_vectors(poses, "global_orient", len(bodies), 1)
    places, theirs = _places(fields, len(bodies), camera)
    pelvis = places * metres_per_unit(fields) + np.array(SMPL_PELVIS_M, np.float32)
    return [
        RotatedPerson(row, SOURCE, theirs, turn[0], pose[:BODY_JOINTS], place)
        for row, (turn, pose, place) in enumerate(zip(turns, bodies, pelvis, strict=True))
    ]


def _places(fields: Fields, count: int, camera: Camera) -> tuple[Float[np.ndarray, "n 3"], Camera]:
    """Where the origins of the bodies lie in the photo's camera, and that camera."""
    longer = max(camera.width, camera.height)
    focal = FOCAL_PER_PIXEL * longer
    if "scaled_focal_length" in fields:
        focal = fields.number("scaled_focal_length", LARGEST_PIXEL * FOCAL_PER_PIXEL)
        if focal <= 1:
            raise fields.bad("scaled_focal_length", "a focal length in pixels", f"{focal:.4g}")
    theirs = Camera.of_image(camera.width, camera.height, focal_px=focal)
    if "img_size" in fields:
        sizes = fields.numbers("img_size", (count, 2), (2,), largest=LARGEST_PIXEL).reshape(-1, 2)
        if (np.abs(sizes - [camera.width, camera.height]) > 1).any():
            got = "x".join(f"{n:.0f}" for n in sizes[np.abs(sizes - [camera.width, camera.height]).max(1).argmax()])
            raise fields.bad("img_size", f"the photo's size, {camera.width}x{camera.height}", got)
    if "pred_cam_t_full" in fields:
        places = fields.numbers("pred_cam_t_full", (count, 3), largest=LARGEST_LENGTH)
        key = "pred_cam_t_full"
    else:
        key = "pred_cam"
        crop = fields.numbers(key, (count, 3), largest=LARGEST_LENGTH)
        center = fields.numbers("box_center", (count, 2), largest=LARGEST_PIXEL)
        side = fields.numbers("box_size", (count,), (count, 1), largest=LARGEST_PIXEL).reshape(-1)
        if not ((crop[:, 0] > 1e-6) & (side > 1)).all():
            raise fields.bad(key, "crops and scales above zero", f"{crop[:, 0].min():.3g}, {side.min():.3g} px")
        places = crop_to_full(crop, center, side, theirs)
    if len(places) and float(places[:, 2].min()) <= 0:
        raise fields.bad(key, "people in front of the camera", f"a depth of {places[:, 2].min():.3g}")
    return places, theirs
