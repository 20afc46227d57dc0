"""Pictures cut, scaled and turned: the adapter to OpenCV.

Coordinates are continuous, as everywhere: a pixel's middle lies half a pixel from its corner.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

Affine = Float[np.ndarray, "2 3"]
"""x, y, 1 -> x, y."""


def resized(pixels: UInt8[np.ndarray, "h w 3"], width: int, height: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """A picture at another size, averaged where it shrinks."""
    import cv2

    shrinks = width < pixels.shape[1] or height < pixels.shape[0]
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def cut(pixels: UInt8[np.ndarray, "h w 3"], to_photo: Affine, side: int) -> UInt8[np.ndarray, "side side 3"]:
    """A square out of a photo, scaled and turned; black where it leaves the photo.

    Args:
        pixels: the photo.
        to_photo: from pixels of the square to pixels of the photo.
        side: of the square, pixels.
    """
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]]) @ to_photo.T
    low = np.floor(corners.min(0) - 2).clip(0, (width, height)).astype(int)
    high = np.ceil(corners.max(0) + 2).clip(0, (width, height)).astype(int)
    if (high <= low).any():
        return np.zeros((side, side, 3), np.uint8)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    # Sampling reads four pixels only, and would flicker in a large photo: so that is averaged first.
    factor = max(1, int(np.linalg.norm(to_photo[:, 0])))
    size = np.ceil((high - low) / factor).astype(int)
    if factor > 1:
        part = resized(part, int(size[0]), int(size[1]))
    to_part = to_photo.astype(np.float64)
    to_part[:, 2] -= low
    to_part *= (size / (high - low))[:, None]
    return sampled(part, to_part, side, side)


def sampled(values: np.ndarray, to_values: Affine, width: int, height: int) -> np.ndarray:
    """A picture read at other places, linear between its pixels and 0 outside.

    Args:
        values: (h, w) or (h, w, channels), of any type that OpenCV knows.
        to_values: from pixels of the result to pixels of `values`.
        width, height: of the result.
    """
    import cv2

    corner = to_values[:, :2] @ np.full(2, 0.5) + to_values[:, 2] - 0.5  # OpenCV counts from the middle of a pixel
    matrix = np.column_stack([to_values[:, :2], corner]).astype(np.float64)
    return cv2.warpAffine(values, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def decode_rgb(path: Path) -> UInt8[np.ndarray, "h w 3"] | None:
    """The pixels of an image file as they lie in it, its EXIF orientation not applied; None when it cannot be read.

    Needs three bytes a pixel and no copy. A file that was cut short may come out grey at its end.
    """
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        return None
    rgb = np.asarray(pixels, dtype=np.uint8)
    for start in range(0, len(rgb), 256):  # in strips, because OpenCV's own swap makes a copy of all
        strip = rgb[start : start + 256]
        strip[...] = strip[..., ::-1].copy()
    return rgb
