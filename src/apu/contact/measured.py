"""The contact map that two meshes really have: which region pairs lie closer than a threshold, at full resolution."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances

TOUCHING_M = 0.010
"""Two regions touch when their region distance is at most this."""
TOUCHING_WIDE_M = 0.013
"""The threshold of the field's own scripts (BUDDI's evaluation); both are reported."""


@dataclass(frozen=True)
class MeasuredContact:
    """Two regions and their distance.

    Attributes:
        region_a, region_b: names of a region of A and one of B.
        distance_m: region distance (`apu.contact.distance`), metres.
    """

    region_a: str
    region_b: str
    distance_m: float


@torch.no_grad()
def measure_contacts(
    surface: Surface, vertices: Float[Tensor, "p 2 v 3"], within_m: float = TOUCHING_WIDE_M
) -> list[tuple[MeasuredContact, ...]]:
    """Every region pair of every pair of bodies with a region distance of at most `within_m`, nearest first.

    Args:
        surface: of the body that both people have.
        vertices: (p, 2, v, 3) metres.
        within_m: threshold, metres.
    """
    names = list(surface.region_names)
    candidates = [_near_boxes(surface, one, within_m) for one in vertices]
    maps = [
        ContactMap(tuple(Contact(frozenset({names[a]}), frozenset({names[b]})) for a, b in pairs), "measured")
        for pairs in candidates
    ]
    distances = ContactDistances(surface, maps)
    near = distances.smallest(vertices) if distances.tasks else vertices.new_zeros(0)
    out = []
    for i, pairs in enumerate(candidates):
        mine = near[distances.pair_of_contact == i].tolist()
        found = [MeasuredContact(names[a], names[b], d) for (a, b), d in zip(pairs, mine, strict=True) if d <= within_m]
        out.append(tuple(sorted(found, key=lambda c: (c.distance_m, c.region_a, c.region_b))))
    return out


def _near_boxes(surface: Surface, vertices: Float[Tensor, "2 v 3"], within_m: float) -> list[tuple[int, int]]:
    """Region pairs whose bounding boxes are close enough; a region's box holds the triangles that touch it."""
    regions = len(surface.region_names)
    corner_region = surface.region_of_vertex[surface.faces][..., None].expand(-1, 3, 3)
    boxes = []
    for body in vertices:
        corners = body[surface.faces]  # every corner counts for each region that its triangle touches
        low = torch.full((regions, 3), torch.inf, dtype=body.dtype, device=body.device)
        high = -low
        for k in range(3):
            row = corner_region[:, k].reshape(-1)
            for d in range(3):
                low[:, d] = low[:, d].scatter_reduce(0, row, corners[:, :, d].reshape(-1), "amin")
                high[:, d] = high[:, d].scatter_reduce(0, row, corners[:, :, d].reshape(-1), "amax")
        boxes.append((low - within_m / 2, high + within_m / 2))
    (low_a, high_a), (low_b, high_b) = boxes
    apart = (low_a[:, None] > high_b[None]) | (low_b[None] > high_a[:, None])
    return [(int(a), int(b)) for a, b in torch.nonzero(~apart.any(-1)).tolist()]
