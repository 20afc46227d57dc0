"""Nearest points on moving triangle meshes, inside or outside: the adapter to warp's bounding volume hierarchy.

The query itself has no gradient and needs none: with the nearest face and its barycentric coordinates held fixed,
the distance to the gathered surface point (`surface_points`) has the exact gradient (envelope theorem).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

UNBOUNDED = 1e6
"""A reach that no body exceeds, metres."""


@dataclass(frozen=True)
class Nearest:
    """What a query found; -1 and zeros where no surface lies within reach.

    Attributes:
        face: index of the nearest face.
        barycentric: of the nearest point in that face.
        inside: the point lies inside the mesh; False out of reach.
    """

    face: Int[Tensor, "*k"]
    barycentric: Float[Tensor, "*k 3"]
    inside: Bool[Tensor, "*k"]


class SurfaceQuery:
    """`m` meshes of the same faces, moved together and queried together: one refit and one launch for all of them.

    The meshes stand on a grid so wide that no query of one reaches another.

    Args:
        faces: (f, 3) vertex indices, counter-clockwise seen from outside; closed, where inside and outside matter.
        vertices: (m, v, 3) where the meshes are now, metres.
        exact_sign: tell inside from outside by the generalised winding number (Jacobson et al., 2013; above one half
            is inside), which holds where a body intersects itself; five times slower than the nearest face's normal.
    """

    def __init__(
        self, faces: Int[Tensor, "f 3"], vertices: Float[Tensor, "m v 3"], *, exact_sign: bool = False
    ) -> None:
        count, size = vertices.shape[:2]
        self._middle, self._cell = _layout(vertices)
        steps = torch.arange(count, device=faces.device)[:, None, None] * size
        self._faces_each = len(faces)
        indices = (faces[None] + steps).reshape(-1).to(torch.int32).contiguous()
        self._points = self._spread(vertices).reshape(-1, 3).contiguous()
        wp = _warp()
        self._kernel = _kernels().winding_kernel if exact_sign else _kernels().normal_kernel
        self._mesh = wp.Mesh(
            points=wp.from_torch(self._points, dtype=wp.vec3),
            indices=wp.from_torch(indices),
            support_winding_number=exact_sign,
        )

    def move(self, vertices: Float[Tensor, "m v 3"]) -> None:
        """Put the meshes elsewhere; their boxes are refitted, not rebuilt."""
        moved_far = float((vertices.detach() - self._middle[:, None]).abs().amax()) > 0.45 * self._cell
        if moved_far:
            self._middle, self._cell = _layout(vertices)
        self._points.copy_(self._spread(vertices).reshape(-1, 3))
        self._mesh.refit()

    def nearest(self, points: Float[Tensor, "m n 3"], reach_m: float | Float[Tensor, "m n"] = UNBOUNDED) -> Nearest:
        """Nearest surface point of each mesh to the points that belong to it.

        Args:
            points: (m, n, 3) `n` points for each mesh, metres.
            reach_m: farther surfaces are not sought; one for all, or one for each point. A short reach is fast.
        """
        shape = points.shape[:2]
        reach = torch.as_tensor(reach_m, dtype=torch.float32, device=points.device).expand(shape)
        mesh = torch.arange(shape[0], device=points.device)[:, None].expand(shape)
        found = self.nearest_of(mesh.reshape(-1), points.reshape(-1, 3), reach.reshape(-1))
        return Nearest(found.face.reshape(shape), found.barycentric.reshape(*shape, 3), found.inside.reshape(shape))

    def nearest_of(self, mesh: Int[Tensor, " k"], points: Float[Tensor, "k 3"], reach: Float[Tensor, " k"]) -> Nearest:
        """The same for any points, each with the number of its mesh; the axes of the result are (k,).

        Args:
            mesh: (k,) which of the `m` meshes.
            points: (k, 3) metres.
            reach: (k,) metres.
        """
        wp = _warp()
        count = len(points)
        sought = (points.detach() + self._offsets()[mesh]).to(torch.float32).contiguous()
        reach = reach.clamp_max(0.45 * self._cell).contiguous()
        face = torch.full((count,), -1, dtype=torch.int32, device=sought.device)
        share = torch.zeros(count, 2, dtype=torch.float32, device=sought.device)
        sign = torch.ones(count, dtype=torch.float32, device=sought.device)
        wp.launch(
            self._kernel,
            dim=count,
            inputs=[self._mesh.id, wp.from_torch(sought, dtype=wp.vec3), wp.from_torch(reach)],
            outputs=[wp.from_torch(face), wp.from_torch(share, dtype=wp.vec2), wp.from_torch(sign)],
            device=wp.device_from_torch(sought.device),
        )
        found = (face >= 0)[:, None]
        weights = torch.cat([share, 1 - share.sum(-1, keepdim=True)], -1) * found
        local = torch.where(face >= 0, face % self._faces_each, face).long()
        inside = (sign < 0) & (face >= 0)
        return Nearest(local, weights.to(points.dtype), inside)

    def _spread(self, points: Float[Tensor, "m n 3"]) -> Float[Tensor, "m n 3"]:
        """Each mesh's frame moved to its cell of the grid, in float32."""
        return (points.detach() + self._offsets()[:, None]).to(torch.float32)

    def _offsets(self) -> Float[Tensor, "m 3"]:
        count = len(self._middle)
        side = max(1, round(count ** (1 / 3) + 0.5))
        number = torch.arange(count, device=self._middle.device)
        cell = torch.stack([number % side, number // side % side, number // side**2], -1)
        return cell * self._cell - self._middle


def surface_points(
    vertices: Float[Tensor, "m v 3"], faces: Int[Tensor, "f 3"], nearest: Nearest
) -> Float[Tensor, "m n 3"]:
    """The nearest points themselves, differentiable in the vertices; the first face's where nothing was in reach."""
    corners = faces[nearest.face.clamp_min(0)]
    rows = torch.arange(len(vertices), device=vertices.device)[:, None, None]
    return (vertices[rows, corners] * nearest.barycentric[..., None]).sum(-2)


def surface_points_of(
    vertices: Float[Tensor, "m v 3"], faces: Int[Tensor, "f 3"], mesh: Int[Tensor, " k"], nearest: Nearest
) -> Float[Tensor, "k 3"]:
    """The same for what `nearest_of` found; `mesh` (k,) says on which mesh."""
    corners = vertices[mesh[:, None], faces[nearest.face.clamp_min(0)]]
    return (corners * nearest.barycentric[..., None]).sum(-2)


def _layout(vertices: Float[Tensor, "m v 3"]) -> tuple[Float[Tensor, "m 3"], float]:
    """Middles of the meshes and a cell's width: room for a mesh, as much again to move, and for the points around."""
    low, high = vertices.detach().amin(1), vertices.detach().amax(1)
    return (low + high) / 2, 8.0 * float((high - low).amax().clamp_min(0.5))


@cache
def _warp() -> Any:
    return _kernels().wp


@cache
def _kernels() -> Any:
    from apu.geometry import surface_kernels

    return surface_kernels
