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
        limits: bounds on angles of the arms, by the end of their names, so that arms stay above the ground.
    """

    legs: tuple[Leg, Leg]
    lean: Spread
    sideways: Spread = (0.0, 2.0)
    spine: Spread = (3.0, 4.0)
    level: bool = False
    limits: Mapping[str, Spread] = field(default_factory=dict)


def _both(leg: Leg) -> tuple[Leg, Leg]:
    return leg, leg


_ON_BACK = {"shoulder_flexion": (5.0, 100.0), "shoulder_abduction": (-40.0, 60.0), "clavicle_protraction": (-5.0, 20.0)}

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
        Posture(_both(Leg((6.0, 6.0), (-90.0, 2.0), (5.0, 4.0), (0.0, 4.0), "instep")), (6.0, 5.0)),
        Posture(_both(Leg((10.0, 6.0), (-72.0, 3.0), (5.0, 4.0), (0.0, 4.0), "toes")), (8.0, 5.0)),
        Posture(_both(Leg((62.0, 5.0), (-90.0, 2.0), (7.0, 4.0), (0.0, 3.0), "instep")), (10.0, 7.0), spine=(7.0, 4.0)),
    ),
    "one_knee": (
        Posture((Leg((80.0, 5.0), (-2.0, 7.0), (8.0, 4.0)), Leg((-2.0, 7.0), (-78.0, 5.0), (3.0, 3.0), (0.0, 3.0), "toes")),
                (6.0, 5.0), level=True),
        Posture((Leg((80.0, 5.0), (-6.0, 7.0), (8.0, 4.0)), Leg((6.0, 6.0), (-74.0, 4.0), (3.0, 3.0), (0.0, 3.0), "toes")),
                (16.0, 7.0), spine=(6.0, 4.0), level=True),
    ),
    "squatting": (
        Posture(_both(Leg((112.0, 5.0), (-30.0, 3.0), (18.0, 6.0), (14.0, 6.0))), (32.0, 6.0), spine=(8.0, 4.0)),
        Posture(_both(Leg((72.0, 8.0), (-28.0, 4.0), (10.0, 5.0), (8.0, 5.0))), (34.0, 7.0), spine=(6.0, 4.0)),
    ),
    "lying": (
        Posture(_both(Leg((91.0, 3.0), (87.0, 3.0), (6.0, 4.0), (12.0, 8.0), "loose")), (-90.0, 2.0), spine=(2.0, 2.0), limits=_ON_BACK),
        Posture(_both(Leg((138.0, 8.0), (40.0, 5.0), (5.0, 4.0), (2.0, 4.0))), (-90.0, 2.0), spine=(2.0, 2.0), limits=_ON_BACK),
        Posture((Leg((60.0, 12.0), (-5.0, 15.0), (-4.0, 3.0), (0.0, 4.0), "loose"), Leg((45.0, 12.0), (-20.0, 15.0), (4.0, 3.0), (0.0, 4.0), "loose")), (0.0, 6.0), (88.0, 4.0), (6.0, 4.0), limits={"shoulder_flexion": (20.0, 110.0)}),
        Posture(_both(Leg((-88.0, 2.0), (-90.0, 3.0), (6.0, 3.0), (4.0, 5.0), "instep")), (90.0, 2.0), spine=(-3.0, 2.0), limits={"shoulder_flexion": (-20.0, 5.0)}),
    ),
}  # fmt: skip
"""Family -> its variants, equally likely."""
