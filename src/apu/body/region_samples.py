"""A few well spread vertices for each surface region: what is looked at when a whole mesh is not needed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.sampling import farthest_points

SAMPLES_PER_REGION = 16
SAMPLES_PER_UNION = 48
"""A whole part is several regions; then each gives fewer samples, but never less than `LEAST_SAMPLES`."""
LEAST_SAMPLES = 4


@dataclass(frozen=True)
class RegionSamples:
    """Vertices that stand for the regions of a body.

    Attributes:
        vertices: (n,) indices into the mesh, region by region.
        rows: (r, k) for each region, which of them are its own.
        filled: (r, k) whether a row counts; False only in regions with fewer than `k` vertices.
    """

    vertices: Int[Tensor, " n"]
    rows: Int[Tensor, "r k"]
    filled: Bool[Tensor, "r k"]


def sample_regions(surface: Surface, count: int = SAMPLES_PER_REGION) -> RegionSamples:
    """At most `count` vertices of every region, as far from each other as possible; deterministic.

    Args:
        surface: of the body.
        count: per region.
    """
    rest, region = surface.rest_vertices.cpu().double().numpy(), surface.region_of_vertex.cpu()
    regions = len(surface.region_names)
    vertices: list[int] = []
    rows = torch.zeros(regions, count, dtype=torch.int64)
    filled = torch.zeros(regions, count, dtype=torch.bool)
    for r in range(regions):
        members = torch.nonzero(region == r).flatten()
        chosen = members[torch.from_numpy(farthest_points(rest[members.numpy()], count))]
        rows[r, : len(chosen)] = torch.arange(len(vertices), len(vertices) + len(chosen))
        filled[r, : len(chosen)] = True
        vertices += chosen.tolist()
    device = surface.faces.device
    return RegionSamples(torch.tensor(vertices, device=device), rows.to(device), filled.to(device))


def padded_samples(
    sets: Sequence[Sequence[Sequence[int]]], samples: RegionSamples, contacts: int
) -> tuple[Int[Tensor, "p c n"], Bool[Tensor, "p c n"]]:
    """Sample rows of many unions of regions, padded to one size, and which of them count.

    Args:
        sets: for each of `p` pairs, for each of its contacts, the regions of one side.
        samples: of the body.
        contacts: `c`, the largest number of contacts; one that a pair does not have gets one row, of no meaning.
    """
    taken = [[_taken(samples, regions) for regions in one] for one in sets]
    size = max((len(rows) for one in taken for rows, _ in one), default=1)
    index = torch.zeros(len(sets), contacts, size, dtype=torch.int64, device=samples.rows.device)
    mask = torch.zeros_like(index, dtype=torch.bool)
    mask[..., 0] = True  # padding contacts have one point, and no weight
    for i, one in enumerate(taken):
        for c, (rows, filled) in enumerate(one):
            index[i, c, : len(rows)] = rows
            mask[i, c, : len(rows)] = filled
    return index, mask


def _taken(samples: RegionSamples, regions: Sequence[int]) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """The first samples of each region, which are the best spread ones."""
    each = max(LEAST_SAMPLES, SAMPLES_PER_UNION // max(1, len(regions)))
    return samples.rows[regions, :each].flatten(), samples.filled[regions, :each].flatten()
