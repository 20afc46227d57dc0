"""Parameters of SMPL-X or SMPL in an npz file: joint rotations and a translation, in the photo's camera.

Where the body's joints lie is what its licensed model knows. A file that has `joints` is used by them. Else the
rotations are put on our body, and the pelvis is placed by `transl`, which in these models is not the pelvis: they turn
a body about its pelvis, whose place in the untranslated template is `SMPLX_PELVIS_M` or `SMPL_PELVIS_M`.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.smpl_rotations import SMPL_PELVIS_M, SMPLX_PELVIS_M
from apu.pose.initial_camera import pixels_of
from apu.pose.initial_content import Content
from apu.pose.initial_multi_hmr import LEAST_JOINTS, SMPLX_JOINTS
from apu.pose.initial_person import Estimated, EstimatedPerson, RotatedPerson, about_hips, body25_of
from apu.pose.initial_plausible import check_plausible, metres_per_unit
from apu.pose.initial_rotations import rotation_vectors
from apu.pose.initial_values import NEAREST_M, Fields, check_people
from apu.scene.camera import Camera

SOURCE_SMPLX = "smplx"
SOURCE_SMPL = "smpl"
REMEDY = "export global_orient, body_pose and transl in the photo's camera again, or leave --init out."

BODY_JOINTS = 21
SKELETON = 22
LARGEST_LENGTH = 1e5
LARGEST_PIXEL = 1e6

_SKELETON_ROWS = {name: i for name, i in SMPLX_JOINTS.items() if i < SKELETON}
_SMPL_ROWS = {name: i if i < SKELETON else i - 31 for name, i in SMPLX_JOINTS.items()}
"""SMPL's joints have the face and the feet from 24 on, in the order in which SMPL-X has them from 55 on."""
SMPL_LEAST = 35


def smplx_estimates(content: Content, path: Path, camera: Camera) -> list[Estimated]:
    """Everybody in a file of SMPL-X or SMPL parameters.

    Args:
        content: one dictionary whose arrays may have a row per person, or a list of such.
        path: the file, for errors.
        camera: of the photo; the file's own where it has `focal_length`.

    Raises:
        InputError: an entry is missing or makes no sense.
    """
    records = content if isinstance(content, list) else [content]
    people: list[Estimated] = []
    for i, record in enumerate(records):
        fields = Fields(record, path, f"person {i}" if len(records) > 1 else "", REMEDY)
        people += _people(fields, len(people), camera)
    check_people(len(people), path)
    return people


def _people(fields: Fields, first: int, camera: Camera) -> list[Estimated]:
    theirs = _camera(fields, camera)
    is_smpl = _is_smpl(fields)
    source = SOURCE_SMPL if is_smpl else SOURCE_SMPLX
    bodies = rotation_vectors(fields, "body_pose", None, 23 if is_smpl else BODY_JOINTS)
    check_people(len(bodies), fields.path)
    turns = rotation_vectors(fields, "global_orient", len(bodies), 1)
    unit = metres_per_unit(fields)
    if "joints" in fields:
        joints = fields.numbers("joints", (len(bodies), None, 3), *_alone(bodies), largest=LARGEST_LENGTH)
        joints = joints.reshape(len(bodies), joints.shape[-2], 3) * unit
        return [_placed(fields, first + i, source, one, theirs) for i, one in enumerate(joints)]
    alone = [(3,)] if len(bodies) == 1 else []
    transl = fields.numbers("transl", (len(bodies), 3), *alone, largest=LARGEST_LENGTH).reshape(-1, 3) * unit
    if len(transl) and float(transl[:, 2].min()) <= 0:
        raise fields.bad("transl", "people in front of the camera", f"a depth of {transl[:, 2].min():.3g} m")
    pelvis = transl + np.array(SMPL_PELVIS_M if is_smpl else SMPLX_PELVIS_M, np.float32)
    return [
        RotatedPerson(first + i, source, theirs, turn[0], pose[:BODY_JOINTS], place)
        for i, (turn, pose, place) in enumerate(zip(turns, bodies, pelvis, strict=True))
    ]


def _is_smpl(fields: Fields) -> bool:
    """SMPL has 23 joints beside the root, of which the last two are the hands; SMPL-X 21."""
    value = fields.values.get("body_pose")
    shape = value.shape if isinstance(value, np.ndarray) else ()
    return shape[-1:] == (69,) or 23 in shape[-3:-1]


def _alone(bodies: np.ndarray) -> list[tuple[int | None, ...]]:
    return [(None, 3)] if len(bodies) == 1 else []


def _placed(fields: Fields, row: int, source: str, points: Float[np.ndarray, "k 3"], theirs: Camera) -> EstimatedPerson:
    count = len(points)
    if count < SKELETON:
        raise fields.bad("joints", f"at least {SKELETON} joints of the skeleton", count)
    full = _SMPL_ROWS if source == SOURCE_SMPL else SMPLX_JOINTS
    rows = full if count >= (SMPL_LEAST if source == SOURCE_SMPL else LEAST_JOINTS) else _SKELETON_ROWS
    joints, known = body25_of(points, rows)
    if float(joints[known, 2].min()) < NEAREST_M:
        raise fields.bad("joints", "joints in front of the camera", f"a depth of {joints[known, 2].min():.3g} m")
    pixels = pixels_of(joints, known, theirs)
    place, joints = about_hips(joints, known)
    one = EstimatedPerson(row, source, theirs, place, joints, known, pixels)
    check_plausible(one, fields.path)
    return one


def _camera(fields: Fields, camera: Camera) -> Camera:
    if "focal_length" not in fields:
        return camera
    focal = fields.numbers("focal_length", largest=LARGEST_PIXEL).reshape(-1)
    if not len(focal) or float(focal.min()) <= 1 or float(np.ptp(focal)) > 0.01 * float(focal.max()):
        raise fields.bad("focal_length", "one focal length in pixels, of the photo's camera", focal[:4].tolist())
    return Camera.of_image(camera.width, camera.height, focal_px=float(focal[0]))
