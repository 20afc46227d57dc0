"""`SurfaceQuery` by warp's bounding volume hierarchies: one for each mesh, and one launch for all points.

Every mesh has a hierarchy and a frame of its own, so no answer depends, not by its last digit, on what else is in the
batch: rounding, the order of ties and a mesh that is nowhere stay with the mesh they belong to.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.geometry import surface_kernels as kernels


class WarpQuery:
    """See `apu.geometry.surface_query.SurfaceQuery`, whose arguments these are; `kernel` says how signs are found."""

    def __init__(self, faces: Int[Tensor, "f 3"], vertices: Float[Tensor, "m v 3"], kernel: str) -> None:
        wp = kernels.wp
        self._middle = _middles(vertices)
        self._points = (vertices - self._middle[:, None]).float().contiguous()
        self._kernel = getattr(kernels, f"{kernel}_kernel")
        indices = wp.from_torch(faces.reshape(-1).to(torch.int32).contiguous())
        self._meshes = [
            wp.Mesh(
                points=wp.from_torch(one, dtype=wp.vec3), indices=indices, support_winding_number=kernel == "winding"
            )
            for one in self._points
        ]
        device = wp.device_from_torch(vertices.device)
        self._ids = wp.array([one.id for one in self._meshes], dtype=wp.uint64, device=device)

    def move(self, vertices: Float[Tensor, "m v 3"]) -> None:
        """Put the meshes elsewhere; their boxes are refitted, not rebuilt."""
        self._middle = _middles(vertices)
        self._points.copy_(vertices - self._middle[:, None])
        for mesh in self._meshes:
            mesh.refit()

    def nearest_of(
        self, mesh: Int[Tensor, " k"], points: Float[Tensor, "k 3"], reach: Float[Tensor, " k"]
    ) -> tuple[Int[Tensor, " k"], Float[Tensor, "k 3"], Bool[Tensor, " k"]]:
        """Face, barycentric coordinates and whether inside."""
        wp, count = kernels.wp, len(points)
        sought = (points - self._middle[mesh]).float().contiguous()
        face = torch.empty(count, dtype=torch.int32, device=sought.device)
        share = torch.empty(count, 3, dtype=torch.float32, device=sought.device)
        inside = torch.empty(count, dtype=torch.bool, device=sought.device)
        numbers, reach = mesh.contiguous(), reach.float().contiguous()  # warp only borrows them
        wp.launch(
            self._kernel,
            dim=count,
            inputs=[self._ids, wp.from_torch(numbers), wp.from_torch(sought, dtype=wp.vec3), wp.from_torch(reach)],
            outputs=[wp.from_torch(face), wp.from_torch(share, dtype=wp.vec3), wp.from_torch(inside)],
            device=wp.device_from_torch(sought.device),
        )
        return face.long(), share.to(points.dtype), inside


SAMPLES = 64
"""Vertices that a mesh's frame is taken from; more cost time and make it no better."""


def _middles(vertices: Float[Tensor, "m v 3"]) -> Float[Tensor, "m 3"]:
    """Somewhere in the middle of each mesh: near it float32 is fine enough."""
    some = vertices[:, :: max(1, vertices.shape[1] // SAMPLES)]
    return (some.amin(1) + some.amax(1)) / 2
