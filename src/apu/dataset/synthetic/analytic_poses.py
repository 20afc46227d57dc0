"""Postures that no open motion capture holds: sitting, kneeling, squatting, bending, lying; see `POSTURES`.

A table says how the pelvis leans and where thighs and shins point in the level frame, because that is what keeps
soles, shins or buttocks on the ground; hip, knee and ankle angles follow from it. The rules are ours.
"""

import math

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny_pose import DOFS, mirror_matrix
from apu.dataset.synthetic.postures import POSTURES, Leg, Posture, Spread

NAMES = tuple(d.name for d in DOFS)
LOWER = torch.tensor([d.lower for d in DOFS])
UPPER = torch.tensor([d.upper for d in DOFS])

THIGH_M, SHIN_M, SOLE_M, KNEE_M = 0.44, 0.44, 0.07, 0.06
"""Hip to knee, knee to ankle, ankle to sole, knee to the ground below it: of the default body. Only ratios count."""
ALIKE = 0.9
"""Correlation of the two legs of a posture that has them alike."""
FEET_DEG: dict[str, Spread] = {"instep": (48.0, 4.0), "toes": (-28.0, 4.0), "loose": (22.0, 8.0)}
"""Plantar flexion of a foot that is not flat."""


def posed(family: str, upper: Float[Tensor, "n 47"], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """People in one family of postures.

    Args:
        family: a key of `POSTURES`.
        upper: (n, 47) poses whose arms, neck and head are kept, radians.
        rng: draws everything else.

    Returns:
        (n, 47) pose, radians, within the anatomical bounds, and (n, 3) tilt: the orientation without yaw, as a rotation
        vector of the level frame.
    """
    people = [_one(POSTURES[family][rng.integers(len(POSTURES[family]))], arms, rng) for arms in upper]
    pose, tilt = torch.stack([p for p, _ in people]), torch.stack([t for _, t in people])
    mirrored = torch.from_numpy(rng.random(len(people)) < 0.5)[:, None]
    pose = torch.where(mirrored, pose @ mirror_matrix().T, pose)
    return pose, torch.where(mirrored, tilt * torch.tensor([1.0, 1.0, -1.0]), tilt)


def _one(posture: Posture, arms: Float[Tensor, " 47"], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    pose = arms.clone()
    tilt = torch.tensor([_draw(posture.lean, rng), 0.0, _draw(posture.sideways, rng)])
    for spine in ("lower_spine", "middle_spine", "upper_spine"):
        pose[NAMES.index(f"{spine}_flexion")] = _draw(posture.spine, rng)
    shared = rng.standard_normal(4)
    right, left = (_drawn_leg(leg, shared, rng) for leg in reversed(posture.legs))
    if posture.level:
        left["thigh"] = _level_thigh(left, right)
    for side, leg, table in (("left", left, posture.legs[0]), ("right", right, posture.legs[1])):
        _set_leg(pose, side, leg, table.foot, tilt, rng)
    for i, name in enumerate(NAMES):
        for end, (low, high) in posture.limits.items():
            if name.endswith(end):
                pose[i] = pose[i].clamp(math.radians(low), math.radians(high))
    return pose.clamp(LOWER, UPPER), tilt


def _draw(spread: Spread, rng: np.random.Generator) -> float:
    return math.radians(spread[0] + spread[1] * float(np.clip(rng.standard_normal(), -2, 2)))


def _drawn_leg(leg: Leg, shared: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    z = np.clip(math.sqrt(ALIKE) * shared + math.sqrt(1 - ALIKE) * rng.standard_normal(4), -2, 2)
    spreads = {"thigh": leg.thigh, "shin": leg.shin, "apart": leg.apart, "outward": leg.outward}
    return {name: math.radians(s[0] + s[1] * float(z[i])) for i, (name, s) in enumerate(spreads.items())}


def _level_thigh(standing: dict[str, float], kneeling: dict[str, float]) -> float:
    """Pitch of the thigh at which the sole of one leg is as low as the knee of the other."""
    height = THIGH_M * math.cos(kneeling["thigh"]) + KNEE_M
    cosine = (height - SHIN_M * math.cos(standing["shin"]) - SOLE_M) / THIGH_M
    return math.acos(min(max(cosine, -1.0), 1.0))


def _set_leg(
    pose: Float[Tensor, " 47"], side: str, leg: dict[str, float], foot: str, tilt: Tensor, rng: np.random.Generator
) -> None:
    """Write one leg's angles into `pose`."""

    def put(name: str, value: float) -> None:
        pose[NAMES.index(f"{side}_{name}")] = value

    out = 1.0 if side == "left" else -1.0
    flexion = leg["thigh"] + float(tilt[0])
    put("hip_flexion", flexion)
    put("hip_abduction", leg["apart"] - 0.06)
    put("hip_rotation", leg["outward"])
    put("knee_flexion", leg["thigh"] - leg["shin"])
    if foot != "flat":
        put("ankle_plantarflexion", _draw(FEET_DEG[foot], rng))
        put("ankle_inversion", 0.0)
        return
    hip = torch.tensor([-flexion, -out * leg["outward"], -out * (leg["apart"] - 0.06)])
    knee = torch.tensor([leg["thigh"] - leg["shin"], 0.0, 0.0])
    shin = roma.rotvec_to_rotmat(torch.stack([tilt, hip, knee]))
    plantarflexion, inversion = level_sole(shin[0] @ shin[1] @ shin[2])
    put("ankle_plantarflexion", plantarflexion)
    put("ankle_inversion", inversion * out)


def level_sole(shin: Float[Tensor, "3 3"]) -> tuple[float, float]:
    """Turns of the ankle about the body's x and -z axes that make the sole level: the shortest turn that does.

    Args:
        shin: rotation of the shin in the level frame; the zero pose has level soles.
    """
    down = shin[1]  # the world's down, seen from the shin
    sine = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]), down)
    angle = torch.atan2(sine.norm(), down[1])
    axis = sine / sine.norm().clamp_min(1e-9)
    return float(angle * axis[0]), float(-angle * axis[2])
