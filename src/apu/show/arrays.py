"""`pair.npz`: the numbers of one fit, in documented arrays, without pickles."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.protocol import ParameterSpec, Surface
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Keypoints

SCHEMA_VERSION = 1


def write_npz(
    path: Path,
    observation: PairObservation,
    fit: Fit,
    surface: Surface,
    spec: Mapping[str, ParameterSpec] | None = None,
) -> None:
    """Write one fit. `numpy.load(path, allow_pickle=False)` reads it; docs/outputs.md lists the keys.

    Axis order is (person, ...); A is 0, B is 1. Camera frame: x right, y down, z forward, metres.

    Keys:
        schema_version: (), int.
        body_model: (), text; name and version of the model that the parameters belong to.
        photo: (), text.
        people: (2,) numbers of A and B in the photo.
        param_<name>: (2, size) float32; the body model's parameters.
        param_names_<name>: (size,) text; what each number is. Only where `spec` is given.
        vertices, first_vertices: (2, v, 3) float32; the result, and the first fit before any contact was used.
        faces, collision_faces: (f, 3), (g, 3) int32; the same for A and B, counter-clockwise seen from outside.
        regions: (v,) int16 index into region_names.
        region_names: (75,) text.
        joints_body25: (2, 25, 3) float32.
        heights_m: (2,) float32; standing heights.
        attribute_<name>: (2,) float32; e.g. `attribute_age`.
        focal_px: (), center_px: (2,), image_size: (2,) width and height; the camera of the photo, pixels.
        keypoints: (2, j, 3) float32; x, y in pixels and confidence; what was seen, not what was fitted.
        joint_set: (), text; order of `keypoints`.
    """
    keypoints, joint_set = _keypoints(observation)
    camera = observation.camera
    arrays: dict[str, np.ndarray] = {
        "schema_version": np.array(SCHEMA_VERSION),
        "body_model": np.array(fit.body_model),
        "photo": np.array(observation.photo),
        "people": np.array([person.index for person in observation.people]),
        "vertices": _array(fit.vertices, np.float32),
        "first_vertices": _array(fit.first_vertices, np.float32),
        "faces": _array(surface.faces, np.int32),
        "collision_faces": _array(surface.collision_faces, np.int32),
        "regions": _array(surface.region_of_vertex, np.int16),
        "region_names": np.array(list(surface.region_names), dtype=np.str_),
        "joints_body25": _array(fit.joints, np.float32),
        "heights_m": np.array(fit.heights_m, np.float32),
        "focal_px": np.array(camera.focal_px),
        "center_px": np.array(camera.center_px),
        "image_size": np.array([camera.width, camera.height]),
        "keypoints": keypoints,
        "joint_set": np.array(joint_set),
    }
    arrays |= {f"param_{name}": _array(value, np.float32) for name, value in fit.parameters.items()}
    arrays |= {f"attribute_{name}": np.array(value, np.float32) for name, value in fit.attributes.items()}
    for name in fit.parameters:
        if spec is not None and name in spec:
            arrays[f"param_names_{name}"] = np.array(spec[name].names, dtype=np.str_)
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _keypoints(observation: PairObservation) -> tuple[Float[np.ndarray, "2 j 3"], str]:
    """Both people's keypoints in one order: theirs when they share it, else BODY_25."""
    both = [person.keypoints for person in observation.people]
    if both[0].joint_set != both[1].joint_set:
        both = [keypoints.as_set("body25") for keypoints in both]
    return np.stack([_columns(keypoints) for keypoints in both]), both[0].joint_set


def _columns(keypoints: Keypoints) -> Float[np.ndarray, "j 3"]:
    return np.concatenate([keypoints.xy, keypoints.confidence[:, None]], axis=1).astype(np.float32)


def _array(tensor, dtype: type) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(dtype)
