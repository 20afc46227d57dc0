"""Nearest points on moving triangle meshes, inside or outside: by warp, or in torch alone where warp cannot run.

The query itself has no gradient and needs none: with the nearest face and its barycentric coordinates held fixed,
the distance to the gathered surface point (`surface_points`) has the exact gradient (envelope theorem).
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.geometry.dense_query import DenseQuery

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

    Args:
        faces: (f, 3) vertex indices, counter-clockwise seen from outside; closed, where inside and outside matter.
        vertices: (m, v, 3) where the meshes are now, metres.
        exact_sign: tell inside from outside by the generalised winding number (Jacobson et al., 2013; above one half
            is inside), which holds where a body intersects itself; five times slower than the nearest face's normal.
            Without warp it is always done.
        rays: without `exact_sign`, confirm by a ray that a point is outside which the nearest face's normal says is:
            where a body cuts itself, that face may lie in the body. The ray leaves and enters through as many faces.
    """

    def __init__(
        self, faces: Int[Tensor, "f 3"], vertices: Float[Tensor, "m v 3"], *, exact_sign: bool = False,
        rays: bool = False,
    ) -> None:  # fmt: skip
        vertices = vertices.detach()
        if warp_knows(vertices.device.type):
            from apu.geometry.warp_query import WarpQuery  # warp takes a while to load

            self._query = WarpQuery(faces, vertices, "winding" if exact_sign else "ray" if rays else "normal")
        else:
            self._query = DenseQuery(faces, vertices)

    def move(self, vertices: Float[Tensor, "m v 3"]) -> None:
        """Put the meshes elsewhere; their boxes are refitted, not rebuilt."""
        self._query.move(vertices.detach())

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
        return Nearest(*self._query.nearest_of(mesh, points.detach(), reach))


@cache
def warp_knows(device: str) -> bool:
    """Whether warp is installed and runs on this type of device."""
    if device not in ("cpu", "cuda") or find_spec("warp") is None:
        return False
    from apu.geometry.surface_kernels import wp

    return device == "cpu" or bool(wp.is_cuda_available())


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
