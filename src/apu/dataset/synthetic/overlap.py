"""How deep two bodies are in each other while a pair is being solved: nearest-surface queries, straight ways out."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import Nearest, SurfaceQuery, surface_points

DEEP_M, NEAR_M = 0.25, 0.05
"""Reach of a look for points that were inside, and outside, at the look before: enough for the motion in between."""


class Overlap:
    """Squared depths of the skin of both bodies in each other, of a batch of pairs.

    Args:
        surface: of the body that both people have.
        points: (v,) which vertices of the mesh are given later; None for all. With a few, the goals stand still between
            two looks and only the sunken points move; with all, both surfaces move.
    """

    def __init__(self, surface: Surface, points: Int[Tensor, " v"] | None) -> None:
        self._skin, self._faces = torch.unique(surface.collision_faces, return_inverse=True)
        on_skin = torch.zeros(len(surface.rest_vertices), dtype=torch.bool, device=self._skin.device)
        on_skin[self._skin] = True
        self._mine = self._skin if points is None else torch.nonzero(on_skin[points]).flatten()
        self._all = points is None
        self._query: SurfaceQuery | None = None
        self._goal = torch.zeros(0)
        self._found: Nearest | None = None

    def look(self, full: Float[Tensor, "n 2 a 3"], vertices: Float[Tensor, "n 2 v 3"]) -> None:
        """Find the ways out.

        Args:
            full: all vertices of both bodies, metres; no gradient is taken.
            vertices: those of `points`.
        """
        skin = full.detach().flatten(0, 1)[:, self._skin]
        if self._query is None:
            self._query = SurfaceQuery(self._faces, skin)
        else:
            self._query.move(skin)
        reach = DEEP_M if self._found is None else torch.where(self._found.inside, DEEP_M, NEAR_M)
        self._found = self._query.nearest(self._partners(vertices).detach(), reach)
        self._goal = surface_points(skin, self._faces, self._found)

    def squared_cm2(self, vertices: Float[Tensor, "n 2 v 3"]) -> Float[Tensor, " n"]:
        """Sum of squared depths over the sunken vertices of both bodies, cm^2; a vertex counts a tenth of a sample."""
        assert self._found is not None
        goal = self._goal
        if self._all:
            goal = surface_points(vertices.flatten(0, 1)[:, self._skin], self._faces, self._found)
        away = (self._partners(vertices) - goal).square().sum(-1) * self._found.inside
        each = 1e4 * away.sum(1) * (0.1 if self._all else 1.0)
        return each.unflatten(0, (-1, 2)).sum(1)

    def _partners(self, vertices: Float[Tensor, "n 2 v 3"]) -> Float[Tensor, "m k 3"]:
        """For every body the skin of the other one of its pair."""
        return vertices[:, :, self._mine].flip(1).flatten(0, 1)
