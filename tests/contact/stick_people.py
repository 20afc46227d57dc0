"""Two people as sticks who face the camera, to be moved joint by joint. One torso is 100 pixels."""

import numpy as np

from apu.body.joints import joint_names
from apu.contact.body_points import BodyPoints

NAMES = joint_names("body25")

_HALF = {
    "shoulder": (35.0, -100.0), "elbow": (35.0, -46.0), "wrist": (35.0, 3.0),
    "hip": (15.0, 0.0), "knee": (15.0, 79.0), "ankle": (15.0, 159.0),
    "eye": (6.0, -145.0), "ear": (14.0, -140.0),
    "big_toe": (17.0, 185.0), "small_toe": (24.0, 180.0), "heel": (14.0, 165.0),
}  # fmt: skip
"""The left half; x to the person's left, y down from the hips."""


def stick(x: float = 0.0, scale: float = 1.0, **moved: tuple[float, float]) -> BodyPoints:
    """Somebody with the hips at (x, 0), whose left is at larger x; with some joints at other pixels."""
    places = {"nose": (0.0, -135.0), "neck": (0.0, -100.0), "mid_hip": (0.0, 0.0)}
    for name, (side, down) in _HALF.items():
        places |= {f"left_{name}": (side, down), f"right_{name}": (-side, down)}
    pixels = {name: (x + scale * place[0], scale * place[1]) for name, place in places.items()} | moved
    return BodyPoints(np.array([pixels[name] for name in NAMES]), np.full(25, 0.9))


def unseen(body: BodyPoints, *joints: str, confidence: float = 0.0) -> BodyPoints:
    """With some joints seen less."""
    changed = body.confidence.copy()
    changed[[NAMES.index(joint) for joint in joints]] = confidence
    return BodyPoints(body.places, changed, body.names)


def exchanged(body: BodyPoints) -> BodyPoints:
    """With left and right mistaken for each other by the detector."""
    other = {"left": "right", "right": "left"}
    rows = [NAMES.index("_".join([other.get(word, word) for word in name.split("_")])) for name in NAMES]
    return BodyPoints(body.places[rows], body.confidence[rows], body.names)
