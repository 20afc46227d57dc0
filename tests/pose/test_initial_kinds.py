"""Estimates of other programs: each convention leads to the same bodies, and nothing else is taken for an estimate."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimate_scenes import (
    HEIGHT,
    HIPS,
    LIMBS,
    NAMES,
    SMPL45,
    SMPLX127,
    WIDTH,
    Scene,
    anny_bones,
    hmr2_batch,
    multi_hmr_people,
    people_of_smpl,
    posed_smpl,
    sam3d_records,
    scene,
    sixty_degrees,
    spread,
)

from apu.body.anny import AnnyBody
from apu.body.smpl_rotations import SMPL_PELVIS_M, SMPLX_PELVIS_M, t_pose_joints
from apu.errors import InputError
from apu.pose.initial import initial_bodies
from apu.pose.initial_kinds import read_estimates
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody

CAMERA = Camera.of_image(WIDTH, HEIGHT)
NARROW = Camera.of_image(WIDTH, HEIGHT, focal_px=900.0)
HMR2_FOCAL = 5000 / 256 * max(WIDTH, HEIGHT)
T_POSE = t_pose_joints().numpy()[:22]


def saved(path: Path, content: Any) -> Path:
    """Content in the container that the name's ending asks for."""
    if path.suffix == ".npz":
        named = content if isinstance(content, dict) else {"people": np.array(content, object)}
        np.savez(path, **{name: np.asarray(value, object if value is None else None) for name, value in named.items()})
    elif path.suffix == ".npy":
        np.save(path, np.array(content, object), allow_pickle=True)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


def joints_of(body: AnnyBody, initial: InitialBody) -> np.ndarray:
    parameters = {name: value[None] for name, value in initial.parameters.items()}
    return body.joints_and_jacobian(parameters, "body25", shape=False)[0][0].double().numpy()


def check_agrees(body: AnnyBody, one: Scene, path: Path, camera: Camera, source: str, bound_m: float = 0.015) -> None:
    """Limbs lie where the truth has them around the hips, and the hips keep their pixel."""
    initial = initial_bodies(path, body, camera, one.people)
    assert sorted(initial) == [0, 1, 2]
    for index, body_found in initial.items():
        assert body_found.source == source
        mine, truth = joints_of(body, body_found), one.joints[index]
        hips, true_hips = mine[HIPS].mean(0), truth[HIPS].mean(0)
        apart = np.linalg.norm((mine - hips) - (truth - true_hips), axis=1)[LIMBS]
        assert apart.mean() < bound_m
        pixel = hips[:2] / hips[2] * camera.focal_px + [WIDTH / 2, HEIGHT / 2]
        true_pixel = true_hips[:2] / true_hips[2] * one.focal_px + [WIDTH / 2, HEIGHT / 2]
        assert np.abs(pixel - true_pixel).max() < 0.02 * camera.focal_px / hips[2]
        assert abs(hips[2] - true_hips[2] * camera.focal_px / one.focal_px) < 0.02


# ---- every convention


@pytest.mark.parametrize(("ending", "camera"), [(".npz", CAMERA), (".npy", NARROW), (".pkl", NARROW)])
def test_sam_3d_body_people_stand_where_they_stood(ending: str, camera: Camera, body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0)
    check_agrees(body, one, saved(tmp_path / f"a{ending}", sam3d_records(one)), camera, "sam-3d-body")


def test_sam_3d_body_is_read_from_a_folder_with_a_file_per_person(body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0, seed=1)
    for i, record in enumerate(sam3d_records(one)):
        record.pop("mask")
        saved(tmp_path / f"hug_{i}.npz", record)
    (tmp_path / "hug_0.png").write_bytes(b"\x89PNG")
    check_agrees(body, one, tmp_path, CAMERA, "sam-3d-body")


@pytest.mark.parametrize("key", ["focal_length", "pred_keypoints_2d"])
def test_sam_3d_body_gives_the_same_camera_by_its_focal_length_and_by_its_pixels(key, body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0)
    records = [{k: v for k, v in record.items() if k != key} for record in sam3d_records(one)]
    found = read_estimates(saved(tmp_path / "a.pkl", records), CAMERA)
    assert [person.camera.focal_px for person in found] == pytest.approx([800.0] * 3, rel=1e-3)
    check_agrees(body, one, tmp_path / "a.pkl", CAMERA, "sam-3d-body")


def test_centimetres_are_read_when_the_file_says_so(body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0)
    records = [{**record, "units": "cm"} for record in sam3d_records(one, scale=100.0)]
    check_agrees(body, one, saved(tmp_path / "a.pkl", records), CAMERA, "sam-3d-body")


@pytest.mark.parametrize(("focal_px", "half"), [(sixty_degrees(WIDTH), False), (700.0, True)])
def test_multi_hmr_people_stand_where_they_stood(focal_px: float, half: bool, body: AnnyBody, tmp_path: Path):
    one = scene(body, focal_px)
    path = saved(tmp_path / "a.pkl", multi_hmr_people(one, SMPLX127, half=half))
    assert read_estimates(path, CAMERA)[0].camera.focal_px == pytest.approx(focal_px, rel=0.01 if half else 1e-4)
    check_agrees(body, one, path, CAMERA, "multi-hmr")


def test_multi_hmr_without_pixels_has_a_field_of_view_of_60_degrees(body: AnnyBody, tmp_path: Path):
    one = scene(body, sixty_degrees(WIDTH))
    people = [{k: v for k, v in p.items() if k != "j2d"} for p in multi_hmr_people(one, SMPLX127)]
    check_agrees(body, one, saved(tmp_path / "a.npz", people), NARROW, "multi-hmr")


def test_multi_hmr_with_the_bones_of_anny_is_read_by_the_order_of_annys_own_rig(body: AnnyBody, tmp_path: Path):
    one = scene(body, 700.0)
    k = np.array([[700.0 * 896 / WIDTH, 0, 448], [0, 700.0 * 896 / WIDTH, 448], [0, 0, 1]], np.float32)
    people = [{**p, "K": k} for p in multi_hmr_people(one, anny_bones())]
    check_agrees(body, one, saved(tmp_path / "a.pkl", people), CAMERA, "multi-hmr", 0.02)


@pytest.mark.parametrize("camera", [CAMERA, NARROW], ids=["60 degrees", "narrow"])
def test_people_in_crops_of_4d_humans_come_to_their_place_in_the_photo(camera, body: AnnyBody, tmp_path: Path):
    one = scene(body, HMR2_FOCAL, depth=22.0)
    check_agrees(body, one, saved(tmp_path / "a.npz", hmr2_batch(one)), camera, "4d-humans")


def test_batches_of_4d_humans_in_a_list_are_one_photo(body: AnnyBody, tmp_path: Path):
    one = scene(body, HMR2_FOCAL, depth=22.0)
    whole = hmr2_batch(one)
    batches = [{k: v[:2] for k, v in whole.items()}, {k: v[2:] for k, v in whole.items()}]
    check_agrees(body, one, saved(tmp_path / "a.pkl", batches), CAMERA, "4d-humans")


@pytest.mark.parametrize(("order", "size"), [(SMPLX127, 63), (SMPL45, 69)], ids=["smplx", "smpl"])
def test_parameters_with_joints_are_placed_by_the_joints(order, size: int, body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0)
    content = {
        "global_orient": np.zeros((3, 3)), "body_pose": np.zeros((3, size)), "transl": np.ones((3, 3)),
        "joints": spread(one.joints, order, one.joints.mean(1)), "focal_length": np.array(800.0),
    }  # fmt: skip
    check_agrees(body, one, saved(tmp_path / "a.npz", content), CAMERA, "smplx" if size == 63 else "smpl")


def matrices(vectors: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    flat = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    return flat.reshape(*vectors.shape, 3).astype(np.float32)


FORMS: dict[str, Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]] = {
    "vectors": lambda turn, pose: {"global_orient": turn, "body_pose": pose},
    "flat": lambda turn, pose: {"global_orient": turn, "body_pose": pose.reshape(len(pose), -1)},
    "matrices": lambda turn, pose: {"global_orient": matrices(turn)[:, None], "body_pose": matrices(pose)},
}


def check_limbs_point_as(body: AnnyBody, initial: dict[int, InitialBody], joints: np.ndarray) -> None:
    """Thighs, shins, upper arms and forearms of our body point where those of the other do, within 20 degrees."""
    bones = [("hip", "knee", 1, 4), ("knee", "ankle", 4, 7), ("shoulder", "elbow", 16, 18), ("elbow", "wrist", 18, 20)]
    for i, one in initial.items():
        mine = joints_of(body, one)
        angles = []
        for start, end, a, b in bones:
            for k, side in enumerate(("left", "right")):
                u = mine[NAMES.index(f"{side}_{end}")] - mine[NAMES.index(f"{side}_{start}")]
                v = joints[i, b + k] - joints[i, a + k]
                angles.append(np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))))
        assert np.mean(angles) < 8
        assert max(angles) < 25
        hips = joints[i, 1:3].mean(0)
        assert np.linalg.norm(mine[HIPS].mean(0) - hips) < 0.005


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", ["smplx", "smpl"])
def test_rotations_alone_give_the_pose_and_the_pelvis_its_place(model: str, form: str, body: AnnyBody, tmp_path: Path):
    posed = posed_smpl(T_POSE, SMPLX_PELVIS_M if model == "smplx" else SMPL_PELVIS_M)
    pose = posed.body_pose if model == "smplx" else np.pad(posed.body_pose, ((0, 0), (0, 2), (0, 0)))
    content = {**FORMS[form](posed.global_orient, pose), "transl": posed.transl, "betas": np.zeros((3, 10))}
    path = saved(tmp_path / "a.npz", content)
    initial = initial_bodies(path, body, CAMERA, people_of_smpl(posed))
    assert {one.source for one in initial.values()} == {model}
    check_limbs_point_as(body, dict(initial), posed.joints)


def test_one_person_needs_no_axis_of_people(body: AnnyBody, tmp_path: Path):
    posed = posed_smpl(T_POSE, SMPLX_PELVIS_M)
    people = [
        {"global_orient": turn, "body_pose": pose.reshape(-1), "transl": place}
        for turn, pose, place in zip(posed.global_orient, posed.body_pose, posed.transl, strict=True)
    ]
    for i, one in enumerate(people):
        saved(tmp_path / f"{i}.npz", one)
    initial = initial_bodies(tmp_path, body, CAMERA, people_of_smpl(posed))
    assert sorted(initial) == [0, 1, 2]
    check_limbs_point_as(body, dict(initial), posed.joints)


def test_4d_humans_with_rotations_alone_is_placed_by_its_crops(body: AnnyBody, tmp_path: Path):
    posed = posed_smpl(T_POSE, SMPL_PELVIS_M)
    far = HMR2_FOCAL / CAMERA.focal_px
    size, center = np.full(3, 300.0), np.array([[150.0, 250.0], [330.0, 260.0], [480.0, 250.0]])
    s = 2 * HMR2_FOCAL / (posed.transl[:, 2] * far * size)
    origin = posed.transl[:, :2] / posed.transl[:, 2:] * CAMERA.focal_px + [WIDTH / 2, HEIGHT / 2]
    content = {
        "pred_smpl_params": {
            "global_orient": matrices(posed.global_orient)[:, None],
            "body_pose": matrices(np.pad(posed.body_pose, ((0, 0), (0, 2), (0, 0)))),
            "betas": np.zeros((3, 10), np.float32),
        },
        "pred_cam": np.concatenate([s[:, None], (origin - center) / (s * size / 2)[:, None]], 1).astype(np.float32),
        "box_center": center, "box_size": size, "img_size": np.array([[WIDTH, HEIGHT]] * 3),
    }  # fmt: skip
    initial = initial_bodies(saved(tmp_path / "a.pkl", content), body, CAMERA, people_of_smpl(posed))
    assert sorted(initial) == [0, 1, 2]
    for i, one in initial.items():
        assert abs(joints_of(body, one)[HIPS].mean(0)[2] - posed.joints[i, 1:3, 2].mean()) < 0.06


def test_a_pelvis_that_is_5_cm_off_moves_the_body_by_5_cm_and_costs_no_match(body: AnnyBody, tmp_path: Path):
    posed = posed_smpl(T_POSE, SMPLX_PELVIS_M)
    content = {**FORMS["vectors"](posed.global_orient, posed.body_pose), "transl": posed.transl}
    people = people_of_smpl(posed)
    exact = initial_bodies(saved(tmp_path / "a.npz", content), body, CAMERA, people)
    moved = {**content, "transl": posed.transl + np.float32([0, 0.05, 0])}
    off = initial_bodies(saved(tmp_path / "b.npz", moved), body, CAMERA, people)
    assert exact.keys() == off.keys()
    for i in exact:
        shift = joints_of(body, off[i]) - joints_of(body, exact[i])
        assert np.allclose(shift, [0, 0.05, 0], atol=1e-3)


def test_people_are_matched_whatever_their_order_and_strangers_are_left_out(body: AnnyBody, tmp_path: Path):
    one = scene(body, 800.0)
    records = sam3d_records(one)
    path = saved(tmp_path / "a.pkl", [records[2], records[0]])
    initial = initial_bodies(path, body, CAMERA, one.people)
    assert sorted(initial) == [0, 2]
    assert np.linalg.norm(joints_of(body, initial[2])[HIPS].mean(0)[:2] - one.joints[2, HIPS].mean(0)[:2]) < 0.02
    with pytest.raises(InputError) as caught:
        initial_bodies(saved(tmp_path / "b.pkl", [{**records[0], **shifted(records[0])}]), body, CAMERA, one.people)
    assert "0 of 1, with 1 in the file and 3 in the photo" in str(caught.value.got)


def shifted(record: dict[str, Any]) -> dict[str, Any]:
    """The person stands 3 m farther to the right, in space and in the picture."""
    depth = record["pred_cam_t"][2] + record["pred_keypoints_3d"][:, 2]
    moved = record["pred_keypoints_2d"].copy()
    moved[:, 0] += 3 * 800.0 / depth
    return {"pred_cam_t": record["pred_cam_t"] + np.float32([3, 0, 0]), "pred_keypoints_2d": moved}


# ---- what makes no sense


def without(content: Any, *keys: str) -> Any:
    if isinstance(content, list):
        return [without(one, *keys) for one in content]
    return {k: v for k, v in content.items() if k not in keys}


def changed(content: Any, **entries: Any) -> Any:
    first = content[0] if isinstance(content, list) else content
    made = {**first, **{k: v(first[k]) if callable(v) else v for k, v in entries.items()}}
    return [made, *content[1:]] if isinstance(content, list) else made


def smplx_content(one: Scene) -> dict[str, Any]:
    posed = posed_smpl(T_POSE, SMPLX_PELVIS_M)
    return {**FORMS["vectors"](posed.global_orient, posed.body_pose), "transl": posed.transl}


MAKERS: dict[str, Callable[[AnnyBody], Any]] = {
    "sam": lambda body: sam3d_records(scene(body, 800.0)),
    "multi": lambda body: multi_hmr_people(scene(body, 700.0), SMPLX127),
    "hmr2": lambda body: hmr2_batch(scene(body, HMR2_FOCAL, depth=22.0)),
    "smplx": lambda body: smplx_content(scene(body, 800.0)),
}
NAN = float("nan")
WRONG: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "sam: lengths 100 times too long": (
        "sam", lambda c: changed(c, pred_keypoints_3d=lambda v: v * 100, pred_cam_t=lambda v: v * 100), "centimetres",
    ),
    "sam: lengths 100 times too short": (
        "sam", lambda c: changed(c, pred_keypoints_3d=lambda v: v / 100, pred_cam_t=lambda v: v / 100), "units",
    ),
    "sam: joints in other units than the place": (
        "sam", lambda c: changed(c, pred_keypoints_3d=lambda v: v / 100), "different units",
    ),
    "sam: pixels of the crop": ("sam", lambda c: changed(c, pred_keypoints_2d=lambda v: v[:, ::-1]), "pixels"),
    "sam: NaN": ("sam", lambda c: changed(c, pred_cam_t=lambda v: v * NAN), "pred_cam_t[0]"),
    "sam: other joints": ("sam", lambda c: changed(c, pred_keypoints_3d=np.zeros((308, 3))), "pred_keypoints_3d"),
    "sam: no place": ("sam", lambda c: without(c, "pred_cam_t"), "pred_cam_t"),
    "sam: behind the camera": ("sam", lambda c: changed(c, pred_cam_t=lambda v: -v), "pred_cam_t"),
    "sam: a focal length of nothing": ("sam", lambda c: changed(c, focal_length=0.0), "focal_length"),
    "sam: units of nobody": ("sam", lambda c: changed(c, units="feet"), "units"),
    "multi: centimetres": ("multi", lambda c: [changed(one, j3d=lambda v: v * 100) for one in c], "centimetres"),
    "multi: infinite": ("multi", lambda c: changed(c, j3d=lambda v: v * np.inf), "j3d"),
    "multi: joints without landmarks": ("multi", lambda c: changed(c, j3d=lambda v: v[:24]), "j3d"),
    "multi: pixels of another picture": (
        "multi", lambda c: [changed(one, j2d=lambda v: v + 80 * np.sin(v[:, ::-1])) for one in c], "j2d",
    ),
    "multi: a camera of nothing": ("multi", lambda c: [{**one, "K": np.zeros((3, 3))} for one in c], '"K"'),
    "hmr2: no crops": ("hmr2", lambda c: without(c, "box_center"), "box_center"),
    "hmr2: another photo's size": ("hmr2", lambda c: changed(c, img_size=np.array([[800, 600]] * 3)), "800x600"),
    "hmr2: rows of fewer people": ("hmr2", lambda c: changed(c, pred_cam=lambda v: v[:2]), "pred_cam"),
    "hmr2: a scale of nothing": ("hmr2", lambda c: changed(c, pred_cam=lambda v: v * 0), "pred_cam"),
    "hmr2: centimetres": ("hmr2", lambda c: changed(c, pred_keypoints_3d=lambda v: v * 10), "centimetres"),
    "smplx: no place": ("smplx", lambda c: without(c, "transl"), "transl"),
    "smplx: centimetres": ("smplx", lambda c: changed(c, transl=lambda v: v * 100), "centimetres"),
    "smplx: hands of the face": ("smplx", lambda c: changed(c, body_pose=np.zeros((3, 55))), "body_pose"),
    "smplx: a reflection": (
        "smplx", lambda c: changed(c, global_orient=-np.eye(3)[None, None].repeat(3, 0)), "a reflection",
    ),
    "smplx: matrices that stretch": (
        "smplx", lambda c: changed(c, global_orient=2 * np.eye(3)[None, None].repeat(3, 0)), "stretches",
    ),
    "smplx: rows of fewer people": ("smplx", lambda c: changed(c, global_orient=lambda v: v[:2]), "global_orient"),
    "smplx: degrees": ("smplx", lambda c: changed(c, body_pose=lambda v: v + 170.0), "body_pose"),
    "smplx: texts": ("smplx", lambda c: changed(c, transl=np.array(["a", "b"])), "transl"),
    "smplx: behind the camera": ("smplx", lambda c: changed(c, transl=lambda v: -v), "transl"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_an_entry_that_makes_no_sense_is_named_with_what_was_expected(name: str, body: AnnyBody, tmp_path: Path):
    maker, change, mentioned = WRONG[name]
    people = scene(body, 800.0).people
    with pytest.raises(InputError) as caught:
        initial_bodies(saved(tmp_path / "a.pkl", change(MAKERS[maker](body))), body, CAMERA, people)
    assert mentioned in str(caught.value)
    for field in ("where", "expected", "got", "remedy"):
        assert getattr(caught.value, field), field


def npz_bytes(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def torch_bytes() -> bytes:
    out = io.BytesIO()
    torch.save({"pred_cam": torch.zeros(3)}, out)
    return out.getvalue()


ZEROS = np.zeros((2, 3))
OTHERS: dict[str, tuple[bytes, str]] = {
    "keypoints": (json.dumps({"people": []}).encode(), "--keypoints"),
    "COCO results": (json.dumps([{"keypoints": [], "image_id": 1}]).encode(), "--keypoints"),
    "contacts": (json.dumps({"version": 1, "contacts": []}).encode(), "--contacts"),
    "FlickrCI3D": (json.dumps({"a": {"ci_sign": [], "bbxes": []}}).encode(), "--contacts"),
    "our run": (json.dumps({"versions": {}, "options": {}}).encode(), "our own runs"),
    "other JSON": (b'{"cat": 1}', "'cat'"),
    "broken JSON": (b"{", "JSON"),
    "our result": (npz_bytes(schema_version=1, body_model="anny", joints_body25=ZEROS), "our own pair.npz"),
    "AMASS": (npz_bytes(poses=np.zeros((9, 165)), trans=ZEROS, mocap_frame_rate=60), "AMASS"),
    "a model": (npz_bytes(v_template=ZEROS, shapedirs=ZEROS), "body model"),
    "meshes": (npz_bytes(vertices=ZEROS, faces=ZEROS), "meshes"),
    "other npz": (npz_bytes(cat=ZEROS), "'cat'"),
    "no entries": (npz_bytes(), "nothing in it"),
    "tracks": (pickle.dumps({"f/1.jpg": {"tid": [1], "3d_joints": [], "smpl": []}}), "PHALP"),
    "compressed joblib": (b"\x78\x9c" + b"x" * 50, "joblib"),
    "torch.save": (torch_bytes(), "torch.save"),
    "a mesh": (b"ply\nformat ascii 1.0\n", "PLY"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "nothing": (b"", "empty"),
    "a text": (b"hello there", "hello"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_kind_is_refused_by_what_it_looks_like(name: str, tmp_path: Path):
    data, mentioned = OTHERS[name]
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(InputError, match="no kind that is known") as caught:
        read_estimates(tmp_path / "a.npz", CAMERA)
    assert mentioned in f"{caught.value.got} {caught.value.remedy}"


def test_meshes_of_multi_hmrs_demo_are_named(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((2, 10475, 3), np.float32))
    with pytest.raises(InputError) as caught:
        read_estimates(tmp_path / "a.npy", CAMERA)
    assert "meshes of 2 people" in str(caught.value.got)


# ---- hostile files


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


def npy_of(value: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array(value, object), allow_pickle=True)
    return out.getvalue()


def zip_of(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("people.npy", data)
    return out.getvalue()


JOBLIB = pickle.dumps({"pred_cam": 1}, 2).replace(b"}", b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n}", 1)
HOSTILE = {
    "pickle": pickle.dumps([{"j3d": Evil(), "transl": 1}]),
    "old pickle": pickle.dumps([{"j3d": Evil()}], 0),
    "npy": npy_of([{"j3d": Evil()}]),
    "npz": zip_of(npy_of([{"j3d": Evil()}])),
    "joblib": JOBLIB,
    "a pickle of torch tensors": pickle.dumps([{"j3d": torch.zeros(3)}]),
    "cut short": pickle.dumps([{"j3d": np.zeros((127, 3))}])[:-50],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_hostile_file_is_carried_out(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.pkl").write_bytes(HOSTILE[name])
    with pytest.raises(InputError) as caught:
        read_estimates(Path("a.pkl"), CAMERA)
    assert not Path("pwned").exists()
    assert caught.value.remedy


def test_a_file_of_5_gb_is_refused_by_its_size(tmp_path: Path):
    for name, start in (("a.npz", b"PK"), ("a.npy", b"\x93NUMPY"), ("a.pkl", b"\x80\x04"), ("a.json", b"{")):
        with (tmp_path / name).open("wb") as file:
            file.write(start)
            file.truncate(5 * 2**30)
        with pytest.raises(InputError, match="too large"):
            read_estimates(tmp_path / name, CAMERA)


def test_a_folder_is_of_one_program_and_its_links_stay_inside(body: AnnyBody, tmp_path: Path):
    inside, outside = tmp_path / "in", tmp_path / "out.pkl"
    inside.mkdir()
    with pytest.raises(InputError) as caught:
        read_estimates(inside, CAMERA)
    assert caught.value.got == "none"
    saved(inside / "a.pkl", MAKERS["sam"](body))
    saved(outside, MAKERS["multi"](body))
    (inside / "b.pkl").symlink_to(outside)
    with pytest.raises(InputError, match="leads out of the folder"):
        read_estimates(inside, CAMERA)
    (inside / "b.pkl").unlink()
    outside.rename(inside / "b.pkl")
    with pytest.raises(InputError, match="several programs"):
        read_estimates(inside, CAMERA)
    (inside / "b.pkl").unlink()
    (inside / "c.pkl").symlink_to("a.pkl")
    assert [one.row for one in read_estimates(inside, CAMERA)] == list(range(6))


def test_more_people_than_a_photo_has_are_refused(tmp_path: Path):
    n = 1001
    content = {"global_orient": np.zeros((n, 3)), "body_pose": np.zeros((n, 63)), "transl": np.ones((n, 3))}
    with pytest.raises(InputError, match="too many people"):
        read_estimates(saved(tmp_path / "a.npz", content), CAMERA)


NOBODY: dict[str, dict[str, Any]] = {
    "rotations": {"global_orient": ZEROS[:0], "body_pose": np.zeros((0, 63)), "transl": ZEROS[:0]},
    "joints": {"global_orient": ZEROS[:0], "body_pose": np.zeros((0, 63)), "joints": np.zeros((0, 127, 3))},
    "crops": {"pred_keypoints_3d": np.zeros((0, 44, 3)), "pred_cam_t_full": ZEROS[:0], "pred_cam": ZEROS[:0]},
}


@pytest.mark.parametrize("name", NOBODY)
def test_arrays_without_rows_are_a_file_of_nobody(name: str, tmp_path: Path):
    assert read_estimates(saved(tmp_path / "a.npz", NOBODY[name]), CAMERA) == []


def test_a_list_of_texts_instead_of_numbers_is_not_said_to_be_missing(tmp_path: Path):
    content = {"global_orient": ["a"], "body_pose": np.zeros((1, 63)), "transl": np.ones((1, 3))}
    with pytest.raises(InputError) as caught:
        read_estimates(saved(tmp_path / "a.pkl", content), CAMERA)
    assert caught.value.got == "list"


ODD = [None, "x", True, {}, [1, 2], np.zeros(0), np.zeros((0, 3)), np.zeros((2, 3, 3)), np.array("x")]
EXTREME = [0.0, -1.0, 1e-30, 1e30, -1e30, np.nan, np.inf, 3e38]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("maker", MAKERS)
def test_a_damaged_file_gives_people_or_an_error_of_ours_and_nothing_else(maker: str, body: AnnyBody, tmp_path: Path):
    random = np.random.default_rng(0)
    content, outcomes = MAKERS[maker](body), set()
    for _ in range(150):
        first = dict(content[0] if isinstance(content, list) else content)
        first.pop("pred_vertices", None)
        for key in random.choice(list(first), size=2):
            value, way = first.get(key), random.integers(4)
            if way == 0:
                first.pop(key, None)
            elif way == 1 or not isinstance(value, np.ndarray) or not value.size:
                first[key] = ODD[random.integers(len(ODD))]
            elif way == 2 and value.dtype.kind == "f":
                first[key] = value.copy()
                first[key].reshape(-1)[random.integers(value.size)] = EXTREME[random.integers(len(EXTREME))]
            else:
                first[key] = value[: random.integers(len(value) + 1)] if value.ndim else value
        data = bytearray(pickle.dumps([first, *content[1:]] if isinstance(content, list) else first))
        if random.random() < 0.3:
            data[random.integers(len(data))] = random.integers(256)
        (tmp_path / "a.pkl").write_bytes(bytes(data))
        try:
            outcomes.add(len(read_estimates(tmp_path / "a.pkl", CAMERA)) >= 0)
        except InputError:
            outcomes.add(False)
    assert outcomes == {True, False}
