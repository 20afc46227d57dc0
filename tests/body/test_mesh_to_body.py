"""Bodies laid into meshes: our own in another vertex order is recovered, other models are met, nonsense is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import anny_asset

from apu.body.anny import AnnyBody
from apu.body.mesh_matching import Matching
from apu.body.mesh_starts import placed, possible_starts
from apu.body.mesh_to_body import fit_meshes
from apu.body.pose_density import PoseDensity
from apu.body.protocol import Parts, default_parameters
from apu.body.smplx import SmplxBody
from apu.body.target_mesh import TargetMesh, target_mesh
from apu.errors import InputError
from apu.geometry.normals import vertex_normals

Bodies = dict[str, torch.Tensor]


def somebody(body: AnnyBody, seed: int = 0) -> Bodies:
    random = torch.Generator().manual_seed(seed)
    found = default_parameters(body.parameter_spec, (1,))
    found["pose"], _ = PoseDensity.load().sample(1, random)
    shape = body.parameter_spec["shape"]
    found["shape"] = found["shape"] + 0.5 * shape.scale * torch.randn(1, shape.size, generator=random)
    return found


def mesh_of(body: AnnyBody, people: Bodies, seed: int = 0) -> TargetMesh:
    """The skin of the first body, its vertices shuffled."""
    vertices = vertices_of(body, people)[0].double().numpy()
    order = np.random.default_rng(seed).permutation(len(vertices))
    return target_mesh(vertices[order], np.argsort(order)[body.surface.collision_faces.numpy()], "test")


def vertices_of(body, people: Bodies) -> torch.Tensor:
    found = body.forward(people, Parts(vertices="all")).vertices
    assert found is not None
    return found


def test_our_own_body_in_another_vertex_order_is_recovered_to_three_millimetres(body: AnnyBody):
    true = somebody(body)
    random = torch.Generator().manual_seed(1)
    start = {name: value.clone() for name, value in true.items()}
    start["pose"] += 0.1 * torch.randn(1, 47, generator=random)
    start["shape"] = default_parameters(body.parameter_spec, (1,))["shape"]
    start["translation"] += 0.3
    told: list[str] = []
    fit = fit_meshes(body, [mesh_of(body, true)], start, lambda stage, fraction=0.0: told.append(stage), steps=150)
    skin = torch.unique(body.surface.collision_faces)
    apart = (vertices_of(body, dict(fit.parameters)) - vertices_of(body, true))[:, skin].norm(dim=-1)
    assert apart.mean() < 0.003
    assert fit.after_m.max() < 0.0015 < fit.before_m.min()
    assert told
    assert set(told) == {"fitting to the mesh"}


def test_a_skin_that_is_grown_by_a_centimetre_is_a_centimetre_away(body: AnnyBody):
    """Both ways, up to where the skin is curved."""
    true = somebody(body)
    vertices = vertices_of(body, true)[0].double().numpy()
    faces = body.surface.collision_faces.numpy()
    grown = target_mesh(vertices + 0.01 * vertex_normals(vertices, faces), faces, "grown")
    assert float(Matching(body, [grown]).distance(true)) == pytest.approx(0.01, abs=0.0015)
    assert float(Matching(body, [mesh_of(body, true)]).distance(true)) < 1e-5


def test_of_all_starts_the_nearest_faces_the_right_way(body: AnnyBody):
    true = default_parameters(body.parameter_spec, (1,))
    for quarter in range(4):
        true["orientation"][0, 1] = quarter * torch.pi / 2
        matching = Matching(body, [mesh_of(body, true)])
        starts = possible_starts(body, matching.points, 1)
        turned = starts["orientation"][0, 0] - true["orientation"][0]
        assert turned.abs().max() < 1e-5
        assert (starts["translation"][0, 0] - true["translation"][0]).norm() < 0.03


def test_a_small_mesh_makes_an_adult_start_a_child_and_a_start_of_the_right_size_is_left(body: AnnyBody):
    age = body.parameter_spec["shape"].names.index("age")
    adult, child = default_parameters(body.parameter_spec, (1,)), default_parameters(body.parameter_spec, (1,))
    child["shape"][0, age] = -1.2
    points = Matching(body, [mesh_of(body, child)]).points
    assert placed(body, adult, points)["shape"][0, age] == pytest.approx(-1.0)
    assert torch.equal(placed(body, child, points)["shape"], child["shape"])
    moved = placed(body, {**child, "translation": child["translation"] + 1.0}, points)
    assert (moved["translation"] - child["translation"]).norm() < 0.03


def test_a_body_of_smplx_layout_comes_nearer_to_annys_mesh_from_its_angles(body: AnnyBody, body64: AnnyBody):
    like = SmplxBody(anny_asset(body64))
    true = somebody(body, seed=2)
    start = {**true, "shape": default_parameters(like.parameter_spec, (1,))["shape"]}
    fit = fit_meshes(like, [mesh_of(body, true)], start, steps=40)
    assert fit.after_m.max() < 0.5 * fit.before_m.min()
    assert fit.after_m.max() < 0.006
    assert fit.parameters["shape"].shape == (1, 11)


def test_the_sampled_points_lie_on_the_mesh_and_are_spread_by_area():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], np.float64)
    faces = np.array([[0, 1, 2], [3, 2, 1], [0, 2, 4]])
    points, normals = TargetMesh(vertices, faces).spread(3000)
    flat = np.abs(points[:, 2]) < 1e-12
    assert flat.mean() == pytest.approx(2 / 3, abs=0.01)
    assert np.allclose(normals[flat], [0, 0, 1])
    assert points[flat].mean(0) == pytest.approx([0.5, 0.5, 0.0], abs=0.02)


def box(size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64) * size
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


def test_a_mesh_that_is_inside_out_is_turned():
    vertices, faces = box()
    right, wrong = target_mesh(vertices, faces, "box"), target_mesh(vertices, faces[:, ::-1], "box")
    for mesh in (right, wrong):
        points, normals = mesh.spread(100)
        assert (((points - 0.5) * normals).sum(1) > 0).all()


@pytest.mark.parametrize(
    ("size", "remedy"),
    [
        (170.0, "by 0.01"),
        (1700.0, "by 0.001"),
        (70.0, "centimetres (by 0.01) or inches (by 0.0254)"),
        (0.017, "by 100"),
        (5.0, "scale"),
    ],
)
def test_a_mesh_in_other_units_is_refused_with_the_factor(size: float, remedy: str):
    with pytest.raises(InputError) as error:
        target_mesh(*box(size), "giant.obj")
    assert remedy in str(error.value.remedy)
    assert error.value.where == "giant.obj"


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda v, f: (np.where(v > 0.5, np.nan, v), f), "NaN"),
        (lambda v, f: (v, f + 3), "3 to 10"),
        (lambda v, f: (v[:, :2], f), "(8, 2)"),
        (lambda v, f: (v, f[:0]), "(0, 3)"),
        (lambda v, f: (v, f * 0), "0"),
    ],
)
def test_what_is_no_mesh_is_refused(change, got: str):
    with pytest.raises(InputError) as error:
        target_mesh(*change(*box()), "x")
    assert got in str(error.value.got)


@pytest.mark.parametrize("wrong", ["count", "name", "size", "nan"])
def test_a_start_of_another_body_or_number_is_refused(body: AnnyBody, wrong: str):
    start = default_parameters(body.parameter_spec, (2 if wrong == "count" else 1,))
    if wrong == "name":
        del start["shape"]
    if wrong == "size":
        start["shape"] = torch.zeros(1, 11)
    if wrong == "nan":
        start["pose"][0, 3] = torch.nan
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_meshes(body, [mesh_of(body, somebody(body))], start)


def test_no_mesh_at_all_is_refused(body: AnnyBody):
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_meshes(body, [])
