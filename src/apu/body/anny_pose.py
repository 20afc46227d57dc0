"""Anny's optimised degrees of freedom: about 22 main joints with anatomical bounds. Fingers stay as they rest.

Ranges are hand-set, in the spirit of published humanoid joint ranges; MakeHuman rigs carry none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LEFT, DOWN, BACK = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
"""Body axes in the zero pose: x to the person's left, y down, z behind the person."""


@dataclass(frozen=True)
class Dof:
    """One angle of one joint.

    Attributes:
        name: what a positive angle does, e.g. `left_knee_flexion`.
        bone: the bone it turns.
        axis: body axis of the rotation in the zero pose; "elbow_hinge" or "forearm" where the arm itself gives it.
        default: the relaxed standing pose, radians.
        scale: typical deviation, radians.
        lower, upper: anatomical bounds, radians.
    """

    name: str
    bone: str
    axis: tuple[float, float, float] | str
    default: float
    scale: float
    lower: float
    upper: float


def _scaled(axis: tuple[float, float, float], sign: float) -> tuple[float, float, float]:
    return (sign * axis[0], sign * axis[1], sign * axis[2])


def _trunk() -> Iterator[Dof]:
    for name, bone in (("lower_spine", "spine05"), ("middle_spine", "spine03"), ("upper_spine", "spine01")):
        yield Dof(f"{name}_flexion", bone, LEFT, 0.0, 0.20, -0.35, 0.60)
        yield Dof(f"{name}_bend", bone, BACK, 0.0, 0.15, -0.35, 0.35)
        yield Dof(f"{name}_twist", bone, DOWN, 0.0, 0.17, -0.45, 0.45)
    for name, bone, twist in (("neck", "neck01", 0.7), ("head", "head", 0.8)):
        yield Dof(f"{name}_flexion", bone, LEFT, 0.0, 0.25, -0.60, 0.60)
        yield Dof(f"{name}_bend", bone, BACK, 0.0, 0.22, -0.50, 0.50)
        yield Dof(f"{name}_twist", bone, DOWN, 0.0, 0.32, -twist, twist)


def _limbs(side: str) -> Iterator[Dof]:
    """Arm and leg. `out` turns an axis so that the same angle moves both sides alike, mirrored."""
    suffix, out = (".L", 1.0) if side == "left" else (".R", -1.0)
    forward = _scaled(LEFT, -1.0)
    raised = _scaled(BACK, -out)
    outward = _scaled(DOWN, -out)

    def dof(name: str, bone: str, axis, default: float, scale: float, lower: float, upper: float) -> Dof:
        return Dof(f"{side}_{name}", bone + suffix, axis, default, scale, lower, upper)

    yield dof("clavicle_elevation", "clavicle", raised, 0.0, 0.20, -0.35, 0.35)
    yield dof("clavicle_protraction", "clavicle", _scaled(outward, -1.0), 0.0, 0.20, -0.35, 0.35)
    yield dof("shoulder_flexion", "upperarm01", forward, 0.0, 0.90, -1.20, 2.90)
    yield dof("shoulder_abduction", "upperarm01", raised, -0.45, 0.70, -1.10, 2.10)
    yield dof("shoulder_rotation", "upperarm01", outward, 0.0, 0.80, -1.90, 1.50)
    yield dof("elbow_flexion", "lowerarm01", "elbow_hinge", -0.30, 1.00, -0.75, 1.95)
    yield dof("forearm_pronation", "lowerarm02", "forearm", 0.0, 0.50, -1.40, 1.40)
    yield dof("wrist_flexion", "wrist", forward, 0.0, 0.25, -0.80, 0.80)
    yield dof("wrist_lift", "wrist", raised, 0.0, 0.25, -0.80, 0.80)
    yield dof("wrist_turn", "wrist", outward, 0.0, 0.25, -0.80, 0.80)
    yield dof("hip_flexion", "upperleg01", forward, 0.0, 0.80, -0.50, 2.30)
    yield dof("hip_abduction", "upperleg01", raised, -0.06, 0.40, -0.50, 0.95)
    yield dof("hip_rotation", "upperleg01", outward, 0.0, 0.40, -0.70, 0.90)
    yield dof("knee_flexion", "lowerleg01", LEFT, 0.0, 1.00, -0.05, 2.60)
    yield dof("ankle_plantarflexion", "foot", LEFT, 0.0, 0.30, -0.60, 0.95)
    yield dof("ankle_inversion", "foot", raised, 0.0, 0.20, -0.40, 0.40)


DOFS: tuple[Dof, ...] = (*_trunk(), *_limbs("left"), *_limbs("right"))

MIRROR_FLIPS = ("_bend", "_twist")
"""Trunk angles that change sign in a mirror; limb angles swap sides and keep theirs."""


def mirror_matrix() -> Float[Tensor, "d d"]:
    """`mirror_matrix() @ pose` is the mirrored pose."""
    names = [d.name for d in DOFS]
    matrix = torch.zeros(len(names), len(names))
    for i, name in enumerate(names):
        other = name.replace("left_", "@").replace("right_", "left_").replace("@", "right_")
        sign = -1.0 if other == name and name.endswith(MIRROR_FLIPS) else 1.0
        matrix[i, names.index(other)] = sign
    return matrix


def dof_axes(bone_names: Sequence[str], heads: Float[Tensor, "j 3"]) -> Float[Tensor, "d 3"]:
    """Unit rotation axis of each angle in the zero pose.

    Args:
        bone_names: names of the `j` bones.
        heads: bone positions in the zero pose, body axes, metres.
    """
    at = {name: heads[i] for i, name in enumerate(bone_names)}
    return torch.stack([_axis(d, at) for d in DOFS])


def _axis(dof: Dof, at: dict[str, Tensor]) -> Float[Tensor, " 3"]:
    if not isinstance(dof.axis, str):
        return torch.tensor(dof.axis, dtype=next(iter(at.values())).dtype)
    suffix = dof.bone[-2:]
    upper = at["lowerarm01" + suffix] - at["upperarm01" + suffix]
    fore = at["wrist" + suffix] - at["lowerarm01" + suffix]
    axis = torch.linalg.cross(upper, fore) if dof.axis == "elbow_hinge" else fore * (1.0 if suffix == ".L" else -1.0)
    return axis / axis.norm()
