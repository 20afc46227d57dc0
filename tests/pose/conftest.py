"""Stick figures to pose with."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.errors import ModelFileError
from apu.pose.blazepose import LANDMARKS, SIDE, BlazePose, SquareBody
from apu.pose.roi import Roi
from apu.pose.weights import ensure_blazepose
from apu.scene.person import Keypoints, Person

sys.path.insert(0, str(Path(__file__).parent))  # so that `estimate_scenes` is found

STANDING = {
    "nose": (0.0, -1.5),
    "left_eye": (0.08, -1.58), "right_eye": (-0.08, -1.58), "left_ear": (0.16, -1.54), "right_ear": (-0.16, -1.54),
    "left_shoulder": (0.35, -1.0), "right_shoulder": (-0.35, -1.0),
    "left_elbow": (0.45, -0.4), "right_elbow": (-0.45, -0.4), "left_wrist": (0.5, 0.1), "right_wrist": (-0.5, 0.1),
    "left_hip": (0.22, 0.0), "right_hip": (-0.22, 0.0), "left_knee": (0.24, 0.8), "right_knee": (-0.24, 0.8),
    "left_ankle": (0.25, 1.6), "right_ankle": (-0.25, 1.6),
}  # fmt: skip
"""COCO-17 joint -> x, y in torsos from the middle of the hips, of somebody who stands and faces the camera."""


def skeleton_at(x: float, y: float, torso: float, confidence: float = 0.8) -> np.ndarray:
    """(17, 3) of somebody who stands, pixels."""
    xy = np.array([STANDING[name] for name in joint_names("coco17")]) * torso + (x, y)
    return np.concatenate([xy, np.full((17, 1), confidence)], axis=1).astype(np.float32)


def person_at(index: int, x: float, y: float, torso: float, *, score: float = 0.8) -> Person:
    """Somebody who stands with the middle of the hips at (x, y), with a torso of so many pixels."""
    skeleton = skeleton_at(x, y, torso)
    return Person(index, Keypoints("coco17", skeleton[:, :2].copy(), skeleton[:, 2].copy()), score, "test")


def with_joint(person: Person, joint: str, xy: tuple[float, float], confidence: float = 0.8) -> Person:
    """The same person with one joint somewhere else."""
    keypoints, i = person.keypoints, joint_names(person.keypoints.joint_set).index(joint)
    places, confidences = keypoints.xy.copy(), keypoints.confidence.copy()
    places[i], confidences[i] = xy, confidence
    return replace(person, keypoints=Keypoints(keypoints.joint_set, places, confidences))


@pytest.fixture(scope="session")
def standing():
    """`skeleton_at`."""
    return skeleton_at


@pytest.fixture(scope="session")
def somebody():
    """`person_at`."""
    return person_at


@pytest.fixture(scope="session")
def moved():
    """`with_joint`."""
    return with_joint


def body_at(skeleton: np.ndarray, roi: Roi, *, sure: float = 4.0, presence: float = 1.0) -> SquareBody:
    """What BlazePose would say of a COCO skeleton in a circle: feet hang below the ankles, and nothing is refined."""
    xy = np.zeros((39, 2))
    names = joint_names("coco17")
    size = np.ptp(skeleton[:, :2], axis=0).max()
    for i, name in enumerate(LANDMARKS):
        if name in names:
            xy[i] = skeleton[names.index(name), :2]
    for side in ("left", "right"):
        ankle = skeleton[names.index(f"{side}_ankle"), :2]
        xy[LANDMARKS.index(f"{side}_heel")] = np.add(ankle, (0, 0.03 * size))
        xy[LANDMARKS.index(f"{side}_big_toe")] = np.add(ankle, (0.05 * size, 0.04 * size))
    to_photo = roi.to_photo(SIDE)
    square = (xy - to_photo[:, 2]) @ np.linalg.inv(to_photo[:, :2]).T
    landmarks = np.concatenate([square, np.zeros((39, 1)), np.full((39, 2), sure)], axis=1).astype(np.float32)
    rows, columns = np.indices((SIDE, SIDE)) + 0.5
    low, high = square[:33].min(0), square[:33].max(0)
    mask = (columns > low[0]) & (columns < high[0]) & (rows > low[1]) & (rows < high[1])
    world = np.concatenate([(square - SIDE / 2) / 100, np.zeros((39, 1))], axis=1).astype(np.float32)
    return SquareBody(landmarks, np.zeros((64, 64, 39), np.float32), world, mask.astype(np.float32), presence)


@pytest.fixture(scope="session")
def seen_body():
    """`body_at`."""
    return body_at


@pytest.fixture(scope="session")
def blazepose() -> BlazePose:
    """The real net, fetched into the user's cache once."""
    try:
        return BlazePose(ensure_blazepose())
    except ModelFileError as error:
        pytest.skip(f"BlazePose's weights cannot be had: {error.what} {error.got}")
