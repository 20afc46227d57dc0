"""Meshes of people in files: an object is a person, whatever the format; damaged and foreign files are refused."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from apu.errors import InputError
from apu.show.mesh_file import read_meshes

TURN = np.array([1.0, -1.0, -1.0])


def two_people() -> trimesh.Scene:
    scene = trimesh.Scene()
    for i, name in enumerate(("anna", "ben")):
        mesh = trimesh.creation.cylinder(0.2, 1.6 + 0.1 * i, sections=12)
        place = trimesh.transformations.translation_matrix([float(i), 0.5, -2.0])
        scene.add_geometry(mesh, node_name=name, geom_name=name, transform=place)
    return scene


@pytest.mark.parametrize("ending", ["glb", "obj"])
def test_every_object_of_a_file_is_a_person_where_the_scene_puts_them(tmp_path: Path, ending: str):
    path = tmp_path / f"two.{ending}"
    two_people().export(path)
    found = read_meshes(path, TURN)
    assert [name for name, _ in found] == ["anna", "ben"]
    by_name = dict(found)
    for i, name in enumerate(("anna", "ben")):
        vertices = by_name[name].vertices
        middle = (vertices.max(0) + vertices.min(0)) / 2
        assert middle == pytest.approx([i, -0.5, 2.0], abs=1e-5)  # y and z are turned into the camera's
        assert np.ptp(vertices[:, 2]) == pytest.approx(1.6 + 0.1 * i, abs=1e-5)


def test_a_ply_is_one_person(tmp_path: Path):
    trimesh.creation.cylinder(0.2, 1.7, sections=12).export(tmp_path / "one.ply")
    ((_, mesh),) = read_meshes(tmp_path / "one.ply", TURN)
    assert np.ptp(mesh.vertices[:, 2]) == pytest.approx(1.7)


def test_quadrilaterals_become_triangles_and_materials_are_not_looked_for(tmp_path: Path):
    corners = [(x, y, z) for x in (0, 0.4) for y in (0, 1.7) for z in (0, 0.3)]
    quads = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
    text = ["mtllib ../../secret.mtl", "o someone", *(f"v {x} {y} {z}" for x, y, z in corners), "usemtl skin"]
    text += ["f " + " ".join(map(str, quad)) for quad in quads]
    (tmp_path / "quads.obj").write_text("\n".join(text))
    ((_, mesh),) = read_meshes(tmp_path / "quads.obj", TURN)
    assert len(mesh.faces) == 12


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.glb", b"glTF\x02\x00"), ("a.ply", b"ply\nnonsense"), ("a.obj", b"v 1 2"), ("a.obj", b""), ("a.stl", b"x")],
)
def test_a_damaged_file_is_refused_with_what_was_expected(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read_meshes(tmp_path / name, TURN)
    assert name in str(error.value.where)
    assert error.value.expected
    assert error.value.remedy


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_meshes(tmp_path / "nobody.glb", TURN)


def test_the_object_of_the_wrong_size_is_named(tmp_path: Path):
    scene = two_people()
    scene.geometry["ben"].apply_scale(100)
    scene.export(tmp_path / "two.glb")
    with pytest.raises(InputError) as error:
        read_meshes(tmp_path / "two.glb", TURN)
    assert "ben" in str(error.value.where)
    assert "0.01" in str(error.value.remedy)
