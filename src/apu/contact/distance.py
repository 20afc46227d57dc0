"""Region distance, defined once: between a vertex of one set of regions and a triangle of the other, both ways.

A triangle belongs to the region that at least two of its vertices have, else to that of its first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import ContactMap
from apu.geometry.surface_query import UNBOUNDED, Nearest, SurfaceQuery


def region_of_face(surface: Surface) -> Int[Tensor, " f"]:
    """Region of every triangle."""
    a, b, c = surface.region_of_vertex[surface.faces].unbind(-1)
    return torch.where(b == c, b, a)


@dataclass(frozen=True)
class PointDistances:
    """Distances of single vertices to the other side of their contact.

    Attributes:
        distance_m: one for each vertex of each contact and direction, differentiable in the vertices.
        task: (m,) 2 * contact + direction; direction 0 is from A's vertices to B's triangles.
        tasks: how many there are.
    """

    distance_m: Float[Tensor, " m"]
    task: Int[Tensor, " m"]
    tasks: int


@dataclass(frozen=True)
class NearestPlaces:
    """Where the nearest surface points of the contacts' vertices lie, to be kept while bodies move a little.

    Attributes:
        point: (m,) a vertex, counted through all bodies of the batch.
        corners: (m, 3) vertices of the triangle that is nearest to it, counted likewise.
        barycentric: (m, 3) of the nearest point in that triangle.
        task: (m,) as in `PointDistances`.
    """

    point: Int[Tensor, " m"]
    corners: Int[Tensor, "m 3"]
    barycentric: Float[Tensor, "m 3"]
    task: Int[Tensor, " m"]

    def select(self, index: Int[Tensor, " k"]) -> "NearestPlaces":
        """Some of them."""
        return NearestPlaces(self.point[index], self.corners[index], self.barycentric[index], self.task[index])


class ContactDistances:
    """Distances of all contacts of a batch of pairs at full resolution, by one query for all of them.

    Args:
        surface: of the body that both people have.
        maps: one for each pair.

    Attributes:
        pair_of_contact: (c,) the contacts stand in the order of the maps.
    """

    def __init__(self, surface: Surface, maps: Sequence[ContactMap]) -> None:
        device = surface.faces.device
        self._surface, self._face_region = surface, region_of_face(surface)
        self._vertices_of: dict[frozenset[str], Int[Tensor, " n"]] = {}
        self._patch_of: dict[frozenset[str], tuple[Int[Tensor, " n"], Int[Tensor, "f 3"]]] = {}
        contacts = [(i, contact) for i, one in enumerate(maps) for contact in one.contacts]
        self.pair_of_contact = torch.tensor([i for i, _ in contacts], dtype=torch.int64, device=device)
        points, point_body, task, patch, patch_body, patch_task, corners = [], [], [], [], [], [], []
        patch_size = 0
        for number, (pair, contact) in enumerate(contacts):
            for direction in (0, 1):
                sides = contact.regions_a, contact.regions_b
                mine, (other, faces) = self._vertices(sides[direction]), self._patch(sides[1 - direction])
                points.append(mine)
                point_body.append(torch.full_like(mine, 2 * pair + direction))
                task.append(torch.full_like(mine, 2 * number + direction))
                patch.append(other)
                patch_body.append(torch.full_like(other, 2 * pair + 1 - direction))
                patch_task.append(torch.full_like(other, 2 * number + direction))
                corners.append(faces + patch_size)
                patch_size += len(other)
        empty, size = torch.zeros(0, dtype=torch.int64, device=device), len(surface.region_of_vertex)
        vertex, point_bodies, self._task = (torch.cat([empty, *x]) for x in (points, point_body, task))
        patches, patch_bodies, self._patch_task = (torch.cat([empty, *x]) for x in (patch, patch_body, patch_task))
        self._point_row, self._patch_row = point_bodies * size + vertex, patch_bodies * size + patches
        self._corners = torch.cat([empty.reshape(0, 3), *corners])
        self._queries: dict[int, _PairQuery] = {}
        self._pairs = sorted({pair for pair, _ in contacts})
        task_pair = self.pair_of_contact.repeat_interleave(2)
        corner_task = torch.cat([empty, *(torch.full_like(f[:, 0], i) for i, f in enumerate(corners))])
        self._of_pair = [
            tuple(torch.nonzero(task_pair[x] == pair).flatten() for x in (self._task, self._patch_task, corner_task))
            for pair in self._pairs
        ]

    @property
    def tasks(self) -> int:
        """Two for each contact."""
        return 2 * len(self.pair_of_contact)

    def of_points(self, vertices: Float[Tensor, "p 2 v 3"]) -> PointDistances:
        """Distance of every vertex of every contact to the nearest surface point of the other side.

        Args:
            vertices: (pair, person, vertex, xyz), metres.
        """
        return self.held(vertices, self.nearest(vertices.detach()))

    def held(self, vertices: Float[Tensor, "p 2 v 3"], places: NearestPlaces) -> PointDistances:
        """Distances to places that were nearest before; never smaller than those to what is nearest now.

        Args:
            vertices: (pair, person, vertex, xyz), metres.
            places: of an earlier `nearest`.
        """
        flat = vertices.flatten(0, 2)
        corners = flat.index_select(0, places.corners.flatten()).unflatten(0, places.corners.shape)
        way = flat.index_select(0, places.point) - (corners * places.barycentric[..., None]).sum(-2)
        return PointDistances((way.square().sum(-1) + 1e-12).sqrt(), places.task, self.tasks)

    @torch.no_grad()
    def nearest(
        self, vertices: Float[Tensor, "p 2 v 3"], reach_m: Float[Tensor, " t"] | None = None
    ) -> NearestPlaces:  # fmt: skip
        """The nearest surface point of the other side to every vertex of every contact.

        Args:
            vertices: (pair, person, vertex, xyz), metres.
            reach_m: of each task; vertices that are farther are left out, which is fast. None for all vertices.
        """
        if self.tasks == 0:
            none = self._task
            return NearestPlaces(none, none.reshape(0, 3), none.reshape(0, 3).to(vertices.dtype), none)
        flat = vertices.flatten(0, 2)
        patches = flat.index_select(0, self._patch_row)
        sought = flat.index_select(0, self._point_row)
        faces, shares = [], []
        for pair, (mine, patch, triangles) in zip(self._pairs, self._of_pair, strict=True):
            if pair not in self._queries:
                corners = self._corners[triangles] - patch[0]
                self._queries[pair] = _PairQuery(corners, patches[patch], self._patch_task[patch])
            task = self._task[mine]
            reach = UNBOUNDED if reach_m is None else reach_m.index_select(0, task)[None]
            found = self._queries[pair].nearest(patches[patch], sought[mine], task, reach)
            faces.append(torch.where(found.face[0] >= 0, triangles[found.face[0].clamp_min(0)], -1))
            shares.append(found.barycentric[0])
        face = torch.cat(faces)
        corners = self._patch_row[self._corners[face.clamp_min(0)]]
        places = NearestPlaces(self._point_row, corners, torch.cat(shares), self._task)
        return places if reach_m is None else places.select(torch.nonzero(face >= 0).flatten())

    def smallest(self, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, " c"]:
        """The region distance of every contact, metres."""
        each = self.of_points(vertices)
        out = torch.full((each.tasks,), torch.inf, dtype=vertices.dtype, device=vertices.device)
        out = out.scatter_reduce(0, each.task, each.distance_m.detach(), "amin")
        return out.reshape(-1, 2).amin(-1)

    def _vertices(self, regions: frozenset[str]) -> Int[Tensor, " n"]:
        if regions not in self._vertices_of:
            wanted = torch.isin(self._surface.region_of_vertex, self._indices(regions))
            self._vertices_of[regions] = torch.nonzero(wanted).flatten()
        return self._vertices_of[regions]

    def _patch(self, regions: frozenset[str]) -> tuple[Int[Tensor, " n"], Int[Tensor, "f 3"]]:
        """Vertices of a set of regions' triangles, and the triangles as indices into them."""
        if regions not in self._patch_of:
            faces = self._surface.faces[torch.isin(self._face_region, self._indices(regions))]
            used, corners = torch.unique(faces, return_inverse=True)
            self._patch_of[regions] = used, corners
        return self._patch_of[regions]

    def _indices(self, regions: frozenset[str]) -> Int[Tensor, " r"]:
        known = list(self._surface.region_names)
        return torch.tensor(sorted(known.index(n) for n in regions), device=self._face_region.device)


class _PairQuery:
    """The patches of one pair's contacts, parted so that no query of one contact reaches another's patch.

    One pair each, so that its rounding does not depend on what else is in the batch.
    """

    def __init__(
        self, corners: Int[Tensor, "f 3"], patches: Float[Tensor, "n 3"], patch_task: Int[Tensor, " n"]
    ) -> None:
        low, high = patches.amin(0), patches.amax(0)
        width = 4.0 * float((high - low).amax().clamp_min(2.0))
        self._first = int(patch_task[0])
        count = int(patch_task[-1]) - self._first + 1
        number = torch.arange(count, device=patches.device)
        side = max(1, round(count ** (1 / 3) + 0.5))
        place = torch.stack([number % side, number // side % side, number // side**2], -1)
        self._offset = (place * width).to(patches.dtype) - (low + high) / 2
        self._patch_offset = self._offset[patch_task - self._first]
        self._query = SurfaceQuery(corners, (patches + self._patch_offset)[None])

    def nearest(
        self, patches: Float[Tensor, "n 3"], points: Float[Tensor, "k 3"], task: Int[Tensor, " k"],
        reach: float | Float[Tensor, "1 k"],
    ) -> Nearest:  # fmt: skip
        """Nearest places on each point's own patch, where the patches are now."""
        self._query.move((patches + self._patch_offset)[None])
        return self._query.nearest((points + self._offset[task - self._first])[None], reach)
