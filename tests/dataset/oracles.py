"""Pairs measured without any code of ours, by libigl: what a generated pair claims must hold here, too."""

from collections.abc import Iterable

import igl
import numpy as np
import torch

from apu.body.protocol import Surface


def deepest_m(surface: Surface, vertices: torch.Tensor) -> float:
    """Depth of the deepest vertex of either body (2, v, 3) in the other: winding numbers and distances to the skin."""
    faces, points = surface.collision_faces.numpy(), vertices.double().numpy()
    skin = np.unique(faces)
    depth = 0.0
    for mine, other in ((0, 1), (1, 0)):
        inside = igl.winding_number(points[other], faces, points[mine][skin]) > 0.5
        if inside.any():
            squared = igl.point_mesh_squared_distance(points[mine][skin][inside], points[other], faces)[0]
            depth = max(depth, float(np.sqrt(squared.max())))
    return depth


def region_distance_m(surface: Surface, vertices: torch.Tensor, a: Iterable[str], b: Iterable[str]) -> float:
    """Smallest distance between a vertex of one set of regions and a triangle of the other, both ways."""
    names, own = list(surface.region_names), surface.region_of_vertex.numpy()
    faces, points = surface.faces.numpy(), vertices.double().numpy()
    first, second, third = own[faces].T
    face_region = np.where(second == third, second, first)
    sets = [[names.index(name) for name in side] for side in (a, b)]
    ways = []
    for mine, other in ((0, 1), (1, 0)):
        sought = points[mine][np.isin(own, sets[mine])]
        patch = faces[np.isin(face_region, sets[other])]
        ways.append(igl.point_mesh_squared_distance(sought, points[other], patch)[0].min())
    return float(np.sqrt(min(ways)))
