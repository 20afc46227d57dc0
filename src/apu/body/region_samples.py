"""A few well spread vertices for each surface region: what is looked at when a whole mesh is not needed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.sampling import farthest_points

SAMPLES_PER_REGION = 16


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
    size = samples.rows.shape[1] * max((len(regions) for one in sets for regions in one), default=1)
    index = torch.zeros(len(sets), contacts, size, dtype=torch.int64, device=samples.rows.device)
    mask = torch.zeros_like(index, dtype=torch.bool)
    mask[..., 0] = True  # padding contacts have one point, and no weight
    for i, one in enumerate(sets):
        for c, regions in enumerate(one):
            mine = samples.rows[regions].flatten()
            index[i, c, : len(mine)] = mine
            mask[i, c, : len(mine)] = samples.filled[regions].flatten()
    return index, mask
