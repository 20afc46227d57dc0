"""A photo, decoded and upright."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True)
class Photo:
    """One image.

    Attributes:
        pixels: (height, width, 3) RGB, upright as the EXIF orientation asks.
        name: file name without its ending; the key in annotation files.
        sha256: of the file's bytes.
        focal_px: focal length in pixels of `pixels` when the file knows it.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    name: str
    sha256: str
    focal_px: float | None = None

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.pixels.shape[0]
