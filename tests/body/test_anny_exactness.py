"""Our posing equals the `anny` package's, and a part of a body equals the same part of the whole."""

import itertools

import pytest
import torch

from apu.body.anny import KEPT_TABLES, AnnyBody
from apu.body.anny_asset import PHENOTYPES, RIG
from apu.body.anny_pose import DOFS, dof_axes
from apu.body.anny_prepare import CAMERA_FROM_ANNY, quick_blend_shapes
from apu.body.joints import joint_names
from apu.body.protocol import Parts, Posed, default_parameters

CAMERA = torch.tensor(CAMERA_FROM_ANNY, dtype=torch.float64)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory):
    """The `anny` package's own model, with its blendshapes as they come, not compacted; built in seven seconds."""
    import anny
    from anny import paths

    kept = paths.get_anny_cache_path()
    folder = tmp_path_factory.mktemp("anny")
    paths.set_anny_cache_path(folder)
    try:
        with quick_blend_shapes():
            return anny.Anny(rig=RIG, topology="anny", skinning_method="lbs", phenotype_blendshapes="original")
    finally:
        paths.set_anny_cache_path(kept)
        for file in folder.rglob("*.safetensors"):  # 790 MB
            file.unlink()


@pytest.fixture(scope="module")
def packaged(package, body64: AnnyBody):
    """Parameters -> what the package makes of them, in the camera frame: output, vertices."""
    zero = {name: value[None] for name, value in default_shape(body64).items()}
    rest = package(phenotype_kwargs=zero)["bone_poses"][0, :, :3, 3] @ CAMERA.T
    axes = dof_axes(package.bone_labels, rest)

    def pose(parameters: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        n, bones = len(parameters["pose"]), len(package.bone_labels)
        turns = torch.zeros(n, bones, 3, dtype=torch.float64)
        for i, dof in enumerate(DOFS):
            turns[:, package.bone_labels.index(dof.bone)] += parameters["pose"][:, i, None] * axes[i]
        turns[:, 0] = parameters["orientation"]
        local = torch.eye(4, dtype=torch.float64).repeat(n, bones, 1, 1)
        local[..., :3, :3] = CAMERA.T @ torch.linalg.matrix_exp(cross_matrix(turns)) @ CAMERA
        shape = {name: torch.sigmoid(parameters["shape"][:, i]) for i, name in enumerate(PHENOTYPES)}
        out = package(pose_parameters=local, phenotype_kwargs=shape)
        root = out["bone_poses"][:, :1, :3, 3]
        return out, (out["vertices"] - root) @ CAMERA.T + parameters["translation"][:, None]

    return pose


def default_shape(body: AnnyBody) -> dict[str, torch.Tensor]:
    return body.attributes(default_parameters(body.parameter_spec, (), torch.float64))


def cross_matrix(turn: torch.Tensor) -> torch.Tensor:
    x, y, z = turn.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).unflatten(-1, (3, 3))


def vertices(posed: Posed) -> torch.Tensor:
    assert posed.vertices is not None
    return posed.vertices


def joints(posed: Posed) -> torch.Tensor:
    assert posed.joints is not None
    return posed.joints


def test_quick_reading_gives_the_numbers_of_the_packages_own_reading():
    import anny.models.full_model as full_model
    from anny.paths import get_anny_root_dir

    class Still:
        def apply(self, points: torch.Tensor) -> torch.Tensor:
            return points

    slow = full_model.load_blend_shape
    files = sorted((get_anny_root_dir() / "data" / "mpfb2" / "targets").rglob("*.target.gz"))
    for file in files[:: len(files) // 4]:
        expected = slow(file, 19158, Still(), torch.float64)
        with quick_blend_shapes():
            assert torch.equal(full_model.load_blend_shape(file, 19158, Still(), torch.float64), expected)
    assert full_model.load_blend_shape is slow


@pytest.mark.parametrize(("dtype", "tolerance_m"), [(torch.float64, 3e-6), (torch.float32, 1e-5)])
def test_vertices_equal_the_packages(body, packaged, random_people, dtype, tolerance_m):
    people = random_people(8, seed=1)
    _, expected = packaged(people)
    mine = AnnyBody(body.asset, dtype).forward({k: v.to(dtype) for k, v in people.items()}, Parts(vertices="all"))
    assert float((vertices(mine).double() - expected).abs().max()) < tolerance_m


def test_joints_equal_the_packages_keypoints(body64, package, packaged, random_people):
    from anny.keypoints import KeypointsRegressor

    people = random_people(8, seed=2)
    out, mesh = packaged(people)
    regressor = KeypointsRegressor.coco(package)
    expected = dict(zip(regressor.labels, regressor({**out, "vertices": mesh}).unbind(1), strict=True))
    for joint_set in ("coco17", "body25"):
        found = joints(body64.forward(people, Parts(joint_set)))
        named = dict(zip(joint_names(joint_set), found.unbind(1), strict=True))
        for name in expected.keys() & named.keys():
            assert float((named[name] - expected[name]).abs().max()) < 1e-5, name
    assert len(expected.keys() & set(joint_names("coco17"))) == 17


def test_the_root_bone_is_at_the_translation(body64, random_people):
    people = random_people(4)
    motion = body64.pose(people, body64.tables(Parts("coco17")))
    assert torch.allclose(motion.position[:, 0], people["translation"])


def test_chosen_vertices_are_rows_of_the_full_mesh(body64, random_people):
    people = random_people(3)
    full = vertices(body64.forward(people, Parts(vertices="all")))
    chosen = torch.tensor([13000, 5, 5, 700, 0, 13717, 700])  # not sorted, some twice
    part = vertices(body64.forward(people, Parts(vertices=chosen)))
    assert torch.allclose(part, full[:, chosen], atol=1e-12)


def test_every_vertex_alone_is_where_it_is_in_the_full_mesh(body64, random_people):
    """A subset uses only the bones that move it; no bone may be missing, wherever the vertex sits."""
    people = random_people(1)
    full = vertices(body64.forward(people, Parts(vertices="all")))
    for index in range(0, body64.vertex_count, 457):
        part = vertices(body64.forward(people, Parts(vertices=torch.tensor([index]))))
        assert torch.allclose(part[:, 0], full[:, index], atol=1e-12)


def test_joints_do_not_depend_on_which_vertices_come_with_them(body64, random_people):
    people = random_people(2)
    alone = joints(body64.forward(people, Parts("body25")))
    for choice in ("all", torch.tensor([3, 9000]), torch.tensor([], dtype=torch.int64)):
        beside = joints(body64.forward(people, Parts("body25", choice)))
        assert torch.allclose(beside, alone, atol=1e-12)


def test_nothing_asked_for_nothing_given(body64, random_people):
    posed = body64.forward(random_people(2), Parts())
    assert posed.vertices is None
    assert posed.joints is None


def test_a_batch_of_pairs_is_its_bodies_one_by_one(body64, random_people):
    people = random_people(3, 2)
    some = torch.arange(0, body64.vertex_count, 97)
    posed = body64.forward(people, Parts("j14", some))
    assert vertices(posed).shape == (3, 2, len(some), 3)
    assert joints(posed).shape == (3, 2, 14, 3)
    for pair, person in itertools.product(range(3), range(2)):
        one = body64.forward({k: v[pair, person] for k, v in people.items()}, Parts("j14", some))
        assert torch.allclose(vertices(one), vertices(posed)[pair, person], atol=1e-12)
        assert torch.allclose(joints(one), joints(posed)[pair, person], atol=1e-12)


def test_a_batch_of_nobody_gives_nobody(body64, random_people):
    posed = body64.forward(random_people(0, 2), Parts("body25", torch.tensor([1, 2])))
    assert vertices(posed).shape == (0, 2, 2, 3)
    assert joints(posed).shape == (0, 2, 25, 3)


def test_moving_the_root_moves_the_body_rigidly(body64, random_people):
    people = random_people(2)
    still = {**people, "orientation": torch.zeros(2, 3).double(), "translation": torch.zeros(2, 3).double()}
    turn = torch.linalg.matrix_exp(cross_matrix(people["orientation"]))
    expected = vertices(body64.forward(still, Parts(vertices="all"))) @ turn.mT + people["translation"][:, None]
    assert torch.allclose(vertices(body64.forward(people, Parts(vertices="all"))), expected, atol=1e-12)


def test_gradients_of_all_parameters_equal_finite_differences(body64, random_people):
    people = {k: v.requires_grad_() for k, v in random_people(1, seed=3).items()}
    some = torch.arange(0, body64.vertex_count, 2741)

    def points(*values: torch.Tensor) -> torch.Tensor:
        posed = body64.forward(dict(zip(people, values, strict=True)), Parts("j14", some))
        return torch.cat([vertices(posed), joints(posed)], 1)

    assert torch.autograd.gradcheck(points, tuple(people.values()), atol=1e-6)


def test_gradients_are_finite_at_the_default_pose_where_all_rotations_are_none(body64):
    people = default_parameters(body64.parameter_spec, (1,), torch.float64)
    people = {k: torch.zeros_like(v).requires_grad_() for k, v in people.items()}
    joints(body64.forward(people, Parts("body25"))).square().sum().backward()
    for name, value in people.items():
        assert value.grad is not None, name
        assert bool(torch.isfinite(value.grad).all()), name


def test_the_surface_is_the_default_body_at_the_origin(body, body64):
    rest = {k: v[None] for k, v in default_parameters(body64.parameter_spec, (), torch.float64).items()}
    rest["translation"] = torch.zeros(1, 3, dtype=torch.float64)
    expected = vertices(body64.forward(rest, Parts(vertices="all")))[0]
    assert torch.allclose(body.surface.rest_vertices.double(), expected, atol=1e-5)


def test_skinning_weights_are_shares(body):
    weights = body.skinning_weights
    assert weights.shape == (body.vertex_count, len(body.joint_names))
    assert float(weights.min()) >= 0
    assert torch.allclose(weights.sum(1), torch.ones(body.vertex_count), atol=1e-5)


def test_the_collision_skin_is_closed_and_faces_outwards(body):
    import trimesh

    surface = body.surface
    mesh = trimesh.Trimesh(surface.rest_vertices.numpy(), surface.collision_faces.numpy(), process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0


def test_indices_of_any_integer_type_mean_the_same(body64, random_people):
    """The bytes of 32-bit indices 7, 0 are those of the 64-bit index 7: a cache must not take one for the other."""
    people = random_people(1)
    full = vertices(body64.forward(people, Parts(vertices="all")))
    wide = vertices(body64.forward(people, Parts(vertices=torch.tensor([7]))))
    narrow = vertices(body64.forward(people, Parts(vertices=torch.tensor([7, 0], dtype=torch.int32))))
    assert torch.allclose(wide, full[:, [7]], atol=1e-12)
    assert torch.allclose(narrow, full[:, [7, 0]], atol=1e-12)


def test_a_long_run_over_many_choices_of_vertices_keeps_few_tables(body64, random_people):
    people = random_people(1)
    body = AnnyBody(body64.asset, torch.float64)
    for i in range(2 * KEPT_TABLES):
        body.forward(people, Parts("coco17"))
        body.forward(people, Parts(vertices=torch.tensor([i])))
    assert len(body._cached) == KEPT_TABLES
    assert ("coco17", "none") in body._cached
