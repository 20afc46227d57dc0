"""How likely two people touch, judged by their 2D joints alone: a heuristic of ours that only puts pairs in order."""

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.pose.skeleton import BONES, HIPS, SHOULDERS, TORSO_SHARE
from apu.scene.person import Keypoints, Person

MIN_CONFIDENCE = 0.3
"""Of a joint that is looked at; that of keypoint boxes."""

FLESH = 0.2
"""Torsos between the bones of two people whose skins touch: half an upper arm and half a chest."""

REACH = 0.25
"""Torsos beyond `FLESH` at which closeness has fallen to 1/e."""

NEAREST = 8
"""Bones of each person that are counted."""

Segments = Float[np.ndarray, "_ 2 2"]
"""(segment, end, xy), pixels."""


def closeness(a: Person, b: Person) -> float:
    """Rank of a pair among the pairs of its photo; comparable within one photo only, larger is closer.

    How many bones are near the other person counts most: limbs cross in every crowd, while people who hold each other
    are near along an arm, a side or a back. Then the prominent pair should win: large (the photographer cared for
    them), surely seen, and of similar size (people of unlike size stand at unlike depths, or are parent and child: a
    mild penalty).
    """
    sizes = body_size_px(a.keypoints), body_size_px(b.keypoints)
    beyond = np.maximum(0.0, nearest_gaps(a.keypoints, b.keypoints) - FLESH)
    surety = float(np.sqrt(a.score * b.score))
    return float(np.exp(-beyond / REACH).mean()) * float(np.sqrt(sizes[0] * sizes[1])) * surety * _likeness(*sizes)


def nearest_gaps(a: Keypoints, b: Keypoints) -> Float[np.ndarray, " n"]:
    """Distances in the picture of the `NEAREST` bones of either person to the other person; 0 where they cross.

    The unit is the geometric mean of both `body_size_px`.
    """
    distance = _segment_distances(_bones(a), _bones(b))
    gaps = [np.sort(distance.min(axis))[:NEAREST] for axis in (0, 1)]
    return np.concatenate(gaps) / np.sqrt(body_size_px(a) * body_size_px(b))


def body_size_px(keypoints: Keypoints) -> float:
    """Torso length in pixels, or what hints at it when the torso is foreshortened, cut off or hidden; at least 1."""
    coco = keypoints.as_set("coco17")
    seen = coco.confidence > MIN_CONFIDENCE
    middles = [coco.xy[[i for i in ends if seen[i]]].mean(0) for ends in (SHOULDERS, HIPS) if seen[ends].any()]
    torso = np.linalg.norm(middles[0] - middles[1]) if len(middles) == 2 else 0.0
    shoulders = np.linalg.norm(np.subtract(*coco.xy[SHOULDERS])) if seen[SHOULDERS].all() else 0.0
    x0, y0, x1, y1 = keypoints.box(MIN_CONFIDENCE)
    return float(max(torso, shoulders, TORSO_SHARE * max(x1 - x0, y1 - y0), 1.0))


def _likeness(a: float, b: float) -> float:
    return float(np.sqrt(min(a, b) / max(a, b)))


def _bones(keypoints: Keypoints) -> Segments:
    """Bones with both ends seen, and the seen joints as bones of no length."""
    coco = keypoints.as_set("coco17")
    least = MIN_CONFIDENCE if (coco.confidence > MIN_CONFIDENCE).any() else 0.0
    seen = coco.confidence > least
    joints = np.flatnonzero(seen) if seen.any() else np.arange(len(joint_names("coco17")))
    bones = BONES[seen[BONES].all(1)]
    return coco.xy[np.concatenate([bones, np.stack([joints, joints], 1)])].astype(np.float64)


def _segment_distances(a: Segments, b: Segments) -> Float[np.ndarray, "_ _"]:
    """Distance between every segment of `a` and every one of `b`: 0 if they cross, else that of an end to the other."""
    a, b = a[:, None], b[None]
    ends = [_to_segment(a[..., i, :], b) for i in (0, 1)] + [_to_segment(b[..., i, :], a) for i in (0, 1)]
    apart = np.min(np.broadcast_arrays(*ends), axis=0)
    sides = [_side(a, b[..., i, :]) for i in (0, 1)], [_side(b, a[..., i, :]) for i in (0, 1)]
    crosses = (sides[0][0] * sides[0][1] < 0) & (sides[1][0] * sides[1][1] < 0)
    return np.where(crosses, 0.0, apart)


def _to_segment(point: np.ndarray, segment: np.ndarray) -> np.ndarray:
    start, along = segment[..., 0, :], segment[..., 1, :] - segment[..., 0, :]
    share = ((point - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return np.linalg.norm(point - nearest, axis=-1)


def _side(segment: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Positive on one side of the segment's line, negative on the other."""
    along, to = segment[..., 1, :] - segment[..., 0, :], point - segment[..., 0, :]
    return along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]
