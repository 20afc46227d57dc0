"""`scene.html` without a browser: what is in the file. tests/show/test_pages_in_browser.py opens it."""

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from apu.show.scene_html import write_scene_html


@pytest.fixture
def written(tmp_path: Path, photo, observation, fit, surface):
    """Write a page; give back its text and its data."""

    def write(**changed) -> tuple[str, dict]:
        given = {"photo": photo, "observation": observation, "fit": fit, "surface": surface} | changed
        write_scene_html(tmp_path / "scene.html", **given)
        page = (tmp_path / "scene.html").read_text(encoding="utf-8")
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
        assert found
        return page, json.loads(found.group(1))

    return write


def points_of(body: dict) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(body["points"]), "<u2").reshape(-1, 3)
    return np.array(body["low"]) + steps * np.array(body["step"])


def test_both_bodies_are_in_it_by_name_with_y_up(written, fit):
    _, data = written()
    assert [body["name"] for body in data["bodies"]] == ["A", "B"]
    for body, vertices in zip(data["bodies"], fit.vertices.numpy(), strict=True):
        assert np.abs(points_of(body) - vertices * [1, -1, -1]).max() < 5e-5


def test_faces_and_regions_keep_their_numbers(written, surface):
    _, data = written()
    faces = np.frombuffer(base64.b64decode(data["faces"]), "<u2").reshape(-1, 3)
    assert np.array_equal(faces, surface.faces.numpy())
    assert np.array_equal(np.frombuffer(base64.b64decode(data["regions"]), "u1"), surface.region_of_vertex.numpy())


def test_a_body_of_very_many_vertices_gets_wide_numbers(written, surface, fit):
    many = 70_000
    more = many - len(surface.rest_vertices)
    longer = replace(
        surface,
        rest_vertices=torch.cat([surface.rest_vertices, surface.rest_vertices[:1].expand(more, 3)]),
        region_of_vertex=torch.cat([surface.region_of_vertex, surface.region_of_vertex[:1].expand(more)]),
        faces=torch.cat([surface.faces, torch.tensor([[many - 1, many - 2, many - 3]])]),
    )
    vertices = torch.cat([fit.vertices, fit.vertices[:, :1].expand(2, more, 3)], dim=1)
    _, data = written(surface=longer, fit=replace(fit, vertices=vertices, first_vertices=vertices))
    faces = np.frombuffer(base64.b64decode(data["faces"]), "<u4").reshape(-1, 3)
    assert data["wide"]
    assert faces[-1].tolist() == [many - 1, many - 2, many - 3]


def test_a_tag_stands_on_the_head_not_on_a_raised_hand(written, fit, surface):
    region = surface.region_of_vertex
    hand = torch.tensor(["hand" in name for name in surface.region_names])[region]
    raised = fit.vertices.clone()
    raised[:, hand, 1] -= 3.0
    _, data = written(fit=replace(fit, vertices=raised))
    for person, body in enumerate(data["bodies"]):
        head = fit.vertices[person, region == surface.region_names.index("left_head_front"), 1].min()
        assert body["crown"][1] == pytest.approx(-float(head), abs=1e-6)


def test_contacts_name_their_regions_and_say_whether_they_are_met(written, surface):
    _, data = written()
    first, second = data["contacts"]
    assert [[surface.region_names[i] for i in side] for side in first["regions"]] == [
        ["left_hand_palm"], ["right_upper_arm_front"],
    ]  # fmt: skip
    assert (first["words"], first["met"]) == ("0.4 cm", True)
    assert (second["name"], second["words"], second["met"]) == ("left arm - head", "5.5 cm", False)


@pytest.mark.parametrize(("broken", "left"), [((0,), ["B"]), ((1,), ["A"]), ((0, 1), [])])
def test_a_body_that_is_no_number_is_left_out(written, fit, broken, left):
    vertices = fit.vertices.clone()
    for person in broken:
        vertices[person, 5, 1] = torch.nan
    _, data = written(fit=replace(fit, vertices=vertices))
    assert [body["name"] for body in data["bodies"]] == left


def test_the_photo_is_part_of_the_file_with_its_camera(written, camera):
    _, data = written()
    kind, _, content = data["photo"]["source"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (320, 240)
    assert data["photo"]["focal"] == pytest.approx(camera.focal_px)
    assert data["photo"]["center"] == list(camera.center_px)


def test_a_large_photo_is_shrunk_and_its_camera_is_not(written, photo):
    large = replace(photo, pixels=np.full((1500, 2000, 3), 90, np.uint8))
    _, data = written(photo=large)
    content = base64.b64decode(data["photo"]["source"].partition(",")[2])
    assert Image.open(io.BytesIO(content)).size == (1280, 960)
    assert (data["photo"]["width"], data["photo"]["height"]) == (320, 240)


def test_the_same_pair_gives_the_same_bytes(written):
    assert written()[0] == written()[0]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</script><b>", "a\"b'c", "caf\udce9"])
def test_a_photo_of_any_name_can_be_shown(written, photo, name):
    page, _ = written(photo=replace(photo, name=name))
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
