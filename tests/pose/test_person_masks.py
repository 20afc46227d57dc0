"""Masks in the photo, and which of them tell people apart."""

from dataclasses import replace

import numpy as np
import pytest

from apu.pose.body_guess import BodyGuess, decoded
from apu.pose.person_masks import SHARED_PIXELS, clean_masks, mask_in_photo, shared_share
from apu.pose.roi import Roi
from apu.scene.person import PersonMask

ROI = Roi(np.array([150.0, 120.0]), 80.0, 0.0)


def guess(standing, seen_body, mask: np.ndarray, roi: Roi = ROI) -> BodyGuess:
    return decoded(replace(seen_body(standing(150, 120, 30), roi), mask=mask.astype(np.float32)), roi)


def block(x0: int, y0: int, x1: int, y1: int, share: float = 1.0) -> PersonMask:
    values = np.full((y1 - y0, x1 - x0), share, np.float32)
    return PersonMask((float(x0), float(y0), float(x1), float(y1)), values, clean=False)


@pytest.mark.parametrize("angle", [0.0, 1.0])
def test_a_disc_in_the_square_is_a_disc_in_the_photo(standing, seen_body, angle: float):
    y, x = np.indices((256, 256)) + 0.5
    disc = np.hypot(x - 128, y - 128) < 64  # half the circle's radius: 40 px in the photo
    mask = mask_in_photo(guess(standing, seen_body, disc, replace(ROI, angle=angle)), 300, 240)
    assert mask is not None
    x0, y0, x1, y1 = (int(value) for value in mask.box)
    assert mask.share.shape == (y1 - y0, x1 - x0)
    rows, columns = np.indices(mask.share.shape)
    distance = np.hypot(columns + 0.5 + x0 - 150, rows + 0.5 + y0 - 120)
    assert (mask.share[distance < 38] > 0.95).all()
    assert (mask.share[distance > 42] < 0.05).all()
    assert mask.share.sum() == pytest.approx(np.pi * 40**2, rel=0.02)


def test_the_box_ends_at_the_photo_and_at_the_mask(standing, seen_body):
    whole = mask_in_photo(guess(standing, seen_body, np.ones((256, 256))), 200, 150)
    assert whole is not None
    assert whole.box == (70, 40, 200, 150)
    left = np.zeros((256, 256))
    left[100:140, 20:60] = 1
    part = mask_in_photo(guess(standing, seen_body, left), 300, 240)
    assert part is not None
    assert part.box[2] - part.box[0] <= 40 * 160 / 256 + 2


def test_no_pixels_are_no_mask(standing, seen_body):
    assert mask_in_photo(guess(standing, seen_body, np.zeros((256, 256))), 300, 240) is None
    outside = Roi(np.array([-500.0, 120.0]), 80.0, 0.0)
    assert mask_in_photo(guess(standing, seen_body, np.ones((256, 256)), outside), 300, 240) is None


def test_the_shared_share_is_of_the_smaller_mask_and_the_same_both_ways():
    large, small = block(0, 0, 100, 100), block(90, 0, 130, 50)
    assert shared_share(large, small) == shared_share(small, large) == pytest.approx(0.25)
    assert shared_share(large, block(100, 0, 120, 20)) == 0
    assert shared_share(large, block(0, 0, 10, 10, 0.0)) == 0


def test_only_the_masks_that_overlap_are_unclean():
    near = round(100 * (1 - SHARED_PIXELS)) - 2
    masks = [block(0, 0, 100, 10), block(near, 0, near + 100, 10), block(300, 0, 400, 10), None]
    assert clean_masks(masks) == [False, False, True, False]
    apart = round(100 * (1 - SHARED_PIXELS)) + 2
    assert clean_masks([block(0, 0, 100, 10), block(apart, 0, apart + 100, 10)]) == [True, True]


def test_a_mask_in_a_huge_photo_is_coarser_and_lies_at_the_same_place(
    standing, seen_body, monkeypatch: pytest.MonkeyPatch
):
    rows, columns = np.mgrid[0:256, 0:256]
    disc = ((rows - 120) ** 2 + (columns - 140) ** 2 < 50**2).astype(np.float32)
    fine = mask_in_photo(guess(standing, seen_body, disc), 1000, 1000)
    monkeypatch.setattr("apu.pose.person_masks.LONG_SIDE", 250)
    coarse = mask_in_photo(guess(standing, seen_body, disc), 1000, 1000)
    assert fine is not None
    assert coarse is not None
    assert (fine.step, coarse.step) == (1, 4)
    assert coarse.box[0] % 4 == coarse.box[1] % 4 == 0
    assert float(coarse.share.sum()) * 16 == pytest.approx(float(fine.share.sum()), rel=0.05)
    np.testing.assert_allclose(_middle(coarse), _middle(fine), atol=2.0)


def _middle(mask: PersonMask) -> np.ndarray:
    rows, columns = np.mgrid[0 : mask.share.shape[0], 0 : mask.share.shape[1]]
    at = np.array([(columns + 0.5) * mask.share, (rows + 0.5) * mask.share]).sum((1, 2)) / mask.share.sum()
    return at * mask.step + np.array(mask.box[:2])
