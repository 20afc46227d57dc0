"""Motion capture frames of one person: a file of local rotations in, joints and bone rotations in the level frame out.

The file is an npz of the CMU motion capture database (mocap.cs.cmu.edu) on one shared skeleton of 38 joints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.errors import InputError
from apu.restricted_load import load_npz
from apu.scene.true_pair import Split

KIND = "motion capture"
STANDING_ACTIONS = ("basketball_signal", "directing_traffic", "walking", "walking_extra", "washwindow")
"""Actions in which people stand or walk: no ball games, running or jumping."""
VALIDATION_SHARE = 5
"""Every fifth training sequence of an action, from the second on, is for validation."""
HIGHEST_FOOT_M, WIDEST_STEP_M, UPRIGHT_COSINE = 0.08, 0.45, 0.94
"""Of a frame in which somebody stands: ankles differ in height and lie apart by less, the pelvis leans by less."""
LEVEL = torch.tensor([1.0, -1.0, -1.0])
"""The file's axes (x to the person's left, y up, z ahead) to the level frame: half a turn about x."""


@dataclass(frozen=True)
class Mocap:
    """Frames of motion capture on one skeleton. Its axes: y up, and x to the person's left, z ahead at rest.

    Attributes:
        rotvec: (f, j, 3) rotation of each joint in its parent's frame, radians.
        offsets: (j, 3) of each joint in its parent's frame, metres.
        parents: (j,) parents come first; -1 for the root.
        joint_names: `j` names.
        action: (f,) name of the action of each frame.
        sequence: (f,) name of the sequence of each frame; begins with `train/` or `test/`.
    """

    rotvec: Float[np.ndarray, "f j 3"]
    offsets: Float[np.ndarray, "j 3"]
    parents: tuple[int, ...]
    joint_names: tuple[str, ...]
    action: np.ndarray
    sequence: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.rotvec)

    def frames_of(self, split: Split) -> Int[np.ndarray, " n"]:
        """Frames of one split, in order: no sequence is in two splits.

        `test` are the file's own test sequences. Of its training sequences, every fifth of an action is for validation.
        """
        validation = []
        for action in sorted(set(self.action)):
            names = sorted(s for s in set(self.sequence[self.action == action]) if s.startswith("train/"))
            validation += names[1::VALIDATION_SHARE]
        is_train = np.char.startswith(self.sequence, "train/")
        is_validation = np.isin(self.sequence, validation)
        chosen = {"test": ~is_train, "validation": is_validation, "train": is_train & ~is_validation}[split]
        return np.flatnonzero(chosen)


def read_mocap(path: Path) -> Mocap:
    """Read and check a file.

    Args:
        path: npz with `rotvec`, `offsets`, `parents`, `joint_names`, `actions`, `action`, `sequences`, `sequence`.

    Raises:
        InputError: it cannot be read, lacks something, or holds values that no skeleton has.
    """
    arrays = load_npz(path, KIND)
    for name in ("rotvec", "offsets", "parents", "joint_names", "actions", "action", "sequences", "sequence"):
        if not isinstance(arrays.get(name), np.ndarray):
            raise _wrong(path, f"an array {name}", ", ".join(sorted(arrays))[:200])
    frames, joints = _checked_skeleton(path, arrays)
    action, sequence = (
        _named(path, arrays, which, table, frames)
        for which, table in (("action", "actions"), ("sequence", "sequences"))
    )
    odd = [s for s in sorted(set(sequence)) if not s.startswith(("train/", "test/"))]
    if odd:
        raise _wrong(path, "sequences named train/... or test/...", odd[0][:80])
    return Mocap(
        arrays["rotvec"].astype(np.float32),
        arrays["offsets"].astype(np.float32),
        tuple(int(p) for p in arrays["parents"]),
        tuple(str(n) for n in joints),
        action,
        sequence,
    )


def world(mocap: Mocap, indices: Sequence[int]) -> tuple[Float[Tensor, "n j 3"], Float[Tensor, "n j 3 3"]]:
    """Joints, and the rotation of each bone from the skeleton's rest pose, in the level frame; the root is at 0."""
    local = roma.rotvec_to_rotmat(torch.from_numpy(mocap.rotvec[np.asarray(indices)]) * LEVEL)
    offsets = torch.from_numpy(mocap.offsets) * LEVEL
    turns, places = [local[:, 0]], [torch.zeros(len(local), 3)]
    for joint in range(1, len(mocap.parents)):
        parent = mocap.parents[joint]
        places.append(places[parent] + turns[parent] @ offsets[joint])
        turns.append(turns[parent] @ local[:, joint])
    return torch.stack(places, 1), torch.stack(turns, 1)


def standing_frames(mocap: Mocap, split: Split) -> Int[np.ndarray, " n"]:
    """Frames of a split in which somebody stands or takes a small step: both feet low and near, the trunk upright."""
    frames = mocap.frames_of(split)
    frames = frames[np.isin(mocap.action[frames], STANDING_ACTIONS)]
    if not len(frames):
        return frames
    names = mocap.joint_names
    places, turns = world(mocap, frames.tolist())
    apart = places[:, names.index("LeftFoot")] - places[:, names.index("RightFoot")]
    low = apart[:, 1].abs() < HIGHEST_FOOT_M
    near = apart[:, [0, 2]].norm(dim=-1) < WIDEST_STEP_M
    upright = turns[:, 0, 1, 1] > UPRIGHT_COSINE
    return frames[(low & near & upright).numpy()]


def _checked_skeleton(path: Path, arrays: Mapping[str, Any]) -> tuple[int, np.ndarray]:
    rotvec, offsets, parents, names = (arrays[n] for n in ("rotvec", "offsets", "parents", "joint_names"))
    if rotvec.ndim != 3 or rotvec.shape[2] != 3 or rotvec.shape[0] == 0:
        raise _wrong(path, "rotvec of shape (frames, joints, 3)", rotvec.shape)
    joints = rotvec.shape[1]
    if offsets.shape != (joints, 3) or parents.shape != (joints,) or names.shape != (joints,):
        shapes = {"offsets": offsets.shape, "parents": parents.shape, "joint_names": names.shape}
        raise _wrong(path, f"offsets (joints, 3), parents and joint_names of {joints} joints", shapes)
    for name, values in (("rotvec", rotvec), ("offsets", offsets)):
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise _wrong(path, f"finite numbers in {name}", "other values")
    if parents.dtype.kind not in "iu" or parents[0] != -1 or not all(0 <= p < i for i, p in enumerate(parents) if i):
        raise _wrong(path, "one root (-1) first, and every parent before its children", list(parents)[:50])
    return len(rotvec), names


def _named(path: Path, arrays: Mapping[str, Any], which: str, table: str, frames: int) -> np.ndarray:
    """Names by index for each frame."""
    index, names = arrays[which], arrays[table]
    if names.dtype.kind != "U" or names.ndim != 1:
        raise _wrong(path, f"names in {table}", f"{names.dtype} of shape {names.shape}")
    if index.dtype.kind not in "iu" or index.shape != (frames,) or index.min() < 0 or index.max() >= len(names):
        raise _wrong(path, f"{which}: for each of the {frames} frames an index into {table}", f"shape {index.shape}")
    return names[index]


def _wrong(path: Path, expected: object, got: object) -> InputError:
    return InputError(
        "The motion capture file is not understood.",
        where=path,
        expected=expected,
        got=got,
        remedy="give the npz of CMU poses that the documentation describes.",
    )
