"""How far joints and vertices are from the truth, millimetres.

All functions take both people of `p` pairs in the camera frame, metres; joints are J14 (`apu.body.joints`), and the
root is the middle of both hips. Person order is fixed by identity: A is compared with A. What is not finite gives NaN
for the person, or the pair, that it concerns.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.evaluate.procrustes import aligned

JOINT_SET = "j14"
_HIPS = [joint_names(JOINT_SET).index(name) for name in ("left_hip", "right_hip")]
_MM = 1000.0

Joints = Float[Tensor, "p 2 14 3"]


def mid_hip(joints: Joints) -> Float[Tensor, "p 2 3"]:
    """The root: the middle of both hips."""
    return joints[..., _HIPS, :].mean(-2)


def pa_mpjpe_mm(predicted: Joints, true: Joints) -> Float[Tensor, "p 2"]:
    """Mean joint error of each person after an own similarity alignment, mm."""
    return _mean_distance_mm(aligned(predicted.flatten(0, 1), true.flatten(0, 1)), true.flatten(0, 1)).unflatten(
        0, (-1, 2)
    )


def pair_pa_mpjpe_mm(predicted: Joints, true: Joints) -> Float[Tensor, " p"]:
    """Mean error of the 28 joints of both people after one similarity alignment of them all, mm.

    The field's "joint" PA-MPJPE (BUDDI): it sees how the two people stand to each other.
    """
    return _mean_distance_mm(aligned(predicted.flatten(1, 2), true.flatten(1, 2)), true.flatten(1, 2))


def mpjpe_mm(predicted: Joints, true: Joints) -> Float[Tensor, "p 2"]:
    """Mean joint error of each person with the roots laid on each other, mm.

    BUDDI's scripts lay the first joint of J14 on each other, which is the right ankle; we do not follow them there.
    """
    return _mean_distance_mm(_about(predicted, mid_hip(predicted)), _about(true, mid_hip(true)))


def pair_mpjpe_mm(predicted: Joints, true: Joints) -> Float[Tensor, " p"]:
    """Mean error of the 28 joints where they stand in the camera frame, without any alignment, mm."""
    return _mean_distance_mm(predicted.flatten(1, 2), true.flatten(1, 2))


def relative_translation_error_mm(predicted: Joints, true: Joints) -> Float[Tensor, " p"]:
    """Length of the error of B's root as seen from A's root, |(B - A) predicted - (B - A) true|, mm."""
    return _relative_translation_mm(predicted, true).norm(dim=-1)


def relative_depth_error_mm(predicted: Joints, true: Joints) -> Float[Tensor, " p"]:
    """The part of `relative_translation_error_mm` that is along the camera's z axis, without its sign, mm."""
    return _relative_translation_mm(predicted, true)[:, 2].abs()


def vertex_error_mm(
    predicted: Float[Tensor, "p 2 v 3"], true: Float[Tensor, "p 2 v 3"], predicted_joints: Joints, true_joints: Joints
) -> Float[Tensor, "p 2"]:
    """Mean vertex error of each person with the roots laid on each other, mm; the meshes have one topology."""
    return _mean_distance_mm(_about(predicted, mid_hip(predicted_joints)), _about(true, mid_hip(true_joints)))


def pa_vertex_error_mm(predicted: Float[Tensor, "p 2 v 3"], true: Float[Tensor, "p 2 v 3"]) -> Float[Tensor, "p 2"]:
    """Mean vertex error of each person after an own similarity alignment of the vertices, mm."""
    moved = aligned(predicted.flatten(0, 1), true.flatten(0, 1))
    return _mean_distance_mm(moved, true.flatten(0, 1)).unflatten(0, (-1, 2))


def better_order(predicted: Joints, true: Joints) -> Bool[Tensor, " p"]:
    """Whether the pair PA-MPJPE is lower when the predicted people are exchanged; ties and NaN keep the order."""
    return pair_pa_mpjpe_mm(predicted.flip(1), true) < pair_pa_mpjpe_mm(predicted, true)


def pair_pa_mpjpe_better_order_mm(predicted: Joints, true: Joints) -> Float[Tensor, " p"]:
    """`pair_pa_mpjpe_mm` of the better of both person orders, mm: blind to exchanged people.

    BUDDI's scripts report this on CHI3D and Hi4D; it stands beside the error of the true order, never in its place.
    """
    straight, exchanged = pair_pa_mpjpe_mm(predicted, true), pair_pa_mpjpe_mm(predicted.flip(1), true)
    return torch.where(better_order(predicted, true), exchanged, straight)


def joint_rows(predicted: Joints, true: Joints) -> dict[str, Float[Tensor, " p"]]:
    """All joint errors by name, for an accumulator, mm. `pa_mpjpe_mm` and `mpjpe_mm` are means over A and B."""
    rows = {}
    for name, values in (("pa_mpjpe", pa_mpjpe_mm(predicted, true)), ("mpjpe", mpjpe_mm(predicted, true))):
        rows[f"{name}_mm"] = values.mean(1)
        rows[f"{name}_a_mm"], rows[f"{name}_b_mm"] = values.unbind(1)
    rows["pair_pa_mpjpe_mm"] = pair_pa_mpjpe_mm(predicted, true)
    rows["pair_pa_mpjpe_better_order_mm"] = pair_pa_mpjpe_better_order_mm(predicted, true)
    rows["pair_mpjpe_mm"] = pair_mpjpe_mm(predicted, true)
    rows["relative_translation_error_mm"] = relative_translation_error_mm(predicted, true)
    rows["relative_depth_error_mm"] = relative_depth_error_mm(predicted, true)
    return rows


def vertex_rows(
    predicted: Float[Tensor, "p 2 v 3"], true: Float[Tensor, "p 2 v 3"], predicted_joints: Joints, true_joints: Joints
) -> dict[str, Float[Tensor, " p"]]:
    """Both vertex errors by name, means over A and B, mm."""
    return {
        "vertex_error_mm": vertex_error_mm(predicted, true, predicted_joints, true_joints).mean(1),
        "pa_vertex_error_mm": pa_vertex_error_mm(predicted, true).mean(1),
    }


def _relative_translation_mm(predicted: Joints, true: Joints) -> Float[Tensor, "p 3"]:
    a, b = (mid_hip(predicted.double()) - mid_hip(true.double())).unbind(1)
    return _nan_unless_finite(_MM * (b - a))


def _about(points: Float[Tensor, "p 2 k 3"], root: Float[Tensor, "p 2 3"]) -> Float[Tensor, "p 2 k 3"]:
    return points.double() - root.double()[..., None, :]


def _mean_distance_mm(predicted: Float[Tensor, "*b k 3"], true: Float[Tensor, "*b k 3"]) -> Float[Tensor, "*b"]:
    return _nan_unless_finite(_MM * (predicted.double() - true.double()).norm(dim=-1).mean(-1))


def _nan_unless_finite(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    return torch.where(values.isfinite(), values, torch.nan)
