"""Anny in few loops: rest body, kinematics and skinning with hand-written adjoints, compiled by numba for the CPU.

It is `apu.body.anny_kinematics`, the reference, up to rounding, of which there is less: it computes in float64, and
stores points in the body's type. The kernels, and numba with them, are imported when the first body is evaluated. numba
keeps what it compiles on the disk, file by file: who changes a kernel that another file calls must touch that one, too.
"""

# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from apu.body.anny_kinematics import Tables, nearest_rotation

T = TypeVar("T")

KEPT_RESULTS = 2
"""What depends on the shape alone is kept for the shapes that were used last: one that is fitted, one that is shown."""

SUMMED_AT_ONCE = 8192
"""Coordinates whose products are summed in the body's own type; sums of these sums are float64, to keep digits."""


@cache
def available() -> bool:
    """Whether numba is there and can compile; importing it takes about half a second, once."""
    try:
        import apu.body.anny_fused_kernels  # noqa: F401
    except (ImportError, RuntimeError):  # numba raises RuntimeError where no folder can hold what it compiles
        return False
    return True


class Recent(Generic[T]):
    """Results of the tensors that were seen last, compared by value: a change in place is a new tensor."""

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, T]] = []

    def get(self, key: Tensor, make: Callable[[], T]) -> T:
        """The kept result of an equal key, else what `make` gives."""
        for i, (known, result) in enumerate(self._kept):
            if known.dtype == key.dtype and torch.equal(known, key):
                self._kept.append(self._kept.pop(i))  # last in the list: used last
                return result
        result = make()
        self._kept = [*self._kept, (key.detach().clone(), result)][-KEPT_RESULTS:]
        return result


@dataclass(frozen=True)
class Rest:
    """Everything of `n` bodies that depends on the shape alone.

    Attributes:
        mesh: rest vertices, the body's type.
        points: rest positions of the virtual points of joints, float64, as the other two.
        heads: bone heads.
        align: A of every bone.
    """

    mesh: Float[Tensor, "n v 3"]
    points: Float[Tensor, "n q 3"]
    heads: Float[Tensor, "n b 3"]
    align: Float[Tensor, "n b 3 3"]


class FusedShape:
    """Blendshape coefficients of shapes.

    Args:
        table: coefficients at the phenotype anchors, the last phenotype running fastest.
        anchors: sorted anchors of each phenotype.
        dtype: of the body.
    """

    def __init__(
        self, table: Float[Tensor, "cells s"], anchors: Sequence[tuple[float, ...]], dtype: torch.dtype
    ) -> None:
        self.table = _array(table)
        self.counts = np.array([len(a) for a in anchors])
        self.anchors = np.zeros((len(anchors), max(self.counts)))
        for i, values in enumerate(anchors):  # rounded as the reference rounds them, so that cells are the same
            self.anchors[i, : len(values)] = torch.tensor(values, dtype=dtype).double().numpy()
        self._recent: Recent[tuple[np.ndarray, np.ndarray]] = Recent()

    def coefficients(self, shape: Float[Tensor, "n k"]) -> Float[Tensor, "n s"]:
        """Coefficients of shape logits, float64, differentiable."""
        return _Coefficients.apply(self, shape)  # pyright: ignore[reportReturnType]

    def with_slope(self, shape: Float[Tensor, "n k"]) -> tuple[np.ndarray, np.ndarray]:
        """(n, s) coefficients and (n, k, s) their derivatives by the phenotypes, which are sigmoids of the logits."""

        def make() -> tuple[np.ndarray, np.ndarray]:
            from apu.body.anny_rest_kernels import coefficients

            value = np.zeros((len(shape), self.table.shape[1]))
            slope = np.zeros((len(shape), len(self.counts), self.table.shape[1]))
            coefficients(_array(torch.sigmoid(shape)), self.anchors, self.counts, self.table, value, slope)
            return value, slope

        return self._recent.get(shape, make)


class Skeleton(NamedTuple):
    """What the shape makes of the bones and of the joints' virtual points, float64.

    `rotation` is the polar factor of `cross`, and `align` = U rotation^T.
    """

    points: Float[Tensor, "n q 3"]
    heads: Float[Tensor, "n b 3"]
    cross: Float[Tensor, "n b 3 3"]
    rotation: Float[Tensor, "n b 3 3"]
    align: Float[Tensor, "n b 3 3"]


class Bones(NamedTuple):
    """Posed bones, float64: rotation vectors, Z, w and [Z A | w - Z A h]."""

    rotvec: np.ndarray
    rotation: np.ndarray
    position: np.ndarray
    transform: np.ndarray


class FusedBody:
    """One `Parts` of the body, ready for the kernels.

    Args:
        tables: of the reference path; the blendshapes of the vertices are shared with it.
        shape: of the body.
    """

    def __init__(self, tables: Tables, shape: FusedShape) -> None:
        t, split = tables, 3 * tables.mesh_points
        self.shape = shape
        self.dtype = t.template.dtype
        self.sizes = [3 * (len(t.points) - t.mesh_points), 3 * len(t.bones), 9 * len(t.bones)]
        self.mesh_template, self.mesh_shapes = t.template[:split], t.blendshapes[:, :split]
        self.skeleton_template = t.template[split:].double()
        self.skeleton_shapes = t.blendshapes[:, split:].double()
        self.mesh_bones, self.mesh_weights = _sparse(t.weights[: t.mesh_points])
        self.point_bones, self.point_weights = _sparse(t.weights[t.mesh_points :].double())
        self.reference = t.reference.double().contiguous()
        self.parent, self.dof_bone = t.parent.numpy(), t.dof_bone.numpy()
        axes = t.dof_to_rotvec.double().unflatten(-1, (-1, 3)).numpy()
        self.dof_axis = np.ascontiguousarray(axes[np.arange(len(axes)), self.dof_bone])
        self.joint_matrix = np.zeros((0, self.sizes[0] // 3)) if t.joint_matrix is None else _array(t.joint_matrix)
        self.point_bone = self.point_bones[:, 0].copy()  # virtual points follow one bone each
        self._rests: Recent[Rest] = Recent()
        self._skeletons: Recent[Skeleton] = Recent()

    @cached_property
    def below(self) -> np.ndarray:
        """(j, b) share of a joint that hangs on a bone or on its descendants."""
        share = np.zeros((len(self.joint_matrix), len(self.parent)))
        np.add.at(share.T, self.point_bone, self.joint_matrix.T)
        for bone in range(len(self.parent) - 1, 0, -1):
            share[:, self.parent[bone]] += share[:, bone]
        return share

    def rest(self, shape: Float[Tensor, "n k"]) -> Rest:
        """The rest body: differentiable, or the one that is kept where no gradient of the shape is asked for."""

        def make() -> Rest:
            mesh, points, heads, align = _RestBody.apply(self, self.shape.coefficients(shape))  # pyright: ignore
            return Rest(mesh, points, heads, align)

        if shape.requires_grad and torch.is_grad_enabled():
            return make()
        return self._rests.get(shape, make)

    def pose(
        self, orientation: Float[Tensor, "n 3"], translation: Float[Tensor, "n 3"], pose: Float[Tensor, "n d"],
        rest: Rest,
    ) -> tuple[Float[Tensor, "n v 3"], Float[Tensor, "n j 3"]]:  # fmt: skip
        """Posed vertices and joints, differentiable once; empty where `Parts` asks for none."""
        return _PosedBody.apply(  # pyright: ignore[reportReturnType]
            self, orientation, translation, pose, rest.mesh, rest.points, rest.heads, rest.align
        )

    def joints_and_jacobian(
        self, orientation: Float[Tensor, "n 3"], translation: Float[Tensor, "n 3"], pose: Float[Tensor, "n d"],
        shape: Float[Tensor, "n k"], by_shape: bool,
    ) -> tuple[Float[Tensor, "n j 3"], Float[Tensor, "n j 3 m"]]:  # fmt: skip
        """See `BodyModel.joints_and_jacobian`; exact by the shape, too, on the side of a kink that autograd takes."""
        from apu.body.anny_jacobian_kernels import pose_columns

        shape = shape.detach()
        rest = self._skeletons.get(shape, lambda: self.skeleton(torch.from_numpy(self.shape.with_slope(shape)[0])))
        bones = self.move(orientation, translation, pose, rest.heads, rest.align)
        points = self.skinned_points(rest.points, bones)
        joints = self.joint_matrix @ points
        first = 6 + len(self.dof_bone)
        jacobian = np.zeros((*joints.shape, first + by_shape * shape.shape[1]), self.mesh_weights.dtype)
        pose_columns(
            self.joint_matrix, self.point_bone, points, joints, self.dof_bone, self.dof_axis, self.parent, self.below,
            bones.rotvec, bones.rotation, bones.position, jacobian,
        )  # fmt: skip
        if by_shape:
            self._add_shape_columns(shape, rest, bones, first, jacobian)
        return torch.from_numpy(joints).to(self.dtype), torch.from_numpy(jacobian)

    def _add_shape_columns(
        self, shape: Float[Tensor, "n k"], rest: Skeleton, bones: Bones, first: int, jacobian: np.ndarray
    ) -> None:
        from apu.body.anny_jacobian_kernels import shape_columns
        from apu.body.anny_rest_kernels import align_tangent

        n, k = shape.shape
        _, slope = self.shape.with_slope(shape)
        change = torch.from_numpy(slope).flatten(0, 1) @ self.skeleton_shapes
        d_points, d_heads, d_cross = (x.reshape(n, k, x.shape[1] // 3, 3).numpy() for x in change.split(self.sizes, 1))
        d_align = np.empty((n, k, len(self.parent), 3, 3))
        align_tangent(
            self.reference.numpy(), rest.rotation.numpy(), rest.cross.numpy(), d_cross.reshape(d_align.shape), d_align
        )
        at = torch.sigmoid(shape).double()
        shape_columns(
            self.joint_matrix, self.point_bone, rest.points.numpy(), rest.heads.numpy(), rest.align.numpy(), d_points,
            d_heads, d_align, self.parent, bones.rotation, bones.transform, (at * (1 - at)).numpy(), first, jacobian,
        )  # fmt: skip

    def skeleton(self, coefficients: Float[Tensor, "n s"]) -> Skeleton:
        """Rest bones of blendshape coefficients (float64)."""
        from apu.body.anny_rest_kernels import polar_rotations

        n, bones = len(coefficients), len(self.parent)
        row = torch.addmm(self.skeleton_template, coefficients, self.skeleton_shapes)
        points, heads, cross = (x.contiguous() for x in row.split(self.sizes, 1))
        cross = cross.reshape(n, bones, 3, 3)
        rotation = torch.empty_like(cross)
        if not polar_rotations(cross.flatten(0, 1).numpy(), rotation.flatten(0, 1).numpy()):
            rotation = nearest_rotation(cross)
        align = self.reference @ rotation.mT
        return Skeleton(points.reshape(n, self.sizes[0] // 3, 3), heads.reshape(n, bones, 3), cross, rotation, align)

    def move(
        self, orientation: Float[Tensor, "n 3"], translation: Float[Tensor, "n 3"], pose: Float[Tensor, "n d"],
        heads: Float[Tensor, "n b 3"], align: Float[Tensor, "n b 3 3"],
    ) -> Bones:  # fmt: skip
        """Pose the bones; nothing is recorded."""
        from apu.body.anny_fused_kernels import pose_bones

        size = tuple(heads.shape)
        bones = Bones(np.empty(size), np.empty((*size, 3)), np.empty(size), np.empty((*size, 4)))
        pose_bones(
            _array(orientation), _array(translation), _array(pose), self.dof_bone, self.dof_axis, self.parent,
            heads.detach().numpy(), align.detach().numpy(), *bones,
        )  # fmt: skip
        return bones

    def skinned_points(self, points: Float[Tensor, "n q 3"], bones: Bones) -> np.ndarray:
        """Posed virtual points, float64."""
        from apu.body.anny_fused_kernels import skin

        posed = np.empty(tuple(points.shape))
        skin(points.detach().numpy(), self.point_bones, self.point_weights, bones.transform, posed)
        return posed


class _Coefficients(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, body: FusedShape, shape: Tensor) -> Tensor:
        value, ctx.slope = body.with_slope(shape.detach())
        ctx.save_for_backward(shape)
        return torch.from_numpy(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        (shape,) = ctx.saved_tensors
        at = torch.sigmoid(shape).double()
        by_phenotype = (torch.from_numpy(ctx.slope) @ gradient[..., None])[..., 0]
        return None, (by_phenotype * at * (1 - at)).to(shape.dtype)


class _RestBody(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, body: FusedBody, coefficients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mesh = torch.addmm(body.mesh_template, coefficients.to(body.dtype), body.mesh_shapes)
        skeleton = body.skeleton(coefficients.detach())
        ctx.body, ctx.cross, ctx.rotation = body, skeleton.cross, skeleton.rotation  # outputs here would never be freed
        ctx.set_materialize_grads(False)
        return mesh.reshape(len(mesh), mesh.shape[1] // 3, 3), skeleton.points, skeleton.heads, skeleton.align

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, Tensor]:
        from apu.body.anny_rest_kernels import align_adjoint

        body: FusedBody = ctx.body
        mesh, points, heads, align = gradients
        cross = torch.zeros_like(ctx.cross)
        if align is not None:
            align_adjoint(body.reference.numpy(), ctx.rotation.numpy(), ctx.cross.numpy(), _array(align), cross.numpy())
        sizes = body.sizes[:2]
        others = [
            cross.new_zeros(len(cross), size) if x is None else x.flatten(1)
            for x, size in zip((points, heads), sizes, strict=True)
        ]
        row = torch.cat([*others, cross.flatten(1)], 1)
        total = row @ body.skeleton_shapes.T
        if mesh is not None:
            pieces = zip(
                mesh.flatten(1).split(SUMMED_AT_ONCE, 1), body.mesh_shapes.split(SUMMED_AT_ONCE, 1), strict=True
            )
            for gradient, shapes in pieces:
                total += gradient @ shapes.T
        return None, total


class _PosedBody(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, body: FusedBody, orientation: Tensor, translation: Tensor, pose: Tensor, mesh: Tensor, points: Tensor,
        heads: Tensor, align: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        from apu.body.anny_fused_kernels import skin

        bones = body.move(orientation, translation, pose, heads, align)
        vertices = torch.empty_like(mesh)
        skin(mesh.detach().numpy(), body.mesh_bones, body.mesh_weights, bones.transform, vertices.numpy())
        joints = torch.from_numpy(body.joint_matrix @ body.skinned_points(points, bones)).to(body.dtype)
        ctx.save_for_backward(mesh, points, heads, align)
        ctx.body, ctx.bones, ctx.dtype = body, bones, pose.dtype
        ctx.set_materialize_grads(False)
        return vertices, joints

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, vertices: Tensor | None, joints: Tensor | None) -> tuple[Tensor | None, ...]:
        from apu.body.anny_fused_kernels import pose_bones_adjoint, skin_adjoint

        body: FusedBody = ctx.body
        bones: Bones = ctx.bones
        mesh, points, heads, align = ctx.saved_tensors
        wants_rest = any(ctx.needs_input_grad[4:])
        g_mesh, g_points = (torch.zeros_like(x) if wants_rest else x.new_empty(0, 0, 3) for x in (mesh, points))
        by_transform = np.zeros_like(bones.transform)
        if vertices is not None:
            skin_adjoint(
                mesh.detach().numpy(), body.mesh_bones, body.mesh_weights, bones.transform,
                vertices.detach().contiguous().numpy(), wants_rest, by_transform, g_mesh.numpy(),
            )  # fmt: skip
        if joints is not None:
            skin_adjoint(
                points.detach().numpy(), body.point_bones, body.point_weights, bones.transform,
                body.joint_matrix.T @ _array(joints), wants_rest, by_transform, g_points.numpy(),
            )  # fmt: skip
        n, d = len(bones.rotvec), len(body.dof_bone)
        by_root, by_place, by_pose = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, d))
        g_heads, g_align = (torch.empty_like(x) if wants_rest else x.new_empty([0] * x.dim()) for x in (heads, align))
        pose_bones_adjoint(
            body.dof_bone, body.dof_axis, body.parent, heads.detach().numpy(), align.detach().numpy(), *bones,
            by_transform, wants_rest, by_root, by_place, by_pose, g_heads.numpy(), g_align.numpy(),
        )  # fmt: skip
        by_parameters = (torch.from_numpy(x).to(ctx.dtype) for x in (by_root, by_place, by_pose))
        by_rest = (g_mesh, g_points, g_heads, g_align) if wants_rest else (None,) * 4
        return None, *by_parameters, *by_rest


def _array(x: Tensor) -> np.ndarray:
    """The values in float64, contiguous."""
    return x.detach().to(torch.float64).contiguous().numpy()


def _sparse(weights: Float[Tensor, "p b"]) -> tuple[np.ndarray, np.ndarray]:
    """(p, K) bones and weights, those with weight first; K is the largest count of any point."""
    most = max(1, int((weights != 0).sum(1).max())) if len(weights) else 1
    kept, bones = weights.topk(most, dim=1)
    return bones.to(torch.int32).numpy().view(np.uint32), kept.contiguous().numpy()
