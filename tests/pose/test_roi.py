"""The circle about a person: it holds them, stands upright in their own axes, and moves as they do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.body.joints import joint_names
from apu.pose.roi import MIN_RADIUS_PX, Roi, roi_of
from apu.scene.person import Keypoints

NAMES = joint_names("coco17")
HEAD, SHOULDERS, HIPS, KNEES, ANKLES = NAMES[:5], NAMES[5:7], NAMES[11:13], NAMES[13:15], NAMES[15:17]


def keypoints(skeleton: np.ndarray) -> Keypoints:
    return Keypoints("coco17", skeleton[:, :2].astype(np.float32), skeleton[:, 2].astype(np.float32))


def without(skeleton: np.ndarray, *unseen: str) -> Keypoints:
    """Somebody some of whose joints were not seen, and are reported at the photo's corner."""
    rows = skeleton.copy()
    rows[[NAMES.index(name) for name in unseen]] = 0
    return keypoints(rows)


def only(skeleton: np.ndarray, *seen: str) -> Keypoints:
    return without(skeleton, *(name for name in NAMES if name not in seen))


def circle(given_keypoints: Keypoints) -> Roi:
    roi = roi_of(given_keypoints)
    assert roi is not None
    return roi


def test_somebody_who_stands_is_in_an_upright_circle_about_the_hips(standing):
    roi = circle(keypoints(standing(300, 200, 50)))
    np.testing.assert_allclose(roi.center, (300, 200), atol=1e-4)
    assert roi.angle == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(standing(300, 200, 50)[:, :2] - roi.center, axis=1).max() < roi.radius_px < 150


@given(st.floats(-3.1, 3.1), st.floats(0.5, 4), st.floats(-500, 500), st.floats(-500, 500))
def test_the_circle_turns_grows_and_moves_with_the_person(standing, angle: float, scale: float, x: float, y: float):
    skeleton = standing(30, -20, 50)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = skeleton.copy()
    moved[:, :2] = skeleton[:, :2] @ turn.T + (x, y)
    before, after = circle(keypoints(skeleton)), circle(keypoints(moved))
    np.testing.assert_allclose(after.center, turn @ before.center + (x, y), atol=1e-2)
    assert after.radius_px == pytest.approx(scale * before.radius_px, rel=1e-4)
    assert abs(np.angle(np.exp(1j * (after.angle - before.angle - angle)))) < 1e-3


@given(st.floats(-3.1, 3.1))
def test_in_the_square_the_shoulders_lie_above_the_hips(standing, angle: float):
    skeleton = standing(0, 0, 50)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    skeleton[:, :2] = skeleton[:, :2] @ turn.T
    to_photo = circle(keypoints(skeleton)).to_photo(256)
    shoulders = skeleton[[NAMES.index(name) for name in SHOULDERS], :2].mean(0)
    in_square = np.linalg.inv(to_photo[:, :2]) @ (shoulders - to_photo[:, 2])
    assert in_square[0] == pytest.approx(128, abs=0.01)
    assert in_square[1] < 100


def test_the_square_touches_the_circle():
    roi = Roi(np.array([30.0, 40.0]), 10.0, 0.3)
    to_photo = roi.to_photo(256)
    for x, y in ((128, 0), (0, 128), (256, 128), (128, 256)):
        assert np.linalg.norm(to_photo @ (x, y, 1) - roi.center) == pytest.approx(10)


def test_vectors_are_turned_as_the_square_is():
    roi = Roi(np.zeros(2), 128.0, 0.7)
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, -3.0]])
    np.testing.assert_allclose(roi.turned(vectors), vectors @ roi.to_photo(256)[:, :2].T, atol=1e-12)


@pytest.mark.parametrize("unseen", [HIPS, (*HIPS, *KNEES, *ANKLES), (*HIPS, *HEAD), (*HIPS, *KNEES, *ANKLES, *HEAD)])
def test_unseen_hips_are_guessed_near_where_they_are(standing, unseen: tuple[str, ...]):
    roi = circle(without(standing(300, 200, 50), *unseen))
    assert np.linalg.norm(roi.center - (300, 200)) < 0.5 * 50
    assert abs(roi.angle) < 0.3


def test_one_hip_and_one_shoulder_do(standing):
    roi = circle(without(standing(300, 200, 50), "left_hip", "left_shoulder"))
    assert np.linalg.norm(roi.center - (300, 200)) < 15
    assert abs(roi.angle) < 0.3


@pytest.mark.parametrize("seen", [(*HIPS, *KNEES), (*KNEES, *ANKLES), HEAD, (*HIPS, *HEAD)])
def test_somebody_without_shoulders_is_upright_all_the_same(standing, seen: tuple[str, ...]):
    roi = circle(only(standing(300, 200, 50), *seen))
    assert abs(roi.angle) < 0.3
    assert roi.radius_px > MIN_RADIUS_PX


def test_who_is_hardly_seen_or_tiny_has_no_circle(standing):
    assert roi_of(only(standing(300, 200, 50), "nose", "left_hip")) is None
    assert roi_of(without(standing(300, 200, 50), *NAMES)) is None
    assert roi_of(keypoints(standing(300, 200, 2))) is None


def test_joints_that_were_not_seen_do_not_widen_the_circle(standing):
    far = standing(300, 200, 50)
    far[NAMES.index("left_wrist")] = (5000, 5000, 0.05)
    assert circle(keypoints(far)).radius_px == circle(without(far, "left_wrist")).radius_px


def test_all_joints_in_one_place_have_no_circle():
    assert roi_of(Keypoints("coco17", np.full((17, 2), 7, np.float32), np.ones(17, np.float32))) is None
