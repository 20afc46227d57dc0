"""The bodies as other programs read them: two named meshes, y up, metres, vertex numbers kept."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from apu.show.glb import write_glb, write_obj
from apu.show.palette import BODY_COLORS, painted


@pytest.fixture
def glb(tmp_path: Path, fit, surface) -> Path:
    write_glb(tmp_path / "pair.glb", fit, surface)
    return tmp_path / "pair.glb"


@pytest.fixture
def scene(glb: Path) -> trimesh.Scene:
    return trimesh.load_scene(glb, process=False)


def tree(glb: Path) -> dict:
    content = glb.read_bytes()
    length = struct.unpack("<I", content[12:16])[0]
    return json.loads(content[20 : 20 + length])


def written_colors(glb: Path, mesh: int) -> np.ndarray:
    """(v, 3) bytes, from the file itself: trimesh drops vertex colours where there is a material."""
    document = tree(glb)
    accessor = document["accessors"][document["meshes"][mesh]["primitives"][0]["attributes"]["COLOR_0"]]
    assert (accessor["type"], accessor["componentType"], accessor["normalized"]) == ("VEC4", 5121, True)
    view = document["bufferViews"][accessor["bufferView"]]
    content = glb.read_bytes()
    start = 20 + struct.unpack("<I", content[12:16])[0] + 8 + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    return np.frombuffer(content, np.uint8, 4 * accessor["count"], start).reshape(-1, 4)[:, :3]


def test_two_meshes_named_a_and_b(scene, glb):
    assert set(scene.geometry) == {"A", "B"}
    assert {node["name"] for node in tree(glb)["nodes"]} >= {"A", "B"}


def test_vertex_and_face_numbers_are_the_bodys(scene, surface):
    for mesh in scene.geometry.values():
        assert len(mesh.vertices) == len(surface.rest_vertices)
        assert np.array_equal(mesh.faces, surface.faces.numpy())


def test_coordinates_are_metres_with_y_up_and_z_towards_the_viewer(scene, fit):
    for person, name in enumerate("AB"):
        placed = scene.geometry[name].copy().apply_transform(scene.graph.get(name)[0])
        expected = fit.vertices[person].numpy() * [1, -1, -1]
        assert np.allclose(placed.vertices, expected, atol=1e-6)


def test_heads_are_above_feet(scene, surface):
    region = surface.region_of_vertex.numpy()
    index = surface.region_names.index
    for mesh in scene.geometry.values():
        head = mesh.vertices[region == index("left_head_front"), 1].mean()
        feet = mesh.vertices[region == index("left_foot_top"), 1].mean()
        assert head > feet + 0.8


def test_faces_still_look_outwards(scene, fit, surface):
    """Half a turn keeps the winding; a mirror would have turned the bodies inside out."""
    for person, name in enumerate("AB"):
        before = trimesh.Trimesh(fit.vertices[person].numpy(), surface.faces.numpy(), process=False)
        assert scene.geometry[name].volume == pytest.approx(before.volume, rel=1e-4)
        assert before.volume > 0


def test_normals_are_written_and_unit(glb):
    for mesh in tree(glb)["meshes"]:
        assert set(mesh["primitives"][0]["attributes"]) == {"POSITION", "NORMAL", "COLOR_0"}


def test_colours_are_the_palettes_in_linear_light_and_contacts_are_painted(glb, fit, surface):
    for person in (0, 1):
        expected = painted(surface, fit.contacts.regions(person), person)
        found = written_colors(glb, person) / 255
        srgb = np.where(found <= 0.0031308, 12.92 * found, 1.055 * found ** (1 / 2.4) - 0.055)
        assert np.abs(srgb - expected).max() < 0.03
        assert len(np.unique(found, axis=0)) == 2


def test_the_skin_is_not_metal(glb):
    document = tree(glb)
    assert document["materials"][0]["pbrMetallicRoughness"]["metallicFactor"] == 0
    assert all(mesh["primitives"][0]["material"] == 0 for mesh in document["meshes"])


def test_the_obj_has_two_objects_with_the_same_numbers(tmp_path, fit, surface):
    write_obj(tmp_path / "pair.obj", fit, surface)
    lines = (tmp_path / "pair.obj").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("o ")] == ["o A", "o B"]
    vertices = np.array([[float(x) for x in line.split()[1:]] for line in lines if line.startswith("v ")])
    assert np.allclose(vertices[:, :3], fit.vertices.reshape(-1, 3).numpy() * [1, -1, -1], atol=1e-5)
    assert np.allclose(vertices[-1, 3:6], BODY_COLORS[1], atol=0.01) or vertices.shape[1] >= 6
    assert sum(line.startswith("f ") for line in lines) == 2 * len(surface.faces)
