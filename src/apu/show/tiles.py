"""The four pictures of a panel: photo with people, bodies over the photo, bodies from the side and from above."""

import math
from collections.abc import Sequence

import numpy as np

from apu.body.protocol import Surface
from apu.geometry.views import (
    X_RIGHT,
    Y_DOWN,
    Z_FORWARD,
    OrthographicView,
    PerspectiveView,
    fitting_scale,
    side_view,
    top_view,
)
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Person, PersonMask
from apu.scene.photo import Photo
from apu.show.canvas import (
    Pixels,
    arrow,
    blank,
    contours,
    disc,
    paste,
    printable,
    rectangle,
    segment,
    text,
    text_width,
    window,
)
from apu.show.palette import FAINT_INK, GRID, INK, LINE_COLORS, PAPER, TILE, Color, painted
from apu.show.people import MIN_CONFIDENCE, draw_people
from apu.show.render import Mesh, over, render, with_shadow

_OVERLAY_OPACITY = 0.90
_OVERLAY_MARGIN = 0.09
"""Of the pair's box, on every side."""

_GRID_STEPS_M = (0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 1000.0)
_GRID_MIN_PX = 56


def pair_mesh(fit: Fit, surface: Surface) -> Mesh:
    """Both bodies of a fit as one mesh, contact regions painted; bodies with a NaN are left out by the rasteriser."""
    vertices = fit.vertices.detach().cpu().numpy()
    faces = surface.faces.detach().cpu().numpy()
    colors = [painted(surface, fit.contacts.regions(person), person) for person in (0, 1)]
    return Mesh(
        vertices=vertices.reshape(-1, 3),
        faces=np.concatenate([faces, faces + vertices.shape[1]]),
        colors=np.concatenate(colors),
        part=np.repeat(np.arange(2), len(faces)),
    )


def photo_tile(photo: Photo, people: Sequence[Person], pair: tuple[int, int], width: int, height: int) -> Pixels:
    """The whole photo with everybody numbered, in the middle of the tile."""
    scale = min(width / photo.width, height / photo.height)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    tile = blank(width, height, TILE)
    picture = draw_people(photo.pixels, people, pair, size=size)
    paste(tile, picture, (width - size[0]) // 2, (height - size[1]) // 2)
    return tile


def overlay_tile(photo: Photo, observation: PairObservation, mesh: Mesh, width: int, height: int) -> Pixels:
    """The photo around the pair, enlarged, with the bodies over it, joints as dots, and clean masks as lines."""
    camera = observation.camera
    whole = PerspectiveView(camera.focal_px, camera.center_px, camera.width, camera.height)
    corner, scale = _pair_window(observation, mesh, whole, width, height)
    tile = window(photo.pixels, corner, scale, width, height, TILE)
    tile = over(tile, render(mesh, whole.window(corner, scale, width, height)), _OVERLAY_OPACITY)
    for person, color in zip(observation.people, LINE_COLORS, strict=True):
        if person.mask is not None and person.mask.clean:
            _outline(tile, person.mask, color, corner, scale)
        placed = (person.keypoints.xy - np.asarray(corner)) * scale
        for (x, y), confidence in zip(placed, person.keypoints.confidence, strict=True):
            if confidence >= MIN_CONFIDENCE and np.isfinite([x, y]).all():
                disc(tile, (float(x), float(y)), 2.6, color, rim=PAPER)
    return tile


def _outline(tile: Pixels, mask: PersonMask, color: Color, corner: tuple[float, float], scale: float) -> None:
    """Where the photo ends to show a person, as a thin line."""
    start = np.array(mask.box[:2]) - corner
    for line in contours(mask.share):
        points = (line * mask.step + start) * scale
        for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
            segment(tile, (float(a[0]), float(a[1])), (float(b[0]), float(b[1])), color, 1)


def side_and_top_tiles(mesh: Mesh, width: int, height: int) -> tuple[Pixels, Pixels]:
    """The bodies from the photo's right-hand side and from above, at one scale, on a grid in metres."""
    points = mesh.vertices[np.isfinite(mesh.vertices).all(1)]
    if not len(points):
        points = np.zeros((1, 3), dtype=mesh.vertices.dtype)
    x, y, z = Z_FORWARD
    scale = min(
        fitting_scale(points, Z_FORWARD, Y_DOWN, width, height),
        fitting_scale(points, X_RIGHT, (-x, -y, -z), width, height),
        width / 1.0,
    )
    side = _flat_tile(mesh, side_view(points, width, height, pixels_per_m=scale))
    top = _flat_tile(mesh, top_view(points, width, height, pixels_per_m=scale))
    return side, top


def _pair_window(
    observation: PairObservation, mesh: Mesh, whole: PerspectiveView, width: int, height: int
) -> tuple[tuple[float, float], float]:
    """Corner (photo pixels) and enlargement of the window around both people, seen and fitted."""
    points, _ = whole.project(mesh.vertices)
    corners = [np.reshape(person.box, (2, 2)) for person in observation.people]
    seen = np.concatenate([*corners, points[np.isfinite(points).all(1)]])
    # A body that flew away must not shrink the pair to nothing: look at most a little beyond the photo.
    frame = np.array([whole.width, whole.height], dtype=np.float64)
    seen = np.clip(seen[np.isfinite(seen).all(1)], -0.08 * frame, 1.08 * frame)
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(2), frame)
    extent = np.maximum(high - low, 8.0) * (1 + 2 * _OVERLAY_MARGIN)
    scale = float(min(width / extent[0], height / extent[1]))
    corner = (low + high) / 2 - np.array([width, height]) / (2 * scale)
    return (float(corner[0]), float(corner[1])), scale


def _flat_tile(mesh: Mesh, view: OrthographicView) -> Pixels:
    tile = blank(view.width, view.height, TILE)
    step = next((s for s in _GRID_STEPS_M if s * view.pixels_per_m >= _GRID_MIN_PX), _GRID_STEPS_M[-1])
    _grid(tile, view, step)
    picture = render(mesh, view)
    tile = over(with_shadow(tile, picture[..., 3], INK), picture)
    _scale_bar(tile, view.pixels_per_m, step)
    _camera_mark(tile, depth_is_across=view.right == Z_FORWARD)
    return tile


def _grid(tile: Pixels, view: OrthographicView, step: float) -> None:
    """Lines every `step` metres; those across the depth axis carry the distance from the camera."""
    for across in (True, False):
        axis = np.asarray(view.right if across else view.down)
        length = view.width if across else view.height
        middle = float(axis @ np.asarray(view.middle))
        reach = length / 2 / view.pixels_per_m
        for i in range(math.ceil((middle - reach) / step), math.floor((middle + reach) / step) + 1):
            at = (i * step - middle) * view.pixels_per_m + length / 2
            ends = ((at, 0.0), (at, float(view.height))) if across else ((0.0, at), (float(view.width), at))
            segment(tile, *ends, GRID, 1)
            if axis[2] != 0:
                _depth_label(tile, at, i * step * float(axis[2]), across)


def _depth_label(tile: Pixels, at: float, depth: float, across: bool) -> None:
    height, width = tile.shape[:2]
    words = f"{depth:.1f} m"
    if across and 24 < at < width - 24:
        text(tile, at, 8, words, size=12, color=FAINT_INK, anchor="ma")
    elif not across and 24 < at < height - 48:
        text(tile, 7, at - 3, words, size=12, color=FAINT_INK, anchor="ls")


def _scale_bar(tile: Pixels, pixels_per_m: float, length_m: float) -> None:
    height, width = tile.shape[:2]
    right, bottom = width - 14, height - 14
    left = right - round(length_m * pixels_per_m)
    rectangle(tile, left, bottom - 4, right, bottom, INK)
    for x in (left, right - 1):
        rectangle(tile, x, bottom - 9, x + 1, bottom, INK)
    text(tile, (left + right) / 2, bottom - 9, f"{length_m:g} m", size=13, anchor="ms")


def _camera_mark(tile: Pixels, *, depth_is_across: bool) -> None:
    """The word `camera` and an arrow along its line of sight."""
    y = tile.shape[0] - 16
    words = printable("camera")
    end = 12 + text_width(words, 13)
    text(tile, 12, y, words, size=13, color=INK, anchor="lm")
    if depth_is_across:
        arrow(tile, (end + 8, y), (end + 36, y), INK, 2)
    else:
        arrow(tile, (end + 14, y + 5), (end + 14, y - 23), INK, 2)
