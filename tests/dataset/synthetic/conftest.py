"""A small motion capture file on a skeleton with the names of the CMU database, and the real one where it is."""

from pathlib import Path

import numpy as np
import pytest

from apu.dataset.synthetic.mocap import Mocap, read_mocap

BONES = {
    "Hips": (None, (0, 0, 0)),
    "LeftUpLeg": ("Hips", (0.1, -0.1, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -0.4, 0)),
    "LeftFoot": ("LeftLeg", (0, -0.4, 0)),
    "RightUpLeg": ("Hips", (-0.1, -0.1, 0)),
    "RightLeg": ("RightUpLeg", (0, -0.4, 0)),
    "RightFoot": ("RightLeg", (0, -0.4, 0)),
    "Spine1": ("Hips", (0, 0.2, 0)),
    "Head": ("Spine1", (0, 0.3, 0)),
    "LeftArm": ("Spine1", (0.2, 0.2, 0)),
    "LeftForeArm": ("LeftArm", (0.3, 0, 0)),
    "LeftHand": ("LeftForeArm", (0.2, 0, 0)),
    "LeftFingerBase": ("LeftHand", (0, 0, 0)),
    "RightArm": ("Spine1", (-0.2, 0.2, 0)),
    "RightForeArm": ("RightArm", (-0.3, 0, 0)),
    "RightHand": ("RightForeArm", (-0.2, 0, 0)),
    "RightFingerBase": ("RightHand", (0, 0, 0)),
}
"""Name -> parent and offset, metres: x to the left, y up, z ahead; arms stretched sideways at rest."""


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Fourteen sequences of three frames at rest, as a file holds them."""
    names = list(BONES)
    sequences = [f"train/walking_{i}" for i in range(11)] + ["test/walking_1", "train/soccer_1", "test/soccer_1"]
    return {
        "rotvec": np.zeros((42, len(names), 3), np.float16),
        "offsets": np.array([offset for _, offset in BONES.values()], np.float32),
        "parents": np.array([-1 if p is None else names.index(p) for p, _ in BONES.values()], np.int16),
        "joint_names": np.array(names),
        "actions": np.array(["soccer", "walking"]),
        "action": np.repeat(["walking" in s for s in sequences], 3).astype(np.int8),
        "sequences": np.array(sequences),
        "sequence": np.repeat(np.arange(14), 3).astype(np.int16),
        "fps": np.array(30.0),
    }


@pytest.fixture(scope="session")
def cmu(shared_data: Path) -> Mocap:
    """The real frames; skipped without them."""
    return read_mocap(shared_data / "mocap" / "cmu_poses.npz")
