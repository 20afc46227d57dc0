"""One optimisation step as BUDDI (Mueller et al., CVPR 2024) formulates it, written from its formulas.

Penetration: winding numbers of all vertices of one body against a decimated mesh of the other, with the autograd graph
recorded and cut by a threshold; the gradient comes from the distances to the nearest vertices alone, quartic. Contact:
quartic Chamfer distance between 40 random vertices of each region. Keypoints: squared errors, in boxes of 512 pixels.
BUDDI's term is zero unless both bodies have vertices inside; in this benchmark both have.
"""

import math
from dataclasses import dataclass

import igl
import numpy as np
import torch
from torch import Tensor

from apu.body.protocol import Surface
from apu.contact.contact import ContactMap

PROXY_FACES = 2000
PER_REGION = 40
INSIDE = 0.99
CONTACT, COLLISION = 10.0, 1000.0
"""Weights of the two terms."""


@dataclass(frozen=True)
class Proxy:
    """A coarse mesh whose vertices are vertices of the full one, so that it moves with the body.

    Attributes:
        vertex: (w,) of the full mesh.
        faces: (f, 3) into `vertex`.
    """

    vertex: Tensor
    faces: Tensor


def decimated(surface: Surface, faces: int = PROXY_FACES) -> Proxy:
    """The resting skin by quadric errors (libigl); each vertex left is replaced by the nearest one of the full mesh."""
    used, corners = np.unique(surface.collision_faces.numpy(), return_inverse=True)
    skin = surface.rest_vertices.double().numpy()[used]
    left = igl.qslim(skin, corners.reshape(-1, 3).astype(np.int64), faces)
    places, coarse = np.asarray(left[0]), np.asarray(left[1])
    nearest = torch.cdist(torch.from_numpy(places), torch.from_numpy(skin)).argmin(1)
    return Proxy(torch.from_numpy(used)[nearest], torch.from_numpy(coarse.astype(np.int64)))


def winding_numbers(points: Tensor, corners: Tensor) -> Tensor:
    """(n,) of points (n, 3) by the solid angles of all triangles (f, 3, 3) at once (van Oosterom, Strackee, 1983)."""
    a, b, c = (corners[None, :, i] - points[:, None] for i in range(3))
    la, lb, lc = a.norm(dim=-1), b.norm(dim=-1), c.norm(dim=-1)
    triple = (a * torch.linalg.cross(b, c)).sum(-1)
    rest = la * lb * lc + (a * b).sum(-1) * lc + (a * c).sum(-1) * lb + (b * c).sum(-1) * la
    return torch.atan2(triple, rest).sum(1) / (2 * math.pi)


def chunked_winding_numbers(points: Tensor, corners: Tensor, size: int = 128) -> Tensor:
    """The same without a graph and a few points at a time, which is kinder to a processor's caches."""
    with torch.no_grad():
        return torch.cat([winding_numbers(some, corners) for some in points.split(size)])


def collision(vertices: Tensor, proxy: Proxy, chunked: bool = False) -> Tensor:
    """Quartic distances of the inside vertices of both bodies (2, v, 3) to the other's nearest vertices."""
    numbers = chunked_winding_numbers if chunked else winding_numbers
    inside = [numbers(vertices[k], vertices[1 - k][proxy.vertex][proxy.faces]).ge(INSIDE) for k in (0, 1)]
    if not all(bool(one.any()) for one in inside):
        return vertices.new_zeros(())
    square = (
        vertices[0].square().sum(-1)[:, None] + vertices[1].square().sum(-1)[None] - 2 * vertices[0] @ vertices[1].mT
    )
    nearest = square.min(1)[0][inside[0]], square.min(0)[0][inside[1]]
    return sum((100 * one.clamp_min(0)).square().sum() for one in nearest)  # type: ignore[return-value]


class Chamfer:
    """Contact of region pairs: 40 vertices of each region, drawn once."""

    def __init__(self, surface: Surface, contacts: ContactMap) -> None:
        random = np.random.default_rng(0)
        region = surface.region_of_vertex.numpy()
        names = list(surface.region_names)
        drawn = {}
        for name in sorted({n for c in contacts.contacts for n in c.regions_a | c.regions_b}):
            of_region = np.flatnonzero(region == names.index(name))
            drawn[name] = torch.from_numpy(random.permutation(of_region)[:PER_REGION])
        self._pairs = [(drawn[min(c.regions_a)], drawn[min(c.regions_b)]) for c in contacts.contacts]

    def __call__(self, vertices: Tensor) -> Tensor:
        """Sum over the contacts of (2, v, 3) bodies."""
        total = vertices.new_zeros(())
        for a, b in self._pairs:
            square = (vertices[0][a][:, None] - vertices[1][b][None]).square().sum(-1)
            total = total + sum((100 * square.min(k)[0]).square().mean() for k in (0, 1))
        return total


def keypoints(projected: Tensor, seen: Tensor, confidence: Tensor) -> Tensor:
    """Squared errors (2, j, 2) in units of a box of 512 pixels around what was seen."""
    size = (seen.amax(1) - seen.amin(1)).amax(-1)
    square = ((512 / size)[:, None, None] * (projected - seen)).square().sum(-1)
    return (confidence * square).sum()
