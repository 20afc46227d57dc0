"""Every term of the objective as a pure function, one cost per body or pair, weights applied by the caller.

Axes: `*b` is any batch of bodies, `*p` any batch of pairs. All formulas are ours unless a source is named.
"""

import roma
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.joints import joint_names
from apu.geometry.camera import project
from apu.unite.hypotheses import Beliefs
from apu.unite.problem import JOINT_SET, Evidence, limb_size
from apu.unite.weights import PriorWeights

MID_HIP = joint_names(JOINT_SET).index("mid_hip")
_FEET = [
    [joint_names(JOINT_SET).index(f"{side}_{part}") for part in ("ankle", "heel", "big_toe", "small_toe")]
    for side in ("left", "right")
]


def geman_mcclure(square: Float[Tensor, "*b"], scale: float | Float[Tensor, "*#b"]) -> Float[Tensor, "*b"]:
    """x^2 / (1 + x^2 / s^2): quadratic near zero, never above s^2 (Geman and McClure, 1987)."""
    return square / (1 + square / scale**2)


def reprojection(joints: Float[Tensor, "*b j 3"], e: Evidence) -> Float[Tensor, "*b j 2"]:
    """Projected minus seen keypoints, in keypoint-box diagonals."""
    pixels = project(joints, e.focal_px[..., None], e.center_px[..., None, :])
    return (pixels - e.pixels) / e.diagonal_px[..., None, None]


def keypoint_loss(joints: Float[Tensor, "*b j 3"], e: Evidence, sigma: float, robust: float) -> Float[Tensor, "*b"]:
    """sum_j trust_j GM(|error_j|) / (2 sigma^2), errors in box diagonals."""
    square = reprojection(joints, e).square().sum(-1)
    return (e.trust * geman_mcclure(square, robust)).sum(-1) / (2 * sigma**2)


def gaussian(
    x: Float[Tensor, "*b n"], mean: Float[Tensor, "*#b n"], scale: Float[Tensor, "*#b n"]
) -> Float[Tensor, "*b"]:
    """1/2 sum ((x - mean) / scale)^2: the pose and shape priors."""
    return 0.5 * ((x - mean) / scale).square().sum(-1)


def bounds(
    x: Float[Tensor, "*b n"], lower: Float[Tensor, " n"], upper: Float[Tensor, " n"], sigma: float
) -> Float[Tensor, "*b"]:
    """1/2 sum (excess / sigma)^2 beyond anatomical bounds, radians."""
    excess = torch.relu(lower - x) + torch.relu(x - upper)
    return 0.5 * (excess / sigma).square().sum(-1)


def upright(orientation: Float[Tensor, "*b 3"], lean_sigma: float, tilt_sigma: float) -> Float[Tensor, "*b"]:
    """1/2 ((lean / sigma)^2 + (tilt / sigma)^2) of the body's vertical against the image's.

    Lean is out of the image plane, where keypoints say little; tilt is in it.
    """
    down = roma.rotvec_to_rotmat(orientation)[..., :, 1]
    return 0.5 * ((down[..., 2] / lean_sigma).square() + (down[..., 0] / tilt_sigma).square())


def in_front(joints: Float[Tensor, "*b j 3"], near_m: float, sigma_m: float) -> Float[Tensor, "*b"]:
    """1/2 sum (missing depth / sigma)^2 of joints nearer than `near_m`, metres."""
    return 0.5 * (torch.relu(near_m - joints[..., 2]) / sigma_m).square().sum(-1)


def hint_error(joints: Float[Tensor, "*b 25 3"], e: Evidence) -> Float[Tensor, "*b 25"]:
    """Depth of every joint behind the hips minus its guess, at the body's own size; metres. No gradient by the size."""
    behind = joints[..., 2] - joints[..., MID_HIP, 2, None]
    scale = limb_size(joints).detach() / e.hint_size_m
    return behind - scale[..., None] * e.hint_depth_m


def depth_hint(joints: Float[Tensor, "*b 25 3"], e: Evidence, sigma_m: float, robust_m: float) -> Float[Tensor, "*b"]:
    """sum_j trust_j GM(error_j) / (2 sigma^2): a guess at who bends towards the camera, and never more than a guess."""
    square = hint_error(joints, e).square()
    return (e.hint_trust * geman_mcclure(square, robust_m)).sum(-1) / (2 * sigma_m**2)


def turned(orientation: Float[Tensor, "*b 3"], estimate: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """sin(angle) times the axis of the rotation from the estimated orientation to this one."""
    m = roma.rotvec_to_rotmat(orientation) @ roma.rotvec_to_rotmat(estimate).mT
    odd = [m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]]
    return 0.5 * torch.stack(odd, -1)


def near_estimate(
    orientation: Float[Tensor, "*b 3"], depth: Float[Tensor, "*b"], b: Beliefs, robust_m: float
) -> Float[Tensor, "*b"]:
    """1/2 (chord^2 / sigma^2 + GM(depth - estimate) / sigma^2): orientation and depth near another program's.

    chord^2 = |R - R_estimate|^2 / 2, with the Frobenius norm, is the squared angle for small angles, and is smooth.
    """
    chord = (roma.rotvec_to_rotmat(orientation) - roma.rotvec_to_rotmat(b.turn)).square().sum((-2, -1)) / 2
    apart = geman_mcclure((depth - b.depth_m).square(), robust_m)
    return 0.5 * (b.turn_precision * chord + b.depth_precision * apart)


def depth_gap(
    depth_a: Float[Tensor, "*#p"], depth_b: Float[Tensor, "*#p"], a: Beliefs, b: Beliefs, pw: PriorWeights
) -> Float[Tensor, "*p"]:
    """1/2 (gap / sigma)^2: who touch stand at one depth; and GM(gap - estimated gap) / (2 error^2), where there is one.

    Args:
        depth_a, depth_b: of both roots, metres.
        a, b: beliefs of both people, whose fields broadcast with the depths.
        pw: sigma, error, and the robust scale.
    """
    gap = depth_a - depth_b
    estimated = ((a.depth_precision > 0) & (b.depth_precision > 0)).to(gap.dtype)
    off = geman_mcclure((gap - (a.depth_m - b.depth_m)).square(), pw.gap_robust_m) / pw.gap_error_m**2
    return 0.5 * ((gap / pw.gap_sigma_m).square() + estimated * off)


def lowest_foot(joints: Float[Tensor, "*b 25 3"], e: Evidence) -> tuple[Float[Tensor, "*b"], Float[Tensor, "*b"]]:
    """Place of a body's lowest foot joint along the image's vertical, metres, and how far it is believed, in [0, 1].

    Believed is what the photo shows of that foot, of whoever is said to stand on the floor. The choice of the joint
    has no gradient.
    """
    feet = joints[..., _FEET, 1].amax(-1)
    seen = e.trust[..., _FEET].amax(-1).clamp_max(1) * e.on_floor[..., None]
    lower = feet.argmax(-1, keepdim=True)
    return feet.gather(-1, lower)[..., 0], seen.gather(-1, lower)[..., 0]


def shared_floor(
    low_a: Float[Tensor, "*#p"], low_b: Float[Tensor, "*#p"], belief: Float[Tensor, "*#p"], pw: PriorWeights
) -> Float[Tensor, "*p"]:
    """belief GM(low_a - low_b) / (2 sigma^2): who stands on the other's floor is as far away as that floor.

    Where a foot is seen below the horizon, its height and its depth fix each other, whatever the size of the body is.
    The floor is level and the camera neither rolls nor looks far up or down: an angle t makes an error of sin(t) times
    the gap in depth, which sigma covers for the gaps of people who touch.

    Args:
        low_a, low_b: of A and B, from `lowest_foot`.
        belief: product of both people's.
        pw: sigma, and the robust scale.
    """
    return 0.5 * belief * geman_mcclure((low_a - low_b).square(), pw.floor_robust_m) / pw.floor_sigma_m**2


def height_prior(
    height: Float[Tensor, "*b"], mean: Float[Tensor, "*b"], sigma: Float[Tensor, "*b"]
) -> Float[Tensor, "*b"]:
    """1/2 ((height - mean) / sigma)^2, metres."""
    return 0.5 * ((height - mean) / sigma).square()


def soft_minimum(distance: Float[Tensor, "*p n"], mask: Bool[Tensor, "*p n"], tau: float) -> Float[Tensor, "*p"]:
    """sum_i sg(w_i) d_i with w = softmax(-d / tau): the smallest distance, smoothly.

    The weights are detached, so no point is pushed away to lower another's weight, and no log-sum-exp bias remains.
    Those of masked distances are 0, and the distances themselves are finite.
    """
    weight = torch.softmax((-distance.detach() / tau).masked_fill(~mask, -torch.inf), -1)
    return (weight * distance).sum(-1)


def soft_region_distance(
    a: Float[Tensor, "*p n 3"], b: Float[Tensor, "*p m 3"], mask_a: Bool[Tensor, "*p n"], mask_b: Bool[Tensor, "*p m"],
    tau: float,
) -> Float[Tensor, "*p"]:  # fmt: skip
    """Mean of both directions of the soft minimum over nearest-point distances between two sampled regions, metres.

    Nearest points are found without gradient; the distance to them is differentiated.
    """
    with torch.no_grad():
        of_a, of_b = a.mT.contiguous(), b.mT.contiguous()  # sums over an outer axis are several times faster
        square = (of_a[..., :, None] - of_b[..., None, :]).square_().sum(-3)
        square = square.masked_fill_(~(mask_a[..., :, None] & mask_b[..., None, :]), torch.inf)
        to_b, to_a = square.argmin(-1), square.argmin(-2)
    d_a, d_b = safe_norm(a - points_at(b, to_b)), safe_norm(b - points_at(a, to_a))
    return 0.5 * (soft_minimum(d_a, mask_a, tau) + soft_minimum(d_b, mask_b, tau))


def points_at(points: Float[Tensor, "*p m 3"], index: Int[Tensor, "*p n"]) -> Float[Tensor, "*p n 3"]:
    """The points of these indices; quicker than `take_along_dim`, which allows negative ones."""
    return points.gather(-2, index[..., None].expand(*index.shape, 3))


def contact_loss(
    distance: Float[Tensor, "*p c"], weight: Float[Tensor, "*p c"], reach_m: float | Float[Tensor, "*#p c"]
) -> Float[Tensor, "*p"]:
    """sum_c weight_c GM(d_c) / sqrt(number of contacts), m^2: a far wrong contact cannot tear the bodies apart."""
    count = (weight > 0).sum(-1).clamp_min(1).to(distance.dtype)
    return (weight * geman_mcclure(distance.square(), reach_m)).sum(-1) / count.sqrt()


def safe_norm(x: Float[Tensor, "*p 3"]) -> Float[Tensor, "*p"]:
    """Length with a finite gradient at zero."""
    return (x.square().sum(-1) + 1e-12).sqrt()


def penetration_loss(depth_m: Float[Tensor, "*p 2 n"], area_m2: Float[Tensor, "*p 2 n"]) -> Float[Tensor, "*p"]:
    """Sum over both bodies' vertices of area x depth^2, cm^4: the integral of squared depth over the sunken skin."""
    return (area_m2 * depth_m.square()).sum((-2, -1)) * 1e8


def segment_minimum(distance: Float[Tensor, " m"], segment: Int[Tensor, " m"], segments: int) -> Float[Tensor, " s"]:
    """Smallest distance of every ragged group, as in `segment_soft_minimum`; infinite for a group without entries."""
    lowest = torch.full((segments,), torch.inf, dtype=distance.dtype, device=distance.device)
    return lowest.scatter_reduce(0, segment, distance, "amin")


def segment_soft_minimum(
    distance: Float[Tensor, " m"], segment: Int[Tensor, " m"], segments: int, tau: float
) -> Float[Tensor, " s"]:
    """`soft_minimum` over ragged groups: entry i belongs to group `segment[i]`, and every group has one."""
    with torch.no_grad():
        lowest = segment_minimum(distance, segment, segments)
        share = torch.exp((lowest[segment] - distance) / tau)
        total = torch.zeros_like(lowest).index_add_(0, segment, share)
    return torch.zeros_like(lowest).index_add(0, segment, share / total[segment] * distance)
