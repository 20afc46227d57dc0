"""Nearest points between the skins of posed bodies and meshes of any topology, both ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.body.target_mesh import TargetMesh
from apu.geometry.normals import face_normals, summed_normals
from apu.geometry.sampling import farthest_points
from apu.geometry.surface_query import Nearest, SurfaceQuery, surface_points

BODY_SAMPLES = 1200
"""Vertices of the body that seek the mesh."""
TARGET_SAMPLES = 3000
"""Points of the mesh that seek the body."""


@dataclass(frozen=True)
class Pairs:
    """What was found.

    Attributes:
        out, back: squared distances, body to mesh and mesh to body, m^2; differentiable in the body.
        out_alike, back_alike: whether the two surfaces face the same way there.
    """

    out: Float[Tensor, "n s"]
    out_alike: Bool[Tensor, "n s"]
    back: Float[Tensor, "n t"]
    back_alike: Bool[Tensor, "n t"]


class Matching:
    """`n` bodies, each with a mesh of its own.

    Args:
        body: its skin is `surface.collision_faces`, without eyeballs and the inside of the mouth.
        targets: the meshes.
    """

    def __init__(self, body: BodyModel, targets: Sequence[TargetMesh]) -> None:
        surface = body.surface
        self.body = body
        self.faces: Int[Tensor, "g 3"] = surface.collision_faces.long()
        skin = torch.unique(self.faces)
        rest = surface.rest_vertices[skin].detach().cpu().double().numpy()
        self.samples = skin[torch.from_numpy(farthest_points(rest, BODY_SAMPLES)).to(skin.device)]
        self._meshes = [_Mesh(target, surface.rest_vertices) for target in targets]
        self.points = torch.stack([mesh.points for mesh in self._meshes])
        self._normals = torch.stack([mesh.normals for mesh in self._meshes])
        self._query: SurfaceQuery | None = None

    def vertices(self, parameters: Mapping[str, Tensor]) -> Float[Tensor, "n v 3"]:
        """The whole mesh of each body."""
        found = self.body.forward(parameters, Parts(vertices="all")).vertices
        assert found is not None
        return found

    def pairs(self, vertices: Float[Tensor, "n v 3"]) -> Pairs:
        """Nearest points for bodies that lie so."""
        still = vertices.detach()
        normals = summed_normals(still, self.faces)
        mine = vertices[:, self.samples]
        there, facing = zip(
            *(mesh.nearest(points) for mesh, points in zip(self._meshes, mine.detach(), strict=True)), strict=True
        )
        if self._query is None:
            self._query = SurfaceQuery(self.faces, still)
        self._query.move(still)
        found = _as(self._query.nearest(self.points.float()), still)
        on_body = surface_points(vertices, self.faces, found)
        rows = torch.arange(len(still), device=still.device)[:, None, None]
        there_facing = normals[rows, self.faces[found.face.clamp_min(0)]].mean(-2)
        return Pairs(
            (mine - torch.stack(there)).square().sum(-1),
            (normals[:, self.samples] * torch.stack(facing)).sum(-1) > 0,
            (on_body - self.points).square().sum(-1),
            (there_facing * self._normals).sum(-1) > 0,
        )

    @torch.no_grad()
    def distance(self, parameters: Mapping[str, Tensor]) -> Float[Tensor, " n"]:
        """Mean distance to the nearest surface, both ways, whatever way the surfaces face; metres."""
        found = self.pairs(self.vertices(parameters))
        return (found.out.sqrt().mean(1) + found.back.sqrt().mean(1)) / 2


class _Mesh:
    """A mesh to seek on, and evenly spread points of it."""

    def __init__(self, target: TargetMesh, like: Tensor) -> None:
        normals = face_normals(target.vertices, target.faces)
        points, facing = target.spread(TARGET_SAMPLES)
        self.points, self.normals = torch.from_numpy(points).to(like), torch.from_numpy(facing).to(like)
        self._vertices = torch.from_numpy(target.vertices).to(like)[None]
        self._faces = torch.from_numpy(target.faces).to(like.device)
        self._facing = torch.from_numpy(normals).to(like)
        self._query = SurfaceQuery(self._faces, self._vertices)

    def nearest(self, points: Float[Tensor, "s 3"]) -> tuple[Float[Tensor, "s 3"], Float[Tensor, "s 3"]]:
        """Nearest points, and the normals of their faces, of any length."""
        found = _as(self._query.nearest(points[None].float()), points)
        return surface_points(self._vertices, self._faces, found)[0], self._facing[found.face[0].clamp_min(0)]


def _as(found: Nearest, like: Tensor) -> Nearest:
    return Nearest(found.face.long(), found.barycentric.to(like.dtype), found.inside)
