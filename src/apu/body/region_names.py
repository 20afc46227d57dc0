"""The 75 surface regions: 37 a side and one at the front of the pelvis. Left and right are the person's own."""

SIDED_REGIONS: tuple[str, ...] = (
    "head_front", "head_back", "neck_front", "neck_back",
    "shoulder_front", "shoulder_back",
    "upper_arm_front", "upper_arm_back", "elbow_front", "elbow_back",
    "forearm_front", "forearm_back",
    "hand_palm", "hand_back", "fingers_palm", "fingers_back",
    "upper_chest", "lower_chest", "upper_belly", "lower_belly",
    "shoulder_blade", "upper_back", "middle_back", "lower_back", "buttock",
    "upper_thigh_front", "upper_thigh_back", "lower_thigh_front", "lower_thigh_back",
    "knee_front", "knee_back",
    "upper_calf_front", "upper_calf_back", "lower_calf_front", "lower_calf_back",
    "foot_top", "foot_sole",
)  # fmt: skip
"""`shoulder_blade` is the highest band of the back, `upper_back` the one below it."""

CENTRAL_REGIONS: tuple[str, ...] = ("pelvis_front",)

REGION_NAMES: tuple[str, ...] = (
    tuple(f"{side}_{name}" for side in ("left", "right") for name in SIDED_REGIONS) + CENTRAL_REGIONS
)


def mirrored(region: str) -> str:
    """The same region on the other side; a central region is its own mirror image."""
    side, _, rest = region.partition("_")
    if side == "left":
        return f"right_{rest}"
    if side == "right":
        return f"left_{rest}"
    return region
