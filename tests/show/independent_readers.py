"""Readers of exported files that share nothing with their writers: BVH by its words, GLB by pygltflib."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pygltflib
from scipy.spatial.transform import Rotation

DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
SIZES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def bvh_joints(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Joint -> place in the file's units in the first frame, and joint -> parent."""
    head, motion = path.read_text().split("MOTION")
    words, stack, channels, offsets, parents = head.split(), [], [], {}, {}
    i, name = 1, ""
    while i < len(words):
        if words[i] in ("ROOT", "JOINT"):
            name = words[i + 1]
            parents[name] = stack[-1] if stack else ""
            i += 2
        elif words[i] == "End":
            name, i = "", i + 2
        elif words[i] == "{":
            stack.append(name)
            i += 1
        elif words[i] == "}":
            stack.pop()
            i += 1
        elif words[i] == "OFFSET":
            offsets.setdefault(stack[-1], np.array([float(x) for x in words[i + 1 : i + 4]]))
            i += 4
        elif words[i] == "CHANNELS":
            count = int(words[i + 1])
            channels += [(stack[-1], channel) for channel in words[i + 2 : i + 2 + count]]
            i += 2 + count
        else:
            raise ValueError(words[i])
    lines = motion.strip().splitlines()
    assert lines[0] == "Frames: 1"
    values = [float(x) for x in lines[2].split()]
    assert len(values) == len(channels)
    turn = {joint: np.eye(3) for joint in parents}
    shift = {joint: offsets[joint].copy() for joint in parents}
    for (joint, channel), value in zip(channels, values, strict=True):
        axis = channel[0]
        if channel.endswith("position"):
            shift[joint]["XYZ".index(axis)] += value
        else:
            turn[joint] = turn[joint] @ Rotation.from_euler(axis.lower(), value, degrees=True).as_matrix()
    world: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for joint, parent in parents.items():
        above, at = world[parent] if parent else (np.eye(3), np.zeros(3))
        world[joint] = (above @ turn[joint], at + above @ shift[joint])
    return {joint: at for joint, (_, at) in world.items()}, parents


@dataclass(frozen=True)
class SkinnedMesh:
    """What one skinned node of a GLB says: attributes, joint names, and vertices skinned from its own arrays."""

    name: str
    attributes: dict[str, np.ndarray]
    faces: np.ndarray
    joints: list[str]
    parents: list[str]
    joint_positions: np.ndarray
    inverse_bind: np.ndarray
    posed: np.ndarray


def skinned_meshes(path: Path) -> list[SkinnedMesh]:
    """By the formula of the glTF 2.0 specification: sum of weight times world matrix times inverse bind matrix."""
    gltf = pygltflib.GLTF2().load(str(path))
    blob = gltf.binary_blob()

    def array(index: int) -> np.ndarray:
        accessor = gltf.accessors[index]
        view = gltf.bufferViews[accessor.bufferView]
        size = SIZES[accessor.type]
        start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
        flat = np.frombuffer(blob, DTYPES[accessor.componentType], accessor.count * size, start)
        if accessor.type == "MAT4":
            return flat.reshape(-1, 4, 4).swapaxes(1, 2)
        return flat.reshape(-1, size) if size > 1 else flat

    world = _worlds(gltf)
    above = {child: node.name for node in gltf.nodes for child in node.children or []}
    found = []
    for node in gltf.nodes:
        if node.skin is None:
            continue
        skin, primitive = gltf.skins[node.skin], gltf.meshes[node.mesh].primitives[0]
        attributes = {name: array(index) for name, index in vars(primitive.attributes).items() if index is not None}
        inverse = array(skin.inverseBindMatrices).astype(np.float64)
        moves = np.stack([world[j] for j in skin.joints]) @ inverse
        points = np.c_[attributes["POSITION"], np.ones(len(attributes["POSITION"]))].astype(np.float64)
        chosen = np.einsum("vk,vkij->vij", attributes["WEIGHTS_0"], moves[attributes["JOINTS_0"]])
        posed = np.einsum("vij,vj->vi", chosen, points)[:, :3]
        names = [gltf.nodes[j].name for j in skin.joints]
        places = np.stack([world[j][:3, 3] for j in skin.joints])
        own = [above[j] for j in skin.joints]
        faces = array(primitive.indices).reshape(-1, 3)
        found.append(SkinnedMesh(node.name, attributes, faces, names, own, places, inverse, posed))
    return found


def _worlds(gltf: pygltflib.GLTF2) -> dict[int, np.ndarray]:
    world: dict[int, np.ndarray] = {}

    def visit(index: int, above: np.ndarray) -> None:
        node, local = gltf.nodes[index], np.eye(4)
        if node.rotation:
            local[:3, :3] = Rotation.from_quat(node.rotation).as_matrix()
        if node.translation:
            local[:3, 3] = node.translation
        assert node.scale is None
        assert node.matrix is None
        assert index not in world, "a node has two parents"
        world[index] = above @ local
        for child in node.children or []:
            visit(child, world[index])

    for root in gltf.scenes[gltf.scene].nodes:
        visit(root, np.eye(4))
    return world
