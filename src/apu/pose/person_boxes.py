"""People whom the user points out by boxes: each box is looked at closely, and gives exactly one person.

Where the net's own centres merge two people, the box says which reading of its maps is meant: of all cells that might
be a person's centre, and of all noses, the one whose skeleton fills the box best.
"""

import math
from collections.abc import Sequence

import numpy as np

from apu.errors import PeopleError
from apu.pose.decode import STRIDE, Heads, decode_from_noses, decode_skeleton
from apu.pose.movenet import PoseNet
from apu.pose.sighting import Sighting, Window, is_known
from apu.pose.skeleton import box_of, joint_quality
from apu.scene.person import Box
from apu.scene.photo import Photo

LONG_SIDE = 256
"""Pixels of the closer look; the size MoveNet was trained at."""

MARGIN = 0.2
"""Of the box's longer side, around it; MoveNet needs to see the outline."""

MIN_SIDE_PX = 8.0
"""Of a box, inside the photo; nobody is seen in less."""

CELLS = 48
"""Likeliest centres in a box that are tried."""

NOSE_THRESHOLD = 0.1
"""Least probability of a nose that is tried."""

OTHER_PERSON = 0.3
"""Of the best fit: what somebody else in the box must reach, where the best is taken by another box."""


def check_boxes(boxes: Sequence[Box], photo: Photo) -> None:
    """See that every box holds a part of the photo.

    Raises:
        PeopleError: one does not.
    """
    for i, box in enumerate(boxes):
        if not all(map(math.isfinite, box)):
            got = "a value that is no number"
        elif box[0] >= box[2] or box[1] >= box[3]:
            got = "a box without inside"
        else:
            x0, y0, x1, y1 = _clipped(box, photo.width, photo.height)
            if min(x1 - x0, y1 - y0) >= MIN_SIDE_PX:
                continue
            got = f"{max(x1 - x0, 0):.0f} x {max(y1 - y0, 0):.0f} pixels inside the photo"
        raise PeopleError(
            "There can be nobody in a person's box.",
            where=f"photo {photo.name!r}, box {i + 1} of {len(boxes)}: {','.join(f'{value:g}' for value in box)}",
            expected=f"x0,y0,x1,y1 in pixels with x0 < x1 and y0 < y1, at least {MIN_SIDE_PX:g} pixels either way "
            f"inside the photo, which has {photo.width} x {photo.height}",
            got=got,
            remedy="draw the box in pixels of the upright photo, from its top left corner: --person-box x0,y0,x1,y1.",
        )


def sighted_in_boxes(
    net: PoseNet, photo: Photo, boxes: Sequence[Box], found: Sequence[Sighting] = ()
) -> list[Sighting]:
    """The person in each box, in the boxes' order.

    Two boxes get two people, where two can be told apart in them.

    Args:
        net: MoveNet.
        photo: that the boxes have been checked against.
        boxes: where to look; what lies outside the photo is left out.
        found: people who are known already, and may be those in the boxes.
    """
    whole = [_clipped(box, photo.width, photo.height) for box in boxes]
    readings = [_ranked([*_readings(net, photo, box), *found], box) for box in whole]
    chosen: dict[int, Sighting] = {}
    for i in sorted(range(len(boxes)), key=lambda i: -readings[i][0][0]):
        taken = list(chosen.values())
        best_fit, best = readings[i][0]
        others = (s for fit, s in readings[i] if fit >= OTHER_PERSON * best_fit and not is_known(s, taken))
        chosen[i] = next(others, best)
    # The user vouches for the centre.
    return [Sighting(chosen[i].skeleton, 1.0) for i in range(len(boxes))]


def _ranked(sightings: Sequence[Sighting], box: Box) -> list[tuple[float, Sighting]]:
    """With how well each fills the box; the best first. The centre's probability has no say: the box knows better."""
    fits = [(_overlap(box, box_of(s.skeleton)) * joint_quality(s.skeleton), s) for s in sightings]
    return sorted(fits, key=lambda fit: -fit[0])


def _readings(net: PoseNet, photo: Photo, box: Box) -> list[Sighting]:
    """What a closer look at a box may be read as."""
    window = _window(box, photo.width, photo.height)
    heads, scale = net.heads(window.cut(photo.pixels), LONG_SIDE)
    cells = [(decode_skeleton(heads, cell), float(heads.center[cell])) for cell in _cells(heads, window, box, scale)]
    noses = [(anchored.skeleton, anchored.score) for anchored in decode_from_noses(heads, NOSE_THRESHOLD)]
    return [Sighting(window.to_photo(skeleton, scale), center) for skeleton, center in cells + noses]


def _cells(heads: Heads, window: Window, box: Box, scale: float) -> list[tuple[int, int]]:
    """The likeliest centres (y, x) among the cells in the box; at least one."""
    corners = (np.array(box).reshape(2, 2) - (window.x0, window.y0)) * scale / STRIDE
    limit = np.array(heads.center.shape[::-1])
    low = np.floor(corners[0]).clip(0, limit - 1).astype(int)
    high = np.maximum(np.ceil(corners[1]).clip(0, limit).astype(int), low + 1)
    inside = heads.center[low[1] : high[1], low[0] : high[0]]
    best = np.argsort(-inside, axis=None, kind="stable")[:CELLS]
    return [(int(low[1] + y), int(low[0] + x)) for y, x in zip(*np.unravel_index(best, inside.shape), strict=True)]


def _window(box: Box, width: int, height: int) -> Window:
    margin = MARGIN * max(box[2] - box[0], box[3] - box[1])
    low = [max(0, math.floor(value - margin)) for value in box[:2]]
    high = [min(size, math.ceil(value + margin)) for value, size in zip(box[2:], (width, height), strict=True)]
    return Window(*low, *high)


def _clipped(box: Box, width: int, height: int) -> Box:
    return (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))


def _overlap(a: Box, b: np.ndarray) -> float:
    """Intersection over union."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(sides.clip(0).prod())
    areas = sum(float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b))
    return shared / max(areas - shared, 1e-9)
