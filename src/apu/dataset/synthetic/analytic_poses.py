"""Postures that no open motion capture holds: sitting, kneeling, squatting, bending, lying; see `POSTURES`.

A table says how the pelvis leans and where thighs and shins point in the level frame, because that is what keeps
soles, shins or buttocks on the ground; hip, knee and ankle angles follow from it. The rules are ours.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.anny_pose import mirror_matrix
from apu.dataset.synthetic.legs import (
    KNEE_M,
    NAMES,
    SHIN_M,
    SOLE_M,
    THIGH_M,
    column,
    on_both_feet,
    with_columns,
    with_level_soles,
)
from apu.dataset.synthetic.postures import POSTURES, Leg, Posture, Spread

ALIKE = 0.96
"""Share of the variance that the two legs of one person have in common."""
FEET_DEG: dict[str, Spread] = {"flat": (0.0, 0.0), "instep": (48.0, 4.0), "toes": (-28.0, 3.0), "loose": (22.0, 8.0)}
"""Plantar flexion; that of a flat foot follows from its leg."""


def posed(
    family: str, standing: Float[Tensor, "n 47"], rng: np.random.Generator
) -> tuple[Float[Tensor, "n 47"], Float[Tensor, "n 3"]]:
    """People in one family of postures.

    Args:
        family: a key of `POSTURES`.
        standing: poses whose arms, neck and head are kept, radians.
        rng: draws everything else.

    Returns:
        (n, 47) pose, radians, within the anatomical bounds, and (n, 3) tilt: the orientation without yaw, as a rotation
        vector of the level frame.
    """
    variants = POSTURES[family]
    people = [_one(variants[rng.integers(len(variants))], standing[i : i + 1], rng) for i in range(len(standing))]
    if not people:
        return standing, torch.zeros(0, 3)
    pose, tilt, flat = (torch.cat(parts) for parts in zip(*people, strict=True))
    for side, row in (("left", 0), ("right", 1)):
        pose = torch.where(flat[:, row, None], with_level_soles(pose, tilt, (side,)), pose)
    pose = torch.where(flat.all(1, keepdim=True), on_both_feet(pose, tilt), pose)
    mirrored = torch.from_numpy(rng.random(len(people)) < 0.5)[:, None]
    pose = torch.where(mirrored, pose @ mirror_matrix().T, pose)
    return pose, torch.where(mirrored, tilt * torch.tensor([1.0, 1.0, -1.0]), tilt)


def _one(
    posture: Posture, pose: Float[Tensor, "1 47"], rng: np.random.Generator
) -> tuple[Float[Tensor, "1 47"], Float[Tensor, "1 3"], Bool[Tensor, "1 2"]]:
    """Pose, tilt, and which soles (left, right) shall be level."""
    lean, sideways = _draw(posture.lean, rng), _draw(posture.sideways, rng)
    angles = {f"{spine}_spine_flexion": _draw(posture.spine, rng) for spine in ("lower", "middle", "upper")}
    angles |= _upper(pose, posture, lean, rng)
    shared = rng.standard_normal(4)
    left, right = (_drawn_leg(leg, shared, rng) for leg in posture.legs)
    if posture.level:
        left["thigh"] = _level_thigh(left, right)
    for side, leg, table in (("left", left, posture.legs[0]), ("right", right, posture.legs[1])):
        angles[f"{side}_hip_flexion"] = leg["thigh"] + lean
        angles[f"{side}_hip_abduction"] = leg["apart"]
        angles[f"{side}_hip_rotation"] = leg["outward"]
        angles[f"{side}_knee_flexion"] = leg["thigh"] - leg["shin"]
        angles[f"{side}_ankle_inversion"] = 0.0
        angles[f"{side}_ankle_plantarflexion"] = _draw(FEET_DEG[table.foot], rng)
    flat = torch.tensor([[leg.foot == "flat" for leg in posture.legs]])
    pose = with_columns(pose, {name: torch.tensor([value]) for name, value in angles.items()})
    return pose, torch.tensor([[lean, 0.0, sideways]]), flat


def _draw(spread: Spread, rng: np.random.Generator) -> float:
    return math.radians(spread[0] + spread[1] * float(np.clip(rng.standard_normal(), -2, 2)))


def _drawn_leg(leg: Leg, shared: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    z = np.clip(math.sqrt(ALIKE) * shared + math.sqrt(1 - ALIKE) * rng.standard_normal(4), -2, 2)
    spreads = {"thigh": leg.thigh, "shin": leg.shin, "apart": leg.apart, "outward": leg.outward}
    return {name: math.radians(s[0] + s[1] * float(z[i])) for i, (name, s) in enumerate(spreads.items())}


def _level_thigh(standing: dict[str, float], kneeling: dict[str, float]) -> float:
    """Pitch of the thigh at which the sole of one leg is as low as the knee of the other."""
    height = THIGH_M * math.cos(kneeling["thigh"]) * math.cos(kneeling["apart"]) + KNEE_M
    cosine = (height - SHIN_M * math.cos(standing["shin"]) - SOLE_M) / THIGH_M
    return math.acos(min(max(cosine, -1.0), 1.0))


def _upper(pose: Float[Tensor, "1 47"], posture: Posture, lean: float, rng: np.random.Generator) -> dict[str, float]:
    """Angles of arms, neck and head that differ from the standing person's."""
    angles = {}
    for name in NAMES:
        if ends := [end for end in posture.upper if name.endswith(end)]:
            angles[name] = _draw(posture.upper[ends[-1]], rng)
        elif posture.drop_arms and name.endswith("shoulder_flexion"):
            angles[name] = float(column(pose, name)[0]) + max(lean, 0.0)
    return angles
