"""Files that are called photos and are none, or are worse."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

KEYPOINTS = ("--keypoints", "two.json")


def jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


SPOILT = {
    "zero bytes": (b"", "an empty file"),
    "a truncated JPEG": (jpeg()[:5000], "cut short"),
    "only the start of a JPEG": (jpeg()[:20], "not an image"),
    "text": (b"this is no photo\n" * 100, "not an image"),
    "a web page instead of the photo": (b"<!DOCTYPE html><title>403</title>", "not an image"),
    "a PNG bomb": (png_header(60_000, 60_000), "3600 megapixels"),
    "a PNG of impossible size": (png_header(2**31 - 1, 2**31 - 1), "megapixels"),
    "a PNG that ends early": (png_header(4_000, 4_000), "cannot be decoded"),
    "EPS, which would start a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_photo_is_refused_by_name(refused, hug: Path, name: str):
    content, words = SPOILT[name]
    (hug / "spoilt.jpg").write_bytes(content)
    said = refused("spoilt.jpg", *KEYPOINTS)
    assert "spoilt.jpg" in said
    assert words in said


def test_a_bomb_is_refused_before_it_unpacks(refused, hug: Path):
    (hug / "bomb.png").write_bytes(png_header(60_000, 60_000))
    tracemalloc.start()
    refused("bomb.png", *KEYPOINTS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (3, 2)])
def test_a_photo_too_small_for_anybody_has_nobody_in_it(refused, hug: Path, size: tuple[int, int]):
    Image.new("RGB", size).save(hug / "dot.png")
    said = refused("dot.png")
    assert "dot" in said
    assert "--keypoints" in said


@pytest.mark.parametrize("place", ["nowhere.jpg", "/dev/null"])
def test_what_is_no_file_is_refused(refused, place: str):
    assert place in refused(place, *KEYPOINTS, "--out", "out")


def test_a_loop_of_links_is_refused(refused, hug: Path):
    (hug / "loop.jpg").symlink_to("loop.jpg")
    assert "loop.jpg" in refused("loop.jpg", *KEYPOINTS)


def test_a_name_with_escapes_neither_steers_the_terminal_nor_breaks_the_records(run, hug: Path):
    (hug / "in").mkdir()
    (hug / "in" / "a\x1b[31m.jpg").write_bytes(b"")
    (hug / "in" / "caf\udce9.jpg").write_bytes(b"")
    result = run("fit", "in", "--keypoints", ".")
    assert result.exit_code == 1
    assert "\x1b[31m." not in result.output
    assert len(list((hug / "apu_results").rglob("failure.json"))) == 2
