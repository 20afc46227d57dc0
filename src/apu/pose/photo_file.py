"""Photo files: any common format and colour mode in, upright RGB out. The adapter to Pillow."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from apu.cache import sha256_file
from apu.errors import PhotoError
from apu.pose.exif import Tags, focal_length_px, orientation
from apu.pose.resample import decode_rgb
from apu.scene.photo import Photo

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 400_000_000
"""Larger photos are refused before they are decoded; this many take 1.2 GB."""

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")
"""Pillow's names. Its other readers are left out: they meet no photos, and some (EPS) start programs."""

_EXIF_DIRECTORY = 0x8769
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""EXIF orientation -> Pillow's name of what undoes it."""

_LIMIT_LOCK = threading.Lock()


LARGE_PIXELS = 60_000_000
"""Photos with more pixels are decoded in the way that needs the least memory."""

_ENDINGS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
"""Format -> what stands near the end of a complete file."""

_TAIL = 65_536
_TURNS = {
    "FLIP_LEFT_RIGHT": (True, 0), "FLIP_TOP_BOTTOM": (True, 2), "ROTATE_90": (False, 1), "ROTATE_180": (False, 2),
    "ROTATE_270": (False, 3), "TRANSPOSE": (True, 1), "TRANSVERSE": (True, 3),
}  # fmt: skip
"""Pillow's transpose -> whether to mirror left and right first, and then quarter turns to the left."""


def read_photo(path: Path) -> Photo:
    """Read a photo.

    Grey, palette, transparent (laid on white), CMYK and 16-bit images become 8-bit RGB; of an animation, the first
    frame is taken. The EXIF focal length is used when it is credible (`apu.pose.exif`).

    Raises:
        PhotoError: the file is missing, empty, unreadable, no image, damaged, or has more than `MAX_PIXELS` pixels.
    """
    try:
        _check_file(path)
        sha256 = sha256_file(path)
        with path.open("rb") as file, _opened(file, path) as image:
            _check_size(image, path)
            focal_px = focal_length_px(_tags(image), image.width, image.height)
            pixels = _decoded(image, path)
    except OSError as error:
        raise PhotoError(
            "The photo cannot be opened.",
            where=path,
            expected="a file that you may read",
            got=error.strerror or error,
            remedy="check the file's permissions.",
        ) from error
    return Photo(pixels, path.stem, sha256, focal_px)


def _check_file(path: Path) -> None:
    problem = None
    if path.is_dir():
        problem = "a folder"
    elif not path.exists():
        problem = "no such file"
    elif not path.is_file():
        problem = "a device or pipe"
    elif path.stat().st_size == 0:
        problem = "an empty file"
    if problem is not None:
        raise PhotoError(
            "There is no photo to read.",
            where=path,
            expected="an image file, such as JPEG or PNG",
            got=problem,
            remedy="check the path.",
        )


@contextmanager
def _opened(file: object, path: Path) -> Iterator["Image.Image"]:
    """The image with its header read and its pixels not yet decoded."""
    from PIL import Image

    try:
        Image.init()
        formats = [name for name in FORMATS if name in Image.OPEN]
        with _no_pixel_limit():
            image = Image.open(file, formats=formats)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # Pillow's readers raise whatever a strange header makes them trip over
        raise PhotoError(
            "The file is not an image that can be read.",
            where=path,
            expected=f"one of {', '.join(FORMATS)}",
            got="an unknown or damaged format",
            remedy="save it as JPEG or PNG with an image editor (HEIC photos too).",
        ) from error
    with image:
        yield image


@contextmanager
def _no_pixel_limit() -> Iterator[None]:
    """Pillow's own limit is set aside, because ours is higher; only while a header is read, and one at a time."""
    from PIL import Image

    with _LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_size(image: "Image.Image", path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PhotoError(
            "The photo is too large.",
            where=path,
            expected=f"at most {MAX_PIXELS // 1_000_000} megapixels",
            got=f"{image.width} x {image.height} pixels, {image.width * image.height / 1e6:.0f} megapixels",
            remedy="scale it down first.",
        )


def _tags(image: "Image.Image") -> Tags:
    if image.format == "PNG" and _is_large_and_plain(image) and "exif" not in image.info:
        return {}  # Pillow would decode all of it to look behind the pixels
    try:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(_EXIF_DIRECTORY)}
    except Exception:  # a photo with broken EXIF is still a photo
        return {}


def _decoded(image: "Image.Image", path: Path) -> UInt8[np.ndarray, "h w 3"]:
    from PIL import Image

    try:
        if _is_large_and_plain(image):
            return _decoded_large(image, path)
        image.load()
        turned = orientation(_tags(image))  # only now: Pillow turns TIFFs upright as it loads them, and drops the tag
        rgb = _rgb(image)
        if turned in _UPRIGHT:
            rgb = rgb.transpose(Image.Transpose[_UPRIGHT[turned]])
        return np.array(rgb)
    except Exception as error:  # Pillow's decoders raise whatever damage makes them trip over
        raise PhotoError(
            "The photo cannot be decoded.",
            where=path,
            expected=f"a complete {image.format} image",
            got=error,
            remedy="fetch or export the photo again; it may be cut short.",
        ) from error


def _is_large_and_plain(image: "Image.Image") -> bool:
    plain = image.mode in ("RGB", "L") and "transparency" not in image.info and image.format in _ENDINGS
    return plain and image.width * image.height > LARGE_PIXELS


def _decoded_large(image: "Image.Image", path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Without Pillow, which needs four bytes a pixel and a copy or two: at 400 megapixels that is the whole machine."""
    from PIL import Image

    with open(path, "rb") as file:
        file.seek(-min(_TAIL, path.stat().st_size), os.SEEK_END)
        if _ENDINGS[str(image.format)] not in file.read():
            raise ValueError("the end of the file is missing")
    pixels = decode_rgb(path)
    if pixels is None or pixels.shape[:2] != (image.height, image.width):
        raise ValueError("the file's pixels cannot be read")
    turned = orientation(_tags(image))
    if turned not in _UPRIGHT:
        return pixels
    flip, quarter_turns = _TURNS[Image.Transpose[_UPRIGHT[turned]].name]
    return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if flip else pixels, quarter_turns))


def _rgb(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bit(np.asarray(image))).convert("RGB")
    if image.mode not in ("LA", "La", "PA", "RGBA", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image).convert("RGB")


def _eight_bit(values: np.ndarray) -> UInt8[np.ndarray, "h w"]:
    """Grey values of 16 or 32 bits, or floats, scaled to 8 bits; Pillow's own conversion would clip them at 255.

    The scale is that of the number format, not of the brightest pixel, so that a dark photo stays dark.
    """
    ranges = (1.0, 255.0, 65535.0) if np.issubdtype(values.dtype, np.floating) else (65535.0, 2.0**31)
    finite = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    brightest = float(finite.max())
    top = next((top for top in ranges if brightest <= top), brightest)
    return np.round(np.clip(finite / top, 0, 1) * 255).astype(np.uint8)
