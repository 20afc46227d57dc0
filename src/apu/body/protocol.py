"""What a body model is, whatever stands behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.rigged import RiggedBody

Role = Literal["orientation", "translation", "angles", "shape_logits"]
Parameters = Mapping[str, Tensor]
"""Parameter name -> tensor of shape (*batch, size), as `parameter_spec` says."""


@dataclass(frozen=True)
class ParameterSpec:
    """One named parameter of a body model.

    Attributes:
        size: numbers per body.
        role: `orientation`: rotation vector of the whole body in the camera frame, radians;
            zero is a person who stands upright and faces the camera. `translation`: position of the
            root joint in the camera frame, metres. `angles`: joint angles, radians; zero is the model's own
            reference pose, the default the relaxed standing pose. `shape_logits`: unbounded numbers: logits of shape
            attributes that live in (0, 1), or coefficients of shape directions in standard deviations.
        names: what each number is, `size` of them.
        default: (size,) a sensible value.
        scale: (size,) the typical deviation from the default (prior standard deviation).
        lower, upper: (size,) hard anatomical bounds; infinite where there is none.
    """

    size: int
    role: Role
    names: tuple[str, ...]
    default: Float[Tensor, " size"]
    scale: Float[Tensor, " size"]
    lower: Float[Tensor, " size"]
    upper: Float[Tensor, " size"]


@dataclass(frozen=True)
class Parts:
    """What `forward` shall compute, so that nobody pays for what is not needed.

    Attributes:
        joint_set: name of a joint set in `apu.body.joints`, or None for no joints.
        vertices: "all", "none", or indices into the full mesh (sorted or not, repeats allowed).
    """

    joint_set: str | None = None
    vertices: Literal["all", "none"] | Int[Tensor, " v"] = "none"


@dataclass(frozen=True)
class Posed:
    """A posed body in the camera frame, metres.

    Attributes:
        vertices: (*batch, v, 3) or None when none were asked for.
        joints: (*batch, j, 3) or None when none were asked for.
    """

    vertices: Float[Tensor, "*batch v 3"] | None
    joints: Float[Tensor, "*batch j 3"] | None


@dataclass(frozen=True)
class Surface:
    """The fixed side of a body's skin.

    Attributes:
        faces: (f, 3) vertex indices, counter-clockwise seen from outside.
        collision_faces: (g, 3) the closed outer skin alone, without eyes and tongue: what others collide with.
        rest_vertices: (v, 3) the default body in its relaxed standing pose, camera axes, metres.
        region_of_vertex: (v,) index into `region_names`.
        region_names: the names of the surface regions, in order.
    """

    faces: Int[Tensor, "f 3"]
    collision_faces: Int[Tensor, "g 3"]
    rest_vertices: Float[Tensor, "v 3"]
    region_of_vertex: Int[Tensor, " v"]
    region_names: Sequence[str] = field(default_factory=tuple)


@runtime_checkable
class BodyModel(Protocol):
    """A skinned body: parameters in, vertices and joints in the camera frame out."""

    @property
    def name(self) -> str:
        """Identifier with version, e.g. `anny-0.6.2`."""
        ...

    @property
    def parameter_spec(self) -> Mapping[str, ParameterSpec]:
        """Describes every parameter of `forward`."""
        ...

    @property
    def surface(self) -> Surface:
        """Faces, rest pose and regions."""
        ...

    @property
    def joint_names(self) -> Sequence[str]:
        """Names of the skeleton's own bones."""
        ...

    @property
    def parents(self) -> Sequence[int]:
        """Parent of each bone, -1 for the root."""
        ...

    @property
    def skinning_weights(self) -> Float[Tensor, "v bones"]:
        """Linear blend skinning weights, rows sum to one."""
        ...

    def forward(self, parameters: Parameters, parts: Parts) -> Posed:
        """Pose a batch of bodies.

        Args:
            parameters: name -> (*batch, size); every name of `parameter_spec`.
            parts: what to compute.
        """
        ...

    def joints_and_jacobian(
        self, parameters: Parameters, joint_set: str, shape: bool = True
    ) -> tuple[Float[Tensor, "*batch k 3"], Float[Tensor, "*batch k 3 n"]]:
        """Joints and their derivatives, without autograd.

        The columns follow `parameter_spec`: orientation as delta in R <- exp(delta) R, then translation, angles,
        and shape logits unless `shape` is False.
        """
        ...

    def rigged(self, parameters: Parameters) -> tuple[RiggedBody, ...]:
        """The bodies with their skeletons, for other programs; batch axes are flattened."""
        ...

    def height(self, parameters: Parameters) -> Float[Tensor, "*batch"]:
        """Standing height in metres, whatever the pose."""
        ...

    def attributes(self, parameters: Parameters) -> dict[str, Float[Tensor, "*batch"]]:
        """Readable shape attributes in (0, 1), e.g. `age`; empty where a model has none."""
        ...


def default_parameters(
    spec: Mapping[str, ParameterSpec], batch: Sequence[int], dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """The default body, repeated over `batch`: name -> (*batch, size)."""
    return {name: s.default.to(dtype).expand(*batch, s.size).clone() for name, s in spec.items()}
