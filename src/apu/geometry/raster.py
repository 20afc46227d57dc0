"""A software depth buffer: which triangle does each pixel see, where on it, how far away. Arrays only, no GPU.

Every triangle is cut into its pixel rows (spans), every span into its pixels, both as ragged numpy arrays, so small
and large triangles take the same path and no pixel outside a triangle is ever looked at. An edge crosses a row at an
x that is computed from the edge alone, upper end first: two triangles that share the edge get the very same number,
and a pixel centre belongs to exactly one of them. Hence no seams and no pixel drawn twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int, Int64

NEAR_M = 0.01
"""Triangles with a corner nearer to a perspective camera than this are left out."""

_CHUNK = 1 << 20
"""Spans or pixels in flight at a time: bounds the memory, whatever the picture."""

_FAR_KEY = np.iinfo(np.int64).max
_DEPTH_STEPS = float((1 << 31) - 1)


@dataclass(frozen=True)
class Raster:
    """What each pixel sees.

    Attributes:
        face: (h, w) index of the nearest face, -1 where there is none.
        barycentric: (h, w, 3) weights of the face's corners at the pixel centre, on the surface in space
            (perspective-correct); 0 where there is no face.
        depth: (h, w) depth of the surface at the pixel centre; infinite where there is no face.
    """

    face: Int[np.ndarray, "h w"]
    barycentric: Float[np.ndarray, "h w 3"]
    depth: Float[np.ndarray, "h w"]


@dataclass(frozen=True)
class _Triangles:
    """The triangles that can be seen; t of them.

    `order` grows away from the viewer and is linear over the picture: -1/z in perspective, else z; scaled to integers.
    """

    face: Int64[np.ndarray, " t"]
    x: Float64[np.ndarray, "t 3"]
    y: Float64[np.ndarray, "t 3"]
    order: Float64[np.ndarray, "t 3"]
    first_row: Int64[np.ndarray, " t"]
    end_row: Int64[np.ndarray, " t"]


def rasterize(
    points_px: Float[np.ndarray, "v 2"],
    depth: Float[np.ndarray, " v"],
    faces: Int[np.ndarray, "f 3"],
    width: int,
    height: int,
    *,
    perspective: bool = True,
) -> Raster:
    """Draw triangles into a depth buffer.

    The pixel in column i and row j has its centre at (i + 0.5, j + 0.5). Both sides of a face are seen. Of two faces
    at the same depth the one with the lower index wins. A face is left out when a corner is not finite or, in
    perspective, nearer than `NEAR_M`.

    Args:
        points_px: (v, 2) x right, y down, pixels.
        depth: (v,) distance along the viewing axis, metres; any sign when not `perspective`.
        faces: (f, 3) indices into the points.
        width, height: of the picture, pixels.
        perspective: whether the points were divided by `depth`; decides how depth runs between the corners.
    """
    nearest = np.full(width * height, _FAR_KEY, dtype=np.int64)
    triangles = _visible(points_px, depth, faces, width, height, perspective)
    for chunk in _chunks(triangles.end_row - triangles.first_row):
        _draw(triangles, chunk, width, nearest)
    return _resolve(nearest, points_px, depth, faces, width, height, perspective)


def _visible(points_px, depth, faces, width: int, height: int, perspective: bool) -> _Triangles:
    """Drop what cannot be seen; scale the depth order to [0, 2^31)."""
    points = np.asarray(points_px, dtype=np.float64)
    depth = np.asarray(depth, dtype=np.float64)
    usable = np.isfinite(points).all(1) & np.isfinite(depth)
    if perspective:
        usable &= depth > NEAR_M
    index = np.flatnonzero(usable[faces].all(1))
    corners = faces[index]
    x, y, z = points[corners, 0], points[corners, 1], depth[corners]
    first = _first_centre(y.min(1), height)
    end = _first_centre(y.max(1), height)
    left = _first_centre(x.min(1), width)
    right = _first_centre(x.max(1), width)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    seen = (first < end) & (left < right) & (area != 0)
    x, y, z = x[seen], y[seen], z[seen]
    order = -1.0 / z if perspective else z
    if order.size:
        low, high = order.min(), order.max()
        order = (order - low) * (_DEPTH_STEPS / max(high - low, 1e-12))
    return _Triangles(index[seen].astype(np.int64), x, y, order, first[seen], end[seen])


def _first_centre(position: np.ndarray, limit: int) -> Int64[np.ndarray, " n"]:
    """Index of the first pixel whose centre is not before `position`, kept within [0, limit]."""
    return np.ceil(np.clip(position - 0.5, 0.0, float(limit))).astype(np.int64)


def _chunks(counts: Int64[np.ndarray, " n"]) -> Iterator[slice]:
    """Slices of consecutive entries with about `_CHUNK` counts each; an entry is never split."""
    running = np.cumsum(counts)
    start, done = 0, 0
    while start < len(counts):
        end = max(start + 1, int(np.searchsorted(running, done + _CHUNK, side="right")))
        yield slice(start, end)
        start, done = end, int(running[end - 1])


def _ragged(counts: Int64[np.ndarray, " n"]) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
    """Entry i repeated counts[i] times: its index, and 0 .. counts[i]-1 beside it."""
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - before[owner]


def _draw(triangles: _Triangles, chunk: slice, width: int, nearest: Int64[np.ndarray, " p"]) -> None:
    """Lower the keys in `nearest` (depth order in the high bits, face in the low ones) to those of a chunk."""
    x, y, order = triangles.x[chunk], triangles.y[chunk], triangles.order[chunk]
    first_row = triangles.first_row[chunk]
    owner, offset = _ragged(triangles.end_row[chunk] - first_row)
    row = first_row[owner] + offset
    left, right = _span_ends(x, y, owner, row, width)
    filled = left < right
    owner, row, left, right = owner[filled], row[filled], left[filled], right[filled]

    across, down = _gradient(x, y, order)
    start = (
        order[:, 0][owner] + across[owner] * (left + 0.5 - x[:, 0][owner]) + down[owner] * (row + 0.5 - y[:, 0][owner])
    )
    slope, low, high = across[owner], order.min(1)[owner], order.max(1)[owner]
    face, pixel = triangles.face[chunk][owner], row * width + left
    for part in _chunks(right - left):
        span, step = _ragged(right[part] - left[part])
        value = start[part][span] + slope[part][span] * step
        # A needle's gradient is huge: never let rounding carry it past its own corners.
        np.clip(value, low[part][span], high[part][span], out=value)
        key = (value.astype(np.int64) << 32) | face[part][span]
        np.minimum.at(nearest, pixel[part][span] + step, key)


def _span_ends(x, y, owner, row, width: int) -> tuple[Int64[np.ndarray, " s"], Int64[np.ndarray, " s"]]:
    """First pixel of each span and the one after its last. Exactly two edges of a triangle cross each of its rows."""
    left = np.full(len(owner), np.inf)
    right = np.full(len(owner), -np.inf)
    centre = row + 0.5
    for i, j in ((0, 1), (1, 2), (2, 0)):
        flip = (y[:, i] > y[:, j]) | ((y[:, i] == y[:, j]) & (x[:, i] > x[:, j]))
        upper, lower = np.where(flip, j, i), np.where(flip, i, j)
        each = np.arange(len(x))
        x0, y0, x1, y1 = x[each, upper], y[each, upper], x[each, lower], y[each, lower]
        drop = y1 - y0
        slope = (x1 - x0) / np.where(drop == 0, 1.0, drop)
        crossing = x0[owner] + (centre - y0[owner]) * slope[owner]
        crosses = (np.ceil(y0 - 0.5)[owner] <= row) & (row < np.ceil(y1 - 0.5)[owner])
        np.minimum(left, crossing, out=left, where=crosses)
        np.maximum(right, crossing, out=right, where=crosses)
    return _first_centre(left, width), _first_centre(right, width)


def _gradient(x, y, value) -> tuple[Float64[np.ndarray, " t"], Float64[np.ndarray, " t"]]:
    """Change per pixel to the right and down of a quantity that is linear over each triangle."""
    x1, x2 = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    y1, y2 = y[:, 1] - y[:, 0], y[:, 2] - y[:, 0]
    v1, v2 = value[:, 1] - value[:, 0], value[:, 2] - value[:, 0]
    area = x1 * y2 - x2 * y1
    return (v1 * y2 - v2 * y1) / area, (v2 * x1 - v1 * x2) / area


def _resolve(nearest, points_px, depth, faces, width: int, height: int, perspective: bool) -> Raster:
    """Barycentric coordinates and depth of the face that won each pixel."""
    face = np.full(width * height, -1, dtype=np.int32)
    barycentric = np.zeros((width * height, 3), dtype=np.float32)
    distance = np.full(width * height, np.inf, dtype=np.float32)
    hit = np.flatnonzero(nearest != _FAR_KEY)
    face[hit] = nearest[hit] & 0xFFFFFFFF
    for start in range(0, len(hit), _CHUNK):
        pixel = hit[start : start + _CHUNK]
        corners = faces[face[pixel]]
        centre = np.stack([pixel % width, pixel // width], axis=1) + 0.5
        weights = _screen_weights(np.asarray(points_px, dtype=np.float64)[corners], centre)
        z = np.asarray(depth, dtype=np.float64)[corners]
        if perspective:
            weights = weights / z
            weights /= weights.sum(1, keepdims=True)
        barycentric[pixel] = weights
        distance[pixel] = (weights * z).sum(1)
    shape = (height, width)
    return Raster(face.reshape(shape), barycentric.reshape(*shape, 3), distance.reshape(shape))


def _screen_weights(corners: Float64[np.ndarray, "n 3 2"], point: Float64[np.ndarray, "n 2"]) -> np.ndarray:
    """(n, 3) barycentric coordinates of points inside flat triangles; rounding below 0 is cut."""
    spokes = corners - point[:, None]
    following, last = np.roll(spokes, -1, axis=1), np.roll(spokes, -2, axis=1)
    weights = following[..., 0] * last[..., 1] - following[..., 1] * last[..., 0]
    weights *= np.sign(weights.sum(1, keepdims=True))
    np.maximum(weights, 0.0, out=weights)
    total = weights.sum(1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), 1.0 / 3.0)
