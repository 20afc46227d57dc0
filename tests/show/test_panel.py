"""The panel: four pictures and the numbers, compared with a golden picture."""

import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.scene.pair import ContactResult
from apu.scene.photo import Photo
from apu.show.canvas import resized, save_png, text_width
from apu.show.palette import BODY_COLORS, CONTACT_COLORS
from apu.show.panel import _both_shortened, draw_panel
from apu.show.people import draw_people
from apu.show.tiles import overlay_tile, pair_mesh, photo_tile, side_and_top_tiles

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "APU_UPDATE_GOLDEN"
NOTE = "contacts: proximity (heuristic, not measured)"


def matches(picture: np.ndarray, name: str, folder: Path) -> str:
    """Empty when the picture is as the golden one; else what differs, and where the picture and the difference lie.

    Fonts and antialiasing differ a little between versions of the drawing libraries: a hundredth of the pixels may be
    clearly different, and the mean by 1.5 of 255.
    """
    golden = GOLDEN / name
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        save_png(picture, golden)
    from PIL import Image

    expected = np.asarray(Image.open(golden).convert("RGB"))
    save_png(picture, folder / name)
    if expected.shape != picture.shape:
        return f"size {picture.shape}, golden {expected.shape}; {folder / name} differs from {golden}"
    gap = np.abs(picture.astype(int) - expected).max(2)
    if gap.mean() <= 1.5 and (gap > 40).mean() <= 0.01:
        return ""
    save_png(np.repeat(255 - np.clip(gap * 3, 0, 255).astype(np.uint8)[..., None], 3, 2), folder / f"diff_{name}")
    return (
        f"mean difference {gap.mean():.2f}, {100 * (gap > 40).mean():.2f} % of the pixels clearly different: look at "
        f"{folder / name} and {folder / f'diff_{name}'}; if it is right, run with {UPDATE}=1 to replace {golden}"
    )


@pytest.fixture(scope="module")
def panel(photo, people, observation, fit, surface) -> np.ndarray:
    return draw_panel(photo, people, observation, fit, surface, NOTE)


@pytest.fixture(scope="module")
def mesh(fit, surface):
    return pair_mesh(fit, surface)


def has_hue(tile: np.ndarray, color) -> int:
    """Pixels whose hue and saturation are about the colour's, however they are lit."""
    pixels = tile.astype(float) / 255
    unit = pixels / np.maximum(np.linalg.norm(pixels, axis=2, keepdims=True), 1e-6)
    return int((unit @ (np.array(color) / np.linalg.norm(color)) > 0.992).sum())


def test_the_panel_is_as_the_golden_one(panel, tmp_path):
    half = resized(panel, panel.shape[1] // 2, panel.shape[0] // 2)
    assert not (problem := matches(half, "panel.png", tmp_path)), problem


def test_the_numbered_people_are_as_the_golden_ones(photo, people, tmp_path):
    assert not (problem := matches(draw_people(photo.pixels, people, (0, 2)), "people.png", tmp_path)), problem


def test_a_wrong_picture_is_found_and_both_pictures_are_named(panel, tmp_path, monkeypatch):
    monkeypatch.delenv(UPDATE, raising=False)
    half = resized(panel, panel.shape[1] // 2, panel.shape[0] // 2)
    wrong = half.copy()
    wrong[80:180, 300:400] = 0
    problem = matches(wrong, "panel.png", tmp_path)
    assert str(tmp_path / "panel.png") in problem
    assert str(tmp_path / "diff_panel.png") in problem
    assert (tmp_path / "diff_panel.png").exists()


def test_every_tile_shows_both_people_and_where_they_touch(photo, observation, mesh):
    side, top = side_and_top_tiles(mesh, 200, 260)
    for tile in (overlay_tile(photo, observation, mesh, 200, 260), side, top):
        for color in (*BODY_COLORS, *CONTACT_COLORS):
            assert has_hue(tile, color) > 40


def test_the_bodies_lie_over_the_joints_that_were_seen(photo, observation, mesh):
    """Overlay and photo share one camera: most dots of the joints lie on their body."""
    tile = overlay_tile(photo, observation, mesh, 400, 300)
    bare = overlay_tile(photo, replace_people_unseen(observation), mesh, 400, 300)
    assert not np.array_equal(tile, bare)


def replace_people_unseen(observation):
    people = tuple(
        replace(p, keypoints=replace(p.keypoints, confidence=np.full_like(p.keypoints.confidence, 0.19)))
        for p in observation.people
    )
    return replace(observation, people=people)


def test_side_and_top_share_one_scale(mesh):
    side, top = side_and_top_tiles(mesh, 300, 400)
    spans = []
    for tile, axis in ((side, 1), (top, 0)):  # depth runs to the right in the one, upwards in the other
        body = np.zeros(tile.shape[:2], dtype=bool)
        for color in BODY_COLORS:
            pixels = tile.astype(float) / 255
            unit = pixels / np.maximum(np.linalg.norm(pixels, axis=2, keepdims=True), 1e-6)
            body |= unit @ (np.array(color) / np.linalg.norm(color)) > 0.992
        where = np.nonzero(body.any(1 - axis))[0]
        spans.append(where.max() - where.min())
    assert spans[0] == pytest.approx(spans[1], rel=0.08)


def test_the_photo_tile_shows_the_whole_photo(photo, people):
    for width, height in ((400, 200), (150, 400)):
        tile = photo_tile(photo, people, (0, 2), width, height)
        assert tile.shape == (height, width, 3)
        scale = min(width / photo.width, height / photo.height)
        grey = (np.ptp(tile.astype(int), axis=2) == 0) & (tile[..., 0] < 240)
        rows, columns = np.nonzero(grey)
        assert np.ptp(columns) + 1 == pytest.approx(photo.width * scale, abs=3)
        assert np.ptp(rows) + 1 == pytest.approx(photo.height * scale, abs=3)


@pytest.mark.parametrize(("width", "height"), [(4000, 100), (2, 60)])
def test_photos_of_any_shape_give_a_panel_of_bounded_size(width, height, people, observation, fit, surface):
    photo = Photo(np.full((height, width, 3), 90, np.uint8), "odd", "0" * 64)
    panel = draw_panel(photo, people, observation, fit, surface, NOTE)
    assert 1500 < panel.shape[1] < 2600
    assert 700 < panel.shape[0] < 1100


def test_a_pair_without_contacts_says_so_and_paints_nothing(photo, people, observation, fit, surface, panel):
    bare = replace(fit, contacts=replace(fit.contacts, contacts=()), contact_results=())
    plain = draw_panel(photo, people, observation, bare, surface, "contacts: none")
    assert plain.shape == panel.shape
    tiles = plain[100 : 100 + 500]
    for color in CONTACT_COLORS:
        assert has_hue(tiles, color) < 10


@pytest.mark.parametrize("count", [7, 14, 40])
def test_many_contacts_do_not_make_the_panel_larger(photo, people, observation, fit, surface, panel, count):
    many = replace(
        fit,
        contacts=replace(fit.contacts, contacts=(fit.contacts.contacts * count)[:count]),
        contact_results=tuple(ContactResult(0.1, 0.001 * i) for i in range(count)),
    )
    drawn = draw_panel(photo, people, observation, many, surface, NOTE)
    assert drawn.shape == panel.shape
    assert (drawn[:, -20:] == 255).all()  # nothing runs over the margin


def test_a_fit_that_failed_still_has_a_panel(photo, people, observation, fit, surface, panel):
    """NaN everywhere: the photo and the table are there, and the tiles are empty."""
    sick = replace(
        fit,
        vertices=fit.vertices * math.nan,
        reprojection_percent=(math.nan, math.nan),
        penetration_max_m=math.nan,
        heights_m=(math.nan, math.nan),
    )
    drawn = draw_panel(photo, people, observation, sick, surface, NOTE)
    assert drawn.shape == panel.shape
    left = slice(28, 28 + 380)
    assert np.abs(drawn[120:600, left].astype(int) - panel[120:600, left]).mean() < 1


def test_names_in_any_script_and_length_fit(photo, people, observation, fit, surface, panel):
    named = replace(photo, name="東京 café <b>\n\udce9 " * 40)
    drawn = draw_panel(named, people, observation, fit, surface, NOTE * 20)
    assert drawn.shape == panel.shape
    assert (drawn[:, -20:] == 255).all()


def test_a_long_contact_keeps_something_of_both_sides():
    long = " / ".join(["left lower belly"] * 9)
    for name in (f"{long} - {long}", f"left hand - {long}", f"{long} - head"):
        cut = _both_shortened(name, 15, 300)
        first, _, second = cut.partition(" - ")
        assert text_width(cut, 15) <= 302
        assert text_width(first, 15) > 50
        assert len(second) >= 4
    assert _both_shortened("left hand - head", 15, 300) == "left hand - head"
    assert _both_shortened(f"left hand - {long}", 15, 300).startswith("left hand - left lower")
