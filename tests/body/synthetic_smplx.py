"""Files of SMPL-X's layout with other numbers in them: random ones, and Anny on a skeleton of 55 joints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts
from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_LAYOUT, SMPLX_PARENTS, Layout, SmplxAsset

FLIP = np.array([1.0, -1.0, -1.0])
"""Camera axes to SMPL-X's, and back."""
MARKS = ("nose", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel",
         "right_big_toe", "right_small_toe", "right_heel")  # fmt: skip

REST = {
    "pelvis": (0, 0, 0), "spine1": (0, 0.1, 0), "spine2": (0, 0.22, 0), "spine3": (0, 0.3, 0), "neck": (0, 0.5, 0),
    "head": (0, 0.6, 0.02), "jaw": (0, 0.6, 0.05), "left_eye_smplhf": (0.03, 0.66, 0.1),
    "right_eye_smplhf": (-0.03, 0.66, 0.1), "left_hip": (0.09, -0.05, 0), "left_knee": (0.1, -0.45, 0.01),
    "left_ankle": (0.11, -0.85, -0.02), "left_foot": (0.12, -0.9, 0.1), "left_collar": (0.06, 0.42, 0),
    "left_shoulder": (0.18, 0.44, 0), "left_elbow": (0.44, 0.43, -0.02), "left_wrist": (0.7, 0.43, 0),
    "left_index1": (0.8, 0.43, 0.03), "left_middle1": (0.81, 0.43, 0.01), "left_pinky1": (0.79, 0.42, -0.03),
    "left_ring1": (0.8, 0.43, -0.01), "left_thumb1": (0.74, 0.42, 0.05),
}  # fmt: skip


def rest_joints() -> np.ndarray:
    """(55, 3) a T-pose, SMPL-X's frame, metres."""
    joints = np.zeros((55, 3))
    for j, name in enumerate(SMPLX_JOINTS):
        base = REST.get(name.replace("right_", "left_"))
        if name.startswith("right_") and "eye" not in name:
            base = None if base is None else (-base[0], *base[1:])
        joints[j] = (
            joints[SMPLX_PARENTS[j]] + [0.03 * np.sign(joints[SMPLX_PARENTS[j], 0]), 0, 0] if base is None else base
        )
    return joints


def random_arrays(vertices: int = 160, seed: int = 0, shapes: int = 20) -> dict[str, np.ndarray]:
    """A cloud of points around a skeleton, with random weights, directions and faces."""
    random = np.random.default_rng(seed)
    joints = rest_joints()
    template = joints[np.arange(vertices) % 55] + 0.04 * random.normal(size=(vertices, 3))
    weights = random.random((vertices, 55)) ** 8 + (np.arange(vertices)[:, None] % 55 == np.arange(55))
    system = np.concatenate([template, np.ones((vertices, 1))], 1).T
    wanted = np.concatenate([joints, np.ones((55, 1))], 1).T
    tree = np.array([SMPLX_PARENTS, range(55)], np.int64)
    tree[0, 0] = 4294967295
    return {
        "v_template": template,
        "shapedirs": 0.01 * random.normal(size=(vertices, 3, shapes)),
        "posedirs": 0.01 * random.normal(size=(vertices, 3, 486)),
        "J_regressor": (np.linalg.pinv(system) @ wanted).T,
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": tree.astype(np.uint32),
        "f": np.array([random.permutation(vertices)[:3] for _ in range(60)], np.uint32),
        "hands_meanl": 0.2 * random.normal(size=45),
        "hands_meanr": 0.2 * random.normal(size=45),
    }


def random_kid(vertices: int = 160, seed: int = 1) -> np.ndarray:
    """(v, 3) somebody of half the size, somewhere else."""
    random = np.random.default_rng(seed)
    return 0.5 * random_arrays(vertices)["v_template"] + 0.02 * random.normal(size=(vertices, 3)) + [0.3, -0.2, 0.1]


def layout_of(vertices: int = 160) -> Layout:
    return Layout(vertices, {name: 3 * i + 1 for i, name in enumerate(MARKS)})


def write_model(folder: Path, arrays: dict[str, np.ndarray], kid: np.ndarray | None = None) -> Path:
    """SMPLX_NEUTRAL.npz, and kid_template.npy where there is one. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "SMPLX_NEUTRAL.npz", **arrays)
    if kid is not None:
        np.save(folder / "kid_template.npy", kid)
    return folder


# ---- Anny on 55 joints

_LIMBS = {
    "pelvis": "pelvis", "upperleg01": "hip", "upperleg02": "hip", "lowerleg01": "knee", "lowerleg02": "knee",
    "foot": "ankle", "clavicle": "collar", "shoulder01": "collar", "upperarm01": "shoulder", "upperarm02": "shoulder",
    "lowerarm01": "elbow", "lowerarm02": "elbow", "wrist": "wrist",
}  # fmt: skip
_TRUNK = {
    "root": "pelvis", "spine05": "spine1", "spine04": "spine1", "spine03": "spine2", "spine02": "spine2",
    "spine01": "spine3", "neck01": "neck", "neck02": "neck", "neck03": "neck", "head": "head",
}  # fmt: skip
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def joint_of(bone: str) -> str:
    """Which of the 55 joints moves what Anny's bone moves."""
    if bone in _TRUNK:
        return _TRUNK[bone]
    bare, side = bone.split(".")
    side = {"L": "left", "R": "right"}[side]
    if bare == "pelvis":
        return "pelvis"
    if bare.startswith("finger"):
        return f"{side}_{_FINGERS[int(bare[6]) - 1]}{bare[-1]}"
    return f"{side}_{'wrist' if bare.startswith('metacarpal') else _LIMBS[bare]}"


SHAPES = 50
"""The default body, adults whose shapes the betas span, and a baby."""
NEAR = 300
"""Vertices that a joint is regressed from."""


def anny_asset(
    body: AnnyBody, angles: dict[str, float] | None = None, joints: Literal["bones", "keypoints"] = "bones"
) -> SmplxAsset:
    """Anny as an adult, whose betas span the shapes of Anny's adults, and as a baby as the kid template.

    The betas are the principal directions of random adults' skins in the rest pose, in standard deviations. There are
    no pose blend shapes.

    Args:
        body: float64.
        angles: names and values of the rest pose; Anny's zero pose when left out.
        joints: where shoulders, elbows, wrists, hips, knees, ankles and the neck are regressed: at the heads of Anny's
            bones, which lie up to 3 cm from its keypoints, or at the keypoints. SMPL-X's joints are its keypoints.
    """
    shapes = _shapes_of(body, angles or {}, joints)
    return SmplxAsset(
        *map(torch.from_numpy, (shapes.template, shapes.directions(), np.zeros((10, shapes.count, 3)))),
        torch.zeros(1, 1, 1, dtype=torch.float64).expand(486, shapes.count, 3),
        *map(torch.from_numpy, (shapes.regressor(), shapes.weights, np.zeros(90), body.asset.faces.numpy())),
        kid=True,
        landmarks=shapes.landmarks(),
        digest="anny",
    )


def write_anny_model(folder: Path, body: AnnyBody) -> Path:
    """Files that pass for SMPL-X's own: Anny with 10475 vertices, and the landmarks at SMPL-X's. Returns the folder.

    The skin is thinned out by libigl; each vertex that is left stays where it was. Eyes and tongue are kept whole.
    """
    import igl

    whole = _shapes_of(body, {}, "keypoints")
    skin, faces = body.surface.collision_faces.numpy(), body.asset.faces.numpy()
    others = np.setdiff1d(np.arange(whole.count), skin)
    of_skin = np.unique(skin)
    wanted = SMPLX_LAYOUT.vertices - len(others)
    compact = np.searchsorted(of_skin, skin).astype(np.int32)
    thin = igl.decimate(np.asfortranarray(whole.template[of_skin]), np.asfortranarray(compact), 2 * wanted - 4)
    kept = np.concatenate([of_skin[thin[3]], others])
    row = {int(vertex): i for i, vertex in enumerate(kept)}
    inner = [[row[v] for v in face] for face in faces.tolist() if set(face) <= set(others.tolist())]
    shapes = whole.select(kept)
    order = _with_landmarks_at(shapes.landmarks(), SMPLX_LAYOUT)
    shapes, place = shapes.select(order), np.argsort(order)
    arrays = {
        "v_template": shapes.template,
        "shapedirs": np.concatenate([shapes.directions()[:-1], np.zeros((10, shapes.count, 3))]).transpose(1, 2, 0),
        "posedirs": np.zeros((shapes.count, 3, 486), np.float32),
        "J_regressor": shapes.regressor(),
        "weights": shapes.weights,
        "kintree_table": random_arrays()["kintree_table"],
        "f": place[np.concatenate([thin[1], np.array(inner).reshape(-1, 3)])].astype(np.uint32),
        "hands_meanl": np.zeros(45),
        "hands_meanr": np.zeros(45),
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "SMPLX_NEUTRAL.npz", **arrays)
    np.save(folder / "kid_template.npy", shapes.vertices[-1])
    return folder


def _with_landmarks_at(found: dict[str, int], layout: Layout) -> np.ndarray:
    """(v,) the order of the vertices in which each landmark has the number that the layout says."""
    order = np.arange(layout.vertices)
    for name, number in layout.landmarks.items():
        at = int(np.flatnonzero(order == found[name])[0])
        order[[number, at]] = order[[at, number]]
    return order


@dataclass(frozen=True)
class _Shapes:
    """A skin in many shapes, SMPL-X's frame: the default, then random adults, last a baby.

    `vertices` (n, v, 3), `places` (n, 55, 3) of the joints, `weights` (v, 55), `marks` keypoint on the skin -> (3,).
    """

    vertices: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    marks: dict[str, np.ndarray]

    @property
    def count(self) -> int:
        return self.vertices.shape[1]

    @property
    def template(self) -> np.ndarray:
        return self.vertices[0]

    def select(self, kept: np.ndarray) -> "_Shapes":
        return replace(self, vertices=self.vertices[:, kept], weights=self.weights[kept])

    def directions(self) -> np.ndarray:
        """(11, v, 3) ten betas in standard deviations, and the way to the baby."""
        adults = (self.vertices[1:-1] - self.template).reshape(len(self.vertices) - 2, -1)
        _, sizes, ways = np.linalg.svd(adults / np.sqrt(len(adults)), full_matrices=False)
        betas = (sizes[:10, None] * ways[:10]).reshape(10, self.count, 3)
        return np.concatenate([betas, (self.vertices[-1] - self.vertices[-1].mean(0) - self.template)[None]])

    def regressor(self) -> np.ndarray:
        """(55, v) weights of the skin near each joint, of the least square sum, that find it in all the shapes."""
        regressor = np.zeros((self.places.shape[1], self.count))
        for j in range(len(regressor)):
            near = np.linalg.norm(self.template - self.places[0, j], axis=1).argsort()[:NEAR]
            system = np.concatenate([self.vertices[:, near].swapaxes(1, 2).reshape(-1, NEAR), np.ones((1, NEAR))])
            wanted = np.append(self.places[:, j].reshape(-1), 1.0)
            regressor[j, near] = np.linalg.lstsq(system, wanted, rcond=1e-5)[0]
        return regressor

    def landmarks(self) -> dict[str, int]:
        """The vertex that is nearest to each keypoint on the skin."""
        return {name: int(np.linalg.norm(self.template - place, axis=1).argmin()) for name, place in self.marks.items()}


def _shapes_of(body: AnnyBody, angles: dict[str, float], joints: str) -> _Shapes:
    spec = body.parameter_spec
    default, age = spec["shape"].default, spec["shape"].names.index("age")
    random = torch.Generator().manual_seed(0)
    shapes = default + spec["shape"].scale * torch.randn(SHAPES, len(default), generator=random, dtype=torch.float64)
    shapes[:, age] = default[age]
    shapes[0] = shapes[-1] = default
    shapes[-1, age] = -8.0
    p = {name: torch.zeros(SHAPES, one.size, dtype=torch.float64) for name, one in spec.items()} | {"shape": shapes}
    for name, value in angles.items():
        p["pose"][:, spec["pose"].names.index(name)] = value
    motion = body.pose(p, body.tables(Parts(vertices="all")))
    heads = motion.position.numpy() * FLIP
    places = np.zeros((SHAPES, 55, 3))
    for bone in reversed(range(heads.shape[1])):
        places[:, SMPLX_JOINTS.index(joint_of(body.joint_names[bone]))] = heads[:, bone]
    marks = _keypoints(body, p, "body25") | _keypoints(body, p, "j14")
    moved = dict.fromkeys(("jaw", "left_eye_smplhf", "right_eye_smplhf"), places[:, SMPLX_JOINTS.index("head")])
    moved |= {f"{side}_foot": marks[f"{side}_big_toe"] for side in ("left", "right")}
    moved |= {name: place for name, place in marks.items() if name in SMPLX_JOINTS and joints == "keypoints"}
    for name, place in moved.items():
        places[:, SMPLX_JOINTS.index(name)] = place
    bones = [SMPLX_JOINTS.index(joint_of(bone)) for bone in body.joint_names]
    weights = np.zeros((body.vertex_count, 55))
    np.add.at(weights.T, bones, body.skinning_weights.numpy().T)
    return _Shapes(motion.points.numpy() * FLIP, places, weights, {name: marks[name][0] for name in MARKS})


def _keypoints(body: AnnyBody, p: dict[str, torch.Tensor], joint_set: str) -> dict[str, np.ndarray]:
    joints = body.forward(p, Parts(joint_set)).joints
    assert joints is not None
    return dict(zip(joint_names(joint_set), joints.numpy().swapaxes(0, 1) * FLIP, strict=True))
