"""SMPL-X and SMPL-XA behind the `BodyModel` protocol, from the user's own files.

The parameters are those of every body here (`apu.body.smplx_pose`): 47 named angles, and as shape ten betas and, with a
kid template, the logit of `age`. Fingers rest relaxed; face and expression are neutral. `skinned` takes everything
that SMPL-X itself has.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.anny_pose import DOFS
from apu.body.closed_skin import closed_skin
from apu.body.joints import joint_names
from apu.body.protocol import Parameters, ParameterSpec, Parts, Posed, Role, Surface
from apu.body.region_names import REGION_NAMES
from apu.body.regions import label_regions
from apu.body.rigged import RiggedBody
from apu.body.smplx_asset import BODY_JOINTS, SMPLX_JOINTS, SMPLX_LAYOUT, SMPLX_PARENTS, Layout, SmplxAsset
from apu.body.smplx_file import BETAS, EXPRESSIONS, load_smplx_asset
from apu.body.smplx_place import find_smplx
from apu.body.smplx_pose import CAMERA_FROM_SMPLX, body_rotations, pose_tables
from apu.body.smplx_skinning import SkinTables, rest_skin, rotations, skin, skin_tables
from apu.errors import InputError

KEPT_TABLES = 24
ADULT_AGE = 2 / 3
"""Anny's young adult. From here on down to age 0 the kid template's share rises from 0 to 1, in a line."""
_AGE_DEFAULT, _AGE_SCALE = 0.72, 0.4
"""As Anny's."""
_MIDPOINTS = {"neck": "shoulder", "mid_hip": "hip"}


class SmplxBody:
    """A body of the user's SMPL-X model.

    Args:
        asset: its numbers.
        dtype, device: of all outputs.
    """

    def __init__(
        self, asset: SmplxAsset, dtype: torch.dtype = torch.float32, device: torch.device | None = None
    ) -> None:
        self.asset = asset
        self.dtype = dtype
        self.device = device or torch.device("cpu")
        self._like = torch.zeros(0, dtype=dtype, device=self.device)
        self._cached: dict[tuple[str | None, bytes | str], tuple[SkinTables, Tensor]] = {}

    @staticmethod
    def load(
        place: Path | None = None, dtype: torch.dtype = torch.float32, layout: Layout = SMPLX_LAYOUT
    ) -> "SmplxBody":
        """The body of a file or folder; see `smplx_place` without one. Raises ModelFileError and InputError."""
        return SmplxBody(load_smplx_asset(find_smplx(place), layout), dtype)

    @property
    def name(self) -> str:
        """`smplx-` or, with a kid template, `smplxa-`, and which file it came from."""
        return f"smplx{'a' if self.asset.kid else ''}-{self.asset.digest}"

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The 55 joints."""
        return SMPLX_JOINTS

    @property
    def parents(self) -> tuple[int, ...]:
        """Parent of each joint; -1 for the root."""
        return SMPLX_PARENTS

    @property
    def skinning_weights(self) -> Float[Tensor, "v 55"]:
        """Weights of the mesh vertices."""
        return self.asset.weights.to(self._like)

    @property
    def vertex_count(self) -> int:
        """Vertices of the full mesh."""
        return len(self.asset.template)

    @property
    def parameter_spec(self) -> dict[str, ParameterSpec]:
        """orientation (3), translation (3), pose (47 angles), shape (10 betas; with a kid template the age's logit)."""
        return self._parameter_spec

    @cached_property
    def _parameter_spec(self) -> dict[str, ParameterSpec]:

        def tensor(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=self.dtype, device=self.device)

        def free(role: Role, names: tuple[str, ...], default: list[float], scale: list[float]) -> ParameterSpec:
            bound = tensor([math.inf] * len(names))
            return ParameterSpec(len(names), role, names, tensor(default), tensor(scale), -bound, bound)

        angles = [tensor([getattr(d, n) for d in DOFS]) for n in ("default", "scale", "lower", "upper")]
        betas = tuple(f"beta_{i}" for i in range(BETAS))
        age = [math.log(_AGE_DEFAULT / (1 - _AGE_DEFAULT))] if self.asset.kid else []
        return {
            "orientation": free("orientation", ("x", "y", "z"), [0.0] * 3, [1.0] * 3),
            "translation": free("translation", ("x", "y", "z"), [0.0, 0.0, 3.0], [1.0] * 3),
            "pose": ParameterSpec(len(DOFS), "angles", tuple(d.name for d in DOFS), *angles),
            "shape": free(
                "shape_logits",
                betas + ("age",) * self.asset.kid,
                [0.0] * BETAS + age,
                [1.0] * BETAS + [_AGE_SCALE] * self.asset.kid,
            ),
        }

    @property
    def surface(self) -> Surface:
        """Faces, regions by the same rules as Anny's (T-pose and skinning weights), the closed skin, the rest pose."""
        return self._surface

    @cached_property
    def _surface(self) -> Surface:
        a = self.asset
        joints = self._rest_joints.numpy()
        try:
            labels = label_regions(
                a.template.numpy(), a.faces.numpy(), a.weights.numpy(), SMPLX_JOINTS, SMPLX_PARENTS, joints
            )
        except ValueError as error:
            raise InputError(
                "The SMPL-X model has no skin where its skeleton has limbs.",
                where=self.name,
                expected="a body whose surface lies around its joints",
                got=str(error)[:200],
                remedy="take SMPLX_NEUTRAL.npz as it was published.",
            ) from error
        rest = {k: s.default[None] for k, s in self.parameter_spec.items()}
        rest["translation"] = torch.zeros_like(rest["translation"])
        vertices = self.forward(rest, Parts(vertices="all")).vertices
        assert vertices is not None
        skin_faces = torch.from_numpy(closed_skin(a.faces.numpy()))
        return Surface(
            a.faces.to(self.device),
            skin_faces.to(self.device),
            vertices[0],
            torch.from_numpy(labels).to(self.device),
            REGION_NAMES,
        )

    def forward(self, parameters: Parameters, parts: Parts) -> Posed:
        """See `BodyModel.forward`."""
        flat = self._flat(parameters)
        batch = parameters["pose"].shape[:-1]
        tables, matrix = self._tables(parts)
        points, joints = self._posed(tables, matrix, rotations(flat["orientation"]), flat)
        wanted = isinstance(parts.vertices, Tensor) or parts.vertices == "all"
        mesh = points[:, : points.shape[1] - len(self.asset.landmarks) - 1] if parts.joint_set else points
        return Posed(
            mesh.reshape(*batch, *mesh.shape[1:]) if wanted else None,
            joints.reshape(*batch, *joints.shape[1:]) if parts.joint_set else None,
        )

    def joints_and_jacobian(
        self, parameters: Parameters, joint_set: str, shape: bool = True
    ) -> tuple[Float[Tensor, "*batch k 3"], Float[Tensor, "*batch k 3 n"]]:
        """See `BodyModel.joints_and_jacobian`; by forward-mode differentiation, all columns at once."""
        flat = self._flat(parameters)
        batch = parameters["pose"].shape[:-1]
        tables, matrix = self._tables(Parts(joint_set))
        sizes = [3, 3, flat["pose"].shape[-1], *([flat["shape"].shape[-1]] if shape else [])]

        def joints_of(step: Tensor, turn: Tensor, p: dict[str, Tensor]) -> Tensor:
            delta, shift, bend, *reshape = step.split(sizes)
            moved = {"translation": (p["translation"] + shift)[None], "pose": (p["pose"] + bend)[None]}
            moved["shape"] = (p["shape"] + (reshape[0] if reshape else 0.0))[None]
            return self._posed(tables, matrix, (rotations(delta) @ turn)[None], moved)[1][0]

        turn = rotations(flat["orientation"])
        still = flat["pose"].new_zeros(sum(sizes))
        if not len(turn):
            jacobian = turn.new_zeros(0, len(matrix), 3, len(still))
        else:
            per_body = torch.func.jacfwd(joints_of)
            jacobian = torch.func.vmap(per_body, (None, 0, 0))(still, turn, flat)
        joints = self._posed(tables, matrix, turn, flat)[1]
        return joints.reshape(*batch, *joints.shape[1:]), jacobian.reshape(*batch, *jacobian.shape[1:])

    def height(self, parameters: Parameters) -> Float[Tensor, "*batch"]:
        """Crown to sole of the standing body, metres; differentiable in the shape."""
        crown, sole = self._crown, int(self.asset.template[:, 1].argmin())
        ends = [(self.asset.template[i, 1], self.asset.shape_dirs[:, i, 1]) for i in (crown, sole)]
        coefficients = self._coefficients(parameters["shape"])
        span = (ends[0][1] - ends[1][1]).to(self._like)
        return (ends[0][0] - ends[1][0]).to(self._like) + coefficients @ span

    def attributes(self, parameters: Parameters) -> dict[str, Float[Tensor, "*batch"]]:
        """`age` in (0, 1) with a kid template, on Anny's scale: 0 the kid template, 2/3 and above the adult."""
        return {"age": torch.sigmoid(parameters["shape"][..., BETAS])} if self.asset.kid else {}

    # ---- everything that SMPL-X has

    def skinned(self, smplx: Mapping[str, Tensor]) -> tuple[Float[Tensor, "n v 3"], Float[Tensor, "n 55 3"]]:
        """Vertices and joints of SMPL-X's own parameters, in the frame that they are given in.

        Args:
            smplx: name -> (n, size), all rotations as rotation vectors: global_orient 3, body_pose 63, jaw_pose,
                leye_pose and reye_pose 3, left_hand_pose and right_hand_pose 45 (not offsets from the mean hand),
                betas 10, with a kid template kid_weight 1, expression 10, transl 3. What is left out is zero.

        Raises:
            InputError: a parameter is unknown, has another size, or `n` differs.
        """
        values = self._checked_smplx(smplx)
        poses = ("global_orient", "body_pose", "jaw_pose", "leye_pose", "reye_pose", "left_hand_pose",
                 "right_hand_pose")  # fmt: skip
        local = rotations(torch.cat([values[k] for k in poses], -1).unflatten(-1, (55, 3)))
        shapes = ("betas", "kid_weight", "expression") if self.asset.kid else ("betas", "expression")
        coefficients = torch.cat([values[k] for k in shapes], -1)
        t = self._all_tables
        root = t.joint_template[0] + coefficients @ t.joint_dirs[:, :3] + values["transl"]
        out = skin(t, coefficients, local[:, t.joints], root)
        return out.points, out.joints

    def to_smplx(self, parameters: Parameters) -> dict[str, Float[Tensor, "n _"]]:
        """The same bodies in SMPL-X's own parameters, as `skinned` takes them; batch axes are flattened.

        The frame stays the camera's, so `global_orient` holds the half turn from y up to y down.
        """
        import roma

        flat = self._flat(parameters)
        local = body_rotations(self._pose_tables, rotations(flat["orientation"]), flat["pose"])
        vectors = roma.rotmat_to_rotvec(local)
        n = len(vectors)
        coefficients = self._coefficients(flat["shape"])
        t = self._all_tables
        at_rest = t.joint_template[0] + coefficients @ t.joint_dirs[: coefficients.shape[1], :3]
        hands = self.asset.hand_mean.to(self._like).expand(n, 90)
        zero = vectors.new_zeros(n, 3)
        return {
            "global_orient": vectors[:, 0],
            "body_pose": vectors[:, 1:].flatten(1),
            "jaw_pose": zero,
            "leye_pose": zero,
            "reye_pose": zero,
            "left_hand_pose": hands[:, :45],
            "right_hand_pose": hands[:, 45:],
            "betas": coefficients[:, :BETAS],
            **({"kid_weight": coefficients[:, BETAS:]} if self.asset.kid else {}),
            "expression": vectors.new_zeros(n, EXPRESSIONS),
            "transl": flat["translation"] - at_rest,
        }

    # ---- tables

    def _posed(
        self, tables: SkinTables, matrix: Tensor, turn: Tensor, flat: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, "n p 3"], Float[Tensor, "n k 3"]]:
        local = self._local(tables, turn, flat["pose"])
        out = skin(tables, self._coefficients(flat["shape"]), local, flat["translation"])
        marks = out.points[:, out.points.shape[1] - (matrix.shape[1] - BODY_JOINTS) :]
        return out.points, matrix @ torch.cat([out.joints[:, :BODY_JOINTS], marks], 1)

    def _local(self, tables: SkinTables, turn: Tensor, pose: Tensor) -> Float[Tensor, "n b 3 3"]:
        """Rotations of the joints of `tables` against their parents."""
        body = body_rotations(self._pose_tables, turn, pose)
        rest = self._fixed[tables.joints[BODY_JOINTS:]]
        return torch.cat([body, rest.expand(len(body), *rest.shape)], 1)

    def rigged(self, parameters: Parameters) -> tuple[RiggedBody, ...]:
        """The bodies with their skeletons; batch axes are flattened. Pose blend shapes are in `rest_vertices`."""
        flat = self._flat(parameters)
        tables, _ = self._tables(Parts(vertices="all"))
        local = self._local(tables, rotations(flat["orientation"]), flat["pose"])
        coefficients = self._coefficients(flat["shape"])
        out = skin(tables, coefficients, local, flat["translation"])
        points, joints = rest_skin(tables, coefficients, local)
        flip = torch.tensor(CAMERA_FROM_SMPLX).to(self._like)
        names = tuple(SMPLX_JOINTS[int(j)] for j in tables.joints)
        parents = (-1, *tables.parent[1:].tolist())
        moves = tuple(int(j) < BODY_JOINTS for j in tables.joints)
        return tuple(
            RiggedBody(names, parents, p * flip, j * flip, tables.weights, turn * flip, at, moves)
            for p, j, turn, at in zip(points, joints, out.rotation, out.joints, strict=True)
        )

    def _coefficients(self, shape: Float[Tensor, "*b s"]) -> Float[Tensor, "*b s"]:
        """Betas, and the kid template's share."""
        if not self.asset.kid:
            return shape
        share = (1 - torch.sigmoid(shape[..., BETAS:]) / ADULT_AGE).clamp_min(0.0)
        return torch.cat([shape[..., :BETAS], share], -1)

    def _tables(self, parts: Parts) -> tuple[SkinTables, Float[Tensor, "k q"]]:
        """Tables of the wanted vertices, then of the landmarks and the crown; and the joints from them."""
        chosen = parts.vertices
        key = (
            parts.joint_set,
            chosen.to("cpu", torch.int64).numpy().tobytes() if isinstance(chosen, Tensor) else chosen,
        )
        found = self._cached.pop(key, None)
        if found is None:
            if isinstance(chosen, Tensor):
                mesh = chosen.cpu().to(torch.int64)
            else:
                mesh = torch.arange(self.vertex_count if chosen == "all" else 0)
            marks = [*self.asset.landmarks.values(), self._crown] if parts.joint_set else []
            points = torch.cat([mesh, torch.tensor(marks, dtype=torch.int64)])
            tables = skin_tables(self.asset, points, self._fixed, BODY_JOINTS, self._like)
            found = tables, self._joint_matrix(parts.joint_set)
        self._cached[key] = found  # last in the dictionary: used last
        if len(self._cached) > KEPT_TABLES:
            del self._cached[next(iter(self._cached))]
        return found

    def _joint_matrix(self, joint_set: str | None) -> Float[Tensor, "k q"]:
        """Rows of a joint set over the 22 body joints, the landmarks and the crown."""
        names = [*SMPLX_JOINTS[:BODY_JOINTS], *self.asset.landmarks, "head_top"]
        one = torch.eye(len(names), dtype=self.dtype, device=self.device)
        if joint_set is None:
            return one[:0, :BODY_JOINTS]
        rows = dict(zip(names, one, strict=True))
        for name, ends in _MIDPOINTS.items():
            if name != "neck" or joint_set != "j14":
                rows[name] = (rows[f"left_{ends}"] + rows[f"right_{ends}"]) / 2
        return torch.stack([rows[name] for name in joint_names(joint_set)])

    @cached_property
    def _rest_joints(self) -> Float[Tensor, "55 3"]:
        return self.asset.regressor @ self.asset.template

    @cached_property
    def _crown(self) -> int:
        return int(self.asset.template[:, 1].argmax())

    @cached_property
    def _pose_tables(self):
        return pose_tables(self._rest_joints, self._like)

    @cached_property
    def _fixed(self) -> Float[Tensor, "55 3 3"]:
        """Rotations of the joints that the parameters leave alone: face at rest, fingers relaxed."""
        vectors = torch.zeros(55, 3, dtype=torch.float64)
        vectors[25:] = self.asset.hand_mean.unflatten(0, (30, 3))
        return rotations(vectors).to(self._like)

    @cached_property
    def _all_tables(self) -> SkinTables:
        every: Int[Tensor, " v"] = torch.arange(self.vertex_count)
        return skin_tables(self.asset, every, self._fixed, 55, self._like, expressive=True)

    def _flat(self, parameters: Parameters) -> dict[str, Float[Tensor, "n _"]]:
        """Without batch axes; InputError where a parameter has another size."""
        for name, spec in self.parameter_spec.items():
            if name not in parameters or parameters[name].shape[-1] != spec.size:
                raise _wrong_size(name, spec.size, parameters[name].shape if name in parameters else "nothing")
        return {k: v.reshape(-1, v.shape[-1]) for k, v in parameters.items()}

    def _checked_smplx(self, smplx: Mapping[str, Tensor]) -> dict[str, Float[Tensor, "n _"]]:
        sizes = {
            "global_orient": 3, "body_pose": 63, "jaw_pose": 3, "leye_pose": 3, "reye_pose": 3, "left_hand_pose": 45,
            "right_hand_pose": 45, "betas": BETAS, "expression": EXPRESSIONS, "transl": 3,
        }  # fmt: skip
        sizes |= {"kid_weight": 1} if self.asset.kid else {}
        n = len(next(iter(smplx.values()))) if smplx else 1
        for name, value in smplx.items():
            if name not in sizes:
                raise _wrong_size(name, f"no such parameter; there are {', '.join(sizes)}", tuple(value.shape))
            if value.shape != (n, sizes[name]):
                raise _wrong_size(name, (n, sizes[name]), tuple(value.shape))
        zero = {name: self._like.new_zeros(n, size) for name, size in sizes.items()}
        return zero | {name: value.to(self._like) for name, value in smplx.items()}


def _wrong_size(name: str, expected: object, got: object) -> InputError:
    return InputError(
        "A parameter does not fit the SMPL-X body.",
        where=name,
        expected=expected,
        got=got,
        remedy="give each body's own numbers: ten betas, and kid_weight or age only with a kid template.",
    )
