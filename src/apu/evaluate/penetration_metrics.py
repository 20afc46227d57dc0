"""How far and how much two bodies are in each other, without any bound on depth; of the closed outer skins.

A pair with a vertex that is not finite gives NaN.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.geometry.surface_query import SurfaceQuery, surface_points
from apu.unite.penetration import Penetration

STEP_M = 0.01
MOST_CELLS = 4_000_000
"""Of one pair's grid; a larger common box, as only a broken mesh has, gets wider cells."""
BLOCK = 4
"""Cells along a side of the blocks that are looked at first."""
_AT_ONCE = 8
_SLACK_M = 1e-4

Vertices = Float[Tensor, "p 2 v 3"]


@torch.no_grad()
def penetration_depths_mm(surface: Surface, vertices: Vertices) -> tuple[Float[Tensor, " p"], Float[Tensor, " p"]]:
    """Depth of the deepest vertex, and the mean over all vertices of either body that are in the other, mm.

    Depth is the distance to the nearest point of the other's surface; inside is where the winding number exceeds one
    half. Both are 0 where no vertex is inside.

    Args:
        surface: of the body that both people have.
        vertices: (p, 2, v, 3) metres.
    """
    worst, mean = (torch.full((len(vertices),), torch.nan, dtype=torch.float64, device=vertices.device) for _ in "ab")
    known = torch.nonzero(_known(vertices)).flatten()
    for start in range(0, len(known), _AT_ONCE):
        rows = known[start : start + _AT_ONCE]
        pairs = vertices[rows]
        depth = 1000 * Penetration(surface, pairs, exact=True).depths(pairs).double().flatten(1)
        worst[rows] = depth.amax(1)
        mean[rows] = depth.sum(1) / (depth > 0).sum(1).clamp_min(1)
    return worst, mean


@torch.no_grad()
def penetration_volume_cm3(surface: Surface, vertices: Vertices, step_m: float = STEP_M) -> Float[Tensor, " p"]:
    """Volume that both bodies fill, cm^3, by counting the points of a grid that are inside both.

    The grid fills the common part of the two bounding boxes with equal cells of at most `step_m`, and looks at their
    middles. Inside is where the winding number exceeds one half, so a body that cuts itself counts once.
    Four pairs in random poses that share 50 to 190 cm^3 came out within 7 percent at 9.5 to 10 mm of what they do at 4.

    Args:
        surface: of the body that both people have.
        vertices: (p, 2, v, 3) metres.
        step_m: width of a cell, metres.
    """
    used, faces = torch.unique(surface.collision_faces, return_inverse=True)
    out = torch.full((len(vertices),), torch.nan, dtype=torch.float64, device=vertices.device)
    for row in torch.nonzero(_known(vertices)).flatten().tolist():
        skin = vertices[row][:, used]
        grid = _common_grid(skin, step_m)
        inside = 0
        if grid is not None:
            query = SurfaceQuery(faces, skin, exact_sign=True)
            cells = grid.cells_of(_blocks_in_both(query, faces, skin, grid))
            for body in (0, 1):
                cells = cells[_inside(query, body, skin, grid.middles(cells))]
            inside = len(cells)
        out[row] = 1e6 * inside * float(grid.cell_m.prod()) if grid else 0.0
    return out


def penetration_rows(surface: Surface, vertices: Vertices) -> dict[str, Float[Tensor, " p"]]:
    """All three by name, for an accumulator."""
    worst, mean = penetration_depths_mm(surface, vertices)
    return {
        "penetration_worst_mm": worst,
        "penetration_mean_mm": mean,
        "penetration_volume_cm3": penetration_volume_cm3(surface, vertices),
    }


@dataclass(frozen=True)
class _Grid:
    """Equal cells in a box, and blocks of `BLOCK` cells a side, the last of which may reach out of the box.

    Attributes:
        low: (3,) corner of the box, metres.
        cell_m: (3,) widths of a cell.
        counts: (3,) cells along each axis.
    """

    low: Float[Tensor, "3"]
    cell_m: Float[Tensor, "3"]
    counts: Int[Tensor, "3"]

    def blocks(self) -> Int[Tensor, "b 3"]:
        """First cell of each block."""
        return torch.cartesian_prod(*(torch.arange(0, n, BLOCK, device=self.low.device) for n in self.counts.tolist()))

    def cells_of(self, blocks: Int[Tensor, "b 3"]) -> Int[Tensor, "k 3"]:
        """All cells of the blocks."""
        within = torch.cartesian_prod(*[torch.arange(BLOCK, device=self.low.device)] * 3)
        cells = (blocks[:, None] + within).flatten(0, 1)
        return cells[(cells < self.counts).all(-1)]

    def middles(self, cells: Int[Tensor, "k 3"], size: int = 1) -> Float[Tensor, "k 3"]:
        """Middles of cells, or of the cubes of `size` cells a side that begin with them, metres."""
        return self.low + (cells + size / 2) * self.cell_m


def _blocks_in_both(
    query: SurfaceQuery, faces: Int[Tensor, "f 3"], skin: Float[Tensor, "2 n 3"], grid: _Grid
) -> Int[Tensor, "b 3"]:
    """The blocks that are not wholly outside one of the bodies: most of a common box is, and need not be looked at."""
    blocks = grid.blocks()
    middles = grid.middles(blocks, BLOCK).to(skin.dtype).expand(2, -1, -1)
    radius = 0.5 * BLOCK * float(grid.cell_m.norm()) + _SLACK_M
    reach = torch.tensor([max(_inner_reach(body), radius) for body in skin], device=skin.device)
    found = query.nearest(middles, reach[:, None].expand(2, len(blocks)))
    near = (middles - surface_points(skin, faces, found)).norm(dim=-1) <= radius
    return blocks[(found.inside | (near & (found.face >= 0))).all(0)]


def _inside(
    query: SurfaceQuery, body: int, skin: Float[Tensor, "2 n 3"], points: Float[Tensor, "k 3"]
) -> Bool[Tensor, " k"]:
    which = torch.full((len(points),), body, dtype=torch.int64, device=points.device)
    reach = torch.full((len(points),), _inner_reach(skin[body]), dtype=torch.float32, device=points.device)
    return query.nearest_of(which, points, reach).inside


def _inner_reach(skin: Float[Tensor, "n 3"]) -> float:
    """No point inside a mesh is farther from it than half of its least extent, metres."""
    return 0.5 * float((skin.amax(0) - skin.amin(0)).amin()) + _SLACK_M


def _common_grid(skin: Float[Tensor, "2 n 3"], step_m: float) -> _Grid | None:
    """Cells of at most `step_m` that fill the common part of both boxes; None where there is none."""
    low, high = skin.amin(1).amax(0).double(), skin.amax(1).amin(0).double()
    width = high - low
    if bool((width <= 0).any()):
        return None
    counts = [math.ceil(w / step_m) for w in width.tolist()]
    while math.prod(counts) > MOST_CELLS:
        counts = [math.ceil(count / 2) for count in counts]
    many = torch.tensor(counts, device=width.device)
    return _Grid(low, width / many, many)


def _known(vertices: Vertices) -> Bool[Tensor, " p"]:
    return vertices.isfinite().flatten(1).all(1)
