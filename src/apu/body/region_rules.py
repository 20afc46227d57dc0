"""Where one region of the skin ends and the next begins: the cuts, as fractions of bones and of the torso.

All functions take a `Skin` and return one name or flag per vertex, for all vertices; `apu.body.regions` picks from
them by limb. The cuts are ours; they follow the granularity of the 75 regions of FlickrCI3D.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from apu.body.landmarks import Landmarks
from apu.body.segments import Segment, Side

FRONT_BANDS = (("pelvis_front", 0.10), ("lower_belly", 0.28), ("upper_belly", 0.48), ("lower_chest", 0.72),
               ("upper_chest", np.inf))  # fmt: skip
BACK_BANDS = (("buttock", 0.16), ("lower_back", 0.34), ("middle_back", 0.56), ("upper_back", 0.78),
              ("shoulder_blade", np.inf))  # fmt: skip
"""Bands of the torso, each with its upper end: height over the hip joints / height of the neck over them."""
BUTTOCK_BOTTOM = -0.16
"""The back of the thigh above this torso height is buttock."""
TORSO_BINS, TORSO_WIDTH, TORSO_SMOOTHING = 24, 0.28, 5
"""Depth middle of the torso: slices, half width of the strip looked at / torso height, and slices averaged."""

SHOULDER_END = 0.12
"""The shoulder reaches down the upper arm by this share of it,"""
SHOULDER_RADIUS = 0.36
"""and over the torso by this share of the upper arm around the joint,"""
SHOULDER_SIDE, SHOULDER_HEIGHT = 0.80, 0.70
"""and over all further out than this share of the joint's distance from the midline, above this torso height."""
ELBOW = (-0.17, 0.17)
"""From this share of the upper arm above the joint to this share of the forearm below it."""
FINGER_START = 0.5
"""Without finger bones: fingers begin at this share of the hand's length."""

KNEE = (-0.14, 0.12)
"""From this share of the thigh above the joint to this share of the shank below it."""
THIGH_HALF = 0.45
"""Upper thigh ends at this share of the thigh bone: above it the buttock takes part of the room."""
CALF_HALF = 0.55
"""Upper calf ends at this share of the shank: the foot takes room below."""
LEG_BINS = 16
"""Slices in which the middle of the leg's cross-section is found: the bone is not in its middle."""
SOLE_SLOPE = -0.35
"""Skin of the foot is sole when its normal's upward part is below this."""

Names = np.ndarray
"""(v,) region names without side."""
Flags = Bool[np.ndarray, " v"]


@dataclass(frozen=True)
class Skin:
    """What the rules look at.

    Attributes:
        points: (v, 3) rest positions.
        normals: (v, 3) unit, outwards.
        share: segment -> (v,) skinning weight of its bones.
        landmarks: of the skeleton, in the same frame as `points`.
    """

    points: Float[np.ndarray, "v 3"]
    normals: Float[np.ndarray, "v 3"]
    share: Mapping[Segment, Float[np.ndarray, " v"]]
    landmarks: Landmarks

    def of(self, *segments: Segment) -> Float[np.ndarray, " v"]:
        """(v,) skinning weight of several segments together."""
        return np.sum([self.share[s] for s in segments], axis=0)


def torso_names(skin: Skin, on_torso: Flags) -> Names:
    """Belly and chest in front, buttock and back behind, in bands of height."""
    height = skin.landmarks.height(skin.points)
    depth = skin.points @ skin.landmarks.forward
    across = np.abs((skin.points - skin.landmarks.hips) @ skin.landmarks.left)
    torso_height = np.linalg.norm(skin.landmarks.neck - skin.landmarks.hips)
    central = on_torso & (across < TORSO_WIDTH * torso_height)
    middle = _running_middle(height, depth, central, TORSO_BINS, TORSO_SMOOTHING)
    return np.where(depth > middle, _bands(height, FRONT_BANDS), _bands(height, BACK_BANDS))


def shoulder_names(skin: Skin, side: Side) -> Names:
    """Front or back of the shoulder, for skin of the torso that `on_shoulder` claims."""
    root = skin.landmarks.arms[side].root
    return _front_back("shoulder", (skin.points - root) @ skin.landmarks.forward > 0)


def on_shoulder(skin: Skin, side: Side) -> Flags:
    """Torso skin that belongs to the shoulder: close to the joint, or high up and far out."""
    marks, arm = skin.landmarks, skin.landmarks.arms[side]
    outwards = marks.left if side == "left" else -marks.left
    out = (skin.points - marks.hips) @ outwards
    close = np.linalg.norm(skin.points - arm.root, axis=1) < SHOULDER_RADIUS * arm.upper_length
    far_out = out > SHOULDER_SIDE * ((arm.root - marks.hips) @ outwards)
    return (close & (out > 0)) | (far_out & (marks.height(skin.points) > SHOULDER_HEIGHT))


def arm_names(skin: Skin, side: Side) -> Names:
    """Shoulder, upper arm, elbow, forearm: front and back of the bone; hand and fingers: palm and back."""
    arm = skin.landmarks.arms[side]
    past_elbow = arm.past_middle(skin.points)
    part = np.select(
        [arm.along_upper(skin.points) < SHOULDER_END, past_elbow < ELBOW[0], past_elbow < ELBOW[1]],
        ["shoulder", "upper_arm", "elbow"],
        "forearm",
    )
    names = _front_back(part, arm.ahead(skin.points, skin.landmarks.forward) > 0)
    return np.where(skin.of("hand", "finger") > 0.5, _hand_names(skin, side), names)


def _hand_names(skin: Skin, side: Side) -> Names:
    hand = skin.landmarks.hands[side]
    if hand.has_fingers:
        is_finger = skin.share["finger"] > 0.5
    else:
        reach = (skin.points - skin.landmarks.arms[side].end) @ hand.axis
        mine = (skin.share["hand"] > 0.5) & (skin.landmarks.is_left(skin.points) == (side == "left"))
        is_finger = reach > FINGER_START * reach[mine].max(initial=0.0)
    part = np.where(is_finger, "fingers", "hand")
    return _joined(part, np.where(skin.normals @ hand.palm > 0, "palm", "back"))


def leg_names(skin: Skin, side: Side, on_leg: Flags) -> Names:
    """Buttock, thigh, knee, calf: front and back of the cross-section's middle; foot: top and sole."""
    leg, marks = skin.landmarks.legs[side], skin.landmarks
    past_knee = leg.past_middle(skin.points)
    upper, lower = leg.along_upper(skin.points), leg.along_lower(skin.points)
    on_foot = skin.share["foot"] > 0.5
    ahead = leg.ahead(skin.points, marks.forward)
    place = np.where(past_knee < 0, upper, 1 + lower)
    front = ahead > _running_middle(place, ahead, on_leg & ~on_foot, LEG_BINS, 1)
    thigh = np.where(upper < THIGH_HALF, "upper_thigh", "lower_thigh")
    calf = np.where(lower < CALF_HALF, "upper_calf", "lower_calf")
    names = _front_back(np.select([past_knee < KNEE[0], past_knee < KNEE[1]], [thigh, "knee"], calf), front)
    names = np.where((past_knee < KNEE[0]) & ~front & (marks.height(skin.points) > BUTTOCK_BOTTOM), "buttock", names)
    sole = skin.normals @ marks.up < SOLE_SLOPE
    return np.where(on_foot, np.where(sole, "foot_sole", "foot_top"), names)


def head_names(skin: Skin, on_head: Flags) -> Names:
    """Front and back halves of the head and of the neck, by depth."""
    depth = skin.points @ skin.landmarks.forward
    is_head = skin.share["head"] >= skin.share["neck"]
    front = np.zeros(len(depth), dtype=bool)
    for group in (on_head & is_head, on_head & ~is_head):
        if group.any():
            front[group] = depth[group] > (depth[group].min() + depth[group].max()) / 2
    return _front_back(np.where(is_head, "head", "neck"), front)


def _running_middle(
    place: Float[np.ndarray, " v"], depth: Float[np.ndarray, " v"], used: Flags, bins: int, smoothing: int
) -> Float[np.ndarray, " v"]:
    """(v,) middle between the smallest and the largest depth at each place, from slices of the used vertices."""
    at, value = place[used], depth[used]
    edges = np.linspace(at.min(), at.max(), bins + 1)
    slot = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, bins - 1)
    low, high = np.full(bins, np.inf), np.full(bins, -np.inf)
    np.minimum.at(low, slot, value)
    np.maximum.at(high, slot, value)
    filled = np.isfinite(low)
    middle = (low[filled] + high[filled]) / 2
    centre = ((edges[1:] + edges[:-1]) / 2)[filled]
    if smoothing > 1:
        padded = np.pad(middle, smoothing // 2, mode="edge")
        middle = np.convolve(padded, np.full(smoothing, 1 / smoothing), mode="valid")
    return np.interp(place, centre, middle)


def _bands(height: Float[np.ndarray, " v"], bands: Sequence[tuple[str, float]]) -> Names:
    tops = [top for _, top in bands[:-1]]
    return np.array([name for name, _ in bands])[np.searchsorted(tops, height, side="right")]


def _front_back(part: str | Names, front: Flags) -> Names:
    return _joined(np.broadcast_to(part, front.shape), np.where(front, "front", "back"))


def _joined(part: Names, aspect: Names) -> Names:
    return np.char.add(np.char.add(part, "_"), aspect)
