"""A contact sheet of many pairs: each one from the front, from the side and from behind and above, on a floor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from apu.geometry.views import X_RIGHT, Y_DOWN, Z_FORWARD, OrthographicView, fitting_scale
from apu.show.canvas import Pixels, blank, paste, segment, shortened, text
from apu.show.palette import BODY_COLORS, CONTACT_COLORS, FAINT_INK, GRID, INK, LINE_COLORS, PAPER, PERSON_NAMES, TILE
from apu.show.render import Mesh, over, render

_YAW, _PITCH = math.radians(145.0), math.radians(28.0)
"""The third view: far round to the pair's other side, looking down."""

_DIRECTIONS = (
    (X_RIGHT, Y_DOWN),
    (Z_FORWARD, Y_DOWN),
    (
        (math.cos(_YAW), 0.0, math.sin(_YAW)),
        (math.sin(_YAW) * math.sin(_PITCH), math.cos(_PITCH), -math.cos(_YAW) * math.sin(_PITCH)),
    ),
)
"""Right and down of the pictures of a pair; the second looks along -x."""

_GRID_M = 0.5
_BEYOND_M = 0.35
"""How far the floor reaches beyond the bodies."""
_HEAD_PX, _GAP_PX = 22, 8
_TITLE_PX = 13


@dataclass(frozen=True)
class SheetRow:
    """One pair of a sheet.

    Attributes:
        title: one line over it.
        vertices: (2, v, 3) level frame: x right, y down, z away from the viewer, metres; the floor is y = 0.
        touching: which vertices of A and of B are painted in the contact colours.
    """

    title: str
    vertices: Float[np.ndarray, "2 v 3"]
    touching: tuple[Bool[np.ndarray, " v"], Bool[np.ndarray, " v"]]


def pair_sheet(
    rows: Sequence[SheetRow],
    faces: Int[np.ndarray, "f 3"],
    columns: int = 2,
    tile_px: tuple[int, int] = (190, 250),
    heading: str = "",
) -> Pixels:
    """Draw pairs side by side, line after line; within a pair, all views have one scale, and grid lines are 0.5 m.

    Args:
        rows: the pairs.
        faces: (f, 3) of one body, the same for A and B; counter-clockwise seen from outside.
        columns: pairs in a line.
        tile_px: width and height of one view, pixels.
        heading: one line over the sheet.
    """
    columns = max(1, min(columns, len(rows)))
    width, height = len(_DIRECTIONS) * tile_px[0], tile_px[1] + _HEAD_PX
    lines = math.ceil(len(rows) / columns)
    top = _HEAD_PX + 2 * _GAP_PX
    sheet = blank(columns * (width + _GAP_PX) + _GAP_PX, top + lines * (height + _GAP_PX), PAPER)
    _heading(sheet, heading)
    for i, row in enumerate(rows):
        paste(
            sheet,
            _pair(row, faces, *tile_px),
            _GAP_PX + i % columns * (width + _GAP_PX),
            top + i // columns * (height + _GAP_PX),
        )
    return sheet


def _heading(sheet: Pixels, words: str) -> None:
    """The heading, and which colour is whose."""
    x = sheet.shape[1] - _GAP_PX - 30.0
    for person in (1, 0):
        text(sheet, x, _GAP_PX, PERSON_NAMES[person], size=18, color=LINE_COLORS[person], bold=True)
        x -= 26.0
    text(sheet, _GAP_PX, _GAP_PX, shortened(words, 16, x - _GAP_PX, bold=True), size=16, bold=True)


def _pair(row: SheetRow, faces: Int[np.ndarray, "f 3"], width: int, height: int) -> Pixels:
    picture = blank(len(_DIRECTIONS) * width, height + _HEAD_PX, PAPER)
    text(picture, 2, 3, shortened(row.title, _TITLE_PX, picture.shape[1] - 4), size=_TITLE_PX, color=INK)
    mesh = _mesh(row, faces)
    for i, view in enumerate(_views(mesh.vertices, width, height)):
        tile = blank(width, height, TILE)
        _floor(tile, view, mesh.vertices)
        paste(picture, over(tile, render(mesh, view)), i * width, _HEAD_PX)
    return picture


def _mesh(row: SheetRow, faces: Int[np.ndarray, "f 3"]) -> Mesh:
    """Both bodies as one mesh; the rasteriser leaves out triangles that are not finite."""
    colors = [
        np.where(mask[:, None], *(np.array(c[person], np.float32) for c in (CONTACT_COLORS, BODY_COLORS)))
        for person, mask in enumerate(row.touching)
    ]
    return Mesh(
        vertices=row.vertices.reshape(-1, 3),
        faces=np.concatenate([faces, faces + row.vertices.shape[1]]),
        colors=np.concatenate(colors),
        part=np.repeat(np.arange(2), len(faces)),
    )


def _views(vertices: Float[np.ndarray, "v 3"], width: int, height: int) -> list[OrthographicView]:
    """One for each direction, of one scale; the bodies and the floor below them fill the middle of each."""
    bodies = _finite(vertices)
    points = np.concatenate([bodies, bodies * (1.0, 0.0, 1.0)])
    scale = min(fitting_scale(points, right, down, width, height, fill=0.9) for right, down in _DIRECTIONS)
    views = []
    for right, down in _DIRECTIONS:
        axes = np.array([right, down])
        flat = points @ axes.T
        x, y, z = ((flat.min(0) + flat.max(0)) / 2 @ axes).tolist()
        views.append(OrthographicView(right, down, (x, y, z), scale, width, height))
    return views


def _finite(vertices: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "w 3"]:
    points = vertices[np.isfinite(vertices).all(1)].astype(np.float64)
    return points if len(points) else np.zeros((1, 3))


def _floor(tile: Pixels, view: OrthographicView, vertices: Float[np.ndarray, "v 3"]) -> None:
    """Lines every half metre on the floor; seen from the side, they are one line, with a mark at every half metre."""
    ground = _finite(vertices)[:, [0, 2]]
    first, last = ground.min(0) - _BEYOND_M, ground.max(0) + _BEYOND_M
    flat = view.down == Y_DOWN
    ends = []
    for axis in (0, 1):
        for i in range(math.ceil(first[axis] / _GRID_M), math.floor(last[axis] / _GRID_M) + 1):
            across = [[i * _GRID_M, end] for end in (first[1 - axis], last[1 - axis])]
            ends += [across if axis == 0 else [pair[::-1] for pair in across]]
    points = np.array(ends).reshape(-1, 2)
    projected = view.project(np.insert(points, 1, 0.0, axis=1))[0].reshape(-1, 2, 2).tolist()
    for (x0, y0), (x1, y1) in projected:
        segment(tile, (x0, y0), (x1, y1), FAINT_INK if flat else GRID, 1)
        if flat and abs(x1 - x0) < 1e-6:
            segment(tile, (x0, y0), (x0, y0 + 5.0), FAINT_INK, 1)
