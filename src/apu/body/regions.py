"""Labels the skin of any skinned body with the 75 named regions, from its rest pose and skinning weights alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from apu.body.landmarks import read_landmarks
from apu.body.region_islands import absorb_islands
from apu.body.region_names import CENTRAL_REGIONS, REGION_NAMES
from apu.body.region_rules import Skin, arm_names, head_names, leg_names, on_shoulder, shoulder_names, torso_names
from apu.body.segments import SIDES, Bones, Segment, read_bones
from apu.errors import InputError
from apu.geometry.normals import vertex_normals

_SEGMENTS: tuple[Segment, ...] = (
    "torso", "neck", "head", "upper_arm", "forearm", "hand", "finger", "thigh", "shank", "foot",
)  # fmt: skip


def label_regions(
    rest_vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    weights: Float[np.ndarray, "v j"],
    joint_names: Sequence[str],
    parents: Sequence[int],
    joint_positions: Float[np.ndarray, "j 3"],
) -> Int[np.ndarray, " v"]:
    """Give every vertex its region.

    The body axes come from the skeleton, so any right-handed frame and any unit of length will do. The rest pose may
    be a T-pose, an A-pose or a relaxed stand; the limbs are cut along their bones. The rules are ours
    (`apu.body.region_rules`).

    Args:
        rest_vertices: (v, 3) rest pose.
        faces: (f, 3) vertex indices, counter-clockwise seen from outside.
        weights: (v, j) linear blend skinning weights.
        joint_names: (j) names of the bones; common rigs are understood (`apu.body.segments`).
        parents: (j) parent of each bone, -1 for the root.
        joint_positions: (j, 3) rest position of each bone's head, same frame as the vertices.

    Returns:
        (v,) index into `REGION_NAMES`.

    Raises:
        InputError: the inputs do not fit together, or the skeleton lacks a limb.
    """
    _check(len(rest_vertices), weights, joint_names, parents, joint_positions)
    bones = read_bones(joint_names, [int(p) for p in parents])
    points = np.asarray(rest_vertices, dtype=np.float64)
    landmarks = read_landmarks(bones, np.asarray(joint_positions, dtype=np.float64))
    share: dict[Segment, np.ndarray] = {
        s: weights[:, [k == s for k in bones.segments]].sum(1).astype(np.float64) for s in _SEGMENTS
    }
    skin = Skin(points, vertex_normals(points, faces), share, landmarks)
    names, is_left = _named(skin, _more_left(bones, weights))
    return absorb_islands(_indices(names, is_left), faces)


def _named(skin: Skin, more_left: Bool[np.ndarray, " v"]) -> tuple[np.ndarray, Bool[np.ndarray, " v"]]:
    """(v,) region names without side, and (v,) whether the vertex is on the left.

    The side of arms and legs comes from the skinning weights, because thighs touch; that of the rest from the midline.
    """
    groups = [
        skin.of("torso"),
        skin.of("upper_arm", "forearm", "hand", "finger"),
        skin.of("thigh", "shank", "foot"),
        skin.of("neck", "head"),
    ]
    on_torso, on_arm, on_leg, on_head = np.stack(groups).argmax(0) == np.arange(4)[:, None]
    is_left = np.where(on_arm | on_leg, more_left, skin.landmarks.is_left(skin.points))
    names = np.where(on_head, head_names(skin, on_head), torso_names(skin, on_torso))
    for side in SIDES:
        mine = is_left == (side == "left")
        names = np.where(on_torso & mine & on_shoulder(skin, side), shoulder_names(skin, side), names)
        names = np.where(on_arm & mine, arm_names(skin, side), names)
        names = np.where(on_leg & mine, leg_names(skin, side, on_leg & mine), names)
    return names, is_left


def _more_left(bones: Bones, weights: Float[np.ndarray, "v j"]) -> Bool[np.ndarray, " v"]:
    left, right = (weights[:, [s == side for s in bones.sides]].sum(1) for side in SIDES)
    return left >= right


def _indices(names: np.ndarray, is_left: Bool[np.ndarray, " v"]) -> Int[np.ndarray, " v"]:
    known, place = np.unique(names, return_inverse=True)
    left = [REGION_NAMES.index(n if n in CENTRAL_REGIONS else f"left_{n}") for n in known]
    right = [REGION_NAMES.index(n if n in CENTRAL_REGIONS else f"right_{n}") for n in known]
    return np.where(is_left, np.array(left)[place], np.array(right)[place])


def _check(
    vertices: int,
    weights: np.ndarray,
    joint_names: Sequence[str],
    parents: Sequence[int],
    joint_positions: np.ndarray,
) -> None:
    bones = len(joint_names)
    got = {"weights": weights.shape, "parents": (len(parents),), "joint positions": joint_positions.shape}
    expected = {"weights": (vertices, bones), "parents": (bones,), "joint positions": (bones, 3)}
    for name, shape in expected.items():
        if tuple(got[name]) != shape:
            raise InputError(
                "The parts of a skinned body do not fit together.",
                where=name,
                expected=f"shape {shape} for {vertices} vertices and {bones} named bones",
                got=f"shape {tuple(got[name])}",
                remedy="give weights, names, parents and positions of one and the same rig.",
            )
