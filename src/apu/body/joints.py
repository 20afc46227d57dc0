"""Joint sets: fixed orders of named joints. Left and right are the person's own."""

JOINT_SETS: dict[str, tuple[str, ...]] = {
    "coco17": (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
        "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    "body25": (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
        "left_shoulder", "left_elbow", "left_wrist", "mid_hip",
        "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
        "right_eye", "left_eye", "right_ear", "left_ear",
        "left_big_toe", "left_small_toe", "left_heel",
        "right_big_toe", "right_small_toe", "right_heel",
    ),
    "j14": (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
        "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
        "neck", "head_top",
    ),
}  # fmt: skip
"""`coco17`: COCO keypoints. `body25`: OpenPose BODY_25. `j14`: the LSP order used for evaluation."""


def joint_names(joint_set: str) -> tuple[str, ...]:
    """Names of a joint set, in order. Raises KeyError for an unknown set."""
    return JOINT_SETS[joint_set]


def joint_mapping(source: str, target: str) -> list[int]:
    """For each joint of `target`, its index in `source`, or -1 where `source` lacks it."""
    index = {name: i for i, name in enumerate(JOINT_SETS[source])}
    return [index.get(name, -1) for name in JOINT_SETS[target]]
