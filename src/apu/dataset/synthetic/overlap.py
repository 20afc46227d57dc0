"""How deep two bodies are in each other while a pair is being solved.

The geometry of the ways out is that of `apu.unite.penetration`; what it costs to be inside is the generator's own.
"""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parameters, Parts
from apu.geometry.surface_query import Nearest, SurfaceQuery, surface_points
from apu.unite.penetration import Penetration

DEEP_M, NEAR_M = 0.25, 0.06
"""Reach of a look for points that were inside, and outside, at the look before: enough for the motion in between."""
VERTEX = 0.1
"""What a vertex counts against a sample: there are so many more of them."""


@runtime_checkable
class Overlap(Protocol):
    """Squared depths of the skin of both bodies in each other, of a batch of pairs."""

    def __call__(self, vertices: Float[Tensor, "n 2 v 3"], now: Parameters, *, last: bool) -> Float[Tensor, " n"]:
        """Sum over the sunken points of both bodies, cm^2.

        Args:
            vertices: those that are evaluated, metres.
            now: the parameters that they come from.
            last: whether the ways out are looked for anew in any case.
        """
        ...


class SampledOverlap:
    """Of a few vertices, against the whole other mesh: goals stand still between looks, and only sunken points move.

    Args:
        body: the body model.
        points: (v,) which vertices of the mesh are evaluated.
    """

    EVERY = 4

    def __init__(self, body: BodyModel, points: Int[Tensor, " v"]) -> None:
        surface = body.surface
        self._body = body
        self._skin, self._faces = torch.unique(surface.collision_faces, return_inverse=True)
        on_skin = torch.zeros(len(surface.rest_vertices), dtype=torch.bool, device=self._skin.device)
        on_skin[self._skin] = True
        self._mine = torch.nonzero(on_skin[points]).flatten()
        self._query: SurfaceQuery | None = None
        self._found: Nearest | None = None
        self._goal = torch.zeros(0)
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "n 2 v 3"], now: Parameters, *, last: bool) -> Float[Tensor, " n"]:
        """See `Overlap`."""
        others = vertices[:, :, self._mine].flip(1).flatten(0, 1)
        if self._calls % self.EVERY == 0 or last:
            self._look(others.detach(), now)
        self._calls += 1
        assert self._found is not None
        depth = (others - self._goal).square().sum(-1) * self._found.inside
        return 1e4 * depth.sum(1).unflatten(0, (-1, 2)).sum(1)

    @torch.no_grad()
    def _look(self, others: Float[Tensor, "m k 3"], now: Parameters) -> None:
        full = self._body.forward(now, Parts(vertices="all")).vertices
        assert full is not None
        skin = full.flatten(0, 1)[:, self._skin]
        if self._query is None:
            self._query = SurfaceQuery(self._faces, skin)
        else:
            self._query.move(skin)
        reach = DEEP_M if self._found is None else torch.where(self._found.inside, DEEP_M, NEAR_M)
        self._found = self._query.nearest(others, reach)
        self._goal = surface_points(skin, self._faces, self._found)


class WholeOverlap:
    """Of all vertices; both surfaces move, and a limb that lies in the other body leaves it as a whole.

    Args:
        body: the body model.
    """

    EVERY = 2

    def __init__(self, body: BodyModel) -> None:
        self._surface = body.surface
        self._depths: Penetration | None = None
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "n 2 v 3"], now: Parameters, *, last: bool) -> Float[Tensor, " n"]:
        """See `Overlap`."""
        if self._depths is None:
            self._depths = Penetration(self._surface, vertices.detach())
        look = self._calls % self.EVERY == 0 or last
        self._calls += 1
        return VERTEX * 1e4 * self._depths.depths(vertices, look=look).square().sum((1, 2))
