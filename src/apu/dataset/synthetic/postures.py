"""The tables of the analytic postures: hand-set means and spreads, degrees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Spread = tuple[float, float]
"""Mean and standard deviation; draws stay within two deviations."""


@dataclass(frozen=True)
class Leg:
    """One leg, degrees. Pitches are of the level frame, in the plane that the person faces.

    Attributes:
        thigh: pitch of the thigh: 0 points down, 90 forward.
        shin: pitch of the shin, likewise; -90 points backward.
        apart: abduction of the hip.
        outward: outward rotation of the hip.
        foot: `flat`: the sole is level; `instep`: stretched, as when the instep lies on the ground; `toes`: bent, as
            when the toes hold the ground; `loose`: relaxed.
    """

    thigh: Spread
    shin: Spread
    apart: Spread = (4.0, 4.0)
    outward: Spread = (4.0, 5.0)
    foot: Literal["flat", "instep", "toes", "loose"] = "flat"


@dataclass(frozen=True)
class Posture:
    """One way to sit, kneel, ...; degrees.

    Attributes:
        legs: left and right; every other person is mirrored.
        lean: of the pelvis, forward: 90 lies on the belly, -90 on the back.
        sideways: of the pelvis, to the left: 90 lies on the left side.
        spine: flexion of each of the three spine joints.
        level: the left thigh is turned until the left sole is as low as what the right leg rests on.
        drop_arms: whether arms hang as much further forward as the pelvis leans.
        upper: angles of arms, neck and head that replace those of the standing person, by the end of their names; later
            entries win.
    """

    legs: tuple[Leg, Leg]
    lean: Spread
    sideways: Spread = (0.0, 2.0)
    spine: Spread = (3.0, 4.0)
    level: bool = False
    drop_arms: bool = True
    upper: Mapping[str, Spread] = field(default_factory=dict)


def _both(leg: Leg) -> tuple[Leg, Leg]:
    return leg, leg


_INSTEP = Leg((6.0, 6.0), (-90.0, 2.0), (5.0, 4.0), (0.0, 4.0), "instep")
_TOES = Leg((8.0, 6.0), (-109.0, 2.0), (5.0, 4.0), (0.0, 4.0), "toes")
_ON_HEELS = Leg((54.0, 2.0), (-91.0, 1.0), (7.0, 4.0), (0.0, 3.0), "instep")
_TRAILING = Leg((-2.0, 6.0), (-109.0, 2.0), (3.0, 3.0), (0.0, 3.0), "toes")
_RESTING_HANDS = {
    "clavicle_elevation": (0.0, 4.0), "clavicle_protraction": (0.0, 4.0), "forearm_pronation": (0.0, 20.0),
    "wrist_flexion": (5.0, 8.0), "wrist_lift": (0.0, 5.0), "wrist_turn": (0.0, 5.0),
}  # fmt: skip
_ARMS_BESIDE = {
    **_RESTING_HANDS, "shoulder_flexion": (-7.0, 3.0), "shoulder_abduction": (-14.0, 9.0),
    "shoulder_rotation": (0.0, 12.0), "elbow_flexion": (-30.0, 5.0),
    "neck_flexion": (4.0, 5.0), "head_flexion": (2.0, 5.0),
}  # fmt: skip
_ARMS_OVER_KNEES = {"shoulder_flexion": (62.0, 10.0), "elbow_flexion": (10.0, 18.0)}
_HANDS_ON_THIGHS = {
    "shoulder_flexion": (14.0, 6.0), "shoulder_abduction": (-24.0, 5.0), "shoulder_rotation": (-8.0, 8.0),
    "elbow_flexion": (32.0, 10.0),
}  # fmt: skip
_HANDS_ON_BELLY = {
    **_ARMS_BESIDE, "shoulder_flexion": (-4.0, 4.0), "shoulder_abduction": (-8.0, 5.0),
    "shoulder_rotation": (-42.0, 8.0), "elbow_flexion": (46.0, 8.0),
}  # fmt: skip
_ARMS_AHEAD = {
    **_RESTING_HANDS, "shoulder_rotation": (0.0, 12.0),
    "left_shoulder_flexion": (88.0, 5.0), "left_shoulder_abduction": (-58.0, 3.0), "left_elbow_flexion": (55.0, 10.0),
    "right_shoulder_flexion": (52.0, 12.0), "right_shoulder_abduction": (-50.0, 5.0),
    "right_elbow_flexion": (25.0, 18.0),
    "neck_bend": (14.0, 4.0), "head_bend": (12.0, 4.0), "neck_twist": (0.0, 6.0), "head_twist": (0.0, 6.0),
    "neck_flexion": (8.0, 6.0), "head_flexion": (4.0, 6.0),
}  # fmt: skip
_ON_BELLY = {
    **_ARMS_BESIDE, "shoulder_flexion": (-14.0, 3.0), "elbow_flexion": (-38.0, 3.0),
    "neck_flexion": (-8.0, 4.0), "head_flexion": (-6.0, 4.0), "neck_twist": (30.0, 6.0), "head_twist": (36.0, 6.0),
    "neck_bend": (0.0, 4.0), "head_bend": (0.0, 4.0),
}  # fmt: skip

POSTURES: Mapping[str, tuple[Posture, ...]] = {
    "bending": (
        Posture(_both(Leg((0.0, 5.0), (-8.0, 5.0))), (35.0, 10.0), spine=(10.0, 5.0)),
        Posture(_both(Leg((25.0, 7.0), (-22.0, 6.0))), (40.0, 8.0), spine=(8.0, 5.0)),
        Posture((Leg((28.0, 5.0), (2.0, 5.0)), Leg((-14.0, 5.0), (-24.0, 5.0))), (30.0, 8.0), spine=(8.0, 4.0)),
    ),
    "sitting": (
        Posture(_both(Leg((86.0, 3.0), (2.0, 8.0), (7.0, 5.0), (5.0, 6.0))), (-8.0, 6.0), spine=(5.0, 4.0)),
        Posture(_both(Leg((90.0, 3.0), (10.0, 10.0), (8.0, 6.0), (6.0, 8.0))), (-22.0, 6.0), spine=(7.0, 4.0)),
        Posture(_both(Leg((84.0, 3.0), (-8.0, 6.0), (9.0, 6.0), (6.0, 6.0))), (14.0, 8.0), spine=(8.0, 4.0)),
    ),
    "kneeling": (
        Posture(_both(_INSTEP), (6.0, 5.0)),
        Posture(_both(_TOES), (8.0, 5.0)),
        Posture(_both(_ON_HEELS), (10.0, 7.0), spine=(7.0, 4.0), upper=_HANDS_ON_THIGHS),
    ),
    "one_knee": (
        Posture((Leg((80.0, 5.0), (-2.0, 6.0), (8.0, 4.0)), _TRAILING), (6.0, 5.0), level=True),
        Posture((Leg((80.0, 5.0), (-6.0, 6.0), (8.0, 4.0)), _TRAILING), (16.0, 6.0), spine=(6.0, 4.0), level=True),
    ),
    "squatting": (
        Posture(_both(Leg((112.0, 5.0), (-27.0, 2.0), (14.0, 5.0), (12.0, 5.0))), (32.0, 6.0), spine=(8.0, 4.0),
                upper=_ARMS_OVER_KNEES),
        Posture(_both(Leg((72.0, 8.0), (-26.0, 3.0), (10.0, 5.0), (8.0, 5.0))), (34.0, 7.0), spine=(6.0, 4.0)),
    ),
    "lying": (
        Posture(
            _both(Leg((91.0, 2.0), (88.0, 2.0), (6.0, 4.0), (14.0, 8.0), "loose")),
            (-90.0, 1.0), spine=(2.0, 2.0), drop_arms=False, upper=_ARMS_BESIDE,
        ),
        Posture(
            _both(Leg((134.0, 6.0), (40.0, 4.0), (5.0, 4.0), (2.0, 4.0))),
            (-90.0, 1.0), spine=(2.0, 2.0), drop_arms=False, upper=_HANDS_ON_BELLY,
        ),
        Posture(
            (
                Leg((48.0, 10.0), (-20.0, 12.0), (-6.0, 3.0), (0.0, 4.0), "loose"),
                Leg((58.0, 10.0), (-12.0, 12.0), (-4.0, 3.0), (0.0, 4.0), "loose"),
            ),
            (0.0, 4.0), (88.0, 3.0), spine=(6.0, 4.0), drop_arms=False, upper=_ARMS_AHEAD,
        ),
        Posture(
            _both(Leg((-90.0, 1.0), (-92.0, 2.0), (6.0, 3.0), (4.0, 5.0), "instep")),
            (90.0, 1.0), spine=(-3.0, 2.0), drop_arms=False, upper=_ON_BELLY,
        ),
    ),
}  # fmt: skip
"""Family -> its variants, equally likely. In turn, lying: on the back, knees up, on the left side, on the belly."""
