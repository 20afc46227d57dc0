"""Joints that a detector reports but cannot mean: one joint given to two people, and limbs that leave the photo.

Their confidence is lowered so far that nobody uses them; where they lie is kept. The rules are ours.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from apu.body.joints import joint_names
from apu.scene.person import Keypoints, Person

SHARED_DISTANCE = 0.02
"""Of the mean box diagonal: joints of one kind nearer than this are one joint. Wrists of a handshake are 0.06 apart."""

SHARED_MARGIN = 0.1
"""Confidence by which one person's claim must lead to stand; otherwise both lose."""

BORDER = 0.02
"""Of the photo's longer side: a limb that leaves the photo is reported where it leaves, or just before."""

KEPT = 0.1
"""What is left of the confidence of a doubtful joint."""


def without_doubtful_joints(people: Sequence[Person], width: int, height: int) -> list[Person]:
    """The people, with lowered confidence of joints that two of them share and of joints at the photo's border.

    Args:
        people: of one photo, all in one joint order.
        width, height: of the photo, pixels.
    """
    doubtful = [at_border(person.keypoints, width, height) for person in people]
    for i, a in enumerate(people):
        for j in range(i):
            lost_a, lost_b = shared(a.keypoints, people[j].keypoints)
            doubtful[i] |= lost_a
            doubtful[j] |= lost_b
    return [_lowered(person, mask) for person, mask in zip(people, doubtful, strict=True)]


def at_border(keypoints: Keypoints, width: int, height: int) -> Bool[np.ndarray, " j"]:
    """Joints below the head within `BORDER` of the photo's border, or outside; heads at the border are real."""
    margin = BORDER * max(width, height)
    x, y = keypoints.xy.T
    outside = (x < margin) | (y < margin) | (x > width - margin) | (y > height - margin)
    head = np.array([name.endswith(("nose", "eye", "ear")) for name in joint_names(keypoints.joint_set)])
    return outside & ~head


def shared(a: Keypoints, b: Keypoints) -> tuple[Bool[np.ndarray, " j"], Bool[np.ndarray, " j"]]:
    """Joints of either person that the other claims with as much or more confidence, left or right alike.

    One peak of a heat map belongs to one person.
    """
    kinds = np.array([name.removeprefix("left_").removeprefix("right_") for name in joint_names(a.joint_set)])
    apart: Float[np.ndarray, "j j"] = np.linalg.norm(a.xy[:, None] - b.xy[None], axis=-1)
    near = apart < SHARED_DISTANCE * (a.diagonal() + b.diagonal()) / 2
    claimed = near & (kinds[:, None] == kinds[None]) & (a.confidence[:, None] > 0) & (b.confidence[None] > 0)
    lead = a.confidence[:, None] - b.confidence[None]
    return (claimed & (lead < SHARED_MARGIN)).any(1), (claimed & (-lead < SHARED_MARGIN)).any(0)


def _lowered(person: Person, doubtful: Bool[np.ndarray, " j"]) -> Person:
    confidence = np.where(doubtful, KEPT * person.keypoints.confidence, person.keypoints.confidence)
    return replace(person, keypoints=replace(person.keypoints, confidence=confidence.astype(np.float32)))
