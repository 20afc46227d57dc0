"""COCO-17 skeletons as arrays (17, 3) of x, y, confidence: sizes, likeness, and how well they were seen."""

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names

Skeleton = Float[np.ndarray, "17 3"]
"""x, y in pixels and confidence in [0, 1], in the order `coco17`."""

_INDEX = {name: i for i, name in enumerate(joint_names("coco17"))}
NOSE = _INDEX["nose"]
HEAD = slice(0, 5)
SHOULDERS = [_INDEX["left_shoulder"], _INDEX["right_shoulder"]]
HIPS = [_INDEX["left_hip"], _INDEX["right_hip"]]
BONES = np.array(
    [(_INDEX[a], _INDEX[b]) for a, b in (
        ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"),
        ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
        ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    )]
)  # fmt: skip
"""(16, 2) joint indices."""

_OKS_SIGMAS = np.array(
    [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
     0.089]
)  # fmt: skip
"""Per-joint falloff of the COCO keypoint evaluation (cocodataset.org, keypoints-eval)."""

TORSO_SHARE = 0.22
"""A torso is at least this share of the box's longer side; holds when it is seen end-on or its hips are hidden."""

_BEST_JOINTS = 12
"""Quality looks at the best seen joints only: half-hidden people are the rule in a hug."""


def box_of(skeleton: Skeleton, min_confidence: float = 0.15) -> Float[np.ndarray, "4"]:
    """x0, y0, x1, y1 of the joints above `min_confidence`, or of all joints when those are fewer than 3."""
    seen = skeleton[:, 2] > min_confidence
    if seen.sum() < 3:
        seen[:] = True
    xy = skeleton[seen, :2]
    return np.concatenate([xy.min(0), xy.max(0)])


def object_keypoint_similarity(a: Skeleton, b: Skeleton, min_confidence: float = 0.1) -> float:
    """COCO's OKS in [0, 1], with the box of `a` for the scale, over the joints that both have seen."""
    both = (a[:, 2] > min_confidence) & (b[:, 2] > min_confidence)
    if both.sum() < 3:
        both[:] = True
    x0, y0, x1, y1 = box_of(a, min_confidence)
    area = max((x1 - x0) * (y1 - y0), 1.0)
    squared = ((a[both, :2] - b[both, :2]) ** 2).sum(1)
    return float(np.exp(-squared / (2 * area * (2 * _OKS_SIGMAS[both]) ** 2)).mean())


def head_position(skeleton: Skeleton) -> Float[np.ndarray, "2"]:
    """Mean of nose, eyes and ears, weighted by confidence, pixels."""
    weight = skeleton[HEAD, 2] + 1e-3
    return (skeleton[HEAD, :2] * weight[:, None]).sum(0) / weight.sum()


def torso_length(skeleton: Skeleton) -> float:
    """From the middle of the shoulders to the middle of the hips, pixels; never less than the box allows."""
    torso = np.linalg.norm(skeleton[SHOULDERS, :2].mean(0) - skeleton[HIPS, :2].mean(0))
    x0, y0, x1, y1 = box_of(skeleton)
    return float(max(torso, TORSO_SHARE * max(x1 - x0, y1 - y0), 1e-3))


def joint_quality(skeleton: Skeleton) -> float:
    """Mean confidence of the best seen joints, in [0, 1]."""
    return float(np.sort(skeleton[:, 2])[-_BEST_JOINTS:].mean())
