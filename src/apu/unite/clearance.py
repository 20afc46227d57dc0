"""Which vertices of one body may be inside the other now: those that were, and those whose clearance is used up.

Every vertex outside keeps a lower bound of its distance to the other body's surface, its clearance. Motion uses it up,
and only when nothing is left does the vertex have to be looked at again. The motion that counts is that of the surface
nearby: a waving hand does not use up the clearance of a foot. To know what is nearby the skin is cut into patches,
whose boxes are compared. The scheme is ours; it is exact, whatever the bodies do between two looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface

PATCH = 96
"""Most vertices of a patch. Smaller ones are bounded tighter, but there are more pairs of them to compare."""
NEARBY_M = 0.08
"""Surface farther than this from a patch does not use up its clearance; no clearance is larger, but for boxes' sake."""
AHEAD_M = 0.02
"""A vertex that is looked at is told its clearance up to here, so that it can be left out for a while."""
SLACK_M = 1e-4
"""Covers rounding of float32 in a query's frame, which may be a hundred metres wide."""


@dataclass(frozen=True)
class Patches:
    """The closed skin of a body, cut into small patches of one region each.

    Attributes:
        skin: (n,) vertices of the whole mesh that the collision faces use.
        faces: (f, 3) the collision faces, as indices into `skin`.
        slot: (k, s) indices into `skin`; a patch of fewer than `s` vertices repeats its first.
        filled: (k, s) False for repetitions.
        slot_faces: (f, 3) the collision faces, as indices into the flattened slots.
    """

    skin: Int[Tensor, " n"]
    faces: Int[Tensor, "f 3"]
    slot: Int[Tensor, "k s"]
    filled: Bool[Tensor, "k s"]
    slot_faces: Int[Tensor, "f 3"]


@lru_cache(maxsize=4)
def patches(surface: Surface) -> Patches:
    """Cut the default body once."""
    skin, faces = torch.unique(surface.collision_faces, return_inverse=True)
    place, region = surface.rest_vertices[skin], surface.region_of_vertex[skin]
    groups = [g for r in region.unique().tolist() for g in _split(torch.nonzero(region == r).flatten(), place)]
    slot = torch.stack([torch.cat([g, g[:1].expand(PATCH - len(g))]) for g in groups])
    filled = torch.stack([torch.arange(PATCH, device=skin.device) < len(g) for g in groups])
    first = torch.zeros_like(skin)
    first[slot[filled]] = torch.nonzero(filled.flatten()).flatten()
    return Patches(skin, faces, slot, filled, first[faces])


def _split(group: Int[Tensor, " g"], place: Float[Tensor, "n 3"]) -> list[Int[Tensor, " _"]]:
    """Halved along the longest side of its box until the parts are small enough."""
    if len(group) <= PATCH:
        return [group]
    here = place[group]
    axis = int((here.amax(0) - here.amin(0)).argmax())
    order = group[here[:, axis].argsort()]
    middle = PATCH * max(1, round(len(group) / PATCH / 2))  # full patches waste no slots
    return _split(order[:middle], place) + _split(order[middle:], place)


@dataclass(frozen=True)
class Doubtful:
    """What has to be looked at: vertices of the partners of `m` meshes, and how far their nearest surface may be.

    Attributes:
        row: (k,) number of the vertex among the slots of all meshes, `mesh * slots + slot`.
        reach_m: (k,) a vertex without surface within reach is outside.
    """

    row: Int[Tensor, " k"]
    reach_m: Float[Tensor, " k"]


class Clearance:
    """Clearances of the vertices of both bodies of `m` / 2 pairs, each from its partner's surface.

    Everything is indexed by the mesh that is looked at, and by the slot of its partner's vertex.

    Args:
        cut: the patches of the body.
        count: `m`.
        like: gives dtype and device.
    """

    def __init__(self, cut: Patches, count: int, like: Tensor) -> None:
        shape = (count, *cut.slot.shape)
        self._filled = cut.filled
        self._seen: Float[Tensor, "3 m k s"] | None = None
        self._clear = torch.full(shape, -torch.inf, dtype=like.dtype, device=like.device)
        self._depth = torch.zeros_like(self._clear)
        self._inside = torch.zeros(shape, dtype=torch.bool, device=like.device)

    def doubtful(
        self, now: Float[Tensor, "m k s 3"], inside_of: Callable[[Int[Tensor, " r"]], Bool[Tensor, " r"]]
    ) -> Doubtful:
        """Let the bodies move, and say which vertices may be inside.

        Args:
            now: the slots of every body, metres.
            inside_of: looks whether the vertices of some rows are inside. Asked of one vertex of each patch that no
                surface cuts, but may have passed: the answer holds for all of the patch.
        """
        planes = now.permute(3, 0, 1, 2).contiguous()  # reductions over short last axes are slow
        apart, outer = _box_distances(planes.amin(-1), planes.amax(-1))
        gap = apart.amin(2)
        step, most = self._step(planes, apart)
        self._seen = planes
        safe = torch.where(gap > step.amax(2), gap, outer)
        self._clear = torch.maximum((self._clear - step).clamp_max(NEARBY_M), safe[..., None])
        self._inside &= (outer <= 0)[..., None]
        doubt = ~(self._clear > 0) & ~self._inside & self._filled
        passed = torch.nonzero((doubt.any(2) & (gap > 0)).flatten()).flatten()
        if len(passed):
            out = passed[~inside_of(passed * self._filled.shape[1])]
            doubt.flatten(0, 1)[out] = False
            self._clear.flatten(0, 1)[out] = gap.flatten()[out, None]
        row = torch.nonzero((doubt | self._inside).flatten()).flatten()
        of_mesh = torch.div(row, self._filled.numel(), rounding_mode="floor")
        deep = self._depth.flatten()[row] + most[of_mesh]
        reach = torch.where(self._inside.flatten()[row], deep, step.flatten()[row].clamp_min(AHEAD_M))
        return Doubtful(row, reach + SLACK_M)

    def learn(
        self, asked: Doubtful, found: Bool[Tensor, " k"], inside: Bool[Tensor, " k"], distance_m: Float[Tensor, " k"]
    ) -> None:
        """Take in what was found about the doubtful vertices; `distance_m` counts where a surface was found."""
        clear = torch.where(found, distance_m, asked.reach_m) - SLACK_M
        self._clear.view(-1)[asked.row] = torch.where(inside, 0.0, clear)
        self._depth.view(-1)[asked.row] = distance_m
        self._inside.view(-1)[asked.row] = inside

    def _step(
        self, now: Float[Tensor, "3 m k s"], apart: Float[Tensor, "m k k"]
    ) -> tuple[Float[Tensor, "m k s"], Float[Tensor, " m"]]:
        """How far a vertex and the surface nearby may have moved against each other; and any vertex and any surface."""
        if self._seen is None:
            step = torch.full_like(self._clear, torch.inf)
            return step, step[:, 0, 0]
        way = (now - self._seen).unflatten(1, (-1, 2))
        way = way - way.mean((2, 3, 4), keepdim=True)  # both together may go anywhere
        x, y, z = way.square_().flatten(1, 2)
        moved = (x + y + z).sqrt_()
        of_patch = moved.amax(2)
        most = of_patch.amax(1)
        nearby = ((apart < NEARBY_M) * of_patch[:, None]).amax(2)
        leap = partner(of_patch) + most[:, None] >= NEARBY_M  # what is not nearby now may have passed through
        surface = torch.where(leap, most[:, None], nearby)
        return partner(moved) + surface[..., None], most + partner(most)


def partner(x: Float[Tensor, "m ..."]) -> Float[Tensor, "m ..."]:
    """For every body the other one of its pair."""
    return x.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


def _partners(x: Float[Tensor, "c m k"]) -> Float[Tensor, "c m k"]:
    """`partner` of every row."""
    return x.unflatten(1, (-1, 2)).flip(2).flatten(1, 2)


def _box_distances(
    low: Float[Tensor, "3 m k"], high: Float[Tensor, "3 m k"]
) -> tuple[Float[Tensor, "m k k"], Float[Tensor, "m k"]]:
    """From every patch of the partner (second axis): to every patch of a mesh (last axis), and to the whole mesh.

    Bounds from below: the widest gap between two boxes along an axis, 0 where they overlap.
    """
    mine = torch.cat([low, -high])
    theirs = _partners(torch.cat([high, -low]))
    to_patches = (mine[:, :, None] - theirs[..., None]).amax(0).clamp_min(0)
    to_whole = (mine.amin(2, keepdim=True) - theirs).amax(0).clamp_min(0)
    return to_patches, to_whole
