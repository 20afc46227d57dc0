"""What MoveNet MultiPose's output maps say: where people are centred, and where each one's joints are.

The net is a CenterNet: every cell of its grid says how likely a person is centred there and, if so, roughly where the
joints lie (`regression`); the joints themselves are peaks of shared heat maps, so a person takes the peak near each
regressed joint.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from apu.pose.skeleton import NOSE, Skeleton

STRIDE = 4
"""Pixels of the net's input per cell."""

_HEAT_SPREAD = 0.08
"""Standard deviation of the search around a regressed joint, of the person's extent; wider steals the partner's
joints."""

_MIN_HEAT_SPREAD = 1.5
"""Cells; small people's regression is no better than this."""

_NOSE_SMOOTHING = 0.7
"""Cells; joins the twin peaks that one nose can have."""

_NOSE_SPREAD = 2.0
"""Cells; how far a centre's regressed nose may lie from the peak of the nose map."""

_MIN_ANCHORED_CENTER = 0.1
_MIN_ANCHORED_SCORE = 0.05  # of a centre after its distance from the nose is counted; below are ghosts


@dataclass(frozen=True)
class Heads:
    """Output maps for one picture; vectors are (y, x), in cells.

    Attributes:
        center: (h, w) probability that a person is centred in the cell.
        heat: (h, w, 17) probability of a joint in the cell.
        regression: (h, w, 17, 2) from the cell to each joint of the person centred there.
        offset: (h, w, 17, 2) from the cell to the joint's exact place.
    """

    center: Float[np.ndarray, "h w"]
    heat: Float[np.ndarray, "h w 17"]
    regression: Float[np.ndarray, "h w 17 2"]
    offset: Float[np.ndarray, "h w 17 2"]


@dataclass(frozen=True)
class Anchored:
    """A person found from the nose.

    Attributes:
        skeleton: in pixels of the net's input.
        score: of the centre, lowered by the distance between its regressed nose and the nose.
        nose: (x, y) of the peak in the nose map, pixels.
    """

    skeleton: Skeleton
    score: float
    nose: Float[np.ndarray, "2"]


def decode_skeleton(heads: Heads, cell: tuple[int, int]) -> Skeleton:
    """Joints of the person centred in a cell (y, x), in pixels of the net's input."""
    height, width = heads.center.shape
    regressed = heads.regression[cell] + np.array(cell, np.float32)
    spread = max(_MIN_HEAT_SPREAD, _HEAT_SPREAD * float(np.ptp(regressed, axis=0).max()))
    near_y = np.exp(-((np.arange(height)[:, None] - regressed[:, 0]) ** 2) / (2 * spread**2))
    near_x = np.exp(-((np.arange(width)[:, None] - regressed[:, 1]) ** 2) / (2 * spread**2))
    likely = heads.heat * near_y[:, None, :] * near_x[None, :, :]
    best = likely.reshape(-1, likely.shape[2]).argmax(0)
    y, x, joint = best // width, best % width, np.arange(likely.shape[2])
    offset = heads.offset[y, x, joint]
    places = [(x + offset[:, 1]) * STRIDE, (y + offset[:, 0]) * STRIDE, heads.heat[y, x, joint]]
    return np.stack(places, axis=1).astype(np.float32)


def center_peaks(heads: Heads, threshold: float) -> list[tuple[int, int]]:
    """Cells (y, x) whose centre probability is above the threshold and no neighbour's is higher; best first."""
    return _peaks(heads.center, 3, threshold)


def decode_people(heads: Heads, threshold: float) -> list[tuple[Skeleton, float]]:
    """Skeleton and centre probability of every peak above the threshold, best first."""
    return [(decode_skeleton(heads, cell), float(heads.center[cell])) for cell in center_peaks(heads, threshold)]


def decode_from_noses(heads: Heads, threshold: float) -> list[Anchored]:
    """One person per peak of the nose map: the centre that fits the nose best.

    Two people in a hug often share one peak of the centre map, while their noses stay apart.
    """
    from scipy.ndimage import gaussian_filter

    height, width = heads.center.shape
    cells = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    regressed_nose = heads.regression[:, :, NOSE] + cells
    found = []
    for nose in _peaks(gaussian_filter(heads.heat[:, :, NOSE], _NOSE_SMOOTHING), 5, threshold):
        squared = ((regressed_nose - np.array(nose)) ** 2).sum(-1)
        fit = heads.center * np.exp(-squared / (2 * _NOSE_SPREAD**2))
        y, x = divmod(int(fit.argmax()), width)
        if heads.center[y, x] > _MIN_ANCHORED_CENTER and fit[y, x] > _MIN_ANCHORED_SCORE:
            place = np.array([nose[1], nose[0]], np.float32) * STRIDE
            found.append(Anchored(decode_skeleton(heads, (y, x)), float(fit[y, x]), place))
    return found


def _peaks(values: Float[np.ndarray, "h w"], window: int, threshold: float) -> list[tuple[int, int]]:
    from scipy.ndimage import maximum_filter

    highest = maximum_filter(values, size=window, mode="nearest")
    rows, columns = np.nonzero((values >= highest) & (values > threshold))
    order = np.argsort(-values[rows, columns], kind="stable")
    return [(int(rows[i]), int(columns[i])) for i in order]
