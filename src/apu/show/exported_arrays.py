"""Exports for numpy: all numbers of a pair with its skeletons, and one person in SMPL-X's own parameters."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.body.protocol import BodyModel
from apu.body.rigged import RiggedBody
from apu.body.smpl_file import CAMERA_FRAME
from apu.body.smpl_rotations import SMPLX_PELVIS_M, anny_to_smplx_rotations, hips_from_pelvis
from apu.body.smplx import SmplxBody
from apu.show.stored_pair import StoredPair

ARRAYS_VERSION = 1
_SIZES = {
    "global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45, "jaw_pose": 3, "leye_pose": 3,
    "reye_pose": 3, "betas": 10, "expression": 10, "transl": 3,
}  # fmt: skip


def write_arrays(path: Path, pair: StoredPair, bodies: tuple[RiggedBody, RiggedBody]) -> None:
    """Write what `pair.npz` has, and the skeletons; docs/exports.md lists the keys."""
    surface = pair.surface
    arrays: dict[str, np.ndarray] = {
        "schema_version": np.array(ARRAYS_VERSION),
        "body_model": np.array(pair.body_model),
        "frame": np.array(CAMERA_FRAME),
        "vertices": _array(pair.vertices),
        "faces": _array(surface.faces, np.int32),
        "collision_faces": _array(surface.collision_faces, np.int32),
        "regions": _array(surface.region_of_vertex, np.int16),
        "region_names": np.array(list(surface.region_names), np.str_),
        "painted_regions_a": np.array(sorted(pair.regions[0]), np.str_),
        "painted_regions_b": np.array(sorted(pair.regions[1]), np.str_),
        "joints_body25": _array(pair.joints),
        "bone_names": np.array(bodies[0].names, np.str_),
        "bone_parents": np.array(bodies[0].parents, np.int32),
        "bone_positions": np.stack([_array(body.position) for body in bodies]),
        "bone_rotations": np.stack([_array(body.turn) for body in bodies]),
        "rest_bone_positions": np.stack([_array(body.rest_joints) for body in bodies]),
        "rest_vertices": np.stack([_array(body.rest_vertices) for body in bodies]),
        "skinning_weights": _array(bodies[0].weights),
    }
    arrays |= {f"param_{name}": _array(value) for name, value in pair.parameters.items()}
    arrays |= {name: np.asarray(value) for name, value in pair.extra.items()}
    _save(path, arrays)


def write_smplx(path: Path, pair: StoredPair, body: BodyModel, person: int) -> None:
    """Write A (0) or B (1) in the parameters that SMPL-X's own code takes; docs/exports.md lists the keys."""
    parameters = {name: value[person] for name, value in pair.parameters.items()}
    if isinstance(body, SmplxBody):
        found = {name: value[0] for name, value in body.to_smplx(parameters).items()}
        note = "From a fit of SMPL-X. Hand poses are rotations, not offsets from the mean hand (flat_hand_mean=True)."
    else:
        found = {k: v.flatten() for k, v in anny_to_smplx_rotations(body, parameters).items()}
        pelvis = _pelvis(pair.joints[person], found["global_orient"])
        found |= {"pelvis": pelvis, "transl": pelvis - pelvis.new_tensor(SMPLX_PELVIS_M)}
        note = (
            "Converted from another body: betas are zero, since no SMPL-X file was used; hands, face and expression "
            "are neutral; pelvis is where the pelvis joint shall lie, and transl that less the pelvis at rest of the "
            f"neutral model, {SMPLX_PELVIS_M} m: with another model, take pelvis less its own."
        )
    arrays = {name: np.zeros(size, np.float32) for name, size in _SIZES.items()}
    arrays |= {name: _array(value) for name, value in found.items()}
    words = {"gender": "neutral", "note": note, "frame": CAMERA_FRAME, "body_model": pair.body_model}
    _save(path, {**arrays, **{name: np.array(text) for name, text in words.items()}})


def _pelvis(joints: Float[Tensor, "25 3"], orientation: Float[Tensor, " 3"]) -> Float[Tensor, " 3"]:
    """SMPL-X's pelvis joint lies above the middle of the hips."""
    return joints[joint_names("body25").index("mid_hip")] - hips_from_pelvis(orientation)


def _array(tensor: Tensor, dtype: type = np.float32) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(dtype)


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
