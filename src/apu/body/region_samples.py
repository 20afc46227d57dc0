"""A few well spread vertices for each surface region: what is looked at when a whole mesh is not needed."""

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
