"""`pair.glb` and `pair.obj`: the two bodies for any 3D viewer, y up, metres. The one file that knows trimesh."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from apu.body.protocol import Surface
from apu.geometry.normals import vertex_normals
from apu.scene.pair import Fit
from apu.show.canvas import to_bytes
from apu.show.palette import PERSON_NAMES, painted

if TYPE_CHECKING:
    import trimesh

CAMERA_TO_GLTF = np.array([1.0, -1.0, -1.0])
"""Half a turn about x: glTF has y up and looks along -z."""

_SKIN = {"name": "skin", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.75}}


def write_glb(path: Path, fit: Fit, surface: Surface) -> None:
    """Write both bodies as binary glTF: meshes `A` and `B`, vertex colours, normals. Loads in Blender and browsers."""
    scene = _scene(fit, surface, linear_colors=True)
    data = scene.export(file_type="glb", include_normals=True, tree_postprocessor=_dull)
    assert isinstance(data, bytes)
    path.write_bytes(data)


def write_obj(path: Path, fit: Fit, surface: Surface) -> None:
    """Write both bodies as Wavefront OBJ: objects `A` and `B`, colours after the coordinates of each vertex."""
    text = _scene(fit, surface, linear_colors=False).export(file_type="obj", include_normals=True)
    assert isinstance(text, str)
    path.write_text(text, encoding="utf-8")


def _scene(fit: Fit, surface: Surface, *, linear_colors: bool) -> "trimesh.Scene":
    import trimesh

    scene = trimesh.Scene()
    faces = surface.faces.detach().cpu().numpy()
    for person, name in enumerate(PERSON_NAMES):
        vertices = fit.vertices[person].detach().cpu().numpy() * CAMERA_TO_GLTF.astype(np.float32)
        colors = painted(surface, fit.contacts.regions(person), person)
        mesh = trimesh.Trimesh(
            vertices,
            faces,
            vertex_normals=vertex_normals(vertices, faces),
            vertex_colors=_rgba(_linear(colors) if linear_colors else colors),
            process=False,  # merging would change the vertex numbers
        )
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    return scene


def _linear(srgb: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """glTF wants vertex colours in linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _rgba(colors: Float[np.ndarray, "v 3"]) -> UInt8[np.ndarray, "v 4"]:
    return to_bytes(np.concatenate([colors, np.ones_like(colors[:, :1])], axis=1))


def _dull(tree: dict) -> None:
    """Skin is not metal, which glTF takes a mesh without a material for."""
    tree["materials"] = [_SKIN]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0
