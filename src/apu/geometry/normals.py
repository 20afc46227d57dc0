"""Surface normals of triangle meshes."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


def face_normals(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, "f 3"]:
    """Normals whose length is twice the face's area, m^2.

    They point to the side from which the corners run counter-clockwise (out of a body). The camera frame (x right,
    y down, z forward) is right-handed, so this holds in it too.
    """
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def vertex_normals(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, "v 3"]:
    """Unit normals, the mean of the adjacent faces weighted by area; zero for a vertex without a face."""
    weighted = face_normals(vertices, faces)
    corner = faces.ravel()
    total = np.stack(
        [np.bincount(corner, np.repeat(weighted[:, axis], 3), minlength=len(vertices)) for axis in range(3)], axis=1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.where(length > 0, length, 1.0)).astype(vertices.dtype)


def summed_normals(vertices: Float[Tensor, "n v 3"], faces: Int[Tensor, "f 3"]) -> Float[Tensor, "n v 3"]:
    """As `vertex_normals` before they are made units, for a batch, and with a gradient; zero without a face."""
    a, b, c = vertices[:, faces].unbind(2)
    weighted = torch.linalg.cross(b - a, c - a)
    return torch.zeros_like(vertices).index_add(1, faces.flatten(), weighted.repeat_interleave(3, 1))
