"""`pair.npz` holds the documented keys, in plain arrays."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from apu.body.protocol import ParameterSpec
from apu.scene.pair import PairObservation
from apu.show.arrays import write_npz

PAGE = Path(__file__).resolve().parents[2] / "docs" / "outputs.md"


def spec() -> dict[str, ParameterSpec]:
    zero = torch.zeros(5)
    names = tuple(f"angle_{i}" for i in range(5))
    return {"pose": ParameterSpec(5, "angles", names, zero, zero + 1, zero - 1, zero + 1)}


@pytest.fixture
def arrays(tmp_path, observation, fit, surface):
    write_npz(tmp_path / "pair.npz", observation, fit, surface, spec())
    with np.load(tmp_path / "pair.npz", allow_pickle=False) as file:
        return dict(file)


def test_shapes_and_number_types_are_as_documented(arrays, surface):
    v, f = len(surface.rest_vertices), len(surface.faces)
    expected = {
        "schema_version": ((), "i"), "body_model": ((), "U"), "photo": ((), "U"), "people": ((2,), "i"),
        "param_pose": ((2, 5), "f"), "param_translation": ((2, 3), "f"), "param_names_pose": ((5,), "U"),
        "vertices": ((2, v, 3), "f"), "first_vertices": ((2, v, 3), "f"),
        "faces": ((f, 3), "i"), "collision_faces": ((f, 3), "i"),
        "regions": ((v,), "i"), "region_names": ((75,), "U"), "joints_body25": ((2, 25, 3), "f"),
        "heights_m": ((2,), "f"), "attribute_age": ((2,), "f"),
        "focal_px": ((), "f"), "center_px": ((2,), "f"), "image_size": ((2,), "i"),
        "keypoints": ((2, 17, 3), "f"), "joint_set": ((), "U"),
    }  # fmt: skip
    assert {name: (a.shape, a.dtype.kind) for name, a in arrays.items()} == expected


def test_numbers_are_those_of_the_fit_and_the_observation(arrays, fit, observation, surface):
    assert np.array_equal(arrays["vertices"], fit.vertices.numpy())
    assert np.array_equal(arrays["first_vertices"], fit.first_vertices.numpy())
    assert np.array_equal(arrays["joints_body25"], fit.joints.numpy())
    assert np.array_equal(arrays["regions"], surface.region_of_vertex.numpy())
    assert arrays["people"].tolist() == [0, 2]
    assert arrays["image_size"].tolist() == [320, 240]
    assert float(arrays["focal_px"]) == observation.camera.focal_px
    assert np.allclose(arrays["keypoints"][1, :, :2], observation.people[1].keypoints.xy)
    assert str(arrays["joint_set"]) == "coco17"
    assert arrays["param_names_pose"].tolist() == ["angle_0", "angle_1", "angle_2", "angle_3", "angle_4"]


def test_the_camera_projects_the_joints_as_the_photo_saw_them(arrays):
    joints = arrays["joints_body25"]
    pixels = float(arrays["focal_px"]) * joints[..., :2] / joints[..., 2:] + arrays["center_px"]
    assert np.allclose(pixels[:, 0], arrays["keypoints"][:, 0, :2], atol=1e-2)  # the nose is first in both orders


def test_people_with_other_joint_orders_are_written_in_one(tmp_path, observation, fit, surface):
    a, b = observation.people
    other = replace(b, keypoints=b.keypoints.as_set("body25"))
    mixed = PairObservation(observation.photo, observation.camera, (a, other))
    write_npz(tmp_path / "pair.npz", mixed, fit, surface)
    with np.load(tmp_path / "pair.npz", allow_pickle=False) as file:
        assert str(file["joint_set"]) == "body25"
        assert file["keypoints"].shape == (2, 25, 3)
        assert "param_names_pose" not in file


def test_gradients_do_not_hinder(tmp_path, observation, fit, surface):
    held = replace(fit, vertices=fit.vertices.clone().requires_grad_())
    write_npz(tmp_path / "pair.npz", observation, held, surface)
    with np.load(tmp_path / "pair.npz", allow_pickle=False) as file:
        assert np.array_equal(file["vertices"], fit.vertices.numpy())


def test_every_key_is_documented_and_no_other(arrays):
    section = PAGE.read_text(encoding="utf-8").split("## `pair.npz`")[1].split("\n## ")[0]
    documented = {
        key for row in re.findall(r"^\| (`[^|]*) \|", section, re.M) for key in re.findall(r"`(\w[\w<>]*)`", row)
    }
    generic = {re.sub(r"^(param_names_|param_|attribute_).*", r"\1<name>", key) for key in arrays}
    assert documented == generic
