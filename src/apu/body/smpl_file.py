"""Parameters of SMPL-X and SMPL in plain npz files, as their own code names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from apu.errors import InputError
from apu.restricted_load import load_npz

KIND = "SMPL-X parameter"
CAMERA_FRAME = "camera: x right, y down, z forward; metres"
"""What our files say under `frame`; a file that begins so is in a camera's frame."""
LARGEST = 1e4
_HANDS = ("left_hand_pose", "right_hand_pose")
_JOINTS = (21, 23)
"""Of `body_pose`: SMPL-X's, and SMPL's with two hands."""


@dataclass(frozen=True)
class SmplParameters:
    """`n` people.

    Attributes:
        global_orient: (n, 3) rotation vectors, radians.
        body_pose: (n, 21, 3) or, of SMPL, (n, 23, 3).
        transl: (n, 3) metres; zeros where the file says nothing.
        betas: (n, 10) zeros where the file says nothing; further ones are left out.
        kid_weight: (n, 1) share of the kid template; zeros where the file says nothing.
        hands: `left_hand_pose` and `right_hand_pose` (n, 45), where the file has them in full.
        camera: whether the file says that its frame is a camera's.
    """

    global_orient: Float[np.ndarray, "n 3"]
    body_pose: Float[np.ndarray, "n j 3"]
    transl: Float[np.ndarray, "n 3"]
    betas: Float[np.ndarray, "n 10"]
    kid_weight: Float[np.ndarray, "n 1"]
    hands: Mapping[str, Float[np.ndarray, "n 45"]]
    camera: bool


def read_smpl(path: Path) -> SmplParameters:
    """Read `global_orient` and `body_pose`, and `transl`, `betas`, `kid_weight` and hands where there are any.

    A file of one person may leave out the first axis.

    Raises:
        InputError: it cannot be read, or its numbers are none of SMPL-X's.
    """
    arrays = load_npz(path, KIND)
    poses = _numbers(arrays, "body_pose", path)
    joints = next((j for j in _JOINTS if poses.size and poses.size % (3 * j) == 0 and 3 * j in _widths(poses)), 0)
    if not joints:
        raise _bad(path, "body_pose", "(n, 63), (n, 21, 3), or (n, 69) of SMPL", poses.shape)
    n = poses.size // (3 * joints)

    def rows(name: str, width: int) -> np.ndarray:
        if name not in arrays:
            return np.zeros((n, width), np.float32)
        value = _numbers(arrays, name, path)
        if value.size != n * width:
            raise _bad(path, name, f"({n}, {width})", value.shape)
        return value.reshape(n, width)

    if "global_orient" not in arrays:
        raise _bad(path, "global_orient", f"({n}, 3)", "nothing")
    betas = _numbers(arrays, "betas", path).reshape(-1) if "betas" in arrays else np.zeros(10 * n, np.float32)
    if betas.size % n or betas.size // n < 10:
        raise _bad(path, "betas", f"({n}, 10) or more", arrays["betas"].shape)
    hands = {name: rows(name, 45) for name in _HANDS if getattr(arrays.get(name), "size", 0) == 45 * n}
    return SmplParameters(
        rows("global_orient", 3),
        poses.reshape(n, joints, 3),
        rows("transl", 3),
        betas.reshape(n, -1)[:, :10],
        rows("kid_weight", 1),
        hands,
        str(arrays.get("frame", "")).startswith(CAMERA_FRAME.partition(":")[0]),
    )


def _widths(poses: np.ndarray) -> set[int]:
    """Numbers per person, whether joints have an axis of their own or not, and whether people have."""
    return {int(np.prod(poses.shape[-k:])) for k in range(1, poses.ndim + 1)}


def _numbers(arrays: Mapping[str, Any], name: str, path: Path) -> np.ndarray:
    value = arrays.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise _bad(path, name, "numbers", "nothing" if value is None else "something else")
    numbers = value.astype(np.float32)
    if not (np.abs(numbers) < LARGEST).all():
        raise _bad(path, name, f"finite numbers below {LARGEST:g}", "others")
    return numbers


def _bad(path: Path, name: str, expected: object, got: object) -> InputError:
    return InputError(
        "The file does not hold parameters of SMPL-X.",
        where=f"{path}: {name}",
        expected=expected,
        got=got,
        remedy="save global_orient and body_pose as rotation vectors, radians, with numpy.savez.",
    )
