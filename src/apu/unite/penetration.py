"""How deep two bodies are in each other, by nearest-surface queries; never vertices times faces."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import UNBOUNDED, Nearest, SurfaceQuery

NEAR_M, DEEP_M = 0.06, 0.30
"""Reach of a query for vertices that were outside and inside at the one before: enough for the motion of one step."""


class Penetration:
    """Depths of both bodies of `p` pairs in each other, kept up to date along an optimisation.

    Args:
        surface: of the body that both people have; its collision faces are closed.
        vertices: (p, 2, v, 3) at the start, metres.
        exact: signs by winding number, for metrics; else by the nearest face's normal, for speed.
    """

    def __init__(self, surface: Surface, vertices: Float[Tensor, "p 2 v 3"], *, exact: bool = False) -> None:
        self._used, corners = torch.unique(surface.collision_faces, return_inverse=True)
        self._faces: Int[Tensor, "f 3"] = corners
        skin = self._skin(vertices)
        self._query = SurfaceQuery(self._faces, skin, exact_sign=exact)
        self.area_m2 = vertex_areas(skin, self._faces)
        self._reach: Float[Tensor, "m n"] | float = UNBOUNDED
        self._found: Nearest | None = None
        self._out = skin.new_zeros(0, 3)

    def depths(self, vertices: Float[Tensor, "p 2 v 3"], *, look: bool = True) -> Float[Tensor, "p 2 n"]:
        """Depth of each of the `n` skin vertices in the other body, metres, 0 outside; differentiable in both bodies.

        The first call looks as far as need be, later ones near the surface. Depth is measured along the way out, whose
        direction has no gradient: so nothing resists sliding along a surface that was found a step ago.

        Args:
            vertices: (p, 2, v, 3), metres.
            look: False keeps what the last call found, and only lets it move along; saves the query.
        """
        skin = self._skin(vertices)
        other = skin.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        found = None if look else self._found
        if found is None:
            self._query.move(skin)
            found = self._query.nearest(other, self._reach)
            self._reach = torch.where(found.inside, DEEP_M, NEAR_M).to(torch.float32)
        mesh, vertex = torch.nonzero(found.inside, as_tuple=True)
        corners = skin[mesh[:, None], self._faces[found.face[mesh, vertex]]]
        way = (corners * found.barycentric[mesh, vertex][..., None]).sum(-2) - other[mesh, vertex]
        if found is not self._found:
            self._found = found
            self._out = way.detach() / way.detach().norm(dim=-1, keepdim=True).clamp_min(1e-9)
        sunken = (way * self._out).sum(-1).clamp_min(0)
        depth = torch.zeros(other.shape[:2], dtype=skin.dtype, device=skin.device).index_put((mesh, vertex), sunken)
        return depth.unflatten(0, (-1, 2)).flip(1)

    def _skin(self, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, "m n 3"]:
        return vertices.flatten(0, 1)[:, self._used]


def vertex_areas(vertices: Float[Tensor, "m v 3"], faces: Int[Tensor, "f 3"]) -> Float[Tensor, "m v"]:
    """A third of the area of all triangles at each vertex, m^2; no gradient."""
    with torch.no_grad():
        a, b, c = vertices[:, faces].unbind(2)
        third = torch.linalg.cross(b - a, c - a).norm(dim=-1) / 6
        out = torch.zeros(vertices.shape[:2], dtype=vertices.dtype, device=vertices.device)
        return out.index_add_(1, faces.flatten(), third.repeat_interleave(3, 1))


@torch.no_grad()
def deepest(surface: Surface, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, " p"]:
    """Depth of the deepest vertex of either body in the other, metres, by exact signs."""
    return Penetration(surface, vertices, exact=True).depths(vertices).amax((1, 2))
