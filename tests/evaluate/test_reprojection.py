"""Reprojection errors by hand."""

import numpy as np
import torch

from apu.evaluate.reprojection import observed_reprojection_error_percent, true_reprojection_error_percent
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person

FOCAL, CENTER = torch.tensor([500.0]), torch.tensor([[320.0, 240.0]])


def frame(count: int) -> torch.Tensor:
    """(1, 2, count, 3): joints at depth 5 whose box is 30 x 40 px: a diagonal of 50 px."""
    generator = torch.Generator().manual_seed(0)
    share = torch.rand(1, 2, count, 2, generator=generator)
    share[:, :, 0], share[:, :, 1] = 0, 1
    pixels = share * torch.tensor([30.0, 40.0])
    return torch.cat([pixels * 5 / 500, torch.full_like(pixels[..., :1], 5)], -1)


def test_a_shift_of_one_pixel_is_two_percent_of_a_diagonal_of_fifty():
    true = frame(25)
    moved = true.clone()
    moved[:, 1, :, 0] += 1 * 5 / 500
    found = true_reprojection_error_percent(moved, true, FOCAL, CENTER)
    torch.testing.assert_close(found, torch.tensor([[0.0, 2.0]], dtype=torch.float64), atol=1e-4, rtol=0)


def test_depth_and_size_together_do_not_show_in_the_picture():
    true = frame(14)
    found = true_reprojection_error_percent(1.7 * true, true, FOCAL, CENTER)
    torch.testing.assert_close(found, torch.zeros(1, 2, dtype=torch.float64), atol=1e-4, rtol=0)


def test_a_true_joint_behind_the_camera_and_a_broken_prediction_are_nan():
    true = frame(14).repeat(2, 1, 1, 1)
    predicted = true.clone()
    predicted[0, 0, 3, 0] = torch.nan
    true[1, 1, 3, 2] = -1.0
    found = true_reprojection_error_percent(predicted, true, FOCAL.repeat(2), CENTER.repeat(2, 1))
    assert found.isnan().tolist() == [[True, False], [False, True]]


def test_observed_keypoints_are_what_the_fit_reports():
    camera = Camera.of_image(640, 480)
    true = frame(25)
    focal, center = torch.tensor([camera.focal_px]), torch.tensor([camera.center_px])
    pixels = (true[0, ..., :2] / 5 * camera.focal_px + torch.tensor(camera.center_px)).double().numpy()
    confidence = np.full(25, 0.9)
    confidence[7:] = 0.1  # doubtful ones are not counted
    people = [Person(i, Keypoints("body25", pixels[i], confidence), 0.9, "known") for i in (0, 1)]
    observation = PairObservation("photo", camera, (people[0], people[1]))
    moved = true.clone()
    moved[:, 1, :7, 1] += 0.01
    found = observed_reprojection_error_percent([observation], moved)
    assert float(found[0, 0]) < 1e-3
    expected = 100 * 0.01 / 5 * camera.focal_px / people[1].keypoints.diagonal()
    np.testing.assert_allclose(float(found[0, 1]), expected, rtol=1e-4)
    assert true_reprojection_error_percent(moved, true, focal.float(), center.float()).shape == (1, 2)
