"""Whether a foreign estimate is of human size and in sight: wrong units are refused, not fitted."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from apu.body.joints import joint_names
from apu.errors import InputError
from apu.pose.initial_person import JOINT_SET, EstimatedPerson
from apu.pose.initial_values import Fields
from apu.scene.camera import Camera

TRUNK_M = (0.1, 1.0)
"""Middle of the shoulders to middle of the hips: a newborn has about 0.2, a tall adult 0.6."""
DEPTH_M = (0.1, 100.0)
"""As it would be at a field of view of 60 degrees: beyond it, an adult is 1.5 % of the photo's longer side."""
UNITS = {"m": 1.0, "metres": 1.0, "meters": 1.0, "cm": 0.01, "centimetres": 0.01, "centimeters": 0.01}

_TRUNK = [joint_names(JOINT_SET).index(f"{side}_{kind}") for kind in ("shoulder", "hip") for side in ("left", "right")]


def metres_per_unit(fields: Fields) -> float:
    """What the entry `units` says, `m` or `cm`; metres without one.

    Raises:
        InputError: it says something else.
    """
    said = fields.values.get("units", "m")
    said = said.item() if isinstance(said, np.ndarray) and said.size == 1 else said
    if not isinstance(said, str) or said.lower() not in UNITS:
        raise fields.bad("units", '"m" or "cm"', ascii(said)[:40])
    return UNITS[said.lower()]


def check_plausible(one: EstimatedPerson, path: Path) -> None:
    """Refuse a person of no human size, or so near or far that the units must be wrong.

    Raises:
        InputError: they are.
    """
    trunk = trunk_m(one.joints_m, one.known)
    if trunk is not None and not TRUNK_M[0] <= trunk <= TRUNK_M[1]:
        expected = f"{TRUNK_M[0]:g} to {TRUNK_M[1]:g} m from hips to shoulders"
        raise _wrong_units("is of no human size", one, expected, trunk, path)
    usual = Camera.of_image(one.camera.width, one.camera.height).focal_px
    depth = float(one.place_m[2]) * usual / one.camera.focal_px
    if not DEPTH_M[0] <= depth <= DEPTH_M[1]:
        expected = f"a depth of {DEPTH_M[0]:g} to {DEPTH_M[1]:g} m at a field of view of 60 degrees"
        raise _wrong_units("does not stand in sight of the camera", one, expected, depth, path)


def trunk_m(joints: Float[np.ndarray, "25 3"], known: Bool[np.ndarray, " 25"]) -> float | None:
    """From the middle of the shoulders to that of the hips; None where one of them is missing."""
    if not known[_TRUNK].all():
        return None
    left_shoulder, right_shoulder, left_hip, right_hip = joints[_TRUNK].astype(np.float64)
    return float(np.linalg.norm(left_shoulder + right_shoulder - left_hip - right_hip) / 2)


def _wrong_units(what: str, one: EstimatedPerson, expected: str, got: float, path: Path) -> InputError:
    return InputError(
        f"Somebody in the initial estimate file {what}: the units may be wrong.",
        where=f"{path}, person {one.row} of the file",
        expected=expected,
        got=f"{got:.4g} m",
        remedy='give lengths in metres, or, if all of them are centimetres, say so with an entry units = "cm".',
    )
