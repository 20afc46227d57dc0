"""How space is seen: through a pinhole camera, or flat from one side. Camera frame: x right, y down, z forward."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

X_RIGHT, Y_DOWN, Z_FORWARD = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class PerspectiveView:
    """The camera's own view, or a part of it.

    Attributes:
        focal_px: focal length, pixels of this picture.
        center_px: principal point (x, y), pixels of this picture; may lie outside.
        width, height: of the picture, pixels.
    """

    focal_px: float
    center_px: tuple[float, float]
    width: int
    height: int
    perspective = True

    @property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Rows: the picture's right, its down, and away from the viewer, in the camera frame."""
        return np.eye(3)

    def project(self, points: Float[np.ndarray, "v 3"]) -> tuple[Float[np.ndarray, "v 2"], Float[np.ndarray, " v"]]:
        """Pixels and depth (metres along z) of points in the camera frame; NaN pixels for points not in front."""
        depth = points[:, 2]
        divisor = np.where(depth > 0, depth, np.nan)
        return self.focal_px * points[:, :2] / divisor[:, None] + np.asarray(self.center_px, points.dtype), depth

    def rays(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """Unit directions of sight through pixels, along `axes`."""
        flat = (pixels - np.asarray(self.center_px, pixels.dtype)) / self.focal_px
        rays = np.concatenate([flat, np.ones_like(flat[:, :1])], axis=1)
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def magnified(self, factor: int) -> "PerspectiveView":
        """The same view on a picture `factor` times as wide and high."""
        x, y = self.center_px
        return PerspectiveView(
            self.focal_px * factor, (x * factor, y * factor), self.width * factor, self.height * factor
        )

    def window(self, corner_px: tuple[float, float], scale: float, width: int, height: int) -> "PerspectiveView":
        """A window of this view: `corner_px` becomes the top left corner, then all is enlarged by `scale`."""
        x, y = self.center_px
        center = ((x - corner_px[0]) * scale, (y - corner_px[1]) * scale)
        return PerspectiveView(self.focal_px * scale, center, width, height)


@dataclass(frozen=True)
class OrthographicView:
    """A flat view without perspective, like an architect's elevation.

    Attributes:
        right, down: the picture's axes in the camera frame, unit vectors at a right angle.
        middle: point of the camera frame at the picture's middle, metres.
        pixels_per_m: scale.
        width, height: of the picture, pixels.
    """

    right: tuple[float, float, float]
    down: tuple[float, float, float]
    middle: tuple[float, float, float]
    pixels_per_m: float
    width: int
    height: int
    perspective = False

    @property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Rows: the picture's right, its down, and away from the viewer, in the camera frame."""
        return np.stack([self.right, self.down, np.cross(self.right, self.down)])

    def project(self, points: Float[np.ndarray, "v 3"]) -> tuple[Float[np.ndarray, "v 2"], Float[np.ndarray, " v"]]:
        """Pixels, and depth in metres behind the plane of `middle`, of points in the camera frame."""
        placed = ((points - np.asarray(self.middle)) @ self.axes.T).astype(points.dtype)
        half = np.array([self.width / 2, self.height / 2], points.dtype)
        return placed[:, :2] * self.pixels_per_m + half, placed[:, 2]

    def rays(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """Unit directions of sight through pixels, along `axes`: all the same."""
        return np.broadcast_to(np.asarray(Z_FORWARD, pixels.dtype), (len(pixels), 3))

    def magnified(self, factor: int) -> "OrthographicView":
        """The same view on a picture `factor` times as wide and high."""
        return replace(
            self, pixels_per_m=self.pixels_per_m * factor, width=self.width * factor, height=self.height * factor
        )


View = PerspectiveView | OrthographicView


def side_view(
    points: Float[np.ndarray, "v 3"], width: int, height: int, *, pixels_per_m: float | None = None
) -> OrthographicView:
    """From the picture's right-hand side, along -x: depth runs to the right, so the camera stands on the left."""
    return _framed(points, Z_FORWARD, Y_DOWN, width, height, pixels_per_m)


def top_view(
    points: Float[np.ndarray, "v 3"], width: int, height: int, *, pixels_per_m: float | None = None
) -> OrthographicView:
    """From above, along +y: x runs to the right and depth upwards, so the camera stands below."""
    x, y, z = Z_FORWARD
    return _framed(points, X_RIGHT, (-x, -y, -z), width, height, pixels_per_m)


def fitting_scale(
    points: Float[np.ndarray, "v 3"], right: tuple, down: tuple, width: int, height: int, *, fill: float = 0.84
) -> float:
    """Pixels per metre at which the points fill at most a share `fill` of a picture with these axes."""
    extents = np.ptp(points @ np.array([right, down], points.dtype).T, axis=0)
    return fill * float(min(width / max(extents[0], 1e-6), height / max(extents[1], 1e-6)))


def _framed(points, right, down, width: int, height: int, pixels_per_m: float | None) -> OrthographicView:
    middle = (points.min(0) + points.max(0)) / 2
    scale = pixels_per_m or fitting_scale(points, right, down, width, height)
    x, y, z = (float(m) for m in middle)
    return OrthographicView(right, down, (x, y, z), scale, width, height)
