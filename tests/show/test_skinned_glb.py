"""The skinned GLB in the hands of another reader: its own arrays give the fitted bodies."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from independent_readers import SkinnedMesh, skinned_meshes

from apu.body.anny import AnnyBody
from apu.body.anny_rigs import ANNY_RIGS, rigged_as
from apu.body.protocol import Parts, default_parameters
from apu.body.rigged import few_influences
from apu.show.palette import painted
from apu.show.skinned_glb import write_skinned_glb

TO_GLTF = np.array([1.0, -1.0, -1.0])
PAINTED = ({"left_hand_palm"}, {"right_upper_back", "left_upper_back"})


def two_people(body: AnnyBody, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    people = default_parameters(body.parameter_spec, (2,))
    spec = body.parameter_spec["pose"]
    drawn = spec.default + spec.scale * torch.randn(2, spec.size, generator=random)
    people["pose"] = torch.maximum(torch.minimum(drawn, spec.upper), spec.lower)
    people["orientation"] = torch.randn(2, 3, generator=random)
    people["translation"] = people["translation"] + 0.3 * torch.randn(2, 3, generator=random)
    people["shape"][1, body.parameter_spec["shape"].names.index("age")] -= 2.0
    return people


@pytest.fixture(scope="module")
def vertices(body: AnnyBody) -> np.ndarray:
    posed = body.forward(two_people(body), Parts(vertices="all")).vertices
    assert posed is not None
    return posed.numpy() * TO_GLTF


@pytest.fixture(scope="module", params=["own", *ANNY_RIGS])
def written(request, body: AnnyBody, tmp_path_factory) -> tuple[list[SkinnedMesh], list, Path]:
    """(meshes as read, bodies as written, file)."""
    people = two_people(body)
    bodies = list(body.rigged(people) if request.param == "own" else rigged_as(body, people, request.param))
    path = tmp_path_factory.mktemp("glb") / "skinned.glb"
    write_skinned_glb(path, bodies, body.surface, PAINTED)
    return skinned_meshes(path), bodies, path


def test_skinning_by_the_files_own_arrays_gives_the_bodies_that_were_promised(written):
    meshes, bodies, _ = written
    for mesh, one in zip(meshes, bodies, strict=True):
        assert np.abs(mesh.posed - few_influences(one).skinned().numpy() * TO_GLTF).max() < 1e-5


def test_the_shown_bodies_lie_on_the_fitted_ones(written, vertices):
    """Half a millimetre on average, with all skeletons; the worst vertices are those that four weights cannot hold."""
    for mesh, expected in zip(written[0], vertices, strict=True):
        apart = np.linalg.norm(mesh.posed - expected, axis=1)
        assert apart.mean() < 1e-3
        assert np.quantile(apart, 0.99) < 1e-2
        assert apart.max() < 4e-2


def test_joints_stand_at_the_heads_of_the_bones_and_are_named_after_them(written):
    for mesh, one in zip(written[0], written[1], strict=True):
        assert mesh.joints == list(one.names)
        assert np.abs(mesh.joint_positions - one.position.numpy() * TO_GLTF).max() < 1e-5
        for name, parent in zip(one.names, one.parents, strict=True):
            assert mesh.parents[mesh.joints.index(name)] == (one.names[parent] if parent >= 0 else mesh.name[0])


def test_underneath_is_the_body_at_rest_upright_and_facing_ahead(written, body: AnnyBody):
    region, index = body.surface.region_of_vertex.numpy(), body.surface.region_names.index
    for mesh, one in zip(written[0], written[1], strict=True):
        rest = mesh.attributes["POSITION"]
        assert np.allclose(rest, one.rest_vertices.numpy() * TO_GLTF, atol=1e-6)
        assert rest[region == index("left_head_front"), 1].min() > rest[region == index("left_foot_top"), 1].max()
        assert rest[region == index("left_hand_palm"), 0].min() > 0.1
        nose, nape = (rest[region == index(f"left_head_{side}"), 2].mean() for side in ("front", "back"))
        assert nose > nape
        heads = np.linalg.inv(mesh.inverse_bind)[:, :3, 3]
        assert np.abs(heads - one.rest_joints.numpy() * TO_GLTF).max() < 1e-5


def test_bind_matrices_are_rotations_whose_y_points_along_the_bone(written):
    for mesh in written[0]:
        bind = np.linalg.inv(mesh.inverse_bind)
        assert np.abs(bind[:, :3, :3] @ bind[:, :3, :3].swapaxes(1, 2) - np.eye(3)).max() < 1e-5
        assert np.linalg.det(bind[:, :3, :3]).min() > 0.999
        for name in [n for n in mesh.joints if mesh.parents.count(n) == 1]:
            head, child = mesh.joints.index(name), mesh.parents.index(name)
            step = bind[child, :3, 3] - bind[head, :3, 3]
            if np.linalg.norm(step) > 0.01:
                assert bind[head, :3, 1] @ step / np.linalg.norm(step) > 0.999


def test_weights_are_as_gltf_wants_them(written):
    for mesh in written[0]:
        weights, joints = mesh.attributes["WEIGHTS_0"], mesh.attributes["JOINTS_0"]
        assert weights.shape[1] == joints.shape[1] == 4
        assert np.abs(weights.sum(1) - 1).max() < 1e-6
        assert (joints[weights == 0] == 0).all()
        assert joints.max() < len(mesh.joints)
        assert np.abs(np.linalg.norm(mesh.attributes["NORMAL"], axis=1) - 1).max() < 1e-5


def test_vertices_and_faces_keep_their_numbers_and_colours(written, body: AnnyBody):
    for person, mesh in enumerate(written[0]):
        assert np.array_equal(mesh.faces, body.surface.faces.numpy())
        linear = mesh.attributes["COLOR_0"][:, :3] / 255
        srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        assert np.abs(srgb - painted(body.surface, PAINTED[person], person)).max() < 0.03


def test_there_is_one_root_and_a_skin_for_each_person(written):
    content = written[2].read_bytes()
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    assert int.from_bytes(content[8:12], "little") == len(content)
    assert document["scenes"][0]["nodes"] == [0]
    assert [document["nodes"][i]["name"] for i in document["nodes"][0]["children"]] == ["A", "B"]
    assert len(document["skins"]) == 2
