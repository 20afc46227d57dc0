"""Where things lie in the picture of a pair: how far people reach, what is cut out, and where the letters go."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from apu.body.joints import joint_names
from apu.errors import InputError
from apu.scene.person import Box, Keypoints, Person

REACH: dict[str, float] = {
    "nose": 0.13, "left_eye": 0.13, "right_eye": 0.13, "left_ear": 0.13, "right_ear": 0.13, "head_top": 0.04,
    "left_wrist": 0.12, "right_wrist": 0.12, "left_ankle": 0.10, "right_ankle": 0.10,
}  # fmt: skip
"""How far a body goes on beyond a joint: the head around the face, the hand behind the wrist, the foot below the ankle.
In diagonals of the keypoint box; hand-set on standing people, of whom the diagonal is some 1.5 m."""

OTHER_REACH = 0.06
SEEN, FEWEST = 0.3, 3
"""Confidence above which a joint counts, as in `Keypoints.box`, unless there are fewer than so many."""

MASK_LEVEL = 0.5
_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top")

Rectangle = tuple[int, int, int, int]
"""Whole pixels x0, y0, x1, y1; x1 and y1 are the first outside."""


def reach_box(person: Person, width: int, height: int) -> Box:
    """Box of the whole body, not only of its joints, inside the photo; the mask counts where there is one.

    Args:
        person: with at least one joint that was seen.
        width, height: of the photo, pixels.

    Raises:
        InputError: no joint was seen, or the person lies outside of the photo.
    """
    xy, reach = _seen_joints(person.keypoints)
    if not len(xy):
        raise InputError(
            "A person has no keypoints.",
            where=f"person {person.index}",
            expected="at least one joint with a confidence above 0",
            got="none",
            remedy="choose another pair, or give keypoints for this person.",
        )
    low = (xy - reach).min(0)
    high = (xy + reach).max(0)
    mask = _mask_box(person)
    if mask is not None:
        low, high = np.minimum(low, mask[:2]), np.maximum(high, mask[2:])
    x0, x1 = (float(np.clip(x, 0, width)) for x in (low[0], high[0]))
    y0, y1 = (float(np.clip(y, 0, height)) for y in (low[1], high[1]))
    if not (x1 > x0 and y1 > y0):
        raise InputError(
            "A person lies outside of the photo.",
            where=f"person {person.index}",
            expected=f"keypoints within {width} x {height} pixels",
            got=f"x {low[0]:.0f} to {high[0]:.0f}, y {low[1]:.0f} to {high[1]:.0f}",
            remedy="check that the keypoints belong to this photo and are pixels.",
        )
    return (x0, y0, x1, y1)


def head_point(person: Person) -> tuple[float, float]:
    """Middle of the joints of the head that were seen; without any, the top of the keypoint box."""
    names = joint_names(person.keypoints.joint_set)
    seen = [i for i, name in enumerate(names) if name in _FACE and person.keypoints.confidence[i] > SEEN]
    if seen:
        x, y = person.keypoints.xy[seen].mean(0)
        return float(x), float(y)
    x0, y0, x1, _ = person.box
    return (x0 + x1) / 2, y0


def crop_box(boxes: Sequence[Box], margin: float, width: int, height: int) -> Rectangle:
    """The union of boxes, wider by `margin` of its own size on each side, in whole pixels of the photo."""
    x0, y0 = (min(box[i] for box in boxes) for i in (0, 1))
    x1, y1 = (max(box[i] for box in boxes) for i in (2, 3))
    dx, dy = margin * (x1 - x0), margin * (y1 - y0)
    left, top = max(0, math.floor(x0 - dx)), max(0, math.floor(y0 - dy))
    right, bottom = min(width, math.ceil(x1 + dx)), min(height, math.ceil(y1 + dy))
    return (min(left, width - 1), min(top, height - 1), max(right, left + 1), max(bottom, top + 1))


def place_tags(
    boxes: tuple[Box, Box], heads: tuple[tuple[float, float], tuple[float, float]], side: int, size: tuple[int, int]
) -> tuple[Rectangle, Rectangle]:
    """Where the squares with the letters go: at the edge of the own box, near the own head, off what the boxes share.

    Args:
        boxes, heads: of A and B, pixels of the picture.
        side: of a square, pixels.
        size: width and height of the picture, pixels.
    """
    of_a, of_b = (_ranked_places(boxes, heads, side, size, person) for person in (0, 1))

    def cost(both: tuple[tuple[float, Rectangle], tuple[float, Rectangle]]) -> tuple[bool, float]:
        (first_cost, first), (second_cost, second) = both
        on_each_other = overlap(first, second)
        return on_each_other > 0, first_cost + second_cost + 30 * on_each_other / side**2

    (_, first), (_, second) = min(itertools.product(of_a, of_b), key=cost)
    return first, second


def overlap(a: Box | Rectangle, b: Box | Rectangle) -> float:
    """Area that two boxes share."""
    return float(max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1])))


def intersection(a: Box, b: Box) -> Box:
    """The box that two boxes share; of no extent when they share nothing."""
    x0, y0 = max(a[0], b[0]), max(a[1], b[1])
    return (x0, y0, max(x0, min(a[2], b[2])), max(y0, min(a[3], b[3])))


def _ranked_places(
    boxes: tuple[Box, Box],
    heads: tuple[tuple[float, float], tuple[float, float]],
    side: int,
    size: tuple[int, int],
    person: int,
) -> list[tuple[float, Rectangle]]:
    """(cost, place) of a person's letter, whatever the other's does."""
    mine, other = boxes[person], boxes[1 - person]
    shared, area = intersection(*boxes), side * side
    diagonal = math.hypot(*size)
    head_boxes = [(x - side, y - side, x + side, y + side) for x, y in heads]

    def cost(place: Rectangle) -> float:
        middle = ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)
        covered = 10 * overlap(place, shared) + 3 * overlap(place, other) + overlap(place, mine)
        covered += 4 * sum(overlap(place, head) for head in head_boxes)
        near = math.dist(middle, heads[person]) - 0.5 * math.dist(middle, heads[1 - person])
        return covered / area + near / diagonal

    return [(cost(place), place) for place in _places(mine, heads[person], side, size)]


def _places(box: Box, head: tuple[float, float], side: int, size: tuple[int, int]) -> list[Rectangle]:
    """Squares along a box's edges, outside first, then inside; all within the picture."""
    x0, y0, x1, y1 = box
    xs = (head[0] - side / 2, x0, x1 - side, (x0 + x1 - side) / 2)
    ys = (head[1] - side / 2, y0, y1 - side, (y0 + y1 - side) / 2)
    corners = [(x, y) for y in (y0 - side, y1, y0, y1 - side) for x in xs]
    corners += [(x, y) for x in (x0 - side, x1, x0, x1 - side) for y in ys]
    out = []
    for x, y in corners:
        left = round(min(max(x, 0), max(0, size[0] - side)))
        top = round(min(max(y, 0), max(0, size[1] - side)))
        out.append((left, top, left + side, top + side))
    return out


def _seen_joints(keypoints: Keypoints) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) joints that count, and how far the body goes on beyond each: (n, 1), pixels."""
    seen = keypoints.confidence > SEEN
    if seen.sum() < FEWEST:
        seen = keypoints.confidence > 0
    seen &= np.isfinite(keypoints.xy).all(-1)
    reach = [REACH.get(name, OTHER_REACH) for name in joint_names(keypoints.joint_set)]
    xy = keypoints.xy[seen].astype(np.float64)
    diagonal = max(1.0, float(np.hypot(*np.ptp(xy, 0)))) if len(xy) else 0.0
    return xy, np.array(reach)[seen][:, None] * diagonal


def _mask_box(person: Person) -> Box | None:
    """Tight box of the mask's pixels that show the person."""
    if person.mask is None:
        return None
    rows, columns = np.nonzero(person.mask.share > MASK_LEVEL)
    if not len(rows):
        return None
    step, (x, y) = person.mask.step, person.mask.box[:2]
    return (
        x + step * float(columns.min()),
        y + step * float(rows.min()),
        x + step * float(columns.max() + 1),
        y + step * float(rows.max() + 1),
    )
