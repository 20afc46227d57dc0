"""`SurfaceQuery` in torch alone, every point against every face: for devices that warp does not know. Slow.

Nearest points by the plane, or an edge, of every triangle; signs by the generalised winding number, from solid angles
(van Oosterom and Strackee, 1983). Memory is bounded: points and faces are taken a few at a time.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

AT_ONCE = 1 << 19
"""Pairs of a point and a face at a time, which take some 200 bytes each."""
FACES_AT_ONCE = 1 << 12


class DenseQuery:
    """See `apu.geometry.surface_query.SurfaceQuery`, whose arguments these are; signs are always exact."""

    def __init__(self, faces: Int[Tensor, "f 3"], vertices: Float[Tensor, "m v 3"]) -> None:
        self._faces, self._vertices = faces, vertices.clone()

    def move(self, vertices: Float[Tensor, "m v 3"]) -> None:
        """Put the meshes elsewhere."""
        self._vertices = vertices.clone()

    def nearest_of(
        self, mesh: Int[Tensor, " k"], points: Float[Tensor, "k 3"], reach: Float[Tensor, " k"]
    ) -> tuple[Int[Tensor, " k"], Float[Tensor, "k 3"], Bool[Tensor, " k"]]:
        """Face, barycentric coordinates and whether inside."""
        face = torch.full((len(points),), -1, dtype=torch.int64, device=points.device)
        share, inside = torch.zeros_like(points), torch.zeros_like(face, dtype=torch.bool)
        for one in range(len(self._vertices)):
            corners = self._vertices[one][self._faces]
            for rows in torch.nonzero(mesh == one).flatten().split(max(1, AT_ONCE // FACES_AT_ONCE)):
                best, square, winding = _against_all(points[rows], corners)
                found = square <= reach[rows].square()
                face[rows] = torch.where(found, best, -1)
                share[rows] = barycentric(points[rows], corners[best]) * found[:, None]
                inside[rows] = found & (winding > 0.5)
        return face, share, inside


def _against_all(
    points: Float[Tensor, "k 3"], corners: Float[Tensor, "f 3 3"]
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Nearest face, squared distance to it, and winding number of every point."""
    best = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    square, winding = torch.full_like(points[:, 0], torch.inf), torch.zeros_like(points[:, 0])
    for start in range(0, len(corners), FACES_AT_ONCE):
        some = corners[start : start + FACES_AT_ONCE]
        here, which = _square_distances(points[:, None], some).min(1)
        best = torch.where(here < square, which + start, best)
        square = torch.minimum(square, here)
        winding = winding + solid_angles(points[:, None], some).sum(1) / (4 * math.pi)
    return best, square, winding


def _square_distances(point: Float[Tensor, "*#b 3"], corners: Float[Tensor, "*#b 3 3"]) -> Float[Tensor, "*b"]:
    at = (barycentric(point, corners)[..., None] * corners).sum(-2)
    return (point - at).square().sum(-1)


def barycentric(point: Float[Tensor, "*#b 3"], corners: Float[Tensor, "*#b 3 3"]) -> Float[Tensor, "*b 3"]:
    """Of the nearest point of each triangle: the foot on its plane, or the nearest of the feet on its edges."""
    batch = torch.broadcast_shapes(point.shape[:-1], corners.shape[:-2])
    point, corners = point.expand(*batch, 3), corners.expand(*batch, 3, 3)
    a, b, c = corners.unbind(-2)
    normal = torch.linalg.cross(b - a, c - a)
    area = normal.square().sum(-1).clamp_min(torch.finfo(point.dtype).tiny)
    v = (torch.linalg.cross(point - a, c - a) * normal).sum(-1) / area
    w = (torch.linalg.cross(b - a, point - a) * normal).sum(-1) / area
    best = torch.stack([1 - v - w, v, w], -1)
    on_face = (best >= 0).all(-1)
    least = torch.where(on_face, 0.0, torch.inf)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, way = corners[..., first, :], corners[..., second, :] - corners[..., first, :]
        length = way.square().sum(-1).clamp_min(torch.finfo(point.dtype).tiny)
        share = (((point - start) * way).sum(-1) / length).clamp(0, 1)
        square = (point - start - share[..., None] * way).square().sum(-1)
        on_edge = torch.zeros_like(best)
        on_edge[..., first], on_edge[..., second] = 1 - share, share
        nearer = square < least
        best = torch.where(nearer[..., None], on_edge, best)
        least = torch.where(nearer, square, least)
    return best


def solid_angles(point: Float[Tensor, "*#b 3"], corners: Float[Tensor, "*#b 3 3"]) -> Float[Tensor, "*b"]:
    """Signed solid angle of each triangle seen from each point, steradians; positive seen from inside."""
    a, b, c = (corners[..., i, :] - point for i in range(3))
    la, lb, lc = a.norm(dim=-1), b.norm(dim=-1), c.norm(dim=-1)
    triple = (a * torch.linalg.cross(b, c)).sum(-1)
    rest = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return 2 * torch.atan2(triple, rest)
