"""`turntable.gif`: the camera goes once round the pair, at the height of the bodies' middle and a little from above."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from apu.body.protocol import Surface
from apu.geometry.views import OrthographicView
from apu.scene.pair import Fit
from apu.show.canvas import Pixels, blank, save_gif
from apu.show.palette import TILE
from apu.show.render import over, render
from apu.show.tiles import pair_mesh

_PITCH = math.radians(8.0)
"""How far the camera looks down."""

_SECONDS_A_TURN = 3.6
_FILL = 0.94


def write_turntable(
    path: Path, fit: Fit, surface: Surface, frames: int = 36, size: tuple[int, int] = (300, 340)
) -> None:
    """Write the picture; it begins where the photo was taken from, and never ends.

    Args:
        path: of the file.
        fit: the two bodies; one with a vertex that is not finite is left out.
        surface: the skin that the fit's vertices belong to.
        frames: for one turn.
        size: width and height, pixels.
    """
    mesh = pair_mesh(fit, surface)
    points = mesh.vertices[np.isfinite(mesh.vertices).all(1)]
    points = points if len(points) else np.zeros((1, 3), mesh.vertices.dtype)
    pictures: list[Pixels] = []
    for frame in range(frames):
        picture = blank(*size, TILE)
        left, columns = _columns(points, _view(points, 2 * math.pi * frame / frames, *size))
        inside = np.s_[:, left : left + columns.width]
        picture[inside] = over(picture[inside], render(mesh, columns))
        pictures.append(picture)
    save_gif(pictures, path, _SECONDS_A_TURN / frames)


def _view(points: Float[np.ndarray, "v 3"], yaw: float, width: int, height: int) -> OrthographicView:
    """The pair from a direction `yaw` to the right of the camera's; the same scale and middle for every direction."""
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    middle = (low + high) / 2
    across = 2 * float(np.linalg.norm((points - middle)[:, [0, 2]], axis=1).max())
    tall = float(high[1] - low[1]) * math.cos(_PITCH) + across * math.sin(_PITCH)
    scale = _FILL * min(width / max(across, 0.1), height / max(tall, 0.1))
    sine, cosine = math.sin(yaw), math.cos(yaw)
    # Down tips away from the viewer at the top of the picture: cross(right, down) looks along -z turned, and down.
    right = (cosine, 0.0, sine)
    down = (sine * math.sin(_PITCH), math.cos(_PITCH), -cosine * math.sin(_PITCH))
    return OrthographicView(right, down, (float(middle[0]), float(middle[1]), float(middle[2])), scale, width, height)


def _columns(points: Float[np.ndarray, "v 3"], view: OrthographicView) -> tuple[int, OrthographicView]:
    """The first column that the bodies reach, and the view of the columns from there to the last one."""
    x = view.project(points)[0][:, 0]
    left, end = max(0, math.floor(x.min()) - 1), min(view.width, math.ceil(x.max()) + 1)
    moved = np.asarray(view.middle) + np.asarray(view.right) * ((left + end - view.width) / 2 / view.pixels_per_m)
    middle = (float(moved[0]), float(moved[1]), float(moved[2]))
    return left, replace(view, middle=middle, width=end - left)
