"""A mesh of a person from anywhere: checked, turned outside out, and sampled evenly."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from apu.errors import InputError
from apu.geometry.normals import face_normals

SMALLEST_M, LARGEST_M = 0.25, 3.0
"""Longest side of the box around a person: from a curled-up baby to raised arms of a tall adult."""
UNITS = {0.01: "centimetres", 0.001: "millimetres", 0.0254: "inches", 100.0: "hundreds of metres"}
"""Factors that meshes are often off by."""


@dataclass(frozen=True)
class TargetMesh:
    """One person's surface, camera axes, metres. Made by `target_mesh`.

    Attributes:
        vertices: (v, 3) float64.
        faces: (f, 3) counter-clockwise seen from outside.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]

    def spread(self, count: int) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
        """`n` points on the surface, as many per area everywhere, and their unit normals; the same every time."""
        normals = face_normals(self.vertices, self.faces)
        twice = np.linalg.norm(normals, axis=1)
        upto = np.cumsum(twice)
        face = np.searchsorted(upto, (np.arange(count) + 0.5) / count * upto[-1]).clip(0, len(twice) - 1)
        share = np.random.default_rng(0).dirichlet(np.ones(3), count)
        points = (self.vertices[self.faces[face]] * share[..., None]).sum(1)
        return points, normals[face] / twice[face, None]


def target_mesh(vertices: Float[np.ndarray, "v c"], faces: Int[np.ndarray, "f k"], where: object) -> TargetMesh:
    """Check a mesh of one person.

    Args:
        vertices: (v, 3) camera axes, metres.
        faces: (f, 3) triangles, all of one winding; a mesh that is inside out is turned.
        where: for errors.

    Raises:
        InputError: it is no mesh of finite triangles, or no person's size in metres.
    """
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3 or not len(faces):
        got = f"vertices {vertices.shape}, faces {faces.shape}"
        raise _bad(where, "vertices (v, 3) and triangles (f, 3)", got, "export the mesh as triangles.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise _bad(
            where,
            f"vertex numbers from 0 to {len(vertices) - 1}",
            f"{faces.min()} to {faces.max()}",
            "export it again.",
        )
    used = vertices[np.unique(faces)].astype(np.float64)
    if not np.isfinite(used).all():
        raise _bad(where, "finite coordinates", "NaN or infinity", "repair or export the mesh again.")
    longest = float((used.max(0) - used.min(0)).max())
    if not SMALLEST_M <= longest <= LARGEST_M:
        raise _bad(
            where,
            f"one person in metres: a box whose longest side is {SMALLEST_M} to {LARGEST_M} m",
            f"{longest:.4g} m",
            _size_remedy(longest),
        )
    points = vertices.astype(np.float64)
    triangles = faces.astype(np.int64)
    twice = face_normals(points, triangles)
    if not (np.linalg.norm(twice, axis=1) > 0).any():
        raise _bad(where, "triangles of some area", "none", "export the mesh again.")
    middle = used.mean(0)
    volume = ((points[triangles[:, 0]] - middle) * twice).sum()
    return TargetMesh(points, triangles if volume >= 0 else triangles[:, ::-1].copy())


def _size_remedy(longest: float) -> str:
    likely = [f"{unit} (by {factor:g})" for factor, unit in UNITS.items() if 0.5 <= longest * factor <= 2.3]
    if likely:
        return f"multiply its coordinates, which look like {' or '.join(likely)}."
    return "scale it to metres; several people must be several objects of the file."


def _bad(where: object, expected: object, got: object, remedy: str) -> InputError:
    return InputError(
        "The mesh cannot be taken for a person's.", where=where, expected=expected, got=got, remedy=remedy
    )
