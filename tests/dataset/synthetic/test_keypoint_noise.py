"""Rates and sizes of a simulated detector's errors, measured over many draws."""

from dataclasses import replace

import numpy as np
import pytest

from apu.body.joints import joint_names
from apu.dataset.synthetic.keypoint_noise import MIDPOINTS, detected
from apu.dataset.synthetic.observation_settings import KeypointSettings
from apu.dataset.synthetic.random_streams import Streams
from apu.dataset.synthetic.visibility import JointState
from apu.scene.camera import Camera

CAMERA = Camera.of_image(1000, 1000)
NAMES = joint_names("body25")
DRAWS = 600
PLAIN = KeypointSettings(swapped=0.0, swapped_hidden=0.0, stolen=0.0)
FIRST_HAND = [i for i in range(25) if i not in [m for m, _, _ in MIDPOINTS]]


def truth():
    """Joints on a grid of 240 x 240 pixels each, 60 pixels apart; the people 400 pixels apart."""
    grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(25, 2) * 60 + 200
    return np.stack([grid, grid + np.array([400.0, 0.0])])


DIAGONAL = 240 * np.sqrt(2)


def draws(settings, state=JointState.SEEN, pixels=None, states=None):
    pixels = truth() if pixels is None else pixels
    states = np.full((2, 25), int(state)) if states is None else states
    found = [detected(pixels, states, CAMERA, Streams(5, f"p{i}"), settings) for i in range(DRAWS)]
    xy = np.array([[k.xy for k in pair] for pair in found])
    return xy, np.array([[k.confidence for k in pair] for pair in found])


@pytest.mark.parametrize(
    ("state", "rms", "confidence", "dropped"),
    [
        (JointState.SEEN, 0.015, 0.90, 0.05),
        (JointState.BEHIND_SELF, 0.030, 0.65, 0.10),
        (JointState.BEHIND_OTHER, 0.045, 0.45, 0.35),
    ],
)
def test_noise_confidence_and_misses_are_those_of_the_settings(state, rms, confidence, dropped):
    xy, sure = draws(PLAIN, state)
    error = np.square(xy - truth()).sum(-1)[..., FIRST_HAND]
    assert np.sqrt(error.mean()) / DIAGONAL == pytest.approx(rms, rel=0.03)
    sure = sure[..., FIRST_HAND]
    assert (sure == 0).mean() == pytest.approx(dropped, abs=0.015)
    assert sure[sure > 0].mean() == pytest.approx(confidence, abs=0.01)


def test_errors_of_a_face_hang_together_and_those_of_other_joints_do_not():
    error = draws(PLAIN)[0] - truth()
    eyes, wrists = (
        [error[:, 0, NAMES.index(f"{side}_{name}"), 0] for side in ("left", "right")] for name in ("eye", "wrist")
    )
    assert np.corrcoef(*eyes)[0, 1] == pytest.approx(0.7, abs=0.08)
    assert abs(np.corrcoef(*wrists)[0, 1]) < 0.12


def test_out_of_frame_means_confidence_zero():
    assert (draws(KeypointSettings(), JointState.OUT_OF_FRAME)[1] == 0).all()


def test_whole_limbs_are_swapped_at_the_stated_rate_and_more_often_when_hidden():
    quiet = replace(PLAIN, radial_rms=(0.0, 0.0, 0.0), swapped=0.03, swapped_hidden=0.3)
    knee, toe = ([NAMES.index(f"{side}_{name}") for side in ("left", "right")] for name in ("knee", "big_toe"))
    for state, rate in ((JointState.SEEN, 0.03), (JointState.BEHIND_SELF, 0.3)):
        xy, _ = draws(quiet, state)
        swapped = np.isclose(xy[:, :, knee], truth()[:, knee[::-1]]).all((-1, -2))
        assert swapped.mean() == pytest.approx(rate, abs=0.03 if rate > 0.1 else 0.015)
        assert np.array_equal(swapped, np.isclose(xy[:, :, toe], truth()[:, toe[::-1]]).all((-1, -2)))


def test_joints_behind_the_other_are_stolen_where_one_of_the_same_kind_is_near_and_only_there():
    quiet = replace(PLAIN, radial_rms=(0.0, 0.0, 0.0), stolen=0.15)
    states = np.zeros((2, 25), int)
    wrist, knee = NAMES.index("left_wrist"), NAMES.index("left_knee")
    states[0, [wrist, knee]] = JointState.BEHIND_OTHER
    pixels = truth()
    pixels[1, NAMES.index("right_wrist")] = pixels[0, wrist] + [20.0, 0.0]
    xy, _ = draws(quiet, pixels=pixels, states=states)
    taken = np.isclose(xy[:, 0, wrist], pixels[1, NAMES.index("right_wrist")]).all(-1)
    assert taken.mean() == pytest.approx(0.15, abs=0.04)
    assert np.isclose(xy[:, 0, knee], pixels[0, knee]).all()


def test_neck_and_middle_of_the_hips_are_midpoints_and_as_sure_as_the_less_sure_end():
    xy, sure = draws(KeypointSettings())
    for middle, left, right in MIDPOINTS:
        assert np.allclose(xy[:, :, middle], (xy[:, :, left] + xy[:, :, right]) / 2, atol=1e-3)
        assert np.array_equal(sure[:, :, middle], np.minimum(sure[:, :, left], sure[:, :, right]))


def test_switching_misses_off_leaves_noise_and_confidence_as_they_were():
    xy, sure = draws(PLAIN)
    other_xy, all_sure = draws(replace(PLAIN, dropped=(0.0, 0.0, 0.0)))
    assert np.array_equal(xy, other_xy)
    assert np.array_equal(sure[..., FIRST_HAND], np.where(sure > 0, all_sure, 0)[..., FIRST_HAND])


def test_off_means_the_truth():
    xy, sure = draws(KeypointSettings(on=False), JointState.BEHIND_OTHER)
    assert np.allclose(xy, truth())
    assert (sure == 1).all()
