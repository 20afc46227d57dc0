"""Shaded pictures of meshes, drawn with the software depth buffer."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int

from apu.geometry.normals import vertex_normals
from apu.geometry.raster import Raster, rasterize
from apu.geometry.views import View
from apu.show.canvas import Pixels, blurred, to_bytes
from apu.show.palette import Color

_KEY_LIGHT = np.array([-0.45, -0.75, -0.60]) / np.linalg.norm([-0.45, -0.75, -0.60])
"""Where the soft light stands, along the picture's right, down and away axes: upper left, before the scene."""

_AMBIENT, _HEAD, _KEY, _SHINE = 0.36, 0.36, 0.34, 0.10
_CREASE_M = 0.10
"""Depth step at which the darkening behind an edge is full, metres."""


@dataclass(frozen=True)
class Mesh:
    """Coloured triangles.

    Attributes:
        vertices: (v, 3) camera frame, metres.
        faces: (f, 3) counter-clockwise seen from outside.
        colors: (v, 3) sRGB in [0, 1].
        part: (f,) whose face it is; a thin dark line is drawn where one part hides another.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    colors: Float[np.ndarray, "v 3"]
    part: Int[np.ndarray, " f"]


def render(mesh: Mesh, view: View, *, supersample: int = 2) -> Float32[np.ndarray, "h w 4"]:
    """Draw a mesh: red, green, blue (sRGB, not multiplied by alpha) and alpha, all in [0, 1].

    Args:
        mesh: what to draw.
        view: how it is seen, and the size of the picture.
        supersample: each pixel is the mean of this many by this many samples.
    """
    fine = view.magnified(supersample)
    points, depth = fine.project(mesh.vertices)
    raster = rasterize(points, depth, mesh.faces, fine.width, fine.height, perspective=fine.perspective)
    light = np.zeros((fine.height, fine.width, 4), dtype=np.float32)
    hit = raster.face >= 0
    light[hit, :3] = _shaded(mesh, fine, raster, hit)
    light[hit, 3] = 1.0
    light[..., :3] *= _creases(raster, hit, 0.012 * fine.height)[..., None]
    light[..., :3] *= _outlines(mesh.part, raster)[..., None]
    return _averaged(light, supersample)


def over(pixels: Pixels, picture: Float32[np.ndarray, "h w 4"], opacity: float = 1.0) -> Pixels:
    """A rendered picture laid over others' pixels of the same size."""
    share = picture[..., 3:] * opacity
    return to_bytes(pixels / np.float32(255) * (1 - share) + picture[..., :3] * share)


def with_shadow(pixels: Pixels, alpha: Float32[np.ndarray, "h w"], color: Color, *, strength: float = 0.30) -> Pixels:
    """A soft shadow of a silhouette, below and to the right of it."""
    reach = max(2, round(0.014 * pixels.shape[0]))
    moved = np.zeros_like(alpha)
    moved[reach:, reach // 2 :] = alpha[:-reach, : -(reach // 2)]
    share = strength * blurred(moved, float(reach))[..., None]
    return to_bytes(pixels / np.float32(255) * (1 - share) + np.asarray(color, np.float32) * share)


def _shaded(mesh: Mesh, view: View, raster: Raster, hit: np.ndarray) -> Float32[np.ndarray, "n 3"]:
    """Colours of the covered pixels: ambient, a light at the viewer, a soft key light, a little shine."""
    corners = mesh.faces[raster.face[hit]]
    weights = raster.barycentric[hit][..., None]
    normals = (vertex_normals(mesh.vertices, mesh.faces) @ view.axes.T).astype(np.float32)
    normal = (normals[corners] * weights).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    rows, columns = np.nonzero(hit)
    toward = -view.rays(np.stack([columns, rows], axis=1).astype(np.float32) + np.float32(0.5))
    facing = (normal * toward).sum(1, keepdims=True)
    normal, facing = np.where(facing < 0, -normal, normal), np.abs(facing)
    key = np.clip((normal @ _KEY_LIGHT.astype(np.float32) + 0.25) / 1.25, 0, 1)[:, None]
    half = toward + _KEY_LIGHT.astype(np.float32)
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = np.clip((normal * half).sum(1, keepdims=True), 0, 1) ** 28
    color = (mesh.colors.astype(np.float32)[corners] * weights).sum(1)
    return np.clip(color * (_AMBIENT + _HEAD * facing + _KEY * key) + _SHINE * shine, 0, 1)


def _creases(raster: Raster, hit: np.ndarray, sigma_px: float) -> Float32[np.ndarray, "h w"]:
    """Factor that darkens what lies just behind an edge, so that one limb before another reads as such.

    Unsharp masking of the depth buffer (Luft, Colditz and Deussen, SIGGRAPH 2006), within the silhouette only.
    """
    inside = hit.astype(np.float32)
    depth = np.where(hit, raster.depth, 0).astype(np.float32)
    around = blurred(depth, sigma_px) / np.maximum(blurred(inside, sigma_px), 1e-6)
    behind = np.clip((depth - around) / _CREASE_M, 0, 1) * inside
    return 1 - np.float32(0.45) * behind


def _outlines(part: Int[np.ndarray, " f"], raster: Raster) -> Float32[np.ndarray, "h w"]:
    """Factor that darkens the pixels where one part borders on another."""
    owner = np.append(part, -1)[raster.face]
    edge = np.zeros(owner.shape, dtype=bool)
    for a, b in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        border = (owner[a] != owner[b]) & (owner[a] >= 0) & (owner[b] >= 0)
        edge[a] |= border
        edge[b] |= border
    return np.where(edge, np.float32(0.45), np.float32(1.0))


def _averaged(light: Float32[np.ndarray, "hh ww 4"], factor: int) -> Float32[np.ndarray, "h w 4"]:
    """Mean over blocks; colours are weighted by alpha, so that no edge turns dark."""
    height, width = light.shape[0] // factor, light.shape[1] // factor
    light[..., :3] *= light[..., 3:]
    mean = light.reshape(height, factor, width, factor, 4).mean(axis=(1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    return mean
