"""Photos of every mode and orientation, and files that are none."""

import hashlib
import math
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apu.errors import PhotoError
from apu.pose import photo_file
from apu.pose.exif import focal_length_px
from apu.pose.photo_file import read_photo

EXIF, ORIENTATION, FOCAL_35MM = 0x8769, 0x0112, 0xA405
FOCAL, PLANE_X, PLANE_UNIT, RECORDED_WIDTH, RECORDED_HEIGHT = 0x920A, 0xA20E, 0xA210, 0xA002, 0xA003


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # pyright: ignore[reportArgumentType]
    return path


def with_exif(path: Path, size: tuple[int, int] = (40, 30), **tags: int) -> Path:
    """A JPEG whose photo directory has the tags, given as t<number>; `orientation` goes to the main one."""
    exif = Image.Exif()
    if "orientation" in tags:
        exif[ORIENTATION] = tags.pop("orientation")
    exif.get_ifd(EXIF).update({int(name[1:]): value for name, value in tags.items()})
    return save(Image.new("RGB", size), path, exif=exif)


def test_pixels_name_and_hash_are_those_of_the_file(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = save(Image.fromarray(pixels), tmp_path / "two.people.png")
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo.name, photo.width, photo.height) == ("two.people", 7, 5)
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert photo.focal_px is None


UPRIGHT = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT, 1),
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT, -1),
}
"""EXIF orientation -> how a camera that writes it has stored the upright picture."""


@pytest.mark.parametrize("value", STORED)
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, value: int, ending: str):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    path = save(Image.fromarray(np.ascontiguousarray(STORED[value])), tmp_path / f"turned{ending}", exif=exif)
    np.testing.assert_array_equal(read_photo(path).pixels[..., 0], UPRIGHT)


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_that_does_not_exist_leaves_the_photo_as_stored(tmp_path: Path, value: int):
    assert read_photo(with_exif(tmp_path / "a.jpg", orientation=value)).pixels.shape == (30, 40, 3)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "LA", "RGBA", "I;16", "I", "F"])
def test_white_and_black_survive_every_colour_mode(tmp_path: Path, mode: str):
    grey = np.array([[0, 255], [255, 0]], np.uint8)
    if mode in ("I;16", "I", "F"):
        top, dtype = {"I;16": (65535, np.uint16), "I": (2**31 - 1, np.int32), "F": (1.0, np.float32)}[mode]
        image = Image.fromarray((grey / 255 * top).astype(dtype))
    else:
        image = Image.fromarray(grey).convert("RGB" if mode in ("P", "CMYK") else "L").convert(mode)
    assert image.mode == mode
    ending = ".png" if mode in ("1", "P", "LA", "RGBA", "I;16") else ".tif"
    pixels = read_photo(save(image, tmp_path / f"photo{ending}")).pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.repeat(grey[..., None], 3, 2))


def test_a_16_bit_ramp_is_scaled_and_not_clipped(tmp_path: Path):
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None]
    pixels = read_photo(save(Image.fromarray(ramp), tmp_path / "ramp.png")).pixels
    np.testing.assert_array_equal(pixels[0, :, 0], np.arange(256))


def test_a_dark_16_bit_photo_stays_dark(tmp_path: Path):
    dark = np.full((2, 2), 257 * 3, np.uint16)
    assert (read_photo(save(Image.fromarray(dark), tmp_path / "dark.tif")).pixels == 3).all()


def test_floats_that_are_not_numbers_become_black(tmp_path: Path):
    values = np.array([[np.nan, np.inf, 1.0, 0.0]], np.float32)
    pixels = read_photo(save(Image.fromarray(values), tmp_path / "holes.tif")).pixels
    assert pixels[0, :, 0].tolist() == [0, 0, 255, 0]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_laid_on_white(tmp_path: Path, mode: str):
    if mode == "P":
        image = Image.new("P", (2, 1), 0)
        image.putpalette([0, 0, 0, 9, 9, 9])
        image.putpixel((1, 0), 1)
        path = save(image, tmp_path / "a.png", transparency=0)
    else:
        image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
        image.putpixel((1, 0), (9, 9, 9, 255))
        path = save(image.convert(mode), tmp_path / "a.png")
    assert read_photo(path).pixels[0, :, 1].tolist() == [255, 9]


def test_an_animation_gives_its_first_frame(tmp_path: Path):
    first, second = Image.new("L", (3, 3), 200), Image.new("L", (3, 3), 10)
    path = save(first, tmp_path / "a.gif", save_all=True, append_images=[second])
    assert (read_photo(path).pixels == 200).all()


def test_the_35_mm_focal_length_is_scaled_by_the_diagonal_and_survives_turning(tmp_path: Path):
    for value, shape in ((1, (30, 40, 3)), (6, (40, 30, 3))):
        photo = read_photo(with_exif(tmp_path / "a.jpg", orientation=value, t41989=28))
        assert photo.pixels.shape == shape
        assert photo.focal_px == pytest.approx(28 * 50 / 43.27)


def test_the_focal_plane_resolution_gives_the_focal_length_of_a_resized_photo():
    tags = {FOCAL: 50.0, PLANE_X: 4000 / 36, PLANE_UNIT: 4, RECORDED_WIDTH: 4000, RECORDED_HEIGHT: 3000}
    assert focal_length_px(tags, 4000, 3000) == pytest.approx(50 / 36 * 4000)
    assert focal_length_px(tags, 400, 300) == pytest.approx(50 / 36 * 400)
    inches = {FOCAL: 50.0, PLANE_X: 4000 / 36 * 25.4}
    assert focal_length_px(inches, 4000, 3000) == pytest.approx(50 / 36 * 4000)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {FOCAL_35MM: 0},
        {FOCAL_35MM: -28},
        {FOCAL_35MM: 1},
        {FOCAL_35MM: 65535},
        {FOCAL_35MM: math.nan},
        {FOCAL_35MM: "wide"},
        {FOCAL_35MM: (28, 1)},
        {FOCAL: 50.0},
        {FOCAL: 50.0, PLANE_X: math.inf},
        {FOCAL: 50.0, PLANE_X: 100.0, PLANE_UNIT: 9},
        {FOCAL_35MM: 28, RECORDED_WIDTH: 4000, RECORDED_HEIGHT: 1000},
    ],
    ids=str,
)
def test_a_focal_length_that_is_missing_implausible_or_of_a_cropped_photo_is_not_used(tags: dict[int, object]):
    assert focal_length_px(tags, 4000, 3000) is None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_photo_with_broken_exif_is_still_read(tmp_path: Path):
    path = save(Image.new("RGB", (4, 3)), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff garbage")
    photo = read_photo(path)
    assert (photo.pixels.shape, photo.focal_px) == ((3, 4, 3), None)


def refused(path: Path) -> PhotoError:
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert caught.value.where == str(path)
    assert caught.value.remedy
    return caught.value


def test_a_missing_file_a_folder_and_an_empty_file_are_named_as_such(tmp_path: Path):
    (tmp_path / "empty.jpg").touch()
    assert refused(tmp_path / "gone.jpg").got == "no such file"
    assert refused(tmp_path).got == "a folder"
    assert refused(tmp_path / "empty.jpg").got == "an empty file"


@pytest.mark.parametrize(
    "content", [b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a"]
)
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.jpg").write_bytes(content)
    assert "not an image" in refused(tmp_path / "a.jpg").what


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_truncated_photo_is_refused_instead_of_filled_with_grey(tmp_path: Path, format: str):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = save(Image.fromarray(pixels), tmp_path / "whole", format=format).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    assert any(word in refused(tmp_path / "cut").what for word in ("decoded", "not an image"))


def huge(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes that says it is huge."""
    data = bytearray(save(Image.new("1", (1, 1)), path).read_bytes())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photo_file, "_decoded", lambda *_: pytest.fail("it was decoded"))
    error = refused(huge(tmp_path / "a.png", 20_001, 20_000))
    assert "too large" in error.what
    assert "20001 x 20000" in str(error.got)


def test_pillows_lower_limit_neither_stops_a_photo_nor_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = save(Image.new("RGB", (30, 20), "white"), tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_photo(path).pixels.shape == (20, 30, 3)
    assert Image.MAX_IMAGE_PIXELS == 10
    (tmp_path / "bad.png").write_bytes(b"bad")
    refused(tmp_path / "bad.png")
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = save(Image.new("RGB", (4, 3)), tmp_path / "a.png")

    def forbidden(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(photo_file, "sha256_file", forbidden)
    assert refused(path).got == "Permission denied"


def test_the_shared_photos_are_read_at_their_size(photos: Path):
    for name in ("college_232334", "girls_250416"):
        photo = read_photo(photos / "images" / f"{name}.png")
        assert (photo.name, photo.width) == (name, 500)


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize(("mode", "ending"), [("RGB", "png"), ("L", "png"), ("RGB", "jpg"), ("L", "jpg")])
def test_the_way_for_large_photos_gives_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turned: int, mode: str, ending: str
):
    rows, columns = np.mgrid[0:48, 0:64]
    shades = np.stack([4 * columns, 5 * rows, 2 * (rows + columns)], -1).astype(np.uint8)
    image = Image.fromarray(shades).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = turned
    path = tmp_path / f"photo.{ending}"
    image.save(path, exif=exif, quality=95) if ending == "jpg" else image.save(path, exif=exif)
    usual = read_photo(path).pixels.astype(int)
    monkeypatch.setattr("apu.pose.photo_file.LARGE_PIXELS", 0)
    large = read_photo(path).pixels.astype(int)
    assert large.shape == usual.shape
    assert np.abs(large - usual).max() <= 2  # two builds of one JPEG decoder


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_large_photo_that_was_cut_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str):
    monkeypatch.setattr("apu.pose.photo_file.LARGE_PIXELS", 0)
    path = tmp_path / f"photo.{ending}"
    Image.effect_noise((64, 48), 60).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(PhotoError, match="cannot be decoded"):
        read_photo(path)
