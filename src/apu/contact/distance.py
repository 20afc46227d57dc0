"""Region distance, defined once: between a vertex of one set of regions and a triangle of the other, both ways.

A triangle belongs to the region that at least two of its vertices have, else to that of its first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.geometry.surface_query import SurfaceQuery, surface_points


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
        contacts = [(i, contact) for i, one in enumerate(maps) for contact in one.contacts]
        self.pair_of_contact = torch.tensor([i for i, _ in contacts], dtype=torch.int64, device=device)
        points, point_body, task, patch, patch_body, patch_task, corners = [], [], [], [], [], [], []
        patch_size = 0
        for number, (pair, contact) in enumerate(contacts):
            for direction in (0, 1):
                mine = self._vertices(contact, direction)
                other, faces = self._patch(contact, 1 - direction)
                points.append(mine)
                point_body.append(torch.full_like(mine, 2 * pair + direction))
                task.append(torch.full_like(mine, 2 * number + direction))
                patch.append(other)
                patch_body.append(torch.full_like(other, 2 * pair + 1 - direction))
                patch_task.append(torch.full_like(other, 2 * number + direction))
                corners.append(faces + patch_size)
                patch_size += len(other)
        empty = torch.zeros(0, dtype=torch.int64, device=device)
        self._points, self._point_body, self._task = (torch.cat([empty, *x]) for x in (points, point_body, task))
        self._patch_vertex, self._patch_body, self._patch_task = (
            torch.cat([empty, *x]) for x in (patch, patch_body, patch_task)
        )
        self._corners = torch.cat([empty.reshape(0, 3), *corners])
        self._query: SurfaceQuery | None = None
        self._offset = torch.zeros(0, 3, device=device)

    @property
    def tasks(self) -> int:
        """Two for each contact."""
        return 2 * len(self.pair_of_contact)

    def of_points(self, vertices: Float[Tensor, "p 2 v 3"], chosen: Int[Tensor, " k"] | None = None) -> PointDistances:
        """Distance of every vertex of every contact to the nearest surface point of the other side.

        Args:
            vertices: (pair, person, vertex, xyz), metres.
            chosen: rows of an earlier result; only these vertices are looked at.
        """
        bodies = vertices.flatten(0, 1)
        points, body, task = self._points, self._point_body, self._task
        if chosen is not None:
            points, body, task = points[chosen], body[chosen], task[chosen]
        if self.tasks == 0:
            return PointDistances(bodies.sum() * torch.zeros(0).to(bodies), task, 0)
        sought = bodies[body, points]
        patches = bodies[self._patch_body, self._patch_vertex]
        offset = self._apart(patches)
        spread = (patches.detach() + offset[self._patch_task])[None]
        if self._query is None:
            self._query = SurfaceQuery(self._corners, spread)
        else:
            self._query.move(spread)
        nearest = self._query.nearest((sought.detach() + offset[task])[None])
        goal = surface_points(patches[None], self._corners, nearest)[0]
        return PointDistances(((sought - goal).square().sum(-1) + 1e-12).sqrt(), task, self.tasks)

    def smallest(self, vertices: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, " c"]:
        """The region distance of every contact, metres."""
        each = self.of_points(vertices)
        out = torch.full((each.tasks,), torch.inf, dtype=vertices.dtype, device=vertices.device)
        out = out.scatter_reduce(0, each.task, each.distance_m.detach(), "amin")
        return out.reshape(-1, 2).amin(-1)

    def _apart(self, patches: Float[Tensor, "n 3"]) -> Float[Tensor, "t 3"]:
        """A place on a grid for every task, so wide that no query reaches another task's patch; made once."""
        if len(self._offset) == 0:
            low, high = patches.detach().amin(0), patches.detach().amax(0)
            width = 4.0 * float((high - low).amax().clamp_min(2.0))
            number = torch.arange(self.tasks, device=patches.device)
            side = max(1, round(self.tasks ** (1 / 3) + 0.5))
            self._offset = torch.stack([number % side, number // side % side, number // side**2], -1) * width
        return self._offset.to(patches.dtype)

    def _region_indices(self, contact: Contact, person: int) -> Int[Tensor, " r"]:
        names = contact.regions_a if person == 0 else contact.regions_b
        known = list(self._surface.region_names)
        return torch.tensor(sorted(known.index(n) for n in names), device=self._face_region.device)

    def _vertices(self, contact: Contact, person: int) -> Int[Tensor, " n"]:
        wanted = torch.isin(self._surface.region_of_vertex, self._region_indices(contact, person))
        return torch.nonzero(wanted).flatten()

    def _patch(self, contact: Contact, person: int) -> tuple[Int[Tensor, " n"], Int[Tensor, "f 3"]]:
        """Vertices of a set of regions' triangles, and the triangles as indices into them."""
        faces = self._surface.faces[torch.isin(self._face_region, self._region_indices(contact, person))]
        used, corners = torch.unique(faces, return_inverse=True)
        return used, corners
