"""`apu export` from end to end: real bodies in a result folder, every format opened by another reader."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).parents[1] / "show"))
sys.path.insert(0, str(Path(__file__).parents[1] / "body"))
from independent_readers import bvh_joints, skinned_meshes
from synthetic_smplx import anny_asset
from test_skinned_glb import TO_GLTF, two_people

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.body.smplx import SmplxBody
from apu.body.smplx_asset import SMPLX_JOINTS
from apu.cli.export_run import body_named
from apu.dataset.store import PairStore
from apu.show.arrays import write_npz
from apu.show.files import contacts_record, write_json
from apu.show.palette import BODY_COLORS, CONTACT_COLORS

FIXTURE = Path(__file__).parents[1] / "dataset" / "fixture_pairs"


@pytest.fixture
def stored(tmp_path: Path, body: AnnyBody, fitted) -> Path:
    """A result folder with a pair of Anny bodies; what else would be in it is left out."""
    people = two_people(body)
    posed = body.forward(people, Parts("body25", "all"))
    pair = fitted.pairs[0]
    fit = replace(
        pair.fit,
        body_model=body.name,
        parameters=people,
        vertices=posed.vertices,
        joints=posed.joints,
        first_vertices=posed.vertices,
    )
    folder = tmp_path / "hug_apu"
    folder.mkdir()
    write_npz(folder / "pair.npz", pair.observation, fit, body.surface, body.parameter_spec)
    write_json(folder / "contacts.json", contacts_record(pair.observation, fit))
    return folder


@pytest.fixture
def vertices(stored: Path) -> np.ndarray:
    """(2, v, 3) y up."""
    return np.load(stored / "pair.npz")["vertices"] * TO_GLTF


def changed(folder: Path, **arrays) -> None:
    """Write the pair again with other arrays; None leaves one out."""
    kept = dict(np.load(folder / "pair.npz")) | arrays
    np.savez(folder / "pair.npz", **{name: value for name, value in kept.items() if value is not None})


def test_meshes_are_the_fitted_ones_in_every_mesh_format(run, stored: Path, vertices):
    result = run("export", str(stored), "--format", "glb", "--format", "obj", "--format", "ply")
    assert result.exit_code == 0, result.output
    scene = trimesh.load_scene(stored / "meshes.glb", process=False)
    for person, name in enumerate("AB"):
        assert np.abs(scene.geometry[name].vertices - vertices[person]).max() < 1e-6
        for form in ("obj", "ply"):
            mesh = trimesh.load_mesh(stored / f"{name}.{form}", process=False, maintain_order=True)
            assert np.abs(mesh.vertices - vertices[person]).max() < 1e-5
            assert np.array_equal(mesh.faces, np.load(stored / "pair.npz")["faces"])


def test_ply_colours_are_the_persons_and_the_contacts(run, stored: Path):
    run("export", str(stored), "--format", "ply")
    arrays = np.load(stored / "pair.npz")
    painted = ({"left_hand_palm", "left_head_front"}, {"right_upper_back", "right_head_back"})
    for person, name in enumerate("AB"):
        found = trimesh.load_mesh(stored / f"{name}.ply", process=False).visual.vertex_colors[:, :3] / 255
        touched = np.isin(arrays["region_names"][arrays["regions"]], list(painted[person]))
        assert touched.any()
        expected = np.where(touched[:, None], CONTACT_COLORS[person], BODY_COLORS[person])
        assert np.abs(found - expected).max() < 0.003


@pytest.mark.parametrize("rig", ["own", "mixamo", "game-engine"])
def test_the_skinned_meshes_and_the_printed_distance_are_right(run, stored: Path, vertices, rig: str):
    result = run("export", str(stored), "--format", "fbx-ready-glb", "--rig", rig)
    assert result.exit_code == 0, result.output
    name = "skinned.glb" if rig == "own" else f"skinned_{rig.replace('-', '_')}.glb"
    posed = np.stack([mesh.posed for mesh in skinned_meshes(stored / name)])
    apart = np.linalg.norm(posed - vertices, axis=2) * 1e3
    assert f"{apart.mean():.2f} mm from the fit on average, {apart.max():.1f} mm at most" in result.output
    assert apart.mean() < 0.5


def test_bvh_arrays_and_skinned_mesh_agree_on_the_skeleton(run, stored: Path):
    result = run("export", str(stored), "--format", "bvh", "--format", "npz", "--format", "skinned-glb")
    assert result.exit_code == 0, result.output
    arrays = np.load(stored / "arrays.npz", allow_pickle=False)
    for person, mesh in enumerate(skinned_meshes(stored / "skinned.glb")):
        expected = arrays["bone_positions"][person] * TO_GLTF
        joints, _ = bvh_joints(stored / f"{'AB'[person]}.bvh")
        assert mesh.joints == list(arrays["bone_names"]) == list(joints)
        assert np.abs(np.stack(list(joints.values())) / 100 - expected).max() < 1e-4
        assert np.abs(mesh.joint_positions - expected).max() < 1e-5


def test_the_arrays_skin_themselves_and_keep_what_pair_npz_has(run, stored: Path):
    run("export", str(stored), "--format", "npz")
    arrays, pair = (np.load(stored / name, allow_pickle=False) for name in ("arrays.npz", "pair.npz"))
    for key in ("vertices", "faces", "regions", "param_pose", "param_names_pose", "focal_px", "heights_m", "people"):
        assert np.array_equal(arrays[key], pair[key]), key
    for person in (0, 1):
        turn, at = arrays["bone_rotations"][person], arrays["bone_positions"][person]
        steps = arrays["rest_vertices"][person][:, None] - arrays["rest_bone_positions"][person][None]
        moved = np.einsum("bij,vbj->vbi", turn, steps) + at
        skinned = (arrays["skinning_weights"][..., None] * moved).sum(1)
        assert np.abs(skinned - pair["vertices"][person]).max() < 1e-5


def test_smplx_parameters_have_the_fields_sizes_and_point_where_the_body_does(run, stored: Path, body: AnnyBody):
    assert run("export", str(stored), "--format", "smplx").exit_code == 0
    sizes = {"global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45, "jaw_pose": 3,
             "leye_pose": 3, "reye_pose": 3, "betas": 10, "expression": 10, "transl": 3}  # fmt: skip
    joints = np.load(stored / "pair.npz")["joints_body25"]
    for person, name in enumerate("AB"):
        found = np.load(stored / f"{name}_smplx.npz", allow_pickle=False)
        assert {key: found[key].size for key in sizes} == sizes
        assert found["gender"] == "neutral"
        assert "betas are zero" in str(found["note"])
        assert not found["betas"].any()
        hips, neck = joints[person, 8], joints[person, 1]
        assert 0.03 < np.linalg.norm(found["pelvis"] - hips) < 0.15
        assert np.allclose(found["transl"] + [0.003, -0.351, 0.012], found["pelvis"], atol=1e-6)
        up = trimesh.transformations.rotation_matrix(np.linalg.norm(found["global_orient"]), found["global_orient"])[
            :3, 1
        ]
        assert up @ (found["pelvis"] - hips) > 0
        assert up @ (neck - hips) > 0
        knee = SMPLX_JOINTS.index("left_knee") - 1
        bend = np.linalg.norm(found["body_pose"].reshape(-1, 3)[knee])
        angle = body.parameter_spec["pose"].names.index("left_knee_flexion")
        assert abs(bend - abs(np.load(stored / "pair.npz")["param_pose"][person, angle])) < 0.35


def test_smplx_parameters_are_converted_back_to_the_same_facing_and_hips(run, stored: Path, tmp_path: Path):
    assert run("export", str(stored), "--format", "smplx").exit_code == 0
    pair = np.load(stored / "pair.npz")
    for person, name in enumerate("AB"):
        result = run("convert", str(stored / f"{name}_smplx.npz"), "--to", "anny", "--out", f"{name}.npz")
        assert result.exit_code == 0, result.output
        again = np.load(tmp_path / f"{name}.npz")
        turns = [Rotation.from_rotvec(a["param_orientation"].reshape(-1, 3)) for a in (again, pair)]
        assert (turns[0][0].inv() * turns[1][person]).magnitude() < 1e-4
        assert np.linalg.norm(again["joints_body25"][0, 8] - pair["joints_body25"][person, 8]) < 1e-3


def test_a_pair_of_a_data_set_is_exported_by_its_id(run, tmp_path: Path, body: AnnyBody):
    record = next(PairStore(FIXTURE).records())
    before = sorted(FIXTURE.iterdir())
    result = run("export", str(FIXTURE), "--record", record.id, "--format", "ply", "--format", "bvh", "--out", "pair")
    assert result.exit_code == 0, result.output
    assert sorted(FIXTURE.iterdir()) == before
    parameters = {name: torch.tensor(value) for name, value in record.parameters.items()}
    expected = body.forward(parameters, Parts(vertices="all")).vertices.numpy() * TO_GLTF
    found = trimesh.load_mesh(tmp_path / "pair" / "B.ply", process=False)
    assert np.abs(found.vertices - expected[1]).max() < 1e-5
    assert len(np.unique(found.visual.vertex_colors, axis=0)) == 2


def test_a_record_needs_a_folder_of_its_own(run):
    result = run("export", str(FIXTURE), "--record", "x", "--format", "ply")
    assert result.exit_code == 2
    assert "--out" in result.output


def test_nothing_that_exists_is_replaced_unless_told_to_and_nothing_is_written_before(run, stored: Path):
    (stored / "B.ply").write_text("mine")
    result = run("export", str(stored), "--format", "ply", "--format", "bvh")
    assert result.exit_code == 2
    assert "B.ply" in result.output
    assert "--overwrite" in result.output
    assert sorted(p.name for p in stored.iterdir()) == ["B.ply", "contacts.json", "pair.npz"]
    assert run("export", str(stored), "--format", "ply", "--overwrite").exit_code == 0
    assert (stored / "B.ply").read_bytes().startswith(b"ply")


def test_an_output_that_is_a_link_is_replaced_and_what_it_leads_to_stays(run, stored: Path, tmp_path: Path):
    (tmp_path / "precious").write_text("mine")
    (stored / "A.ply").symlink_to(tmp_path / "precious")
    assert run("export", str(stored), "--format", "ply").exit_code == 2
    assert run("export", str(stored), "--format", "ply", "--overwrite").exit_code == 0
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (stored / "A.ply").is_symlink()


def test_an_out_that_is_a_file_is_refused(run, stored: Path, tmp_path: Path):
    (tmp_path / "taken").write_text("mine")
    result = run("export", str(stored), "--format", "ply", "--out", "taken", "--overwrite")
    assert result.exit_code == 2
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_of_several_pairs_names_them(run, stored: Path):
    for name in ("pair_0_1", "pair_2_1"):
        (stored / name).mkdir()
        (stored / name / "pair.npz").write_bytes((stored / "pair.npz").read_bytes())
    (stored / "pair.npz").unlink()
    result = run("export", str(stored), "--format", "ply")
    assert result.exit_code == 2
    assert "pair_0_1, pair_2_1" in result.output
    assert run("export", str(stored / "pair_0_1"), "--format", "ply").exit_code == 0


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("nothing", "no such file"),
        ("empty", "without pair.npz"),
        ("damaged", "is damaged"),
        ("pickle", "not read"),
        ("link", "leads out"),
        ("linked contacts", "leads out"),
        ("bad contacts", "contact file"),
        ("no vertices", "vertices"),
        ("nan", "finite"),
        ("faces", "from 0 to"),
        ("version", "schema_version"),
        ("version text", "schema_version"),
        ("model", "another body model"),
        ("parameters", "param_pose"),
        ("moved", "not those of its parameters"),
    ],
)
def test_a_bad_pair_is_refused_in_words(run, stored: Path, tmp_path: Path, case: str, told: str):
    place, npz = stored, stored / "pair.npz"
    arrays = dict(np.load(npz))
    if case == "nothing":
        place = tmp_path / "nowhere"
    elif case == "empty":
        npz.unlink()
    elif case == "damaged":
        npz.write_bytes(npz.read_bytes()[:5000])
    elif case == "pickle":
        changed(stored, vertices=np.array([print], dtype=object))
    elif case in ("link", "linked contacts"):
        file = npz if case == "link" else stored / "contacts.json"
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif case == "bad contacts":
        (stored / "contacts.json").write_text("{")
    else:
        vertices = arrays["vertices"].copy()
        vertices[0, 7, 1] = np.nan
        changed(stored, **{
            "no vertices": {"vertices": None},
            "nan": {"vertices": vertices},
            "faces": {"faces": arrays["faces"] + 1},
            "version": {"schema_version": np.array(2)},
            "version text": {"schema_version": np.array("one")},
            "model": {"body_model": np.array("anny-0.1")},
            "parameters": {"param_pose": arrays["param_pose"][:, :40]},
            "moved": {"vertices": arrays["vertices"] + 0.01},
        }[case])  # fmt: skip
    result = run("export", str(place), "--format", "bvh")
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert "remedy" in result.output
    assert not list(tmp_path.rglob("*.bvh"))


def test_objects_in_a_pair_never_become_a_pickle_in_an_export(run, stored: Path):
    changed(stored, photo=np.array({"a": 1}, dtype=object))
    assert run("export", str(stored), "--format", "npz").exit_code == 0
    with np.load(stored / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "fiuU" for name in arrays.files)


def test_a_link_that_the_user_names_is_followed(run, stored: Path, tmp_path: Path):
    (tmp_path / "named.npz").symlink_to(stored / "pair.npz")
    result = run("export", str(tmp_path / "named.npz"), "--format", "ply", "--out", "there")
    assert result.exit_code == 0, result.output


def test_mesh_formats_need_no_body_model(run, stored: Path):
    changed(stored, body_model=np.array("smplx-0123456789ab"))
    assert run("export", str(stored), "--format", "ply", "--format", "glb").exit_code == 0


def test_an_unknown_format_and_a_slip_of_the_pen_are_told(run, stored: Path):
    result = run("export", str(stored), "--format", "fbx")
    assert result.exit_code == 2
    assert "fbx-ready-glb" in result.output
    assert "--overwrite" in run("export", str(stored), "--format", "ply", "--force").output


@pytest.fixture
def smplx(tmp_path: Path, body: AnnyBody, fitted, monkeypatch: pytest.MonkeyPatch) -> tuple[SmplxBody, Path]:
    """A synthetic body of SMPL-X's layout (Anny's skin on 55 joints), and a result folder with a pair of it."""
    model = SmplxBody(anny_asset(AnnyBody(body.asset, torch.float64)))
    monkeypatch.setattr("apu.cli.export_run.load_body", lambda kind: {"smplx": model, "anny": body}[kind])
    people = two_people(body)
    people["shape"] = torch.zeros(2, model.parameter_spec["shape"].size)
    posed = model.forward(people, Parts("body25", "all"))
    fit = replace(
        fitted.pairs[0].fit,
        body_model=model.name,
        parameters=people,
        vertices=posed.vertices,
        joints=posed.joints,
        first_vertices=posed.vertices,
    )
    folder = tmp_path / "smplx_apu"
    folder.mkdir()
    surface = replace(body.surface, faces=model.asset.faces, collision_faces=model.asset.faces)
    write_npz(folder / "pair.npz", fitted.pairs[0].observation, fit, surface, model.parameter_spec)
    return model, folder


def test_smplx_parameters_of_an_smplx_fit_give_back_its_vertices(run, smplx):
    model, folder = smplx
    result = run("export", str(folder), "--format", "smplx")
    assert result.exit_code == 0, result.output
    vertices = np.load(folder / "pair.npz")["vertices"]
    for person, name in enumerate("AB"):
        found = np.load(folder / f"{name}_smplx.npz", allow_pickle=False)
        own = {k: torch.from_numpy(found[k])[None] for k in found if found[k].ndim == 1}
        assert np.abs(model.skinned(own)[0][0].numpy() - vertices[person]).max() < 1e-4


def test_an_smplx_fit_is_skinned_on_its_own_joints_whose_places_bvh_and_body25_share(run, smplx):
    _, folder = smplx
    result = run("export", str(folder), "--format", "skinned-glb", "--format", "bvh")
    assert result.exit_code == 0, result.output
    pair = np.load(folder / "pair.npz")
    for person, mesh in enumerate(skinned_meshes(folder / "skinned.glb")):
        assert np.linalg.norm(mesh.posed - pair["vertices"][person] * TO_GLTF, axis=1).mean() < 1e-3
        joints, _ = bvh_joints(folder / f"{'AB'[person]}.bvh")
        for number, name in {3: "right_elbow", 4: "right_wrist", 10: "right_knee", 14: "left_ankle"}.items():
            expected = pair["joints_body25"][person, number] * TO_GLTF
            assert np.abs(joints[name] / 100 - expected).max() < 1e-4


def test_other_skeletons_are_refused_for_other_bodies(run, smplx):
    result = run("export", str(smplx[1]), "--format", "bvh", "--rig", "mixamo")
    assert result.exit_code == 2
    assert "Anny body only" in result.output
    assert "remedy" in result.output


def test_the_body_is_found_by_its_name(body: AnnyBody):
    assert body_named(body.name, "here").name == body.name
