"""BlazePose's output for one person, from its upright square to the photo and its axes."""

from dataclasses import replace

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.pose.blazepose import LANDMARKS, SquareBody
from apu.pose.body_guess import CELL, decoded, guess_body, refined
from apu.pose.keypoint_files import read_keypoints
from apu.pose.photo_file import read_photo
from apu.pose.roi import Roi, roi_of

UPRIGHT = Roi(np.array([300.0, 200.0]), 100.0, 0.0)


@pytest.mark.parametrize("angle", [0.0, 0.6, -2.5])
def test_landmarks_land_on_the_joints_they_were_seen_at(standing, seen_body, angle: float):
    skeleton = standing(310, 190, 40)
    roi = Roi(np.array([300.0, 200.0]), 120.0, angle)
    keypoints = decoded(seen_body(skeleton, roi), roi).keypoints("coco17")
    np.testing.assert_allclose(keypoints.xy, skeleton[:, :2], atol=1e-3)
    assert (keypoints.confidence > 0.9).all()


def test_body25_gets_neck_and_hips_from_their_ends_and_no_small_toes(standing, seen_body):
    keypoints = decoded(seen_body(standing(310, 190, 40), UPRIGHT), UPRIGHT).keypoints("body25")
    names = joint_names("body25")
    for middle, ends in (("neck", "shoulder"), ("mid_hip", "hip")):
        sides = [keypoints.xy[names.index(f"{side}_{ends}")] for side in ("left", "right")]
        np.testing.assert_allclose(keypoints.xy[names.index(middle)], np.mean(sides, axis=0), atol=1e-3)
    unseen = {names[i] for i in np.flatnonzero(keypoints.confidence == 0)}
    assert unseen == {"left_small_toe", "right_small_toe"}


def test_the_hint_is_relative_to_the_middle_of_the_hips_whatever_the_net_calls_its_origin(standing, seen_body):
    body = seen_body(standing(310, 190, 40), UPRIGHT)
    here = decoded(body, UPRIGHT).hint()
    there = decoded(replace(body, world=body.world + np.float32([1, -2, 3])), UPRIGHT).hint()
    np.testing.assert_allclose(here.xyz[joint_names("body25").index("mid_hip")], 0, atol=1e-6)
    np.testing.assert_allclose(here.xyz, there.xyz, atol=1e-5)
    assert (here.joint_set, here.source) == ("body25", "blazepose")


def test_the_hint_is_in_the_photos_axes_and_depth_is_not_turned(standing, seen_body):
    body = seen_body(standing(310, 190, 40), UPRIGHT)
    body = replace(body, world=np.random.default_rng(0).normal(size=(39, 3)).astype(np.float32))
    upright, turned = decoded(body, UPRIGHT).hint(), decoded(body, replace(UPRIGHT, angle=np.pi / 2)).hint()
    # Up in the square is to the right in the photo: (x, y) -> (-y, x).
    np.testing.assert_allclose(turned.xyz[:, 0], -upright.xyz[:, 1], atol=1e-5)
    np.testing.assert_allclose(turned.xyz[:, 1], upright.xyz[:, 0], atol=1e-5)
    np.testing.assert_allclose(turned.xyz[:, 2], upright.xyz[:, 2], atol=1e-6)


def test_a_landmark_is_sure_only_when_it_is_both_inside_and_visible(standing, seen_body):
    body: SquareBody = seen_body(standing(310, 190, 40), UPRIGHT)
    nose = LANDMARKS.index("nose")
    for column in (3, 4):
        landmarks = body.landmarks.copy()
        landmarks[nose, column] = -4
        keypoints = decoded(replace(body, landmarks=landmarks), UPRIGHT).keypoints("coco17")
        assert keypoints.confidence[0] == pytest.approx(1 / (1 + np.exp(4)), rel=1e-3)
        assert (keypoints.confidence[1:] > 0.9).all()


def blob(body: SquareBody, landmark: int, x: float, y: float, peak: float) -> SquareBody:
    """With a peak of heat at pixels (x, y) of the square."""
    rows, columns = np.indices(body.heat.shape[:2])
    heat = body.heat.copy()
    heat[..., landmark] = peak * np.exp(-((columns - x / CELL) ** 2 + (rows - y / CELL) ** 2) / 2)
    return replace(body, heat=heat)


def test_a_landmark_moves_to_the_heat_around_it(standing, seen_body):
    body = seen_body(standing(310, 190, 40), UPRIGHT)
    x, y = body.landmarks[5, :2]
    x, y = CELL * round(x / CELL), CELL * round(y / CELL)
    near = refined(blob(body, 5, x + CELL, y, 0.9))
    assert np.linalg.norm(near[5] - (x + CELL, y)) < np.linalg.norm(body.landmarks[5, :2] - (x + CELL, y))
    assert near[5] == pytest.approx((x + CELL, y), abs=1.5)
    np.testing.assert_allclose(np.delete(near, 5, 0), np.delete(body.landmarks[:, :2], 5, 0), atol=1e-4)


def test_weak_or_far_heat_moves_nothing(standing, seen_body):
    body = seen_body(standing(310, 190, 40), UPRIGHT)
    x, y = body.landmarks[5, :2]
    for other in (blob(body, 5, x + CELL, y, 0.4), blob(body, 5, x + 10 * CELL, y, 0.9)):
        np.testing.assert_allclose(refined(other), body.landmarks[:, :2], atol=1e-4)


@pytest.mark.parametrize("place", [(-300, -300), (0, 0), (255.9, 255.9), (600, 20)])
def test_landmarks_outside_the_square_stay_where_they_are(standing, seen_body, place: tuple[float, float]):
    body = seen_body(standing(310, 190, 40), UPRIGHT)
    landmarks = body.landmarks.copy()
    landmarks[5, :2] = place
    np.testing.assert_allclose(refined(replace(body, landmarks=landmarks))[5], place, atol=1e-4)


def test_the_real_net_sees_the_same_person_in_a_turned_photo(photos, blazepose):
    photo = read_photo(photos / "images" / "college_232334.png")
    man = max(read_keypoints(photos / "vitpose" / "college_232334_keypoints.json"), key=lambda p: p.box[3] - p.box[1])
    roi = roi_of(man.keypoints)
    assert roi is not None
    upright = guess_body(blazepose, photo, roi)
    # A quarter turn clockwise: (x, y) -> (height - y, x).
    turned_photo = replace(photo, pixels=np.ascontiguousarray(np.rot90(photo.pixels, -1)))
    center = np.array([photo.height - roi.center[1], roi.center[0]])
    turned = guess_body(blazepose, turned_photo, Roi(center, roi.radius_px, roi.angle + np.pi / 2))
    back = np.stack([turned.xy[:33, 1], photo.height - turned.xy[:33, 0]], axis=1)
    assert np.linalg.norm(back - upright.xy[:33], axis=1).max() < 0.02 * 2 * roi.radius_px
    np.testing.assert_allclose(turned.world[:33, 2], upright.world[:33, 2], atol=0.05)
    np.testing.assert_allclose(turned.world[:33, 0], -upright.world[:33, 1], atol=0.05)
