"""`pair.glb`, `pair.obj` and PLY: the bodies for any 3D viewer, y up, metres. The one file that knows trimesh."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.normals import vertex_normals
from apu.scene.pair import Fit
from apu.show.canvas import to_bytes
from apu.show.palette import PERSON_NAMES, painted

if TYPE_CHECKING:
    import trimesh

CAMERA_TO_GLTF = np.array([1.0, -1.0, -1.0])
"""Half a turn about x: glTF has y up and looks along -z."""

SKIN_MATERIAL = {"name": "skin", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.75}}


def write_glb(path: Path, fit: Fit, surface: Surface) -> None:
    """Write both bodies as binary glTF: meshes `A` and `B`, vertex colours, normals. Loads in Blender and browsers."""
    write_meshes_glb(path, fit.vertices, surface, [fit.contacts.regions(person) for person in (0, 1)])


def write_meshes_glb(
    path: Path, vertices: Float[Tensor, "2 v 3"], surface: Surface, regions: Sequence[Collection[str]]
) -> None:
    """As `write_glb`, from the vertices in the camera frame and the regions of A and of B that are painted."""
    scene = _scene(vertices, surface, regions, linear_colors=True)
    data = scene.export(file_type="glb", include_normals=True, tree_postprocessor=_dull)
    assert isinstance(data, bytes)
    path.write_bytes(data)


def write_obj(path: Path, fit: Fit, surface: Surface) -> None:
    """Write both bodies as Wavefront OBJ: objects `A` and `B`, colours after the coordinates of each vertex."""
    scene = _scene(fit.vertices, surface, [fit.contacts.regions(person) for person in (0, 1)], linear_colors=False)
    text = scene.export(file_type="obj", include_normals=True)
    assert isinstance(text, str)
    path.write_text(text, encoding="utf-8")


def write_body(
    path: Path,
    vertices: Float[Tensor, "v 3"],
    surface: Surface,
    regions: Collection[str],
    person: int,
    form: Literal["obj", "ply"],
) -> None:
    """Write one body by itself, with normals and sRGB colours of its vertices.

    Args:
        path: of the file.
        vertices: camera frame, metres.
        surface: the skin that they belong to.
        regions: names to paint.
        person: 0 for A, 1 for B.
        form: Wavefront OBJ without a material file, or binary PLY.
    """
    mesh = _mesh(vertices, surface, regions, person, linear_colors=False)
    if form == "ply":
        data = mesh.export(file_type="ply", vertex_normal=True)
    else:
        mesh.metadata["name"] = PERSON_NAMES[person]
        data = mesh.export(file_type="obj", include_normals=True, header=None)
    path.write_bytes(data if isinstance(data, bytes) else str(data).encode())


def _scene(
    vertices: Float[Tensor, "2 v 3"],
    surface: Surface,
    regions: Sequence[Collection[str]],
    *,
    linear_colors: bool,
) -> "trimesh.Scene":
    import trimesh

    scene = trimesh.Scene()
    for person, name in enumerate(PERSON_NAMES):
        mesh = _mesh(vertices[person], surface, regions[person], person, linear_colors=linear_colors)
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    return scene


def _mesh(
    vertices: Float[Tensor, "v 3"], surface: Surface, regions: Collection[str], person: int, *, linear_colors: bool
) -> "trimesh.Trimesh":
    import trimesh

    faces = surface.faces.detach().cpu().numpy()
    points = vertices.detach().cpu().numpy() * CAMERA_TO_GLTF.astype(np.float32)
    return trimesh.Trimesh(
        points,
        faces,
        vertex_normals=vertex_normals(points, faces),
        vertex_colors=gltf_colors(surface, regions, person)
        if linear_colors
        else _rgba(painted(surface, regions, person)),
        process=False,  # merging would change the vertex numbers
    )


def gltf_colors(surface: Surface, regions: Collection[str], person: int) -> UInt8[np.ndarray, "v 4"]:
    """A body's colours as glTF has them: red, green, blue in linear light, opaque."""
    return _rgba(_linear(painted(surface, regions, person)))


def _linear(srgb: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """glTF wants vertex colours in linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _rgba(colors: Float[np.ndarray, "v 3"]) -> UInt8[np.ndarray, "v 4"]:
    return to_bytes(np.concatenate([colors, np.ones_like(colors[:, :1])], axis=1))


def _dull(tree: dict) -> None:
    """Skin is not metal, which glTF takes a mesh without a material for."""
    tree["materials"] = [SKIN_MATERIAL]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0
