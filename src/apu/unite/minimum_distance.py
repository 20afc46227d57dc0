"""The contact heuristic of BUDDI's comparison: whatever is nearest is pulled together; no contact map is used.

The smallest distance between the two meshes is taken to zero. It is offered to be compared with, see `ContactTerm`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import UNBOUNDED, SurfaceQuery, surface_points, surface_points_of
from apu.unite.weights import Reach

BAND_M = 0.03
"""Vertices within this of the smallest distance are looked at until the next look at all of them."""
REFRESH = 10
"""Steps between two looks at all vertices."""
SAMPLES_REFRESH = 4
"""The same of samples, whose look is cheaper."""


class SampledMinimum:
    """Squared smallest distance between the vertices that a stage evaluates.

    Which two are nearest is looked for every `SAMPLES_REFRESH` steps, and held in between.
    """

    def __init__(self) -> None:
        self._near: Int[Tensor, " p"] | None = None
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach: Reach) -> Float[Tensor, " p"]:
        """See `ContactTerm`; the temperature and the reach of the soft loss do not exist here."""
        a, b = vertices.unbind(1)
        if self._near is None or self._calls % SAMPLES_REFRESH == 0:
            self._near = torch.cdist(a.detach(), b.detach()).flatten(1).argmin(1)
        self._calls += 1
        row, size = torch.arange(len(a), device=a.device), b.shape[1]
        return (a[row, self._near // size] - b[row, self._near % size]).square().sum(-1)


class FullMinimum:
    """Squared smallest distance between any vertex of one mesh and the surface of the other.

    Args:
        surface: of the body that both people have; the stage evaluates all vertices.
    """

    def __init__(self, surface: Surface) -> None:
        self._skin, self._faces = torch.unique(surface.collision_faces, return_inverse=True)
        self._query: SurfaceQuery | None = None
        self._near: Int[Tensor, "2 k"] | None = None
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach: Reach) -> Float[Tensor, " p"]:
        """See `ContactTerm`; the temperature and the reach of the soft loss do not exist here."""
        skin = vertices.flatten(0, 1)[:, self._skin]
        other = skin.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
        if self._query is None:
            self._query = SurfaceQuery(self._faces, skin)
        else:
            self._query.move(skin)
        if self._near is None or self._calls % REFRESH == 0:
            self._near = self._within_band(skin.detach(), other.detach())
        self._calls += 1
        return self._least_square(skin, other)

    def _least_square(self, skin: Float[Tensor, "m n 3"], other: Float[Tensor, "m n 3"]) -> Float[Tensor, " p"]:
        """Smallest squared distance of every pair among the vertices that are looked at, where the meshes are now."""
        assert self._query is not None
        assert self._near is not None
        mesh, vertex = self._near
        point = other[mesh, vertex]
        found = self._query.nearest_of(mesh, point, torch.full_like(point[:, 0], UNBOUNDED).float())
        square = (point - surface_points_of(skin, self._faces, mesh, found)).square().sum(-1)
        lowest = torch.full((len(skin) // 2,), torch.inf, dtype=square.dtype, device=square.device)
        return lowest.scatter_reduce(0, mesh // 2, square, "amin")

    def _within_band(self, skin: Float[Tensor, "m n 3"], other: Float[Tensor, "m n 3"]) -> Int[Tensor, "2 k"]:
        """(mesh, vertex of its partner) of all that may be nearest soon; every pair keeps at least one.

        What was looked at last bounds how far they can be.
        """
        assert self._query is not None
        reach = skin.new_full((len(skin), 1), UNBOUNDED)
        if self._near is not None:
            reach = self._least_square(skin, other).sqrt().repeat_interleave(2)[:, None] + BAND_M
        found = self._query.nearest(other, reach.expand(skin.shape[:2]))
        distance = (other - surface_points(skin, self._faces, found)).norm(dim=-1)
        distance = distance.masked_fill(found.face < 0, torch.inf)
        smallest = distance.amin(1).unflatten(0, (-1, 2)).amin(1).repeat_interleave(2)
        return torch.stack(torch.nonzero(distance <= smallest[:, None] + BAND_M, as_tuple=True))
