"""What a mesh stage knows of contacts: coarse samples of the regions early, every vertex and triangle late."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples, padded_samples
from apu.contact.contact import ContactMap
from apu.contact.distance import ContactDistances
from apu.unite.losses import contact_loss, segment_soft_minimum, soft_region_distance

REFRESH = 10
"""Steps between two looks at all vertices of a contact; in between only those near its smallest distance count."""
KEPT_BAND = (8.0, 0.03)
"""A vertex is kept within so many temperatures plus so many metres of its contact's smallest distance."""


@runtime_checkable
class ContactTerm(Protocol):
    """The contact loss of a batch of pairs, given the vertices that the stage evaluates."""

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach_m: float) -> Float[Tensor, " p"]:
        """Loss of each pair, before its weight."""
        ...


class SampledContacts:
    """Contacts between region samples, which are the vertices that the stage evaluates.

    Args:
        surface: of the body that both people have.
        samples: its samples.
        maps: one for each pair.
    """

    def __init__(self, surface: Surface, samples: RegionSamples, maps: Sequence[ContactMap]) -> None:
        index = {name: i for i, name in enumerate(surface.region_names)}
        self._weight = _padded_weights(maps).to(surface.rest_vertices)
        self._sides = []
        for person in (0, 1):
            sets = [
                [sorted(index[n] for n in (c.regions_a, c.regions_b)[person]) for c in one.contacts] for one in maps
            ]
            self._sides.append(padded_samples(sets, samples, self._weight.shape[1]))

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach_m: float) -> Float[Tensor, " p"]:
        """See `ContactTerm`."""
        if self._weight.shape[1] == 0:
            return vertices.new_zeros(len(vertices))
        (rows_a, mask_a), (rows_b, mask_b) = self._sides
        a, b = (_gathered(vertices[:, k], rows) for k, rows in ((0, rows_a), (1, rows_b)))
        return contact_loss(soft_region_distance(a, b, mask_a, mask_b, tau_m), self._weight, reach_m)


class FullContacts:
    """Contacts at full resolution; the stage evaluates all vertices.

    Args:
        surface: of the body that both people have.
        maps: one for each pair.
    """

    def __init__(self, surface: Surface, maps: Sequence[ContactMap]) -> None:
        self._distances = ContactDistances(surface, maps)
        self._weight = _padded_weights(maps).to(surface.rest_vertices)
        self._present = self._weight > 0
        self._near: Int[Tensor, " k"] | None = None
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach_m: float) -> Float[Tensor, " p"]:
        """See `ContactTerm`."""
        if self._distances.tasks == 0:
            return vertices.new_zeros(len(vertices))
        if self._calls % REFRESH == 0:
            self._near = self._nearby(vertices.detach(), tau_m)
        self._calls += 1
        points = self._distances.of_points(vertices, self._near)
        each = segment_soft_minimum(points.distance_m, points.task, points.tasks, tau_m).reshape(-1, 2).mean(-1)
        padded = torch.zeros_like(self._weight).masked_scatter(self._present, each)
        return contact_loss(padded, self._weight, reach_m)

    @torch.no_grad()
    def _nearby(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float) -> Int[Tensor, " k"]:
        points = self._distances.of_points(vertices)
        lowest = torch.full((points.tasks,), torch.inf, dtype=vertices.dtype, device=vertices.device)
        lowest = lowest.scatter_reduce(0, points.task, points.distance_m, "amin")
        band = KEPT_BAND[0] * tau_m + KEPT_BAND[1]
        return torch.nonzero(points.distance_m < lowest[points.task] + band).flatten()


def _padded_weights(maps: Sequence[ContactMap]) -> Float[Tensor, "p c"]:
    most = max((len(one.contacts) for one in maps), default=0)
    return torch.tensor([[c.weight for c in m.contacts] + [0.0] * (most - len(m.contacts)) for m in maps])


def _gathered(vertices: Float[Tensor, "p v 3"], rows: Int[Tensor, "p c n"]) -> Float[Tensor, "p c n 3"]:
    return vertices[torch.arange(len(vertices), device=rows.device)[:, None, None], rows]
