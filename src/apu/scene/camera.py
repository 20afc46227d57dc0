"""The pinhole camera: x right, y down, z forward, metres; pixels from the top-left corner."""

import math
from dataclasses import dataclass

DEFAULT_FIELD_OF_VIEW = math.radians(60.0)
"""Over the longer image side; BEV's and BUDDI's convention, so estimates interchange."""


@dataclass(frozen=True)
class Camera:
    """u = focal_px * x / z + center_px[0], v = focal_px * y / z + center_px[1].

    Attributes:
        focal_px: focal length, pixels.
        center_px: principal point (x, y), pixels.
        width, height: image size, pixels.
    """

    focal_px: float
    center_px: tuple[float, float]
    width: int
    height: int

    @staticmethod
    def of_image(
        width: int,
        height: int,
        *,
        focal_px: float | None = None,
        field_of_view: float = DEFAULT_FIELD_OF_VIEW,
    ) -> "Camera":
        """A camera whose principal point is the image centre.

        Args:
            width, height: pixels.
            focal_px: used as it is when known.
            field_of_view: radians over the longer side, used otherwise.
        """
        if focal_px is None:
            focal_px = max(width, height) / 2 / math.tan(field_of_view / 2)
        return Camera(focal_px, (width / 2, height / 2), width, height)
