"""SMPL-X's fixed numbers, and what its layout is: 55 joints, 10475 vertices, their names and landmarks.

The joint order and the landmark vertices are facts of the published model (Pavlakos et al., "Expressive Body Capture",
CVPR 2019). The frame is SMPL-X's own: x to the person's left, y up, z in front, metres, in a T-pose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float, Int
from torch import Tensor

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")

SMPLX_JOINTS: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "jaw", "left_eye_smplhf", "right_eye_smplhf",
    *(f"{side}_{finger}{i}" for side in ("left", "right") for finger in _FINGERS for i in (1, 2, 3)),
)  # fmt: skip
"""0 the root; 1 to 21 `body_pose`; 22 jaw; 23, 24 eyes; 25 to 39 left hand; 40 to 54 right hand."""

SMPLX_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
    21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
)  # fmt: skip

BODY_JOINTS = 22
"""The root and `body_pose`; what comes after are face and fingers."""

_LANDMARKS: Mapping[str, int] = {
    "nose": 9120, "right_eye": 9929, "left_eye": 9448, "right_ear": 616, "left_ear": 6,
    "left_big_toe": 5770, "left_small_toe": 5780, "left_heel": 8846,
    "right_big_toe": 8463, "right_small_toe": 8474, "right_heel": 8635,
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What a mesh of a topology is like.

    Attributes:
        vertices: how many.
        landmarks: keypoint that no joint of the skeleton stands for -> its vertex.
    """

    vertices: int = 10475
    landmarks: Mapping[str, int] = field(default_factory=lambda: dict(_LANDMARKS))


SMPLX_LAYOUT = Layout()


@dataclass(frozen=True)
class SmplxAsset:
    """All fixed numbers of the body, float64, SMPL-X's axes, metres.

    Attributes:
        template: (v, 3) the adult in a T-pose.
        shape_dirs: (s, v, 3) one for each beta; then, with `kid`, the way from the adult to the kid template.
        expression_dirs: (e, v, 3).
        pose_dirs: (486, v, 3) for the 54 x 9 entries of R - 1 of all joints but the root.
        regressor: (55, v) joints from the shaped vertices.
        weights: (v, 55) skinning weights, rows sum to one.
        hand_mean: (90,) relaxed fingers, rotation vectors, left hand first; radians.
        faces: (f, 3) counter-clockwise seen from outside.
        kid: whether the last of `shape_dirs` is the kid's (SMPL-XA).
        landmarks: keypoint -> vertex.
        digest: first 12 hexadecimal digits of the sha256 of the arrays above: says which file a result came from.
    """

    template: Float[Tensor, "v 3"]
    shape_dirs: Float[Tensor, "s v 3"]
    expression_dirs: Float[Tensor, "e v 3"]
    pose_dirs: Float[Tensor, "486 v 3"]
    regressor: Float[Tensor, "55 v"]
    weights: Float[Tensor, "v 55"]
    hand_mean: Float[Tensor, " 90"]
    faces: Int[Tensor, "f 3"]
    kid: bool
    landmarks: Mapping[str, int]
    digest: str
