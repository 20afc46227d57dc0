"""The user's own SMPL-X files (`apu.body.smplx_place`): whether they are what they should be.

Files are read by `apu.restricted_load`: only the arrays that are used are unpacked, and nothing of a file is ever
executed.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apu.body.smplx_asset import SMPLX_JOINTS, SMPLX_LAYOUT, SMPLX_PARENTS, Layout, SmplxAsset
from apu.body.smplx_place import REGISTER, SmplxFiles
from apu.errors import InputError
from apu.restricted_load import Limits, load_npy, load_npz

BETAS, EXPRESSIONS = 10, 10
LIMITS = Limits(512 * 2**20, 2**30, "take SMPLX_NEUTRAL.npz from the archive of the model as it is.")
KID_LIMITS = Limits(2**20, 2**20, "take kid_template.npy as it is: one array of 10475 x 3 numbers.")
ADULT_HEIGHT_M = (1.3, 2.3)
KID_HEIGHT_M = (0.3, 1.3)
_FAR = 100.0
"""No number of a body file in metres and radians is larger, but for the faces."""
_REGISTER_KID = (
    "for children, download the SMPL-X kid template from https://agora.is.tue.mpg.de and put it beside "
    "SMPLX_NEUTRAL.npz as kid_template.npy; for adults alone, take the file away."
)
_NEEDED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f",
           "hands_meanl", "hands_meanr")  # fmt: skip


def load_smplx_asset(files: SmplxFiles, layout: Layout = SMPLX_LAYOUT) -> SmplxAsset:
    """Read and check the model.

    The kid template K becomes one more shape direction, K - mean(K) - template: SMPL-XA, where 0 is the adult and 1
    the kid (Patel et al., "AGORA", CVPR 2021).

    Args:
        files: where it lies.
        layout: the topology it must have.

    Raises:
        InputError: a file is no npz or npy file, is too large, or its arrays are not those of SMPL-X.
    """
    arrays = load_npz(files.model, "SMPL-X model", LIMITS, _NEEDED)
    lost = [name for name in _NEEDED if name not in arrays]
    if lost:
        raise _wrong(files.model, f"the arrays {', '.join(_NEEDED)}", f"no {', '.join(lost)}")
    v, joints = layout.vertices, len(SMPLX_JOINTS)
    template = _numbers(arrays, "v_template", (v, 3), files.model)
    _check_height(template, ADULT_HEIGHT_M, "v_template", files.model)
    shapes, expressions = _shape_dirs(arrays, v, files.model)
    parents = _numbers(arrays, "kintree_table", (2, joints), files.model, bound=2.0**33)[0, 1:]
    if tuple(parents.astype(int)) != SMPLX_PARENTS[1:]:
        raise _wrong(files.model, "the tree of SMPL-X's 55 joints", "other parents", "kintree_table")
    weights = _numbers(arrays, "weights", (v, joints), files.model)
    if weights.min() < -1e-6 or np.abs(weights.sum(1) - 1).max() > 1e-3:
        raise _wrong(files.model, "rows that sum to one", f"sums up to {weights.sum(1).max():.3g}", "weights")
    regressor = _numbers(arrays, "J_regressor", (joints, v), files.model)
    if np.abs(regressor.sum(1) - 1).max() > 1e-2:
        raise _wrong(files.model, "rows that sum to one", f"sums up to {regressor.sum(1).max():.3g}", "J_regressor")
    if files.kid is not None:
        shapes = np.concatenate([shapes, (_kid(files.kid, v) - template)[None]])
    pose_dirs = _numbers(arrays, "posedirs", (v, 3, 9 * (joints - 1)), files.model).transpose(2, 0, 1)
    hands = np.concatenate([_numbers(arrays, f"hands_mean{side}", (45,), files.model) for side in "lr"])
    faces = _faces(arrays, v, files.model)
    digest = hashlib.sha256()
    for array in (template, shapes, weights, faces):
        digest.update(np.ascontiguousarray(array).tobytes())
    return SmplxAsset(
        template=_tensor(template),
        shape_dirs=_tensor(shapes),
        expression_dirs=_tensor(expressions),
        pose_dirs=_tensor(pose_dirs),
        regressor=_tensor(regressor),
        weights=_tensor(weights),
        hand_mean=_tensor(hands),
        faces=torch.from_numpy(faces),
        kid=files.kid is not None,
        landmarks=dict(layout.landmarks),
        digest=digest.hexdigest()[:12],
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float64, order="C"))


def _shape_dirs(arrays: Mapping[str, Any], v: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(10, v, 3) betas and (10, v, 3) expressions: of 20 directions the last ten, of 400 the last hundred's first."""
    count = np.shape(arrays["shapedirs"])[-1] if np.ndim(arrays["shapedirs"]) == 3 else 0
    start = {BETAS + EXPRESSIONS: BETAS, 400: 300}.get(count)
    if start is None:
        raise _wrong(
            path, f"shape ({v}, 3, 20) or ({v}, 3, 400)", f"shape {np.shape(arrays['shapedirs'])}", "shapedirs"
        )
    dirs = _numbers(arrays, "shapedirs", (v, 3, count), path).transpose(2, 0, 1)
    return dirs[:BETAS], dirs[start : start + EXPRESSIONS]


def _kid(path: Path, v: int) -> np.ndarray:
    """(v, 3) the kid, its vertices' mean at the origin."""
    kid = _numbers({"kid template": load_npy(path, "kid template", KID_LIMITS)}, "kid template", (v, 3), path)
    _check_height(kid, KID_HEIGHT_M, "kid template", path)
    return kid - kid.mean(0)


def _faces(arrays: Mapping[str, Any], v: int, path: Path) -> np.ndarray:
    shape = np.shape(arrays["f"])
    rows = shape[0] if len(shape) == 2 and shape[1] == 3 else 0
    faces = _numbers(arrays, "f", (max(rows, 1), 3), path, bound=2.0**33)
    if faces.min() < 0 or faces.max() >= v or (faces != np.round(faces)).any():
        raise _wrong(path, f"vertex numbers from 0 to {v - 1}", f"{faces.min():g} to {faces.max():g}", "f")
    return faces.astype(np.int64)


def _numbers(
    arrays: Mapping[str, Any], name: str, shape: tuple[int, ...], path: Path, bound: float = _FAR
) -> np.ndarray:
    """A finite array of the right shape, float64."""
    value = arrays[name]
    kind = value.dtype.kind if isinstance(value, np.ndarray) else "O"
    if kind not in "fiu":
        raise _wrong(path, "an array of numbers", f"{type(value).__name__} of {kind!r}", name)
    if value.shape != shape:
        raise _wrong(path, f"shape {shape}", f"shape {value.shape}{_looks_like(value.shape)}", name)
    value = value.astype(np.float64)
    if not np.isfinite(value).all():
        raise _wrong(path, "finite numbers", f"{int((~np.isfinite(value)).sum())} that are not", name)
    if np.abs(value).max(initial=0.0) > bound:
        raise _wrong(path, f"numbers below {bound:g}", f"{np.abs(value).max():.3g}", name)
    return value


def _looks_like(shape: tuple[int, ...]) -> str:
    kinds = {6890: "SMPL or SMPL-H", 778: "MANO", 5023: "FLAME", 10475: "SMPL-X", 18439: "MHR", 13718: "Anny"}
    found = next((kinds[size] for size in shape if size in kinds), None)
    return f", as in {found}" if found else ""


def _check_height(points: np.ndarray, allowed: tuple[float, float], name: str, path: Path) -> None:
    height = float(np.ptp(points[:, 1]))
    if not allowed[0] <= height <= allowed[1]:
        guess = ", which looks like centimetres" if allowed[0] <= height / 100 <= allowed[1] else ""
        guess = guess or (", which looks like millimetres" if allowed[0] <= height / 1000 <= allowed[1] else "")
        raise _wrong(
            path, f"a body of {allowed[0]:g} to {allowed[1]:g} m along y, in metres", f"{height:.3g}{guess}", name
        )


def _wrong(path: Path, expected: str, got: str, array: str | None = None) -> InputError:
    is_kid = array == "kid template"
    return InputError(
        "The kid template is not that of SMPL-X." if is_kid else "The file is no SMPL-X model.",
        where=f"{path}: {array}" if array and not is_kid else path,
        expected=expected,
        got=got,
        remedy=_REGISTER_KID if is_kid else REGISTER,
    )
