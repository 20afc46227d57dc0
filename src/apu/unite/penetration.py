"""How deep two bodies are in each other, by nearest-surface queries; never vertices times faces.

A limb that lies in the other body is trapped when each vertex seeks its own nearest way out: front and back of an arm
leave in opposite directions, and the pushes cancel. So vertices whose limb's core is inside, too, leave the way that
the core leaves. The core of a vertex is the middle of the largest ball that fits under it. The rule is ours.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import UNBOUNDED, Nearest, SurfaceQuery, surface_points_of

NEAR_M, DEEP_M = 0.06, 0.30
"""How far from the surface a vertex has to be to be left out of the next looks, and the reach for those inside."""
MARGIN_M = 0.005
"""Added to how far the bodies have moved since the last look, which is as deep as a vertex from outside can be now."""


CORE_RADII_M = (0.005, 0.015, 0.03, 0.06)
"""Balls that are tried under every vertex of the default body."""


class Penetration:
    """Depths of both bodies of `p` pairs in each other, kept up to date along an optimisation.

    Args:
        surface: of the body that both people have; its collision faces are closed.
        vertices: (p, 2, v, 3) at the start, metres.
        exact: for metrics: signs by winding number, and always the nearest way out; else signs by the nearest face's
            normal, for speed, and the core's way out.
    """

    def __init__(self, surface: Surface, vertices: Float[Tensor, "p 2 v 3"], *, exact: bool = False) -> None:
        self._used, corners = torch.unique(surface.collision_faces, return_inverse=True)
        self._faces: Int[Tensor, "f 3"] = corners
        skin = self._skin(vertices)
        self._query = SurfaceQuery(self._faces, skin, exact_sign=exact)
        self.area_m2 = vertex_areas(skin, self._faces)
        self._seen: Float[Tensor, "m n 3"] | None = None
        self._moved_m = skin.new_zeros(len(skin))
        self._near = torch.ones(skin.shape[:2], dtype=torch.bool, device=skin.device)
        self._was_inside = torch.zeros(skin.shape[:2], dtype=torch.bool, device=skin.device)
        self._out = skin.new_zeros(0, 3)
        self._mesh = self._vertex = torch.zeros(0, dtype=torch.int64, device=skin.device)
        self._cores = None if exact else cores(surface)
        self._size = skin.new_ones(len(skin))
        if self._cores is not None:
            self._size = (self.area_m2.sum(-1) / self._cores.skin_area_m2).sqrt()

    def depths(self, vertices: Float[Tensor, "p 2 v 3"], *, look: bool = True) -> Float[Tensor, "p 2 n"]:
        """Depth of each of the `n` skin vertices in the other body, metres, 0 outside; differentiable in both bodies.

        The first call looks as far as need be, later ones near the surface. Depth is measured along the way out, whose
        direction has no gradient: so nothing resists sliding along a surface that was found a step ago.

        Args:
            vertices: (p, 2, v, 3), metres.
            look: False keeps what the last call found, and only lets it move along; saves the query.
        """
        skin = self._skin(vertices)
        other = _partner(skin)
        if look or self._seen is None:
            self._look(skin.detach(), other.detach())
        place = (self._mesh, self._vertex)
        sunken = ((self._goal_points(skin) - other[place]) * self._out).sum(-1).clamp_min(0)
        depth = torch.zeros(other.shape[:2], dtype=skin.dtype, device=skin.device).index_put(place, sunken)
        return depth.unflatten(0, (-1, 2)).flip(1)

    @torch.no_grad()
    def _look(self, skin: Float[Tensor, "m n 3"], other: Float[Tensor, "m n 3"]) -> None:
        """Which vertices are inside, and which way leads out."""
        self._query.move(skin)
        mesh, vertex, reach, anew = self._sought(skin)
        found = self._query.nearest_of(mesh, other[mesh, vertex], reach)
        self._near[mesh[anew], vertex[anew]] = self._within_reach(skin, other, mesh, vertex, found, anew)
        inside = torch.nonzero(found.inside).flatten()
        self._mesh, self._vertex = mesh[inside], vertex[inside]
        self._was_inside.zero_()
        self._was_inside[self._mesh, self._vertex] = True
        self._goal = Nearest(*(x[inside] for x in (found.face, found.barycentric, found.inside)))
        start = other[self._mesh, self._vertex]
        if self._cores is not None:
            self._goal, start = self._by_core(skin, start)
        out = self._goal_points(skin) - start
        self._out = out / out.norm(dim=-1, keepdim=True).clamp_min(1e-9)

    def _within_reach(
        self, skin: Float[Tensor, "m n 3"], other: Float[Tensor, "m n 3"], mesh: Int[Tensor, " k"],
        vertex: Int[Tensor, " k"], found: Nearest, chosen: Bool[Tensor, " k"],
    ) -> Bool[Tensor, " c"]:  # fmt: skip
        """Which of the chosen vertices the next motions may bring in, or are inside."""
        mesh, vertex = mesh[chosen], vertex[chosen]
        mine = Nearest(found.face[chosen], found.barycentric[chosen], found.inside[chosen])
        away = (other[mesh, vertex] - surface_points_of(skin, self._faces, mesh, mine)).norm(dim=-1)
        return (mine.face >= 0) & (away <= NEAR_M + MARGIN_M) | mine.inside

    def _sought(
        self, skin: Float[Tensor, "m n 3"]
    ) -> tuple[Int[Tensor, " k"], Int[Tensor, " k"], Float[Tensor, " k"], Bool[Tensor, " k"]]:
        """The vertices that may be inside now, as (mesh, vertex of its partner), and how far to look for each.

        Nothing is missed: whatever was farther out than the bodies have moved against each other is still outside.
        The last entry says which of them are looked at because their pair has moved farther than `NEAR_M` in all.
        """
        step = self._motion(skin)
        self._seen = skin
        self._moved_m = self._moved_m + step
        anew = self._moved_m > NEAR_M
        self._moved_m = torch.where(anew, 0.0, self._moved_m)
        mesh, vertex = torch.nonzero(self._near | anew[:, None], as_tuple=True)
        outside = torch.where(anew, step.clamp_min(NEAR_M), step) + MARGIN_M
        reach = torch.where(self._was_inside[mesh, vertex], (DEEP_M + step)[mesh], outside[mesh])
        return mesh, vertex, reach.to(torch.float32), anew[mesh]

    def _motion(self, skin: Float[Tensor, "m n 3"]) -> Float[Tensor, " m"]:
        """How far any vertex of either body may have moved against the other body since the last look."""
        if self._seen is None:
            return torch.full_like(self._moved_m, UNBOUNDED)
        moved = (skin - self._seen).unflatten(0, (-1, 2))
        alone = moved - moved.mean((1, 2), keepdim=True)  # both together may go anywhere
        return alone.square().sum(-1).amax(2).sqrt().sum(1).repeat_interleave(2)

    def _goal_points(self, skin: Float[Tensor, "m n 3"]) -> Float[Tensor, "k 3"]:
        """Where each sunken vertex is to leave."""
        return surface_points_of(skin, self._faces, self._mesh, self._goal)

    def _by_core(
        self, skin: Float[Tensor, "m n 3"], start: Float[Tensor, "k 3"]
    ) -> tuple[Nearest, Float[Tensor, "k 3"]]:
        """The core's nearest place instead of the vertex's own, where the core is inside; and whence the way starts."""
        assert self._cores is not None
        owner = self._mesh ^ 1  # the partner, whose vertex it is
        a, b, c = skin[owner[:, None], self._faces[self._cores.face[self._vertex]]].unbind(1)
        inward = torch.linalg.cross(c - a, b - a)
        inward = inward / inward.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        core = start + (self._size[owner] * self._cores.radius_m[self._vertex])[:, None] * inward
        sunk = self._query.nearest_of(self._mesh, core, torch.full_like(core[:, 0], DEEP_M).float())
        face = torch.where(sunk.inside, sunk.face, self._goal.face)
        barycentric = torch.where(sunk.inside[:, None], sunk.barycentric, self._goal.barycentric)
        return Nearest(face, barycentric, self._goal.inside), torch.where(sunk.inside[:, None], core, start)

    def _skin(self, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, "m n 3"]:
        return vertices.flatten(0, 1)[:, self._used]


def _partner(bodies: Float[Tensor, "m n 3"]) -> Float[Tensor, "m n 3"]:
    """For every body the other one of its pair."""
    return bodies.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


@dataclass(frozen=True)
class Cores:
    """The middles of limbs, seen from the skin of the default body.

    Attributes:
        radius_m: (n,) radius of the largest of `CORE_RADII_M` balls that fits under each skin vertex.
        face: (n,) one skin triangle at each vertex, whose normal points to the core.
        skin_area_m2: of the whole skin; other bodies' cores are scaled by their size.
    """

    radius_m: Float[Tensor, " n"]
    face: Int[Tensor, " n"]
    skin_area_m2: float


@lru_cache(maxsize=4)
def cores(surface: Surface) -> Cores:
    """Measure the default body once."""
    used, faces = torch.unique(surface.collision_faces, return_inverse=True)
    rest = surface.rest_vertices[None, used]
    face = torch.zeros(len(used), dtype=torch.int64, device=faces.device)
    face[faces.flatten()] = torch.arange(len(faces), device=faces.device).repeat_interleave(3)
    a, b, c = rest[0, faces[face]].unbind(1)
    inward = torch.nn.functional.normalize(torch.linalg.cross(c - a, b - a), dim=-1)
    query = SurfaceQuery(faces, rest)
    radius = torch.full(rest.shape[:2], CORE_RADII_M[0], dtype=rest.dtype, device=rest.device)
    fits = torch.ones_like(radius, dtype=torch.bool)
    for tried in CORE_RADII_M:
        fits &= query.nearest(rest + tried * inward, 0.9 * tried).face < 0
        radius = torch.where(fits, tried, radius)
    return Cores(radius[0], face, float(vertex_areas(rest, faces).sum()))


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
