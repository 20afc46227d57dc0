"""Percentage of correct contacts: how many of the true contacts are near to each other on the predicted meshes."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances

PCC_RADII_M = (0.02, 0.05, 0.10, 0.20)

FIELD_RADII_M = tuple(0.05 * i for i in range(20))
"""0, 5, ..., 95 cm, as in BUDDI's and ProsePose's scripts."""
FIELD_SAMPLES = 5
"""Vertices of a region that those scripts look at."""

Vertices = Float[Tensor, "p 2 v 3"]


def pcc_percent(
    surface: Surface, true: Sequence[ContactMap], vertices: Vertices, radii_m: Sequence[float] = PCC_RADII_M
) -> Float[Tensor, "p r"]:
    """Share of each pair's true contacts whose region distance on the predicted meshes is at most r, percent.

    It has no penalty for false contacts or penetration. NaN where a pair has no true contact, or a vertex is not
    finite.

    Args:
        surface: of the body that both people have.
        true: contact map of each pair; single regions, as `TruePair.contact_map` gives them.
        vertices: (p, 2, v, 3) predicted, metres.
        radii_m: metres.
    """
    radii = torch.tensor(radii_m, dtype=torch.float64, device=vertices.device)
    rows = [
        100 * (_region_distances(surface, contacts, pair)[:, None] <= radii).double().mean(0)
        if contacts.contacts and bool(pair.isfinite().all())
        else torch.full_like(radii, torch.nan)
        for contacts, pair in zip(true, vertices, strict=True)
    ]
    return torch.stack(rows) if rows else radii.new_zeros(0, len(radii))


def pcc_field_average_percent(
    surface: Surface, true: Sequence[ContactMap], vertices: Vertices, seed: int = 0
) -> Float[Tensor, " p"]:
    """PCC as the field averages it: over the radii 0, 5, ..., 95 cm, percent.

    A region is `FIELD_SAMPLES` vertices drawn at random, the distance of two regions is the smallest one between
    their vertices, and a contact is correct when it is smaller than the radius; so radius 0 counts no contact, and 95
    percent is the most that can be reached. The vertices that are drawn differ from those of BUDDI and ProsePose,
    and so do the regions: the values are like theirs, not equal to them. NaN as in `pcc_percent`.

    Args:
        surface: of the body that both people have.
        true: contact map of each pair.
        vertices: (p, 2, v, 3) predicted, metres.
        seed: of the choice of vertices, which is the same for all pairs and both people.
    """
    radii = torch.tensor(FIELD_RADII_M, dtype=torch.float64, device=vertices.device)
    samples = sampled_vertices(surface, seed)
    out = []
    for contacts, pair in zip(true, vertices, strict=True):
        a, b = pair.double()[:, samples.flatten()]
        apart = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
        regions = apart.unflatten(1, samples.shape).unflatten(0, samples.shape).amin((1, 3))
        near = [regions[_covered(surface, c, regions)].amin() for c in contacts.contacts]
        known = bool(near) and bool(pair.isfinite().all())
        out.append(100 * (torch.stack(near)[:, None] < radii).double().mean() if known else radii.new_tensor(torch.nan))
    return torch.stack(out) if out else radii.new_zeros(0)


def pcc_rows(surface: Surface, true: Sequence[ContactMap], vertices: Vertices) -> dict[str, Float[Tensor, " p"]]:
    """`pcc_2cm_percent` and so on, and `pcc_field_average_percent`, by name, for an accumulator."""
    each = pcc_percent(surface, true, vertices)
    rows = {f"pcc_{round(100 * r)}cm_percent": each[:, i] for i, r in enumerate(PCC_RADII_M)}
    return {**rows, "pcc_field_average_percent": pcc_field_average_percent(surface, true, vertices)}


@lru_cache(maxsize=4)
def sampled_vertices(surface: Surface, seed: int, count: int = FIELD_SAMPLES) -> Int[Tensor, "r count"]:
    """Vertices of every region at random, without repeats unless a region has fewer than `count`."""
    generator = np.random.default_rng(seed)
    rows = []
    for region in range(len(surface.region_names)):
        members = torch.nonzero(surface.region_of_vertex == region).flatten().cpu().numpy()
        rows.append(generator.choice(members, count, replace=len(members) < count))
    return torch.tensor(np.stack(rows), device=surface.faces.device)


def _region_distances(surface: Surface, contacts: ContactMap, pair: Float[Tensor, "2 v 3"]) -> Float[Tensor, " c"]:
    return ContactDistances(surface, [contacts]).smallest(pair[None]).double()


def _covered(surface: Surface, contact: Contact, like: Float[Tensor, "r r"]) -> Bool[Tensor, "r r"]:
    """The region pairs that a contact covers."""
    names = surface.region_names
    of_a, of_b = (
        torch.tensor([name in regions for name in names], device=like.device)
        for regions in (contact.regions_a, contact.regions_b)
    )
    return of_a[:, None] & of_b
