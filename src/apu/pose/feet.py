"""Feet for people whose keypoints end at the ankles."""

from dataclasses import replace

import numpy as np

from apu.body.joints import joint_names
from apu.pose.body_guess import BodyGuess
from apu.pose.doubtful_joints import at_border
from apu.scene.person import Keypoints

MAX_CONFIDENCE = 0.29
"""A guess that no detector saw. Just below the 0.3 that a joint needs to count in boxes (`Keypoints.box`) and reported
errors, so that feet leave the person's box, the unit of all errors, as it was."""

MIN_ANKLE = 0.2
"""Confidence of an ankle that a foot may hang on."""

_FEET = {f"{side}_ankle": [f"{side}_{end}" for end in ("big_toe", "small_toe", "heel")] for side in ("left", "right")}


def with_feet(keypoints: Keypoints, guess: BodyGuess, gate_px: float, width: int, height: int) -> Keypoints:
    """The keypoints in BODY_25 order, with heels and toes where they have none.

    A foot is taken as BlazePose sees it from the ankle, and hung on the person's own ankle. It is left out where that
    ankle was not seen or BlazePose means another one, and at the photo's border, where legs are cut off.

    Args:
        keypoints: `coco17` or `body25`; their own joints stay as they are.
        guess: of the same person.
        gate_px: farthest that BlazePose's ankle may be from the person's.
        width, height: of the photo, pixels.
    """
    body25, seen_by_net, names = keypoints.as_set("body25"), guess.keypoints("body25"), joint_names("body25")
    xy, confidence = body25.xy.copy(), body25.confidence.copy()
    for ankle, joints in _FEET.items():
        x, y, sure = keypoints.named(ankle)
        away = np.array([x, y]) - seen_by_net.xy[names.index(ankle)]
        if sure < MIN_ANKLE or np.linalg.norm(away) > gate_px:
            continue
        for i in (names.index(joint) for joint in joints):
            if confidence[i] <= 0 < seen_by_net.confidence[i]:
                xy[i] = seen_by_net.xy[i] + away
                confidence[i] = min(MAX_CONFIDENCE, sure, seen_by_net.confidence[i])
    added = replace(body25, xy=xy, confidence=confidence)
    lost = at_border(added, width, height) & (body25.confidence <= 0)
    return replace(added, confidence=np.where(lost, 0, confidence).astype(confidence.dtype))
