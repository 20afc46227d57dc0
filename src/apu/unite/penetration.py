"""How deep two bodies are in each other, by nearest-surface queries; never vertices times faces.

A limb that lies in the other body is trapped when each vertex seeks its own nearest way out: front and back of an arm
leave in opposite directions, and the pushes cancel. So vertices whose limb's core is inside, too, leave the way that
the core leaves. The core of a vertex is the middle of the largest ball that fits under it. The rule is ours.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import UNBOUNDED, Nearest, SurfaceQuery, surface_points_of
from apu.unite.clearance import SLACK_M, Clearance, partner, patches

CORE_RADII_M = (0.005, 0.015, 0.03, 0.06)
"""Balls that are tried under every vertex of the default body."""


class Penetration:
    """Depths of both bodies of `p` pairs in each other, kept up to date along an optimisation.

    Args:
        surface: of the body that both people have; its collision faces are closed.
        vertices: (p, 2, v, 3) at the start, metres.
        exact: for metrics: signs by winding number, and always the nearest way out; else signs by the nearest face's
            normal, for speed, and the core's way out.

    Attributes:
        area_m2: (2 p, n) of each skin vertex at the start, see `vertex_areas`.
    """

    def __init__(self, surface: Surface, vertices: Float[Tensor, "p 2 v 3"], *, exact: bool = False) -> None:
        self._cut = patches(surface)
        self._corners = surface.collision_faces
        self._slots = self._cut.slot.flatten()
        slots = self._slot_points(vertices.detach())
        self._query = SurfaceQuery(self._cut.slot_faces, slots.flatten(1, 2), exact_sign=exact, rays=not exact)
        self._clearance = Clearance(self._cut, len(slots), slots)
        self.area_m2 = vertex_areas(vertices.detach().flatten(0, 1)[:, self._cut.skin], self._cut.faces)
        self._cores = None if exact else cores(surface)
        if self._cores is not None:
            self._size = (self.area_m2.sum(-1) / self._cores.skin_area_m2).sqrt()
        self._sunken: _Sunken | None = None

    def depths(self, vertices: Float[Tensor, "p 2 v 3"], *, look: bool = True) -> Float[Tensor, "p 2 n"]:
        """Depth of each of the `n` skin vertices in the other body, metres, 0 outside; differentiable in both bodies.

        The first call looks as far as need be, later ones near the surface. Depth is measured along the way out, whose
        direction has no gradient: so nothing resists sliding along a surface that was found a step ago.

        Args:
            vertices: (p, 2, v, 3), metres.
            look: False keeps what the last call found, and only lets it move along; saves the query.
        """
        if look or self._sunken is None:
            self._sunken = self._look(vertices.detach())
        s, count = self._sunken, len(self._sunken.own)
        rows = torch.cat([s.own, s.corners.flatten()])
        points = vertices.reshape(-1, 3).index_select(0, rows)
        goal = (points[count:].unflatten(0, (count, 3)) * s.barycentric[..., None]).sum(1)
        depth = ((goal - points[:count]) * s.out).sum(-1).clamp_min(0)
        shape = (len(vertices), 2, len(self._cut.skin))
        blank = torch.zeros(math.prod(shape), dtype=vertices.dtype, device=vertices.device)
        return blank.index_put((s.place,), depth).reshape(shape)

    @property
    def inside(self) -> Bool[Tensor, "p 2 n"]:
        """Which skin vertices were inside the other body at the last look."""
        assert self._sunken is not None, "ask for depths first"
        mask = torch.zeros(self.area_m2.shape, dtype=torch.bool, device=self.area_m2.device)
        mask.view(-1)[self._sunken.place] = True
        return mask.unflatten(0, (-1, 2))

    @torch.no_grad()
    def _look(self, vertices: Float[Tensor, "p 2 v 3"]) -> "_Sunken":
        """Which vertices are inside, and which way leads out."""
        now = self._slot_points(vertices)
        self._query.move(now.flatten(1, 2))
        points = partner(now).reshape(-1, 3)
        asked = self._clearance.doubtful(now, lambda row: self._nearest(row, points[row], UNBOUNDED).inside)
        found = self._nearest(asked.row, points[asked.row], asked.reach_m)
        way = self._goals(now, asked.row, found) - points[asked.row]
        distance = way.norm(dim=-1)
        self._clearance.learn(asked, found.face >= 0, found.inside, distance)
        here = torch.nonzero(found.inside).flatten()
        row, way, depth = asked.row[here], way[here], distance[here]
        found = Nearest(found.face[here], found.barycentric[here], found.inside[here])
        if self._cores is not None:
            found, way = self._by_core(now, points, row, found, way, depth)
        mesh, slot = self._mesh_of(row), row % len(self._slots)
        owner, skin = mesh ^ 1, self._slots[slot]
        size = vertices.shape[2]
        return _Sunken(
            own=owner * size + self._cut.skin[skin],
            corners=(mesh * size)[:, None] + self._corners[found.face],
            place=owner * len(self._cut.skin) + skin,
            barycentric=found.barycentric,
            out=way / way.norm(dim=-1, keepdim=True).clamp_min(1e-9),
        )

    def _by_core(
        self, now: Float[Tensor, "m k s 3"], points: Float[Tensor, "r 3"], row: Int[Tensor, " i"], found: Nearest,
        way: Float[Tensor, "i 3"], depth: Float[Tensor, " i"],
    ) -> tuple[Nearest, Float[Tensor, "i 3"]]:  # fmt: skip
        """The core's nearest place instead of the vertex's own, where the core is inside; and the way there."""
        assert self._cores is not None
        owner, skin = self._mesh_of(row) ^ 1, self._slots[row % len(self._slots)]
        corners = self._cut.slot_faces[self._cores.face[skin]] + (owner * len(self._slots))[:, None]
        a, b, c = now.reshape(-1, 3)[corners].unbind(1)
        inward = torch.linalg.cross(c - a, b - a)
        inward = inward / inward.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        radius = self._size[owner] * self._cores.radius_m[skin]
        core = points[row] + radius[:, None] * inward
        sunk = self._nearest(row, core, depth + radius + SLACK_M)  # never farther: by way of the vertex
        mine = sunk.inside[:, None]
        face = torch.where(sunk.inside, sunk.face, found.face)
        barycentric = torch.where(mine, sunk.barycentric, found.barycentric)
        return Nearest(face, barycentric, found.inside), torch.where(mine, self._goals(now, row, sunk) - core, way)

    def _nearest(
        self, row: Int[Tensor, " k"], points: Float[Tensor, "k 3"], reach: float | Float[Tensor, " k"]
    ) -> Nearest:
        reach = torch.as_tensor(reach, dtype=points.dtype, device=points.device).expand(len(row))
        return self._query.nearest_of(self._mesh_of(row), points, reach)

    def _goals(self, now: Float[Tensor, "m k s 3"], row: Int[Tensor, " i"], found: Nearest) -> Float[Tensor, "i 3"]:
        return surface_points_of(now.flatten(1, 2), self._cut.slot_faces, self._mesh_of(row), found)

    def _mesh_of(self, row: Int[Tensor, " k"]) -> Int[Tensor, " k"]:
        return torch.div(row, len(self._slots), rounding_mode="floor")

    def _slot_points(self, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, "m k s 3"]:
        rows = self._cut.skin[self._slots]
        return vertices.flatten(0, 1).index_select(1, rows).unflatten(1, self._cut.slot.shape)


@dataclass(frozen=True)
class _Sunken:
    """Vertices that are inside, and the places where they are to leave.

    Attributes:
        own: (i,) the vertex, among the vertices of all bodies.
        corners: (i, 3) of the face that it leaves through, likewise.
        place: (i,) the vertex, among the skin vertices of all bodies.
        barycentric: (i, 3) of the place in that face.
        out: (i, 3) unit vector.
    """

    own: Int[Tensor, " i"]
    corners: Int[Tensor, "i 3"]
    place: Int[Tensor, " i"]
    barycentric: Float[Tensor, "i 3"]
    out: Float[Tensor, "i 3"]


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


def deepest(surface: Surface, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, " p"]:
    """Depth of the deepest vertex of either body in the other, metres, by exact signs."""
    return overlap(surface, vertices)[0]


@torch.no_grad()
def overlap(surface: Surface, vertices: Float[Tensor, "p 2 v 3"]) -> tuple[Float[Tensor, " p"], Float[Tensor, " p"]]:
    """Depth of the deepest vertex of either body in the other, metres, and an estimate of the shared volume, cm^3.

    The volume is that of a lens: over the sunken skin of a body, the integral of depth; the larger one of both bodies,
    because a fine surface may sink in between the vertices of the other. A limb deep inside holds more.
    """
    exact = Penetration(surface, vertices, exact=True)
    depth = exact.depths(vertices)
    each = (exact.area_m2.unflatten(0, (-1, 2)) * depth).sum(-1)
    return depth.amax((1, 2)), 1e6 * each.amax(1)
