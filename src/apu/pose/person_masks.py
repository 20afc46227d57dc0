"""Masks of people: from BlazePose's square to the photo, and which of them tell two people apart."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from apu.pose.blazepose import SIDE
from apu.pose.body_guess import BodyGuess
from apu.pose.resample import Affine, sampled
from apu.scene.person import PersonMask

LONG_SIDE = 2048
"""Pixels of a mask as large as the photo; the net's own mask has 256, so more shows nothing."""

MIN_SHARE = 0.05
"""Probability below which a pixel is left out of a mask's box."""

SHARED_PIXELS = 0.15
"""Of the smaller mask: two people who share more cannot be told apart by their masks. Ours; in the tight hug of
`college_232334` both masks cover both people."""


def mask_in_photo(guess: BodyGuess, width: int, height: int) -> PersonMask | None:
    """The person's pixels in the photo, not yet known to be clean; None when there are none.

    Args:
        guess: of the person.
        width, height: of the photo, pixels.
    """
    to_photo = guess.roi.to_photo(SIDE)
    box = _box(guess.mask, to_photo, width, height)
    if box is None:
        return None
    step = max(1, math.ceil(max(width, height) / LONG_SIDE))
    x0, y0 = (step * (side // step) for side in box[:2])
    columns, rows = (max(1, math.ceil((end - start) / step)) for start, end in ((x0, box[2]), (y0, box[3])))
    to_square = _inverse(to_photo)
    to_square[:, 2] += to_square[:, :2] @ np.array([x0, y0])
    to_square[:, :2] *= step
    share = sampled(guess.mask.astype(np.float32), to_square, columns, rows).clip(0, 1)
    end = (float(x0 + columns * step), float(y0 + rows * step))
    return PersonMask((float(x0), float(y0), *end), share, clean=False, step=step)


def clean_masks(masks: Sequence[PersonMask | None]) -> list[bool]:
    """For each mask, whether nobody else's claims its pixels to speak of."""
    clean = [mask is not None for mask in masks]
    for i, j in combinations(range(len(masks)), 2):
        a, b = masks[i], masks[j]
        if a is not None and b is not None and shared_share(a, b) > SHARED_PIXELS:
            clean[i] = clean[j] = False
    return clean


def shared_share(a: PersonMask, b: PersonMask) -> float:
    """Pixels that both masks claim, as a share of the smaller mask's."""
    low = np.maximum(a.box[:2], b.box[:2]).astype(int)
    high = np.minimum(a.box[2:], b.box[2:]).astype(int)
    least = min(float(a.share.sum()), float(b.share.sum()))
    if (high <= low).any() or least <= 0:
        return 0.0
    parts = [_part(mask, low, high) for mask in (a, b)]
    return float(np.minimum(*parts).sum()) / least


def _part(mask: PersonMask, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    (x, y), (x0, y0), (x1, y1) = np.array(mask.box[:2]).astype(int) // mask.step, low // mask.step, high // mask.step
    return mask.share[y0 - y : y1 - y, x0 - x : x1 - x]


def _box(mask: np.ndarray, to_photo: Affine, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Whole pixels of the photo around the mask's."""
    rows, columns = np.nonzero(mask > MIN_SHARE)
    if not len(rows):
        return None
    x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x0, y1, 1], [x1, y1, 1]]) @ to_photo.T
    low = np.floor(corners.min(0)).clip(0, (width, height)).astype(int)
    high = np.ceil(corners.max(0)).clip(0, (width, height)).astype(int)
    return None if (high <= low).any() else (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _inverse(affine: Affine) -> Affine:
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])
