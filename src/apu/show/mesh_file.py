"""Meshes of people from OBJ, PLY and GLB files: one person for each object of the file."""

from pathlib import Path
from typing import Any

import numpy as np

from apu.body.target_mesh import TargetMesh, target_mesh
from apu.errors import InputError

ENDINGS = (".obj", ".ply", ".glb")
MAX_FILE_BYTES = 256 * 2**20
MOST_PEOPLE = 100


def read_meshes(path: Path, turn: np.ndarray) -> list[tuple[str, TargetMesh]]:
    """Everybody in the file: name and mesh, in the file's order. Colours, textures, normals and bones are left aside.

    Args:
        path: the file; its objects are placed as its scene says, and polygons cut into triangles.
        turn: (3,) factors of the coordinates that turn the file's axes into the camera's.

    Raises:
        InputError: it cannot be read, is too large, holds no mesh, or one that is no person's size in metres.
    """
    if path.suffix.lower() not in ENDINGS:
        raise _unread(path, f"a file that ends in {', '.join(ENDINGS)}", path.suffix or "no ending")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _unread(path, f"at most {MAX_FILE_BYTES // 2**20} MB", "more")
        parts = _parts(path)
    except OSError as error:
        raise _unread(path, "a file that you may read", error.strerror or error) from error
    if not parts:
        raise _unread(path, "at least one triangle mesh", "none")
    if len(parts) > MOST_PEOPLE:
        raise _unread(path, f"at most {MOST_PEOPLE} objects, one for each person", len(parts))
    return [(name, target_mesh(v * turn, f, f"{path}, object {name}")) for name, v, f in parts]


def _parts(path: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    import trimesh

    options: dict[str, Any] = {"process": False, "skip_materials": True}
    if path.suffix.lower() == ".obj":
        options |= {"split_objects": True, "group_material": False}
    try:
        with path.open("rb") as file:  # without its folder, so that nothing beside the file is looked at
            scene = trimesh.load_scene(file, file_type=path.suffix.lower()[1:], **options)
        found = []
        order = [*_objects(path), *scene.geometry]  # the reader's nodes come in any order
        placed = [(node, *scene.graph[node]) for node in scene.graph.nodes_geometry]
        for node, place, name in sorted(placed, key=lambda one: (order.index(one[2]), str(one[0]))):
            mesh = scene.geometry[name]
            if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
                points = trimesh.transform_points(np.asarray(mesh.vertices, np.float64), place)
                found.append((str(node), points, np.asarray(mesh.faces, np.int64)))
    except OSError:
        raise
    except Exception as error:  # damaged files make the reader fail in any way
        raise _unread(path, "a mesh file that is whole", f"{type(error).__name__}: {error}"[:200]) from error
    return found


def _objects(path: Path) -> list[str]:
    """Names of the objects of an OBJ file, in its order, which the reader does not keep."""
    if path.suffix.lower() != ".obj":
        return []
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [line[2:].strip() for line in lines if line.startswith("o ")]


def _unread(path: Path, expected: object, got: object) -> InputError:
    return InputError(
        "The mesh file cannot be read.",
        where=path,
        expected=expected,
        got=got,
        remedy="export the people as triangles, in metres, one object each, without other things around them.",
    )
