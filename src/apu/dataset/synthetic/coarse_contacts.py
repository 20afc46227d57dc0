"""The true contacts of a pair in the words of an annotator: parts with sides instead of single regions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import Contact
from apu.contact.distance import region_of_face
from apu.contact.end import End, end_of_region
from apu.contact.measured import TOUCHING_M
from apu.scene.true_pair import TruePair


@dataclass(frozen=True)
class CoarseContact:
    """A part of A that touches a part of B.

    Attributes:
        a, b: the parts.
        area_m2: how extended: of the touching regions, those of A or of B, whichever are smaller.
        distance_m: smallest region distance.
    """

    a: End
    b: End
    area_m2: float
    distance_m: float


def coarse_contacts(
    truth: TruePair, surface: Surface, most: int | None = None, within_m: float = TOUCHING_M
) -> tuple[CoarseContact, ...]:
    """The measured contacts of a pair, grouped by parts, the most extended first.

    Args:
        truth: the pair.
        surface: of its body model.
        most: of them, at most; None for all.
        within_m: regions count as touching up to this distance, metres.
    """
    area = _area_table(surface)
    groups: dict[tuple[End, End], list[tuple[str, str, float]]] = {}
    for one in truth.contacts:
        if one.distance_m <= within_m:
            ends = end_of_region(one.region_a), end_of_region(one.region_b)
            groups.setdefault(ends, []).append((one.region_a, one.region_b, one.distance_m))
    out = []
    for (a, b), found in groups.items():
        touching = {row[0] for row in found}, {row[1] for row in found}
        sizes = [sum(area[region] for region in sorted(regions)) for regions in touching]
        out.append(CoarseContact(a, b, min(sizes), min(row[2] for row in found)))
    out.sort(key=lambda c: (-c.area_m2, c.distance_m, c.a.label, c.b.label))
    return tuple(out[:most])


def contact_of(a: End, b: End, source: str) -> Contact:
    """A contact of two parts, with weight 1."""
    return Contact(a.regions, b.regions, 1.0, source, a.label, b.label)


@lru_cache(maxsize=4)
def _area_table(surface: Surface) -> Mapping[str, float]:
    """`region_areas` by name, computed once for a surface: tensors are compared as objects here."""
    return dict(zip(surface.region_names, region_areas(surface).tolist(), strict=True))


def region_areas(surface: Surface) -> Float[Tensor, " r"]:
    """Skin of each region on the body at rest, square metres."""
    a, b, c = surface.rest_vertices[surface.faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=-1) / 2
    return area.new_zeros(len(surface.region_names)).index_add_(0, region_of_face(surface), area)
