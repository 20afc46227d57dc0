"""The pages as a reader has them: in Chromium, from a file, without a network. Skipped where there is no Chromium."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apu.body.protocol import Parts
from apu.contact.contact import Contact, ContactMap
from apu.scene.pair import ContactResult
from apu.show.gallery import GalleryEntry, write_gallery
from apu.show.palette import BODY_COLORS, CONTACT_COLORS
from apu.show.scene_html import write_scene_html

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script></title><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\"'"


class Reader:
    """One open page, and all that went wrong in it."""

    def __init__(self, context) -> None:
        self.errors: list[str] = []
        self.asked: list[str] = []
        context.route("**/*", self._route)
        self.page = context.new_page()
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))

    def open(self, file: Path):
        self.page.goto(file.as_uri())
        return self.page

    def shot(self) -> np.ndarray:
        """(height, width, 3) bytes, when the frames that were asked for are drawn."""
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def _route(self, route) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("needs a Chromium on the PATH (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install -e '.[dev]')")
    with playwright.sync_playwright() as running:
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        chromium = running.chromium.launch(executable_path=CHROMIUM, headless=True, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def reader(browser) -> Iterator[Reader]:
    """A reader without a network, in whose page nothing may go wrong."""
    context = browser.new_context(viewport={"width": 720, "height": 480}, offline=True)
    held = Reader(context)
    yield held
    hacked = held.page.evaluate("() => window.hacked")
    context.close()
    assert held.asked == []
    assert held.errors == []
    assert hacked is None


@pytest.fixture
def scene(tmp_path, photo, observation, fit, surface) -> Path:
    write_scene_html(tmp_path / "scene.html", photo, observation, fit, surface)
    return tmp_path / "scene.html"


def share_of(shot: np.ndarray, color: tuple[float, float, float]) -> float:
    """Share of the pixels that have this hue, whatever the light."""
    pixels = shot.reshape(-1, 3) / 255.0
    spread = pixels - pixels.mean(1, keepdims=True)
    hue = np.array(color) - np.mean(color)
    length = np.linalg.norm(spread, axis=1)
    near = spread @ hue / (length * np.linalg.norm(hue) + 1e-9) > 0.985
    return float((near & (length > 0.1)).mean())


# ---- scene.html


def test_both_bodies_stand_in_the_scene_and_are_seen(reader, scene):
    page = reader.open(scene)
    assert page.evaluate("() => apuScene.drawable && apuScene.bodies.map(b => b.name)") == ["A", "B"]
    shot = reader.shot()
    for color in BODY_COLORS:
        assert share_of(shot, color) > 0.01
    assert page.locator(".tag").all_text_contents() == ["A", "B"]
    assert page.locator("h1").text_content() == "two_capsules"


@pytest.mark.parametrize("person", [0, 1])
def test_a_body_can_be_put_away(reader, scene, person):
    page = reader.open(scene)
    page.click(f"#show{person}")
    shot = reader.shot()
    assert share_of(shot, BODY_COLORS[person]) < 0.004  # buttons are blue, too
    assert share_of(shot, BODY_COLORS[1 - person]) > 0.01
    assert [tag.is_visible() for tag in page.locator(".tag").all()] == [person == 1, person == 0]


def test_in_the_photos_view_a_body_lies_where_the_photo_shows_it(
    reader, tmp_path, photo, camera, observation, fit, surface
):
    """A green dot on the photo where the camera sees A's crown: the tag, which the page itself places, must hit it."""
    crown = fit.vertices[0, fit.vertices[0, :, 1].argmin()].double().numpy()
    at = camera.focal_px * crown[:2] / crown[2] + np.array(camera.center_px)
    rows, columns = np.mgrid[: photo.height, : photo.width] + 0.5
    pixels = np.full_like(photo.pixels, 20)
    pixels[np.hypot(columns - at[0], rows - at[1]) < 4] = (0, 255, 0)
    write_scene_html(tmp_path / "scene.html", replace(photo, pixels=pixels), observation, fit, surface)
    page = reader.open(tmp_path / "scene.html")
    page.click("[data-view=photo]")
    page.fill("#opacity", "0")
    reader.shot()
    x, y = page.evaluate("() => apuScene.bodies[0].tag.style.transform.match(/[-.0-9]+/g).map(Number)")
    page.evaluate("() => document.querySelectorAll('.tag, header, aside').forEach(e => { e.style.opacity = 0 })")
    rows, columns = np.nonzero((reader.shot().astype(int) @ [-1, 1, -1]) > 120)
    assert len(rows) > 20
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=1.5)


def test_dragging_turns_and_the_wheel_zooms(reader, scene):
    page = reader.open(scene)
    before = reader.shot()
    page.mouse.move(360, 240)
    page.mouse.down()
    page.mouse.move(460, 260)
    page.mouse.up()
    turned = reader.shot()
    page.mouse.wheel(0, -400)
    nearer = reader.shot()
    assert (before != turned).mean() > 0.02
    assert share_of(nearer, BODY_COLORS[0]) > 1.1 * share_of(turned, BODY_COLORS[0])


def test_dragging_out_of_the_photos_view_keeps_the_bodies_in_sight(reader, scene):
    page = reader.open(scene)
    page.click("[data-view=photo]")
    before = reader.shot()
    page.mouse.move(360, 240)
    page.mouse.down()
    page.mouse.move(362, 240)
    page.mouse.up()
    for color in BODY_COLORS:
        assert share_of(reader.shot(), color) == pytest.approx(share_of(before, color), rel=0.35)


def test_choosing_a_contact_paints_only_its_regions(reader, scene):
    page = reader.open(scene)
    assert page.locator("li b").all_text_contents() == ["0.4 cm", "5.5 cm"]
    both = share_of(reader.shot(), CONTACT_COLORS[0])
    page.click("li:nth-child(1) button")
    one = share_of(reader.shot(), CONTACT_COLORS[0])
    page.click("li:nth-child(1) button")
    assert 0 <= one < both
    assert share_of(reader.shot(), CONTACT_COLORS[0]) == pytest.approx(both, rel=0.01)


def test_names_and_labels_of_others_are_text_in_the_scene(reader, tmp_path, photo, observation, fit, surface):
    contact = Contact(frozenset({"left_hand_palm"}), frozenset({"left_hand_palm"}), label_a=HOSTILE, label_b="x")
    told = replace(fit, contacts=ContactMap((contact,), HOSTILE), contact_results=(ContactResult(0.1, float("nan")),))
    write_scene_html(tmp_path / "scene.html", replace(photo, name=HOSTILE), observation, told, surface)
    page = reader.open(tmp_path / "scene.html")
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator("li span").text_content() == f"{HOSTILE} - x"
    assert page.locator("li b").text_content() == "unknown"


def test_a_scene_without_bodies_still_shows_the_photo(reader, tmp_path, photo, observation, fit, surface):
    nothing = replace(fit, vertices=fit.vertices * float("nan"))
    write_scene_html(tmp_path / "scene.html", photo, observation, nothing, surface)
    page = reader.open(tmp_path / "scene.html")
    with_photo = reader.shot()
    page.click("#photo")
    assert (with_photo != reader.shot()).mean() > 0.05


def test_a_script_that_is_brought_in_later_does_not_run(browser, scene):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(scene.as_uri())
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
    }""")
    assert page.evaluate("() => window.hacked") is None
    context.close()


def test_a_browser_without_webgl_says_so(browser, scene):
    context = browser.new_context(offline=True)
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    page.goto(scene.as_uri())
    assert page.locator("#none").is_visible()
    context.close()


def test_two_real_bodies_are_a_small_file_and_are_seen(reader, tmp_path, photo, observation, fit, body):
    import torch

    given = {name: spec.default.repeat(2, 1) for name, spec in body.parameter_spec.items()}
    vertices = body.forward(given, Parts(vertices="all")).vertices
    assert vertices is not None
    vertices = vertices.detach() + torch.tensor([[[-0.3, 0.0, 0.0]], [[0.3, 0.0, 0.1]]])
    real = replace(fit, vertices=vertices, first_vertices=vertices)
    write_scene_html(tmp_path / "scene.html", photo, observation, real, body.surface)
    assert (tmp_path / "scene.html").stat().st_size < 2_000_000
    reader.open(tmp_path / "scene.html")
    shot = reader.shot()
    for color in (*BODY_COLORS, CONTACT_COLORS[0]):
        assert share_of(shot, color) > 0.001


# ---- report.html


@pytest.fixture
def report(tmp_path) -> Path:
    def entry(photo: str, **told) -> GalleryEntry:
        return GalleryEntry(photo, tmp_path, told.pop("status", "ok"), **told)

    entries = [
        entry("b10", contacts=4, contacts_met=1, penetration_m=0.01, reprojection_percent=3.0, accepted=True),
        entry("b9", contacts=4, contacts_met=4, penetration_m=0.05, reprojection_percent=1.0, accepted=False),
        entry(HOSTILE, status="failed", reason=HOSTILE),
        entry("c", contacts=2, contacts_met=1, penetration_m=0.03, reprojection_percent=None, verdict=HOSTILE),
        entry("skipped one", status="skipped", reason="Nobody there."),
    ]
    write_gallery(tmp_path / "report.html", entries)
    return tmp_path / "report.html"


def names(page) -> list[str]:
    """Of the cards that are seen, from the first to the last."""
    shown = "cards => cards.filter(c => c.checkVisibility()).map(c => c.querySelector('h2').textContent)"
    return page.eval_on_selector_all("article", shown)


def test_cards_are_sorted_by_numbers_worst_first_and_unknown_last(reader, report):
    page = reader.open(report)
    for key, known, unknown in (
        ("contacts", ["b10", "c", "b9"], [HOSTILE, "skipped one"]),
        ("penetration", ["b9", "c", "b10"], [HOSTILE, "skipped one"]),
        ("error", ["b10", "b9"], [HOSTILE, "c", "skipped one"]),
    ):
        page.select_option("#sort", key)
        assert names(page) == known + unknown
        page.click("#turn")
        assert names(page) == known[::-1] + unknown


def test_names_are_sorted_as_people_count(reader, report):
    page = reader.open(report)
    assert [name for name in names(page) if name[0] in "bcs"] == ["b9", "b10", "c", "skipped one"]


def test_cards_are_filtered_by_what_became_of_them(reader, report):
    page = reader.open(report)
    for kind, left in {"failed": [HOSTILE], "rejected": ["b9"], "skipped": ["skipped one"], "ok": ["b10", "c"]}.items():
        page.select_option("#kind", kind)
        assert names(page) == left
        assert page.locator("#shown").text_content() == f"{len(left)} of 5"


def test_cards_are_found_by_words(reader, report):
    page = reader.open(report)
    page.fill("#find", "nobody SKIPPED")
    assert names(page) == ["skipped one"]
    page.fill("#find", "no such words")
    assert page.locator("#nothing").is_visible()


def test_names_and_reasons_of_others_are_text_in_the_report(reader, report):
    page = reader.open(report)
    assert HOSTILE in names(page)
    assert page.locator(".why").first.text_content() == HOSTILE
