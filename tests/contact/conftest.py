"""Contact files to read, and the boxes of the people in the shared photos."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apu.contact.files import Box
from apu.scene.person import Keypoints

sys.path.insert(0, str(Path(__file__).parent))  # so that `stick_people` is found

Write = Callable[..., Path]

THREE_BOXES: list[Box] = [(0.0, 0.0, 40.0, 100.0), (30.0, 0.0, 70.0, 100.0), (200.0, 0.0, 240.0, 100.0)]
"""People 0, 1 and 2 of a made-up photo."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a record as JSON, or bytes as they are."""

    def call(record: object, name: str = "contacts.json") -> Path:
        path = tmp_path / name
        path.write_bytes(record if isinstance(record, bytes) else json.dumps(record).encode())
        return path

    return call


@pytest.fixture
def signature_file(photos: Path) -> Path:
    """The real annotations of two photos of FlickrCI3D."""
    return photos / "interaction_contact_signature.json"


@pytest.fixture
def found_boxes(photos: Path) -> Callable[[str, str], list[Box]]:
    """Keypoint boxes of all people in the keypoint file of a photo, as a reader would give them."""

    def call(name: str, kind: str) -> list[Box]:
        path = photos / kind / (f"{name}_keypoints.json" if kind == "vitpose" else f"{name}.json")
        people = json.loads(path.read_text())["people"]
        values = [np.array(person["pose_keypoints_2d"]).reshape(25, 3) for person in people]
        return [Keypoints("body25", v[:, :2], v[:, 2]).box() for v in values]

    return call
