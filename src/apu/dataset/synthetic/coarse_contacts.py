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
from apu.contact.measured import TOUCHING_M
from apu.contact.parts import OTHER_PARTS, PARTS, part_of_region, part_regions
from apu.scene.true_pair import TruePair


@dataclass(frozen=True)
class End:
    """One side of a contact, as an annotator names it.

    Attributes:
        part: a name out of `PARTS` or `OTHER_PARTS`.
        side: `left`, `right` or `none`.
    """

    part: str
    side: str

    @property
    def label(self) -> str:
        """E.g. `left hand`."""
        return self.part if self.side == "none" else f"{self.side} {self.part}"

    @property
    def regions(self) -> frozenset[str]:
        """The regions it stands for."""
        return part_regions(self.part, self.side)

    @property
    def sided(self) -> bool:
        """Whether it has a left and a right."""
        return self.side != "none"

    def flipped(self) -> "End":
        """The same part on the other side."""
        return End(self.part, {"left": "right", "right": "left"}.get(self.side, self.side))

    def on_side(self, side: str) -> "End":
        """The same part on a given side."""
        return End(self.part, side)


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


def end_of_region(region: str) -> End:
    """The part of the fixed partition that a region belongs to. The two halves of an unpaired part are one."""
    part = part_of_region(region)
    return End(part.name, region.partition("_")[0] if part.paired else "none")


def is_paired(part: str) -> bool:
    """Whether a body has two of a part."""
    return (PARTS.get(part) or OTHER_PARTS[part]).paired


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
