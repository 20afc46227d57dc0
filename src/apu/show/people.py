"""The people of a photo, numbered, with the joints that were found. Left limbs are lighter than right ones."""

from collections.abc import Sequence

import numpy as np

from apu.body.joints import joint_names
from apu.scene.person import Keypoints, Person
from apu.show.canvas import Pixels, disc, resized, segment, text
from apu.show.palette import LINE_COLORS, OTHERS_COLOR, Color

MIN_CONFIDENCE = 0.2
"""Joints below it are not drawn."""

_WHITE: Color = (1.0, 1.0, 1.0)
_SIDED_LIMBS = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"),
    ("ankle", "heel"), ("ankle", "big_toe"), ("big_toe", "small_toe"), ("eye", "ear"),
)  # fmt: skip
_CENTRAL_LIMBS = (
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    ("nose", "neck"), ("nose", "left_eye"), ("nose", "right_eye"), ("head_top", "neck"),
)  # fmt: skip
LIMBS: tuple[tuple[str, str], ...] = (
    tuple((f"{side}_{a}", f"{side}_{b}") for side in ("right", "left") for a, b in _SIDED_LIMBS) + _CENTRAL_LIMBS
)


def draw_people(
    pixels: Pixels,
    people: Sequence[Person],
    pair: tuple[int, int] | None = None,
    *,
    size: tuple[int, int] | None = None,
) -> Pixels:
    """The photo with everybody numbered: the chosen pair in the colours of A and B, others grey.

    Args:
        pixels: the photo.
        people: all that were found.
        pair: indices of A and B; None draws nobody as chosen.
        size: (width, height) to scale the photo to, pixels; its own size by default.
    """
    width, height = size or (pixels.shape[1], pixels.shape[0])
    scale = (width / pixels.shape[1], height / pixels.shape[0])
    canvas = resized(pixels, width, height) if size else pixels.copy()
    chosen = pair or ()
    weight = max(1.0, min(width, height) / 300)
    for person in sorted(people, key=lambda p: p.index in chosen):
        color = LINE_COLORS[chosen.index(person.index)] if person.index in chosen else OTHERS_COLOR
        draw_skeleton(canvas, person.keypoints, color, scale=scale, weight=weight)
    for person in sorted(people, key=lambda p: p.index in chosen):
        color = LINE_COLORS[chosen.index(person.index)] if person.index in chosen else OTHERS_COLOR
        _badge(canvas, person, color, scale, weight)
    return canvas


def draw_skeleton(
    canvas: Pixels,
    keypoints: Keypoints,
    color: Color,
    *,
    scale: tuple[float, float] = (1.0, 1.0),
    offset: tuple[float, float] = (0.0, 0.0),
    weight: float = 1.5,
) -> None:
    """Limbs as lines and joints as dots, at `(xy - offset) * scale`; `weight` is half a line's width in pixels."""
    names = joint_names(keypoints.joint_set)
    placed = (keypoints.xy - np.asarray(offset)) * np.asarray(scale)
    seen = (keypoints.confidence >= MIN_CONFIDENCE) & np.isfinite(placed).all(1)
    at = {name: (float(placed[i, 0]), float(placed[i, 1])) for i, name in enumerate(names) if seen[i]}
    for width, shade in ((round(weight * 2) + 2, _WHITE), (round(weight * 2), None)):
        for a, b in LIMBS:
            if a in at and b in at:
                segment(canvas, at[a], at[b], shade or _sided(color, a, b), width)
    for name, point in at.items():
        disc(canvas, point, weight * 1.4, _sided(color, name, name), rim=_WHITE)


def _sided(color: Color, a: str, b: str) -> Color:
    """Lighter for the person's left, darker for their right."""
    if a.startswith("left") and b.startswith("left"):
        share, end = 0.35, 1.0
    elif a.startswith("right") and b.startswith("right"):
        share, end = 0.22, 0.0
    else:
        return color
    red, green, blue = (c * (1 - share) + end * share for c in color)
    return red, green, blue


def _badge(canvas: Pixels, person: Person, color: Color, scale: tuple[float, float], weight: float) -> None:
    """The person's number on a disc above the head, kept within the picture."""
    x0, y0, x1, _ = person.box
    radius = 5.0 + 3.2 * weight
    nose_x, _, confidence = person.keypoints.named("nose")
    x = (nose_x if confidence >= MIN_CONFIDENCE else (x0 + x1) / 2) * scale[0]
    y = y0 * scale[1] - 2.2 * radius
    if not np.isfinite([x, y]).all():
        return
    x = min(max(x, radius + 2), canvas.shape[1] - radius - 2)
    y = min(max(y, radius + 2), canvas.shape[0] - radius - 2)
    disc(canvas, (x, y), radius, color, rim=_WHITE)
    text(canvas, x, y, str(person.index), size=round(radius * 1.3), color=_WHITE, anchor="mm", bold=True)
