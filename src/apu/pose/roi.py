"""Where to look for one person's pose in 3D: a circle about the hips, turned so that the shoulders lie above them.

BlazePose was trained on such circles. MediaPipe finds them by a detector of its own, which loses people who hold each
other; here they come from the skeleton that is already known. The shares are fixed by `reference/perception.md`
(section 4), the fallbacks are ours.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from apu.pose.resample import Affine
from apu.pose.skeleton import HEAD, HIPS, SHOULDERS, TORSO_SHARE
from apu.scene.person import Keypoints

MIN_CONFIDENCE = 0.15
"""Of a joint that is looked at."""

MIN_JOINTS = 3
"""Fewer do not say how large somebody is."""

LIMB_REACH = 1.02
"""Radius over the distance of the farthest joint from the hips."""

HEAD_REACH = 1.28
"""Radius over the distance of the head's middle from the hips: the crown lies beyond."""

TORSO_REACH = 1.85
"""Radius over the torso, for somebody of whom only the torso is seen."""

MIN_RADIUS_PX = 8.0
"""Smaller people have no pixels to look at."""

TORSO_OVER_SHOULDERS, TORSO_OVER_HEAD = 1.4, 2.0
"""Torso over the shoulders' width, and over the head's height above the shoulders, of somebody who stands."""

HIPS_ON_LEG = 0.55
"""Share of the way from the shoulders to the knees at which the hips of somebody who stands lie."""

KNEES = [13, 14]
_UP = np.array([0.0, -1.0])

Point = Float[np.ndarray, "2"]


@dataclass(frozen=True)
class Roi:
    """A circle in the photo, and which way is up in it.

    Attributes:
        center: (x, y) of the hips' middle, pixels.
        radius_px: of the circle.
        angle: from the photo's up to the person's up, clockwise as one sees it, radians.
    """

    center: Point
    radius_px: float
    angle: float

    def to_photo(self, side: int) -> Affine:
        """From pixels of the upright square about the circle, `side` pixels wide, to pixels of the photo."""
        linear = self.turned(np.eye(2)).T * (2 * self.radius_px / side)
        return np.column_stack([linear, self.center - linear @ np.full(2, side / 2)])

    def turned(self, vectors: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Vectors of the upright square in the photo's axes, of the same length."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return vectors @ np.array([[cosine, sine], [-sine, cosine]])


def roi_of(keypoints: Keypoints) -> Roi | None:
    """The circle about a person.

    Where the hips are not seen, they are guessed from shoulders, knees and head; where nothing says which way is up,
    the photo does.

    Args:
        keypoints: in any order that holds COCO's joints.

    Returns:
        None when too little of the person is seen, or they are too small.
    """
    coco = keypoints.as_set("coco17")
    seen = coco.confidence > MIN_CONFIDENCE
    if seen.sum() < MIN_JOINTS:
        return None
    xy = coco.xy.astype(np.float64)
    hips, up, torso = _trunk(xy, seen)
    radius = max(LIMB_REACH * float(np.linalg.norm(xy[seen] - hips, axis=1).max()), TORSO_REACH * torso)
    head = _middle(xy, seen, HEAD)
    if head is not None:
        radius = max(radius, HEAD_REACH * float(np.linalg.norm(head - hips)))
    if radius < MIN_RADIUS_PX:
        return None
    return Roi(hips, radius, float(np.arctan2(up[0], -up[1])))


def _trunk(xy: Float[np.ndarray, "17 2"], seen: Bool[np.ndarray, "17"]) -> tuple[Point, Point, float]:
    """Middle of the hips, direction up, and length of the torso."""
    hips, shoulders = _middle(xy, seen, HIPS), _middle(xy, seen, SHOULDERS)
    head, knees = _middle(xy, seen, HEAD), _middle(xy, seen, KNEES)
    if hips is not None and shoulders is not None:
        torso = float(np.linalg.norm(shoulders - hips))
        return hips, _direction(hips, shoulders), torso
    if hips is not None:
        up = _direction(hips, head) if head is not None else _direction(knees, hips)
        return hips, up, TORSO_SHARE * float(np.ptp(xy[seen], axis=0).max())
    if shoulders is None:
        return xy[seen].mean(0), _direction(knees, head), TORSO_SHARE * float(np.ptp(xy[seen], axis=0).max())
    if knees is not None:
        hips = shoulders + HIPS_ON_LEG * (knees - shoulders)
        return hips, _direction(hips, shoulders), float(np.linalg.norm(shoulders - hips))
    width = float(np.linalg.norm(np.subtract(*xy[SHOULDERS]))) if seen[SHOULDERS].all() else 0.0
    above = float(np.linalg.norm(head - shoulders)) if head is not None else 0.0
    torso = max(TORSO_OVER_SHOULDERS * width, TORSO_OVER_HEAD * above)
    up = _direction(shoulders, head)
    return shoulders - torso * up, up, torso


def _middle(xy: np.ndarray, seen: np.ndarray, joints: list[int] | slice) -> Point | None:
    """Mean of those of the joints that were seen; None when none was."""
    return xy[joints][seen[joints]].mean(0) if seen[joints].any() else None


def _direction(start: Point | None, end: Point | None) -> Point:
    """Unit vector; the photo's up when an end is missing or both are one."""
    if start is None or end is None:
        return _UP
    length = float(np.linalg.norm(end - start))
    return (end - start) / length if length > 1e-6 else _UP
