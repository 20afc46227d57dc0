"""Text, lines and scaling on plain pixel arrays. The one file of this room that knows Pillow and OpenCV."""

import io
import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from apu.show.palette import FAINT_INK, INK, Color

Pixels = UInt8[np.ndarray, "_ _ 3"]
"""A picture; its size is left open, because most functions here have two pictures of two sizes."""

Px = int | float
"""Pixels; fractions count. The checks at run time do not take an int for a float, and whole pixels are common."""

Point = tuple[Px, Px]
"""x right, y down."""

_SUBPIXEL_BITS = 4
_REACH = 20_000.0
"""OpenCV's fixed-point coordinates overflow far outside; nothing that far can be seen."""

_PLAIN = str.maketrans({"–": "-", "—": "-", "→": "->", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x"})  # noqa: RUF001
_FONT_HAS = {chr(c) for c in range(32, 127)} | set("·°±…")


def blank(width: int, height: int, color: Color) -> Pixels:
    """A picture of one colour."""
    return np.tile(to_bytes(np.array(color)), (height, width, 1))


def to_bytes(values: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """[0, 1] to 0 .. 255, rounded."""
    return (np.clip(values, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def paste(canvas: Pixels, tile: Pixels, x: int, y: int) -> None:
    """Copy `tile` onto `canvas` with its corner at (x, y); what sticks out is cut off."""
    height, width = canvas.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + tile.shape[1], width), min(y + tile.shape[0], height)
    if left < right and top < bottom:
        canvas[top:bottom, left:right] = tile[top - y : bottom - y, left - x : right - x]


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture at another size: averaged when it shrinks, cubic when it grows."""
    import cv2

    way = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=way), dtype=np.uint8)


def window(pixels: Pixels, corner: Point, scale: Px, width: int, height: int, color: Color) -> Pixels:
    """Part of a picture, enlarged: `corner` becomes the top left. `color` fills what lies outside the picture."""
    import cv2

    if scale < 1:  # warping alone would alias
        pixels = resized(pixels, *(max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])))
        corner, scale = (corner[0] * scale, corner[1] * scale), 1.0
    # Pixel centres lie at half-integers: hence the half-pixel terms.
    shift = [0.5 * scale - 0.5 - corner[i] * scale for i in (0, 1)]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], dtype=np.float64)
    border = tuple(int(c) for c in to_bytes(np.array(color)))
    out = cv2.warpAffine(
        np.ascontiguousarray(pixels), matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=border
    )
    return np.asarray(out, dtype=np.uint8)


def blurred(values: Float[np.ndarray, "h w"], sigma_px: float) -> Float[np.ndarray, "h w"]:
    """Gaussian blur."""
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px), dtype=values.dtype)


def rectangle(canvas: Pixels, x0: int, y0: int, x1: int, y1: int, color: Color) -> None:
    """Fill columns x0 .. x1-1 and rows y0 .. y1-1."""
    canvas[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = to_bytes(np.array(color))


def segment(canvas: Pixels, start: Point, end: Point, color: Color, thickness: int = 2) -> None:
    """A straight line, smooth-edged."""
    import cv2

    cv2.line(canvas, _fixed(start), _fixed(end), _rgb(color), thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def disc(canvas: Pixels, center: Point, radius: Px, color: Color, rim: Color | None = None) -> None:
    """A filled circle, with a thin rim when one is asked for."""
    import cv2

    size = round(radius * (1 << _SUBPIXEL_BITS))
    if rim is not None:
        more = round((radius + 1.5) * (1 << _SUBPIXEL_BITS))
        cv2.circle(canvas, _fixed(center), more, _rgb(rim), -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.circle(canvas, _fixed(center), size, _rgb(color), -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def contours(share: Float[np.ndarray, "h w"], level: float = 0.5) -> list[Float[np.ndarray, "n 2"]]:
    """Closed outlines of the places above a level: x, y in pixels of the array, the smallest specks left out."""
    import cv2

    binary = np.pad((share > level).astype(np.uint8), 1)
    found, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [line for line in found if cv2.contourArea(line) > 0.002 * share.size]
    return [line[:, 0].astype(np.float64) - 0.5 for line in large]  # the padding is one pixel, a centre half of one


def arrow(canvas: Pixels, start: Point, end: Point, color: Color = FAINT_INK, thickness: int = 1) -> None:
    """A line with a head at `end`; the built-in font has no arrows."""
    segment(canvas, start, end, color, thickness)
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    head = 4.0 + thickness
    for turn in (2.6, -2.6):
        barb = (end[0] + head * math.cos(angle + turn), end[1] + head * math.sin(angle + turn))
        segment(canvas, end, barb, color, thickness)


def text(
    canvas: Pixels,
    x: Px,
    y: Px,
    words: str,
    *,
    size: int = 15,
    color: Color = INK,
    anchor: str = "la",
    bold: bool = False,
) -> float:
    """Write one line; what sticks out is cut off. Returns its width in pixels.

    Args:
        canvas: written to.
        x, y: pixels, where `anchor` (Pillow's two letters, e.g. `la` = left, ascender; `mm` = middle) comes to lie.
        words: any text; characters that the built-in font lacks are replaced.
        size: font size, pixels.
        color: of the letters.
        anchor: see x, y.
        bold: thicker letters.
    """
    from PIL import Image, ImageDraw

    words = printable(words)
    stroke = _stroke(size, bold)
    x0, y0, x1, y1 = _font(size).getbbox(words, anchor=anchor, stroke_width=stroke)
    left, top = math.floor(x + x0) - 1, math.floor(y + y0) - 1
    width, height = math.ceil(x1 - x0) + 4, math.ceil(y1 - y0) + 4
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).text(
        (x - left, y - top), words, fill=255, font=_font(size), anchor=anchor, stroke_width=stroke
    )
    _blend(canvas, np.asarray(mask, dtype=np.float32) / 255, left, top, color)
    return float(x1 - x0)


def text_width(words: str, size: int = 15, bold: bool = False) -> float:
    """Width in pixels of one line as `text` would write it."""
    return float(_font(size).getlength(printable(words)) + 2 * _stroke(size, bold))


def shortened(words: str, size: int, width: Px, bold: bool = False) -> str:
    """The words, cut at the end with an ellipsis so that they fit into `width` pixels."""
    words = printable(words)
    if text_width(words, size, bold) <= width:
        return words
    while words and text_width(words + "…", size, bold) > width:
        words = words[:-1]
    return words.rstrip() + "…"


def printable(words: str) -> str:
    """The words in the characters of the built-in font: accents dropped, others as `?`."""
    decomposed = unicodedata.normalize("NFKD", words.translate(_PLAIN))
    letters = (c for c in decomposed if not unicodedata.combining(c))
    return "".join(c if c in _FONT_HAS else "?" for c in letters)


def save_png(pixels: Pixels, path: Path) -> None:
    """Write a PNG file."""
    from PIL import Image

    Image.fromarray(pixels).save(path, format="PNG")


def to_jpeg(pixels: Pixels, quality: int = 85) -> bytes:
    """The picture as a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality, optimize=True)
    return file.getvalue()


def save_gif(frames: Sequence[Pixels], path: Path, seconds: float) -> None:
    """Write a picture that moves and begins again for ever; all frames share one set of 256 colours.

    Args:
        frames: all of one size.
        path: of the file.
        seconds: that each frame stays; the format counts hundredths.
    """
    from PIL import Image

    some = np.concatenate(frames[:: max(1, len(frames) // 6)])
    colors = Image.fromarray(some).quantize(256, method=Image.Quantize.MEDIANCUT)
    first, *others = (Image.fromarray(f).quantize(palette=colors, dither=Image.Dither.NONE) for f in frames)
    first.save(
        path, format="GIF", save_all=True, append_images=others, duration=round(1000 * seconds), loop=0, optimize=False
    )


def thumbnail(path: Path, width: int) -> bytes:
    """A picture file, shrunk to `width` pixels, as a JPEG file.

    Raises:
        OSError: it cannot be read, or is no picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise OSError(f"no picture: {error}") from error
    height = max(1, round(small.height * width / small.width))
    return to_jpeg(resized(np.asarray(small), width, height), quality=80)


@lru_cache(maxsize=16)
def _font(size: int):
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _stroke(size: int, bold: bool) -> float:
    """The built-in font has one weight; a stroke of this width (pixels) makes it bold."""
    return 0.025 * size if bold else 0.0


def _blend(canvas: Pixels, mask: Float[np.ndarray, "h w"], x: int, y: int, color: Color) -> None:
    height, width = canvas.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if left >= right or top >= bottom:
        return
    share = mask[top - y : bottom - y, left - x : right - x, None]
    under = canvas[top:bottom, left:right] / 255.0
    canvas[top:bottom, left:right] = to_bytes(under * (1 - share) + np.asarray(color) * share)


def _fixed(point: Point) -> tuple[int, int]:
    x, y = (min(max(float(p), -_REACH), _REACH) - 0.5 for p in point)
    return round(x * (1 << _SUBPIXEL_BITS)), round(y * (1 << _SUBPIXEL_BITS))


def _rgb(color: Color) -> tuple[int, int, int]:
    red, green, blue = (int(c) for c in to_bytes(np.array(color)))
    return red, green, blue
