"""The picture that turns: once round, at one scale, never cut off."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from apu.show.canvas import blank
from apu.show.palette import BODY_COLORS, TILE
from apu.show.render import over, render
from apu.show.tiles import pair_mesh
from apu.show.turntable import _columns, _view, write_turntable

SIZE = (96, 110)


def frames_of(path: Path) -> np.ndarray:
    with Image.open(path) as gif:
        frames = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            frames.append(np.asarray(gif.convert("RGB"), dtype=int))
        return np.stack(frames)


@pytest.fixture(scope="module")
def turned(tmp_path_factory, fit, surface) -> Path:
    path = tmp_path_factory.mktemp("turn") / "turntable.gif"
    write_turntable(path, fit, surface, frames=12, size=SIZE)
    return path


def test_it_turns_once_in_under_four_seconds_and_for_ever(turned):
    with Image.open(turned) as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (12, SIZE, 0)
        assert 12 * gif.info["duration"] == pytest.approx(3600, abs=200)


def test_every_frame_shows_other_sides_of_both_bodies(turned):
    frames = frames_of(turned)
    for a, b in zip(frames, np.roll(frames, 1, axis=0), strict=True):
        assert np.abs(a - b).max() > 50
    for color in BODY_COLORS:
        hue = np.array(color) / np.linalg.norm(color)
        shown = frames / (np.linalg.norm(frames, axis=-1, keepdims=True) + 1e-9)
        assert ((shown @ hue > 0.99) & (frames.sum(-1) < 600)).sum(axis=(1, 2)).min() > 30


def test_no_frame_cuts_a_body_off(turned):
    frames = frames_of(turned)
    paper = np.array(TILE) * 255
    for edge in (frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]):
        assert np.abs(edge - paper).max() < 12


@pytest.mark.parametrize("yaw", [0.0, 1.0, 2.5, 4.0])
def test_drawing_only_the_columns_of_the_bodies_changes_nothing(fit, surface, yaw):
    mesh = pair_mesh(fit, surface)
    view = _view(mesh.vertices, yaw, *SIZE)
    whole = over(blank(*SIZE, TILE), render(mesh, view))
    left, columns = _columns(mesh.vertices, view)
    part = over(blank(columns.width, SIZE[1], TILE), render(mesh, columns))
    assert columns.width < SIZE[0]
    assert np.abs(whole[:, left : left + columns.width].astype(int) - part).mean() < 1.0


def test_the_camera_looks_down_and_begins_where_the_photo_was_taken(fit, surface):
    points = pair_mesh(fit, surface).vertices
    right, down, away = _view(points, 0.0, *SIZE).axes
    assert np.allclose(right, [1, 0, 0])
    assert away[1] > 0.05
    assert away[2] > 0.9
    assert down[1] > 0.9
    quarter = _view(points, np.pi / 2, *SIZE).axes
    assert np.allclose(quarter[0], [0, 0, 1])  # as the panel's side view: depth to the right


@pytest.mark.parametrize("broken", [(0,), (0, 1)])
def test_a_body_that_is_no_number_is_left_out(tmp_path, fit, surface, broken):
    vertices = fit.vertices.clone()
    vertices[list(broken)] = torch.nan
    write_turntable(tmp_path / "t.gif", replace(fit, vertices=vertices), surface, frames=2, size=SIZE)
    frames = frames_of(tmp_path / "t.gif")
    assert (np.ptp(frames, axis=(1, 2)).max() > 50) == (len(broken) == 1)
