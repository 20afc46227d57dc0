"""A binary glTF of both bodies with skeletons: at rest underneath, posed as fitted. What Blender needs for FBX."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.rigged import RiggedBody, few_influences
from apu.geometry.normals import vertex_normals
from apu.geometry.rotations import quaternions_of
from apu.show.bone_axes import bone_axes
from apu.show.glb import CAMERA_TO_GLTF, SKIN_MATERIAL, gltf_colors
from apu.show.gltf_file import INDICES, VERTICES, GltfBuffer, write_gltf
from apu.show.palette import PERSON_NAMES

INFLUENCES = 4
"""Weights of a vertex: one set of JOINTS_0 and WEIGHTS_0, which every viewer reads."""
ROOT_NODE = "pair"


def write_skinned_glb(
    path: Path, bodies: Sequence[RiggedBody], surface: Surface, regions: Sequence[Collection[str]]
) -> None:
    """Write both bodies as skinned meshes; y up, metres, one node above all.

    The bind pose is the body at rest; the joints' nodes hold the fitted pose, which viewers show. With four weights a
    vertex may lie a little off the fitted one; `apu.body.rigged.few_influences` gives the very bodies that are shown.

    Args:
        path: of the file.
        bodies: A and B, in the camera frame.
        surface: the skin of both.
        regions: of A and of B that are painted.
    """
    buffer = GltfBuffer()
    faces = buffer.add(surface.faces.detach().cpu().numpy().astype(np.uint32).ravel(), INDICES)
    nodes: list[dict[str, Any]] = [{"name": ROOT_NODE, "children": []}]
    meshes, skins = [], []
    for person, body in enumerate(bodies):
        name = PERSON_NAMES[person]
        colors = gltf_colors(surface, regions[person], person)
        attributes = _attributes(buffer, few_influences(body, INFLUENCES), surface)
        attributes["COLOR_0"] = buffer.add(colors, VERTICES, normalized=True)
        meshes.append(
            {"name": f"{name}_body", "primitives": [{"attributes": attributes, "indices": faces, "material": 0}]}
        )
        armature = len(nodes)
        first = armature + 2
        bind, joints = _joint_nodes(body, first)
        nodes[0]["children"].append(armature)
        nodes.append({"name": name, "children": [armature + 1, first]})
        nodes.append({"name": f"{name}_body", "mesh": person, "skin": person})
        nodes += joints
        skins.append(
            {
                "name": name,
                "skeleton": first,
                "joints": list(range(first, first + len(joints))),
                "inverseBindMatrices": buffer.add(bind.astype(np.float32)),
            }
        )
    document = {
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "skins": skins,
        "materials": [SKIN_MATERIAL],
    }
    write_gltf(path, document, buffer)


def _attributes(buffer: GltfBuffer, body: RiggedBody, surface: Surface) -> dict[str, int]:
    """Positions and normals at rest, and the weights."""
    rest = _numbers(body.rest_vertices) * CAMERA_TO_GLTF
    weights, bones = body.weights.detach().cpu().topk(min(INFLUENCES, len(body.names)), 1)
    pad = ((0, 0), (0, INFLUENCES - weights.shape[1]))
    weight = np.pad(weights.numpy(), pad).astype(np.float32)
    joint = np.pad(bones.numpy(), pad) * (weight > 0)  # glTF wants 0 where there is no weight
    normals = vertex_normals(rest, surface.faces.detach().cpu().numpy())
    normals[~normals.any(1)] = (0.0, 1.0, 0.0)  # of a vertex without a face; glTF wants unit length
    return {
        "POSITION": buffer.add(rest.astype(np.float32), VERTICES, bounds=True),
        "NORMAL": buffer.add(normals.astype(np.float32), VERTICES),
        "JOINTS_0": buffer.add(joint.astype(np.uint8), VERTICES),
        "WEIGHTS_0": buffer.add(weight, VERTICES),
    }


def _joint_nodes(body: RiggedBody, first: int) -> tuple[Float[np.ndarray, "b 4 4"], list[dict[str, Any]]]:
    """Inverse bind matrices, and a node for each bone that stands as fitted below its parent's."""
    heads = _numbers(body.rest_joints) * CAMERA_TO_GLTF
    axes = bone_axes(body, heads)
    flip = np.diag(CAMERA_TO_GLTF)
    turned = flip @ _numbers(body.turn) @ flip @ axes
    world = _rigid(turned, _numbers(body.position) * CAMERA_TO_GLTF)
    local = np.stack([world[i] if p < 0 else np.linalg.inv(world[p]) @ world[i] for i, p in enumerate(body.parents)])
    nodes: list[dict[str, Any]] = [
        {"name": name, "translation": matrix[:3, 3].tolist(), "rotation": quaternion.tolist()}
        for name, matrix, quaternion in zip(body.names, local, quaternions_of(local[:, :3, :3]), strict=True)
    ]
    for bone, parent in enumerate(body.parents):
        if parent >= 0:
            nodes[parent].setdefault("children", []).append(first + bone)
    return np.linalg.inv(_rigid(axes, heads)), nodes


def _rigid(rotation: Float[np.ndarray, "b 3 3"], position: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "b 4 4"]:
    matrix = np.tile(np.eye(4), (len(rotation), 1, 1))
    matrix[:, :3, :3], matrix[:, :3, 3] = rotation, position
    return matrix


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
