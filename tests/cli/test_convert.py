"""`apu convert`: rotations become a body in the camera frame, meshes are fitted, nothing that exists is replaced."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "body"))
from synthetic_smplx import anny_asset

from apu.body.anny import AnnyBody
from apu.body.mesh_matching import Matching
from apu.body.mesh_starts import placed
from apu.body.mesh_to_body import MeshFit
from apu.body.protocol import Parts, default_parameters
from apu.body.smpl_file import read_smpl
from apu.body.smpl_rotations import smpl_rotations_to_pose
from apu.body.smplx import SmplxBody
from apu.cli import convert_run


def smplx_file(path: Path, **more) -> Path:
    np.savez(path, global_orient=np.zeros((1, 3)), body_pose=np.zeros((1, 63)), transl=np.array([[0, 0.35, 0]]), **more)
    return path


def test_smplx_with_y_up_becomes_somebody_who_stands_in_the_camera_frame(run, tmp_path: Path):
    smplx_file(tmp_path / "x.npz")
    result = run("convert", "x.npz", "--to", "anny", "--out", "a.npz")
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "a.npz") as found:
        assert str(found["body_model"]).startswith("anny-")
        nose, heel = found["joints_body25"][0, 0], found["joints_body25"][0, 21]
        assert heel[1] - nose[1] > 1.3  # y down
        assert nose[2] < heel[2]  # faces the camera
        assert np.abs(found["param_orientation"]).max() < 1e-5
        assert found["vertices"].shape[1] > found["faces"].max()
        assert len(found["param_names_pose"]) == 47


def test_a_file_in_a_cameras_frame_says_so_itself_and_up_overrules_it(run, tmp_path: Path):
    smplx_file(tmp_path / "x.npz", frame="camera: x right, y down, z forward, metres")
    for name, options in (("a", ()), ("b", ("--up", "-y")), ("c", ("--up", "y"))):
        assert run("convert", "x.npz", "--to", "anny", "--out", f"{name}.npz", *options).exit_code == 0
    turns = [np.linalg.norm(np.load(tmp_path / f"{name}.npz")["param_orientation"]) for name in "abc"]
    assert turns == pytest.approx([np.pi, np.pi, 0], abs=1e-4)


def test_a_mesh_is_fitted_with_y_up_and_the_distances_are_told(run, tmp_path: Path, monkeypatch, body: AnnyBody):
    import trimesh

    trimesh.creation.cylinder(0.2, 1.7, sections=12).apply_translation([0, 3, 0]).export(tmp_path / "one.ply")
    seen = []

    def fit(body, targets, start, progress):
        seen.append((targets, start))
        p = default_parameters(body.parameter_spec, (len(targets),))
        return MeshFit(p, torch.tensor([0.05]), torch.tensor([0.004]), 9, torch.tensor([False]))

    monkeypatch.setattr(convert_run, "fit_meshes", fit)
    result = run("convert", "one.ply", "--to", "anny", "--out", "a.npz")
    assert result.exit_code == 0, result.output
    assert "50.0 mm -> 4.0 mm" in result.output
    assert "not converged in 9 steps" in result.output
    ((targets, start),) = seen
    assert start is None
    assert targets[0].vertices[:, 1].mean() == pytest.approx(-3.0)
    assert np.load(tmp_path / "a.npz")["distance_m"].tolist() == pytest.approx([0.004])


def test_smpl_with_its_two_hands_has_its_own_pelvis(run, tmp_path: Path):
    """Its template's pelvis lies 13 cm higher than that of SMPL-X, so the same `transl` puts it there."""
    smplx_file(tmp_path / "x.npz")
    np.savez(tmp_path / "s.npz", global_orient=np.zeros((1, 3)), body_pose=np.zeros((1, 69)), transl=[[0, 0.35, 0]])
    for name in "xs":
        assert run("convert", f"{name}.npz", "--to", "anny", "--out", f"{name}_anny.npz").exit_code == 0
    x, s = (np.load(tmp_path / f"{name}_anny.npz")["param_translation"][0] for name in "xs")
    assert s - x == pytest.approx([-0.005, -0.128, -0.016], abs=1e-6)  # camera: y down


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing.obj", "--to", "anny", "--out", "a.npz"), "no such file"),
        (("x.npz", "--to", "anny", "--out", "a.glb"), "writes an npz file"),
        (("x.npz", "--to", "anny", "--out", "x.npz"), "--overwrite"),
        (("x.npz", "--to", "smplx", "--out", "a.npz"), "register"),
        (("x.npz", "--to", "mannequin", "--out", "a.npz"), "mannequin"),
    ],
)
def test_a_wrong_request_is_told_before_anything_is_loaded(run, tmp_path: Path, monkeypatch, arguments, told: str):
    monkeypatch.delenv("APU_SMPLX", raising=False)
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path / "config"))
    smplx_file(tmp_path / "x.npz")
    result = run("convert", *arguments)
    assert result.exit_code != 0
    assert told in result.output
    assert not (tmp_path / "a.npz").exists()


@pytest.fixture
def with_smplx(monkeypatch, body: AnnyBody) -> SmplxBody:
    """The synthetic body, in a T-pose, where the user's SMPL-X would be; and a fit that hands back its start."""
    still = torch.zeros(1, 22, 3)
    t_pose = smpl_rotations_to_pose(body, still[:, 0], still[:, 1:])["pose"][0]
    angles = dict(zip(body.parameter_spec["pose"].names, t_pose.tolist(), strict=True))
    like = SmplxBody(anny_asset(AnnyBody(body.asset, torch.float64), angles))
    bodies = {"smplx": like, "anny": body}
    monkeypatch.setattr(convert_run, "load_body", lambda kind, file=None, progress=None: bodies[kind])
    monkeypatch.setattr("apu.cli.convert.find_smplx", lambda place: None)

    def fit(body, targets, start, progress):
        before = Matching(body, targets).distance(placed(body, start, Matching(body, targets).points))
        return MeshFit(start, before, before, 0, torch.ones(len(targets), dtype=torch.bool))

    monkeypatch.setattr(convert_run, "fit_meshes", fit)
    return like


def test_with_the_users_smplx_file_the_start_lies_in_the_mesh_that_its_parameters_make(run, tmp_path, with_smplx):
    """In a pose of one raised arm and turned, so that a wrong frame or a swapped side would show."""
    people = default_parameters(with_smplx.parameter_spec, (1,))
    people["orientation"][0] = torch.tensor([0.1, 0.8, 0.0])
    people["pose"][0, with_smplx.parameter_spec["pose"].names.index("left_shoulder_abduction")] = 1.2
    told = with_smplx.to_smplx(people)
    told.pop("kid_weight")
    np.savez(tmp_path / "x.npz", frame="camera", **{k: v.numpy() for k, v in told.items()})
    result = run("convert", "x.npz", "--to", "anny", "--body-file", ".", "--out", "a.npz")
    assert result.exit_code == 0, result.output
    assert float(np.load(tmp_path / "a.npz")["start_distance_m"][0]) < 0.015


@pytest.mark.parametrize("age", [0.9, -1.0])
def test_the_users_model_gives_adults_and_children_the_meshes_that_they_had(tmp_path, with_smplx, age: float):
    people = default_parameters(with_smplx.parameter_spec, (1,))
    people["shape"][0] = torch.linspace(-1, 1, 11)
    people["shape"][0, 10] = age
    np.savez(tmp_path / "x.npz", **{k: v.numpy() for k, v in with_smplx.to_smplx(people).items()})
    (mesh,) = convert_run._smplx_meshes(tmp_path / "x.npz", read_smpl(tmp_path / "x.npz"), tmp_path, level=False)
    expected = with_smplx.forward(people, Parts(vertices="all")).vertices
    assert expected is not None
    assert np.abs(mesh.vertices - expected[0].numpy()).max() < 1e-4


def test_a_pair_of_anny_becomes_smplx_by_the_same_angles_and_smplx_numbers_are_written(
    run, tmp_path, monkeypatch, with_smplx, body: AnnyBody
):
    people = default_parameters(body.parameter_spec, (2,))
    people["orientation"][1, 1] = 2.0
    posed = body.forward(people, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    surface = body.surface
    np.savez(
        tmp_path / "pair.npz", schema_version=1, body_model=body.name, vertices=posed.vertices.numpy(),
        faces=surface.faces.numpy(), collision_faces=surface.collision_faces.numpy(),
        regions=surface.region_of_vertex.numpy(), region_names=np.array(surface.region_names),
        joints_body25=posed.joints.numpy(), **{f"param_{k}": v.numpy() for k, v in people.items()},
    )  # fmt: skip
    result = run("convert", "pair.npz", "--to", "smplx", "--out", "s.npz")
    assert result.exit_code == 0, result.output
    assert "A: " in result.output
    assert "B: " in result.output
    with np.load(tmp_path / "s.npz") as found:
        assert (found["start_distance_m"] < 0.02).all()
        assert found["body_pose"].shape == (2, 63)
        assert found["betas"].shape == (2, 10)
        assert found["param_pose"] == pytest.approx(people["pose"].numpy())
    turned = run("convert", "pair.npz", "--to", "smplx", "--out", "t.npz", "--up", "y")
    assert turned.exit_code == 2
    assert "lies in its camera's frame" in turned.output
    again = run("convert", "pair.npz", "--to", "anny", "--out", "a.npz")
    assert again.exit_code != 0
    assert "already" in again.output
