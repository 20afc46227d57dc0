"""What the joints of a pose net's output are, told by their number, and what becomes of them in BODY_25."""

import numpy as np
from jaxtyping import Float

from apu.body.joints import JOINT_SETS, joint_names
from apu.scene.person import Keypoints

_FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")

LAYOUTS: dict[int, tuple[str, ...]] = {
    17: JOINT_SETS["coco17"],
    26: (
        *JOINT_SETS["coco17"], "head_top", "neck", "mid_hip",
        "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe", "left_heel", "right_heel",
    ),
    133: (*JOINT_SETS["coco17"], *_FEET),
}  # fmt: skip
"""Number of joints -> their names: COCO; Halpe's body with feet; COCO-WholeBody without face and hands."""

_MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}


def body25_keypoints(rows: Float[np.ndarray, "j 3"]) -> Keypoints:
    """A net's joints in BODY_25 order.

    Neck and middle of the hips, where the net has none, lie midway between shoulders and hips, as OpenPose has them,
    and are as sure as the less sure of the two.

    Args:
        rows: x and y in pixels, confidence; of one of `LAYOUTS`. What is no number is not seen.
    """
    names, target = LAYOUTS[len(rows)], joint_names("body25")
    found = np.zeros((len(target), 3))
    for i, name in enumerate(names):
        if name in target:
            found[target.index(name)] = rows[i]
    for name, ends in _MIDDLES.items():
        if name not in names:
            a, b = (rows[names.index(end)] for end in ends)
            found[target.index(name)] = [*(a[:2] + b[:2]) / 2, min(a[2], b[2])]
    found[~np.isfinite(found).all(1) | (found[:, 2] <= 0)] = 0
    return Keypoints("body25", found[:, :2].astype(np.float32), found[:, 2].clip(0, 1).astype(np.float32))
