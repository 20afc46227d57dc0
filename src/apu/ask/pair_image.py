"""The picture of a pair that a language model is shown: cut out, others blurred, the two people marked A and B.

Crop, blur and marks follow what is known of how such models read images (the blurred surroundings of zero-shot
human-object interaction, letters and boxes as in Set-of-Mark, 2310.11441); all sizes are hand-set. The file is encoded
from pixels, so nothing of the photo's metadata, such as its place, goes with it.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8

from apu.ask.pair_layout import MASK_LEVEL, Rectangle, crop_box, head_point, place_tags, reach_box
from apu.ask.question import EncodedImage
from apu.errors import InputError, PeopleError
from apu.scene.person import Box, Person
from apu.scene.photo import Photo

LETTERS = ("A", "B")
COLOR_NAMES = ("red", "blue")
COLORS = ((222, 28, 36), (20, 88, 226))
"""Red, green, blue of the marks of A and B, 0 .. 255."""

LONG_SIDES = (768, 1024)
JPEG_QUALITY = 90
_BLUR, _GROWTH, _LINE, _TAG, _DASH = 1 / 24, 1 / 120, 1 / 300, 1 / 26, 1 / 110
"""Shares of the picture's long side: sigma of the blur, growth of masks, width of a line, side of a tag, a dash."""

_MUCH = 3
"""A crop so many times as large as its picture is first averaged over blocks, which needs little memory."""


@dataclass(frozen=True)
class PairImageOptions:
    """What is done to the photo.

    Attributes:
        margin: left around the two people, in shares of the box of both.
        long_side: of the picture, pixels; 768 to 1024.
        blur_others: blur everybody else.
        mark: draw boxes and letters.
        mirrored: exchange left and right. Letters stay readable.
        swapped: call the pair's first person B and its second one A.
        format: of the file.
    """

    margin: float = 0.12
    long_side: int = 896
    blur_others: bool = True
    mark: bool = True
    mirrored: bool = False
    swapped: bool = False
    format: Literal["jpeg", "png"] = "jpeg"

    def __post_init__(self) -> None:
        if not 0.0 <= self.margin <= 2.0:
            raise _bad_option("margin", "a number from 0 to 2", self.margin)
        if not LONG_SIDES[0] <= self.long_side <= LONG_SIDES[1]:
            raise _bad_option("long_side", f"{LONG_SIDES[0]} to {LONG_SIDES[1]} pixels", self.long_side)
        if self.format not in ("jpeg", "png"):
            raise _bad_option("format", "jpeg or png", self.format)


@dataclass(frozen=True)
class Mark:
    """One marked person. Boxes are pixels of the picture.

    Attributes:
        letter: `A` or `B`.
        color: its name.
        person: number of the person in the photo.
        box: around the whole body.
        tag: the square with the letter.
    """

    letter: str
    color: str
    person: int
    box: Box
    tag: Rectangle


@dataclass(frozen=True)
class PairImage:
    """The picture as it is sent.

    Attributes:
        data: bytes of the file.
        media_type: `image/jpeg` or `image/png`.
        size: width and height, pixels.
        crop: what was cut out, whole pixels of the photo.
        marks: of A and of B; none when they were not drawn.
        a_on_left: whether the head of A lies left of that of B in the picture.
        options: how it was made.
    """

    data: bytes
    media_type: str
    size: tuple[int, int]
    crop: Rectangle
    marks: tuple[Mark, ...]
    a_on_left: bool
    options: PairImageOptions

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal sha256 of the file's bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def encoded(self) -> EncodedImage:
        """The bytes and their type alone, as a question has them."""
        return EncodedImage(self.data, self.media_type)


def pair_image(
    photo: Photo, people: Sequence[Person], pair: tuple[int, int], options: PairImageOptions | None = None
) -> PairImage:
    """Make the picture of one pair. Equal input gives equal bytes.

    Args:
        photo: decoded and upright.
        people: everybody who was found; those not in the pair are bystanders.
        pair: numbers of A and B (`Person.index`).
        options: see `PairImageOptions`.

    Raises:
        PeopleError: the pair is not two of the people.
        InputError: one of the two has no keypoints, or lies outside of the photo.
    """
    options = options or PairImageOptions()
    pair = (pair[1], pair[0]) if options.swapped else pair
    both = _two_of(people, pair)
    boxes = [reach_box(person, photo.width, photo.height) for person in both]
    crop = crop_box(boxes, options.margin, photo.width, photo.height)
    picture = _enlarged(photo.pixels[crop[1] : crop[3], crop[0] : crop[2]], options.long_side)
    grid = _Grid(crop, (picture.shape[1], picture.shape[0]))
    own = [grid.box(box) for box in boxes]
    heads = [grid.point(head_point(person)) for person in both]
    if options.blur_others:
        others = [person for person in people if person.index not in pair]
        picture = _blurred(picture, _bystanders(others, photo, grid) & ~_inside(own, grid.size))
    if options.mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
        own, heads = [_mirrored(box, grid.size) for box in own], [(grid.size[0] - x, y) for x, y in heads]
    marks: tuple[Mark, ...] = ()
    if options.mark:
        side = round(_TAG * options.long_side)
        tags = place_tags((own[0], own[1]), (heads[0], heads[1]), side, grid.size)
        marks = tuple(Mark(LETTERS[i], COLOR_NAMES[i], pair[i], own[i], tags[i]) for i in (0, 1))
        picture = _marked(picture, marks)
    data = _encoded(picture, options.format)
    return PairImage(data, f"image/{options.format}", grid.size, crop, marks, heads[0][0] <= heads[1][0], options)


@dataclass(frozen=True)
class _Grid:
    """Pixels of the photo -> pixels of the picture."""

    crop: Rectangle
    size: tuple[int, int]

    def point(self, point: tuple[float, float]) -> tuple[float, float]:
        x0, y0, x1, y1 = self.crop
        return (point[0] - x0) * self.size[0] / (x1 - x0), (point[1] - y0) * self.size[1] / (y1 - y0)

    def box(self, box: Box) -> Box:
        return (*self.point((box[0], box[1])), *self.point((box[2], box[3])))

    def sources(self) -> tuple[np.ndarray, np.ndarray]:
        """Place in the photo of the middle of each column, and of each row."""
        (x0, y0, x1, y1), (width, height) = self.crop, self.size
        return x0 + (np.arange(width) + 0.5) * (x1 - x0) / width, y0 + (np.arange(height) + 0.5) * (y1 - y0) / height


def _two_of(people: Sequence[Person], pair: tuple[int, int]) -> list[Person]:
    found = {person.index: person for person in people}
    if pair[0] == pair[1] or not {*pair} <= found.keys():
        raise PeopleError(
            "There is no such pair.",
            where=f"pair {pair[0]}, {pair[1]}",
            expected=f"two different numbers out of {', '.join(map(str, sorted(found))) or 'nobody'}",
            got=f"{pair[0]} and {pair[1]}",
            remedy="look at the numbers of the people in the photo.",
        )
    return [found[number] for number in pair]


def _enlarged(pixels: UInt8[np.ndarray, "h w 3"], long_side: int) -> UInt8[np.ndarray, "hh ww 3"]:
    """The picture with this long side: averaged when it shrinks, Lanczos when it grows."""
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    factor = min(max(height, width) // (_MUCH * long_side) * 2, height, width)
    if factor > 1:
        pixels = _block_means(pixels, factor)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def _block_means(pixels: UInt8[np.ndarray, "h w 3"], factor: int) -> UInt8[np.ndarray, "hh ww 3"]:
    """Means over whole blocks; the last rows and columns that fill no block are left out."""
    height, width = (side // factor * factor for side in pixels.shape[:2])
    total = np.zeros((height // factor, width // factor, 3), np.uint32)
    for dy in range(factor):
        for dx in range(factor):
            total += pixels[dy:height:factor, dx:width:factor]
    return ((total + factor * factor // 2) // (factor * factor)).astype(np.uint8)


def _bystanders(others: Sequence[Person], photo: Photo, grid: _Grid) -> Bool[np.ndarray, "h w"]:
    """Pixels of the picture that show somebody else: by their mask, else by their box."""
    out = np.zeros((grid.size[1], grid.size[0]), bool)
    for person in others:
        if person.mask is not None:
            out |= _masked(person, grid)
            continue
        try:
            box = reach_box(person, photo.width, photo.height)
        except InputError:
            continue  # nothing of them is in the photo
        out |= _inside([grid.box(box)], grid.size)
    return out


def _masked(person: Person, grid: _Grid) -> Bool[np.ndarray, "h w"]:
    """The person's mask on the picture, grown a little, because the edges of masks are soft."""
    assert person.mask is not None
    share, step = person.mask.share, person.mask.step
    columns, rows = (
        np.floor((source - start) / step).astype(int)
        for source, start in zip(grid.sources(), person.mask.box[:2], strict=True)
    )
    known_x, known_y = (columns >= 0) & (columns < share.shape[1]), (rows >= 0) & (rows < share.shape[0])
    out = np.zeros((grid.size[1], grid.size[0]), bool)
    out[np.ix_(known_y, known_x)] = share[np.ix_(rows[known_y], columns[known_x])] > MASK_LEVEL
    return _softened(out, _GROWTH * max(grid.size)) > 0.1 if out.any() else out


def _inside(boxes: Sequence[Box], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    out = np.zeros((size[1], size[0]), bool)
    for x0, y0, x1, y1 in boxes:
        out[max(0, int(y0)) : max(0, int(np.ceil(y1))), max(0, int(x0)) : max(0, int(np.ceil(x1)))] = True
    return out


def _blurred(picture: UInt8[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Strongly blurred in the marked pixels; all others stay as they are."""
    from PIL import Image, ImageFilter

    if not where.any():
        return picture
    soft = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(_BLUR * max(where.shape)))
    return np.where(where[..., None], np.asarray(soft), picture)


def _softened(where: Bool[np.ndarray, "h w"], sigma_px: float) -> np.ndarray:
    """(h, w) in [0, 1]: the marked pixels with soft edges."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(where.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(sigma_px))
    return np.asarray(image, np.float32) / 255


def _mirrored(box: Box, size: tuple[int, int]) -> Box:
    return (size[0] - box[2], box[1], size[0] - box[0], box[3])


def _marked(picture: UInt8[np.ndarray, "h w 3"], marks: Sequence[Mark]) -> UInt8[np.ndarray, "h w 3"]:
    """Both boxes and letters drawn. Within the other's box a line is dashed and thinner: there the two may touch."""
    out = picture.copy()
    long = max(picture.shape[:2])
    width = max(2, round(_LINE * long))
    rows, columns = np.indices(picture.shape[:2])
    for i, mark in enumerate(marks):
        phase = (rows + columns) // max(2, round(_DASH * long)) % 4
        shared = _inside([marks[1 - i].box], (picture.shape[1], picture.shape[0]))
        line = _outline(mark.box, width, shared.shape) & ~shared
        line |= _outline(mark.box, max(1, width // 2), shared.shape) & shared & (phase == 2 * i)
        out[line] = COLORS[i]
    for i, mark in enumerate(marks):
        x0, y0, x1, y1 = mark.tag
        out[y0:y1, x0:x1] = _letter(mark.letter, COLORS[i], x1 - x0)[: out.shape[0] - y0, : out.shape[1] - x0]
    return out


def _outline(box: Box, width: int, shape: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    x0, y0 = (max(0, int(v)) for v in box[:2])
    x1, y1 = min(shape[1], int(np.ceil(box[2]))), min(shape[0], int(np.ceil(box[3])))
    out = np.zeros(shape, bool)
    out[y0:y1, x0:x1] = True
    out[y0 + width : max(y0 + width, y1 - width), x0 + width : max(x0 + width, x1 - width)] = False
    return out


def _letter(letter: str, color: tuple[int, int, int], side: int) -> UInt8[np.ndarray, "s s 3"]:
    from PIL import Image, ImageDraw, ImageFont

    tile = Image.new("RGB", (side, side), color)
    font = ImageFont.load_default(round(0.85 * side))
    ImageDraw.Draw(tile).text(
        (side / 2, side / 2), letter, fill="white", font=font, anchor="mm", stroke_width=side // 24, stroke_fill="white"
    )
    return np.asarray(tile)


def _encoded(picture: UInt8[np.ndarray, "h w 3"], file_format: str) -> bytes:
    from PIL import Image

    image = Image.fromarray(picture)
    file = io.BytesIO()
    if file_format == "png":
        image.save(file, format="PNG")
    else:
        image.save(file, format="JPEG", quality=JPEG_QUALITY, optimize=True)
    return file.getvalue()


def _bad_option(name: str, expected: str, got: object) -> InputError:
    return InputError(
        "An option of the pair's picture is out of range.",
        where=name,
        expected=expected,
        got=got,
        remedy="leave it out for the default.",
    )
