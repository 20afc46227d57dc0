"""Pixels: scaling and cutting keep places, text stays inside and printable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.show import canvas
from apu.show.palette import BODY_COLORS, CONTACT_COLORS, INK, LINE_COLORS, PAPER, painted

RED = (1.0, 0.0, 0.0)


def white(width: int = 60, height: int = 40) -> np.ndarray:
    return canvas.blank(width, height, PAPER)


def changed(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Box (x0, y0, x1, y1) of the pixels that are not white; the ends are exclusive."""
    rows, columns = np.nonzero((picture != 255).any(2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_a_blank_picture_has_one_colour():
    picture = canvas.blank(7, 5, (1.0, 0.5, 0.0))
    assert picture.shape == (5, 7, 3)
    assert (picture == [255, 128, 0]).all()


@given(st.floats(-2, 3))
def test_bytes_are_rounded_and_kept_in_range(value):
    assert canvas.to_bytes(np.array([value]))[0] == round(min(max(value, 0), 1) * 255 + 1e-9)


@given(st.integers(-80, 80), st.integers(-60, 60))
def test_pasting_copies_what_lies_inside_and_drops_the_rest(x, y):
    picture, tile = white(), canvas.blank(30, 20, RED)
    canvas.paste(picture, tile, x, y)
    inside = max(0, min(x + 30, 60) - max(x, 0)) * max(0, min(y + 20, 40) - max(y, 0))
    assert int((picture == [255, 0, 0]).all(2).sum()) == inside
    assert int((picture == 255).all(2).sum()) == 60 * 40 - inside


@pytest.mark.parametrize("size", [(30, 20), (120, 80), (61, 41)])
def test_a_scaled_picture_keeps_its_places(size):
    picture = white()
    picture[10:20, 30:45] = 0
    x0, y0, x1, y1 = changed(np.where(canvas.resized(picture, *size) < 128, np.uint8(0), np.uint8(255)))
    across, down = size[0] / 60, size[1] / 40
    assert np.allclose([x0, x1], [30 * across, 45 * across], atol=1)
    assert np.allclose([y0, y1], [10 * down, 20 * down], atol=1)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_window_shows_its_part_of_the_picture_in_place(scale):
    picture = white()
    picture[10:20, 30:40] = 0
    part = canvas.window(picture, (25.0, 5.0), scale, 100, 90, PAPER)
    assert part.shape == (90, 100, 3)
    x0, y0, x1, y1 = changed(np.where(part < 128, np.uint8(0), np.uint8(255)))
    assert np.allclose([x0, y0, x1, y1], np.array([5, 5, 15, 15]) * scale, atol=1)


def test_outside_of_the_picture_a_window_has_the_given_colour():
    part = canvas.window(white(), (-500.0, -500.0), 1.0, 20, 20, RED)
    assert (part == [255, 0, 0]).all()


@pytest.mark.parametrize("radius", [2.6, 5.0, 8.0])
def test_a_disc_is_round_and_where_it_should_be(radius):
    picture = white()
    canvas.disc(picture, (30.0, 20.0), radius, (0.0, 0.0, 0.0))
    cover = 1 - picture[..., 0] / 255
    rows, columns = np.mgrid[:40, :60] + 0.5
    middle = np.array([(cover * columns).sum(), (cover * rows).sum()]) / cover.sum()
    assert np.allclose(middle, [30, 20], atol=0.1)
    gap = np.hypot(columns - 30, rows - 20)
    assert (cover[gap < radius - 0.7] == 1).all()
    assert (cover[gap > radius + 1.5] < 0.05).all()


def test_lines_far_outside_are_cut_not_wrapped():
    """OpenCV's fixed-point numbers overflow beyond 2^27 pixels: a line must not come back in on the other side."""
    picture = white()
    canvas.segment(picture, (1e9, 1e9), (2e9, 1e9), INK, 3)
    canvas.segment(picture, (-1e12, -50.0), (1e12, -50.0), INK, 3)
    canvas.disc(picture, (1e12, 5.0), 3.0, INK)
    assert (picture == 255).all()
    canvas.segment(picture, (-1e6, 20.0), (1e6, 20.0), INK, 1)
    assert (picture[20] != 255).any(1).all()


def test_an_arrow_has_its_head_at_its_end():
    picture = white()
    canvas.arrow(picture, (10.0, 20.0), (50.0, 20.0), INK, 1)
    tall = (picture != 255).any(2).sum(0)
    assert tall[42:50].max() > tall[12:35].max() + 2


def test_a_rectangle_is_cut_at_the_border():
    picture = white()
    canvas.rectangle(picture, -10, -10, 3, 2, INK)
    assert changed(picture) == (0, 0, 3, 2)


@pytest.mark.parametrize(("anchor", "corner"), [("la", (10, 10)), ("rm", None), ("mm", None)])
def test_text_lies_at_its_anchor_and_its_width_is_told(anchor, corner):
    picture = white(300, 60)
    x, y = (10, 10) if corner else (150, 30)
    width = canvas.text(picture, x, y, "Hand", size=20, anchor=anchor)
    x0, y0, x1, y1 = changed(picture)
    assert x1 - x0 == pytest.approx(width, abs=4)
    assert {"l": x0, "m": (x0 + x1) / 2, "r": x1}[anchor[0]] == pytest.approx(x, abs=4)
    if anchor[1] == "m":
        assert (y0 + y1) / 2 == pytest.approx(y, abs=5)


def test_text_over_the_border_is_cut():
    picture = white(40, 20)
    canvas.text(picture, -500, 5, "far to the left")
    canvas.text(picture, 30, 500, "far below")
    assert (picture == 255).all()
    canvas.text(picture, 30, 2, "out of the picture")
    assert (picture != 255).any()


def test_bold_text_is_darker():
    plain, bold = white(200, 40), white(200, 40)
    canvas.text(plain, 5, 5, "Contacts", size=20)
    canvas.text(bold, 5, 5, "Contacts", size=20, bold=True)
    assert bold.sum() < plain.sum()


@given(st.text(max_size=30))
def test_any_text_becomes_characters_that_the_font_has(words):
    plain = canvas.printable(words)
    assert set(plain) <= canvas._FONT_HAS
    assert canvas.printable(plain) == plain


@pytest.mark.parametrize(
    ("words", "plain"), [("Zürich", "Zurich"), ("a \u2013 b", "a - b"), ("東京", "??"), ("line\nbreak", "line?break")]
)
def test_letters_are_kept_as_far_as_the_font_allows(words, plain):
    assert canvas.printable(words) == plain


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60), st.integers(30, 400))
def test_shortened_text_fits_and_short_text_stays(words, width):
    found = canvas.shortened(words, 15, width)
    assert canvas.text_width(found, 15) <= width
    if canvas.text_width(words, 15) <= width:
        assert found == words
    else:
        assert found.endswith("…")


def test_a_png_holds_the_very_pixels(tmp_path):
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    canvas.save_png(picture, tmp_path / "picture.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "picture.png")), picture)


# ---- palette


def test_only_the_named_regions_are_painted(surface):
    colors = painted(surface, {"left_hand_palm", "no_such_region"}, 0)
    region = surface.region_of_vertex.numpy() == surface.region_names.index("left_hand_palm")
    assert region.any()
    assert np.allclose(colors[region], CONTACT_COLORS[0])
    assert np.allclose(colors[~region], BODY_COLORS[0])


def test_the_two_people_differ_in_lightness_where_they_touch_and_in_hue_elsewhere():
    def lightness(color):
        return float(np.dot(color, [0.2126, 0.7152, 0.0722]))

    for person in (0, 1):
        assert lightness(BODY_COLORS[person]) > lightness(CONTACT_COLORS[person]) + 0.3
    for colors in (BODY_COLORS, CONTACT_COLORS, LINE_COLORS):
        assert colors[0][0] > colors[0][2]  # A is warm
        assert colors[1][2] > colors[1][0]  # B is cool
