"""Files of SMPL-X's layout with other numbers in them: random ones, and Anny on a skeleton of 55 joints."""

from pathlib import Path

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import joint_names
from apu.body.protocol import Parts, default_parameters
from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_PARENTS, Layout, SmplxAsset

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


def anny_asset(body: AnnyBody, angles: dict[str, float] | None = None) -> SmplxAsset:
    """Anny as an adult with other phenotypes as betas, and as a baby as the kid template; no pose blend shapes.

    Args:
        body: float64.
        angles: names and values of the rest pose; Anny's zero pose when left out.
    """
    spec = body.parameter_spec

    def posed(**logits: float) -> tuple[np.ndarray, np.ndarray]:
        p = {k: torch.zeros_like(v) for k, v in default_parameters(spec, (1,), torch.float64).items()}
        p["shape"] = spec["shape"].default[None].clone()
        for name, value in (angles or {}).items():
            p["pose"][0, spec["pose"].names.index(name)] = value
        for name, value in logits.items():
            p["shape"][0, spec["shape"].names.index(name)] = value
        motion = body.pose(p, body.tables(Parts(vertices="all")))
        return motion.points[0].numpy() * FLIP, motion.position[0].numpy() * FLIP

    template, heads = posed()
    count = len(template)
    bones = [SMPLX_JOINTS.index(joint_of(bone)) for bone in body.joint_names]
    weights = np.zeros((count, 55))
    np.add.at(weights.T, bones, body.skinning_weights.numpy().T)
    joints = np.zeros((55, 3))
    for bone in reversed(range(len(bones))):
        joints[bones[bone]] = heads[bone]
    toes = {
        side: int(np.where(side * template[:, 0] > 0, template[:, 2] - template[:, 1], -9).argmax()) for side in (1, -1)
    }
    for name, place in (("jaw", joints[15]), ("left_eye_smplhf", joints[15]), ("right_eye_smplhf", joints[15]),
                        ("left_foot", template[toes[1]]), ("right_foot", template[toes[-1]])):  # fmt: skip
        joints[SMPLX_JOINTS.index(name)] = place
    regressor = np.zeros((55, count))
    for j, joint in enumerate(joints):
        near = np.linalg.norm(template - joint, axis=1).argsort()[:60]
        system = np.concatenate([template[near], np.ones((60, 1))], 1).T
        regressor[j, near] = np.linalg.pinv(system) @ np.append(joint, 1.0)
    shapes = np.zeros((count, 3, 20))
    for i, (name, size) in enumerate(
        [("height", 1.0), ("weight", 1.4), ("muscle", 1.4), ("gender", 1.4), ("proportions", 0.8)]
    ):
        at = float(spec["shape"].default[spec["shape"].names.index(name)])
        shapes[..., i] = (posed(**{name: at + size})[0] - posed(**{name: at - size})[0]) / 2
    baby = posed(age=-8.0)[0]
    p = {k: torch.zeros_like(v) for k, v in default_parameters(spec, (1,), torch.float64).items()}
    p["shape"] = spec["shape"].default[None]
    for name, value in (angles or {}).items():
        p["pose"][0, spec["pose"].names.index(name)] = value
    marks = body.forward(p, Parts("body25")).joints
    assert marks is not None
    places = dict(zip(joint_names("body25"), marks[0].numpy() * FLIP, strict=True))
    landmarks = {name: int(np.linalg.norm(template - places[name], axis=1).argmin()) for name in MARKS}
    way = baby - baby.mean(0) - template
    dirs = np.concatenate([shapes[..., :10].transpose(2, 0, 1), way[None]])
    return SmplxAsset(
        *map(torch.from_numpy, (template, dirs, np.zeros((10, count, 3)))),
        torch.zeros(1, 1, 1, dtype=torch.float64).expand(486, count, 3),
        *map(torch.from_numpy, (regressor, weights, np.zeros(90), body.asset.faces.numpy())),
        kid=True,
        landmarks=landmarks,
        digest="anny",
    )
