"""What a photo's EXIF tags say about its camera: which way is up, and the focal length. Never trusted blindly."""

import math
from collections.abc import Mapping
from typing import SupportsFloat, cast

Tags = Mapping[int, object]
"""EXIF tag number -> value, of the main and the photo directory together."""

ORIENTATION = 0x0112
FOCAL_LENGTH = 0x920A
FOCAL_LENGTH_35MM = 0xA405
RECORDED_WIDTH, RECORDED_HEIGHT = 0xA002, 0xA003
FOCAL_PLANE_X_RESOLUTION, FOCAL_PLANE_UNIT = 0xA20E, 0xA210

FULL_FRAME_DIAGONAL_MM = 43.27
"""Of the 36 x 24 mm film that "35 mm equivalent" refers to."""

PLAUSIBLE_FOCAL = (0.25, 30.0)
"""In longer image sides: from a wide angle of 127 degrees to a 1000 mm lens; beyond, it is no pinhole or no truth."""

SAME_SHAPE = 0.02
"""Largest relative difference in width / height between the photo and what the camera recorded."""

_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""FocalPlaneResolutionUnit; the EXIF standard's default is the inch."""


def orientation(tags: Tags) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright as stored) when it is missing or makes no sense."""
    value = _number(tags.get(ORIENTATION))
    return int(value) if value is not None and value in range(1, 9) else 1


def focal_length_px(tags: Tags, width: int, height: int) -> float | None:
    """Focal length in pixels of the whole photo, or None when the tags do not tell it credibly.

    The 35 mm equivalent is preferred: it survives resizing, and many cameras write a wrong focal plane resolution.

    Args:
        tags: EXIF tags.
        width, height: of the photo, pixels; turned upright or not.
    """
    if _is_cropped(tags, width, height):
        return None  # both tags speak of the frame before the crop, whose size is then unknown
    for focal in (_from_35mm(tags, width, height), _from_focal_plane(tags, width, height)):
        if focal is not None and PLAUSIBLE_FOCAL[0] <= focal / max(width, height) <= PLAUSIBLE_FOCAL[1]:
            return focal
    return None


def _from_35mm(tags: Tags, width: int, height: int) -> float | None:
    equivalent_mm = _positive(tags.get(FOCAL_LENGTH_35MM))
    return None if equivalent_mm is None else equivalent_mm * math.hypot(width, height) / FULL_FRAME_DIAGONAL_MM


def _from_focal_plane(tags: Tags, width: int, height: int) -> float | None:
    focal_mm, per_unit = _positive(tags.get(FOCAL_LENGTH)), _positive(tags.get(FOCAL_PLANE_X_RESOLUTION))
    unit_mm = _UNIT_MM.get(int(_positive(tags.get(FOCAL_PLANE_UNIT)) or 2))
    if focal_mm is None or per_unit is None or unit_mm is None:
        return None
    recorded = max(_positive(tags.get(side)) or 0.0 for side in (RECORDED_WIDTH, RECORDED_HEIGHT))
    resized = max(width, height) / recorded if recorded else 1.0  # the resolution is that of the recorded photo
    return focal_mm * per_unit / unit_mm * resized


def _is_cropped(tags: Tags, width: int, height: int) -> bool:
    recorded_width, recorded_height = _positive(tags.get(RECORDED_WIDTH)), _positive(tags.get(RECORDED_HEIGHT))
    if recorded_width is None or recorded_height is None:
        return False
    recorded = recorded_width / recorded_height
    shapes = (width / height, height / width)  # some software turns the pixels and leaves the tags as they were
    return all(abs(shape / recorded - 1) > SAME_SHAPE for shape in shapes)


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _number(value: object) -> float | None:
    """A finite number, or None: tags hold rationals over zero, texts and tuples too."""
    try:
        number = float(cast(SupportsFloat, value))
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None
