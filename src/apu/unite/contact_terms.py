"""What a mesh stage knows of contacts: coarse samples of the regions early, every vertex and triangle late."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples, padded_samples
from apu.contact.contact import ContactMap
from apu.contact.distance import ContactDistances, NearestPlaces, PointDistances
from apu.unite.losses import contact_loss, points_at, segment_minimum, segment_soft_minimum, soft_region_distance
from apu.unite.weights import Reach

REFRESH = 4
"""Steps between two searches for the nearest places. In between they are held, as the mesh does not slide far along
itself in so few steps; the search is what costs most."""
KEPT_BAND = (6.0, 0.01)
"""A vertex is kept within so many temperatures plus so many metres of its contact's smallest distance; beyond six
temperatures lies less than 2 % of the soft minimum's weight on a plane."""


@runtime_checkable
class ContactTerm(Protocol):
    """The contact loss of a batch of pairs, given the vertices that the stage evaluates."""

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach: Reach) -> Float[Tensor, " p"]:
        """Loss of each pair, before its weight."""
        ...


@dataclass(frozen=True)
class ContactCost:
    """What contacts cost; three pure functions, so that a loss is switched by handing over another cost.

    Attributes:
        sampled: points of both sides (*p, n, 3), (*p, m, 3), which of them count, and temperature -> distance (*p) of
            every contact.
        full: distances of single vertices, tasks and their number as in `PointDistances`, and temperature -> distance
            (c,) of every contact.
        of_pair: distances (*p, c), weights (*p, c) and reaches (*p, c) -> loss (*p).
    """

    sampled: Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]
    full: Callable[[Tensor, Tensor, int, float], Tensor]
    of_pair: Callable[[Tensor, Tensor, float | Tensor], Tensor]


def soft_full_distance(
    distance: Float[Tensor, " m"], task: Int[Tensor, " m"], tasks: int, tau_m: float
) -> Float[Tensor, " c"]:
    """`soft_region_distance` at full resolution: mean of both directions of each contact, metres."""
    return segment_soft_minimum(distance, task, tasks, tau_m).reshape(-1, 2).mean(-1)


SOFT = ContactCost(soft_region_distance, soft_full_distance, contact_loss)
"""Ours."""


class SampledContacts:
    """Contacts between region samples.

    Args:
        surface: of the body that both people have.
        samples: its samples, `n` vertices.
        maps: one for each pair.
        cost: of the contacts.
        of_mesh: the stage evaluates all vertices; else the samples alone, in their order.
    """

    def __init__(
        self, surface: Surface, samples: RegionSamples, maps: Sequence[ContactMap], cost: ContactCost = SOFT, *,
        of_mesh: bool = False,
    ) -> None:  # fmt: skip
        index = {name: i for i, name in enumerate(surface.region_names)}
        self._cost, self._weight = cost, _padded_weights(maps).to(surface.rest_vertices)
        self._certain = _padded_certainty(maps).to(self._weight.device)
        self._rows: list[Int[Tensor, "p c n"]] = []
        self._masks: list[Bool[Tensor, "p c n"]] = []
        for person in (0, 1):
            sets = [
                [sorted(index[n] for n in (c.regions_a, c.regions_b)[person]) for c in one.contacts] for one in maps
            ]
            rows, mask = padded_samples(sets, samples, self._weight.shape[1])
            self._rows.append(samples.vertices[rows] if of_mesh else rows)
            self._masks.append(mask)

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach: Reach) -> Float[Tensor, " p"]:
        """See `ContactTerm`."""
        if self._weight.shape[1] == 0:
            return vertices.new_zeros(len(vertices))
        a, b = (_gathered(one, rows) for one, rows in zip(vertices.unbind(1), self._rows, strict=True))
        return self._cost.of_pair(
            self._cost.sampled(a, b, self._masks[0], self._masks[1], tau_m), self._weight,
            _reaches(self._weight, self._certain, reach),
        )  # fmt: skip


class FullContacts:
    """Contacts at full resolution; the stage evaluates all vertices.

    Args:
        surface: of the body that both people have.
        maps: one for each pair.
        cost: of the contacts.
    """

    def __init__(self, surface: Surface, maps: Sequence[ContactMap], cost: ContactCost = SOFT) -> None:
        self._cost, self._distances = cost, ContactDistances(surface, maps)
        self._weight = _padded_weights(maps).to(surface.rest_vertices)
        self._certain = _padded_certainty(maps).to(self._weight.device)
        self._present = self._weight > 0
        self._near: NearestPlaces | None = None
        self._calls = 0

    def __call__(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float, reach: Reach) -> Float[Tensor, " p"]:
        """See `ContactTerm`."""
        if self._distances.tasks == 0:
            return vertices.new_zeros(len(vertices))
        if self._near is None or self._calls % REFRESH == 0:
            self._near = self._nearby(vertices.detach(), tau_m)
        self._calls += 1
        points = self._distances.held(vertices, self._near)
        each = self._cost.full(points.distance_m, points.task, points.tasks, tau_m)
        padded = each.new_zeros(self._weight.shape).masked_scatter(self._present, each)
        return self._cost.of_pair(padded, self._weight, _reaches(self._weight, self._certain, reach))

    @torch.no_grad()
    def _nearby(self, vertices: Float[Tensor, "p 2 v 3"], tau_m: float) -> NearestPlaces:
        """The nearest places of all vertices within the band; what was held bounds how far they can be."""
        band = KEPT_BAND[0] * tau_m + KEPT_BAND[1]
        reach = None if self._near is None else _lowest(self._distances.held(vertices, self._near)) + band
        places = self._distances.nearest(vertices, reach)
        points = self._distances.held(vertices, places)
        near = points.distance_m < _lowest(points)[points.task] + band
        return places.select(torch.nonzero(near).flatten())


def _lowest(points: PointDistances) -> Float[Tensor, " t"]:
    return segment_minimum(points.distance_m, points.task, points.tasks)


def _padded_weights(maps: Sequence[ContactMap]) -> Float[Tensor, "p c"]:
    most = max((len(one.contacts) for one in maps), default=0)
    return torch.tensor([[c.weight for c in m.contacts] + [0.0] * (most - len(m.contacts)) for m in maps])


def _padded_certainty(maps: Sequence[ContactMap]) -> Bool[Tensor, "p c"]:
    most = max((len(one.contacts) for one in maps), default=0)
    return torch.tensor([[c.certain for c in m.contacts] + [False] * (most - len(m.contacts)) for m in maps]).bool()


def _reaches(weight: Float[Tensor, "p c"], certain: Bool[Tensor, "p c"], reach: Reach) -> Float[Tensor, "p c"]:
    return torch.full_like(weight, reach.doubtful_m).masked_fill_(certain, reach.certain_m)


def _gathered(vertices: Float[Tensor, "p v 3"], rows: Int[Tensor, "p c n"]) -> Float[Tensor, "p c n 3"]:
    return points_at(vertices, rows.flatten(1)).unflatten(1, rows.shape[1:])
