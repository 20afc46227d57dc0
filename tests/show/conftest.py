"""Two people made of capsules, with made-up regions: all that the show room needs, without a body model."""

import numpy as np
import pytest
import torch
import trimesh

from apu.body.joints import joint_names
from apu.body.protocol import Surface
from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact, ContactMap
from apu.scene.camera import Camera
from apu.scene.pair import ContactResult, Fit, PairObservation, StageRecord
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.scene.verdict import RuleResult, Verdict
from apu.show.report import RunInfo

WIDTH, HEIGHT = 320, 240

HALF_BODY = {
    "shoulder": (0.19, -0.48), "elbow": (0.36, -0.24), "wrist": (0.42, 0.02), "hip": (0.10, 0.0),
    "knee": (0.12, 0.42), "ankle": (0.13, 0.82), "heel": (0.13, 0.86), "big_toe": (0.15, 0.87),
    "small_toe": (0.19, 0.87), "eye": (0.03, -0.76), "ear": (0.07, -0.74),
}  # fmt: skip
"""Left half of a person who faces the camera: their left is at +x. Mid-hip at the origin; x right, y down, metres."""

LIMBS = [
    ("mid_hip", "neck", 0.13, "upper_belly"), ("nose", "nose", 0.12, "head_front"),
    ("shoulder", "elbow", 0.055, "upper_arm_front"), ("elbow", "wrist", 0.05, "forearm_front"),
    ("wrist", "wrist", 0.06, "hand_palm"), ("hip", "knee", 0.08, "upper_thigh_front"),
    ("knee", "ankle", 0.06, "upper_calf_front"), ("ankle", "big_toe", 0.05, "foot_top"),
]  # fmt: skip


def standing_joints() -> dict[str, np.ndarray]:
    joints = {"mid_hip": (0, 0, 0), "neck": (0, -0.52, 0), "nose": (0, -0.72, -0.10)}
    for name, (x, y) in HALF_BODY.items():
        z = -0.12 if "toe" in name else -0.09 if name == "eye" else 0.0
        joints |= {f"left_{name}": (x, y, z), f"right_{name}": (-x, y, z)}
    return {name: np.array(at, dtype=np.float64) for name, at in joints.items()}


def capsule(start: np.ndarray, end: np.ndarray, radius: float) -> trimesh.Trimesh:
    length = float(np.linalg.norm(end - start))
    if length < 1e-6:
        ball = trimesh.creation.icosphere(subdivisions=2, radius=radius)
        return ball.apply_translation(start)
    mesh = trimesh.creation.capsule(height=length, radius=radius, count=[12, 12])
    mesh.apply_transform(trimesh.geometry.align_vectors([0, 0, 1], (end - start) / length))
    return mesh.apply_translation(start)


def body_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    joints, meshes, regions = standing_joints(), [], []
    for a, b, radius, region in LIMBS:
        for side in ("left", "right"):
            if a in joints and side == "right":
                continue
            ends = [joints.get(name, joints.get(f"{side}_{name}")) for name in (a, b)]
            meshes.append(capsule(ends[0], ends[1], radius))
            regions.append(np.full(len(meshes[-1].vertices), REGION_NAMES.index(f"{side}_{region}")))
    whole = trimesh.util.concatenate(meshes)
    return np.asarray(whole.vertices, np.float32), np.asarray(whole.faces), np.concatenate(regions)


def placed(points: np.ndarray, scale: float, yaw: float, at: tuple[float, float, float]) -> np.ndarray:
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return (points * scale) @ turn.T + np.array(at)


PLACES = ((1.0, 0.5, (-0.30, 0.05, 3.0)), (0.72, -0.6, (0.32, 0.28, 2.7)))


@pytest.fixture(scope="session")
def surface() -> Surface:
    vertices, faces, region = body_mesh()
    faces = torch.as_tensor(faces, dtype=torch.int64)
    return Surface(faces, faces, torch.as_tensor(vertices), torch.as_tensor(region, dtype=torch.int64), REGION_NAMES)


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera.of_image(WIDTH, HEIGHT)


@pytest.fixture(scope="session")
def joints() -> np.ndarray:
    """(2, 25, 3) BODY_25 joints of the two people, camera frame."""
    standing = standing_joints()
    one = np.stack([standing[name] for name in joint_names("body25")])
    return np.stack([placed(one, *place) for place in PLACES])


@pytest.fixture(scope="session")
def people(camera: Camera, joints: np.ndarray) -> list[Person]:
    """A (index 0), a bystander (1), B (2)."""
    found = []
    for index, points in enumerate([joints[0], joints[0] + [1.05, 0.0, 1.0], joints[1]]):
        xy = camera.focal_px * points[:, :2] / points[:, 2:] + np.array(camera.center_px)
        keypoints = Keypoints("body25", xy, np.full(25, 0.9))
        found.append(Person(index, keypoints.as_set("coco17"), 0.9, "made up"))
    return found


@pytest.fixture(scope="session")
def photo() -> Photo:
    shade = np.linspace(150, 235, HEIGHT, dtype=np.uint8)
    pixels = np.repeat(np.repeat(shade[:, None, None], WIDTH, 1), 3, 2)
    return Photo(np.ascontiguousarray(pixels), "two_capsules", "0" * 64)


@pytest.fixture(scope="session")
def observation(camera: Camera, people: list[Person]) -> PairObservation:
    return PairObservation("two_capsules", camera, (people[0], people[2]))


@pytest.fixture(scope="session")
def fit(joints: np.ndarray) -> Fit:
    vertices, _, _ = body_mesh()
    both = torch.as_tensor(np.stack([placed(vertices, *place) for place in PLACES]), dtype=torch.float32)
    contacts = ContactMap(
        (
            Contact(frozenset({"left_hand_palm"}), frozenset({"right_upper_arm_front"}), 0.67, "proximity"),
            Contact(
                frozenset({"left_upper_arm_front"}), frozenset({"left_head_front"}), label_a="left arm", label_b="head"
            ),
        ),
        "proximity",
    )
    return Fit(
        body_model="capsules-1",
        parameters={"pose": torch.zeros(2, 5), "translation": torch.zeros(2, 3)},
        vertices=both,
        joints=torch.as_tensor(joints, dtype=torch.float32),
        first_vertices=both + 0.01,
        contacts=contacts,
        contact_results=(ContactResult(0.123, 0.004), ContactResult(0.30, 0.055)),
        reprojection_percent=(1.25, 2.5),
        penetration_max_m=0.011,
        penetration_volume_cm3=2.0,
        heights_m=(1.72, 1.21),
        attributes={"age": (0.7, 0.3)},
        hypothesis={"age": ("adult", "child"), "why": "lowest loss"},
        stages=(
            StageRecord("joints", 30, "converged", 0.4, {"keypoints": 1.5}),
            StageRecord("contact", 60, "iteration limit", 2.0, {"keypoints": 1.0, "contact": 0.5}),
        ),
        verdict=Verdict(
            (RuleResult("penetration", 1.1, 3.0, "cm"), RuleResult("contacts met", 40.0, 60.0, "%", "at least"))
        ),
    )


@pytest.fixture(scope="session")
def run_info() -> RunInfo:
    return RunInfo(
        seed=7,
        options={"pair": (0, 2)},
        seconds=3.5,
        contacts_note="contacts: proximity (heuristic)",
        focal_source="assumed",
    )
