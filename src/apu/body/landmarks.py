"""Where the limbs of a skinned body are and which way it faces, read off its rest skeleton alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from apu.body.segments import SIDES, Bones, Segment, Side
from apu.errors import InputError

Vector = Float[np.ndarray, " 3"]
Points = Float[np.ndarray, "p 3"]
Scalars = Float[np.ndarray, " p"]


@dataclass(frozen=True)
class Limb:
    """Three joints of an arm (shoulder, elbow, wrist) or of a leg (hip, knee, ankle), metres."""

    root: Vector
    middle: Vector
    end: Vector

    @property
    def upper_length(self) -> float:
        """Length of the upper arm or the thigh, metres."""
        return float(np.linalg.norm(self.middle - self.root))

    def along_upper(self, points: Points) -> Scalars:
        """(p,) place along the upper bone: 0 at its root, 1 at the middle joint."""
        axis = self.middle - self.root
        return (points - self.root) @ axis / (axis @ axis)

    def along_lower(self, points: Points) -> Scalars:
        """(p,) place along the lower bone: 0 at the middle joint, 1 at the end."""
        axis = self.end - self.middle
        return (points - self.middle) @ axis / (axis @ axis)

    def past_middle(self, points: Points) -> Scalars:
        """(p,) distance beyond the plane that halves the middle joint's angle.

        Negative above it, in lengths of the upper bone; positive below it, in lengths of the lower bone.
        """
        upper, lower = self.middle - self.root, self.end - self.middle
        distance = (points - self.middle) @ _unit(_unit(upper) + _unit(lower))
        return distance / np.where(distance < 0, np.linalg.norm(upper), np.linalg.norm(lower))

    def ahead(self, points: Points, forward: Vector) -> Scalars:
        """(p,) distance in front of the nearer bone's line, at a right angle to the bone, metres."""
        upper, lower = _unit(self.middle - self.root), _unit(self.end - self.middle)
        on_upper = (points - self.middle) @ _unit(upper + lower) < 0
        return np.where(
            on_upper,
            (points - self.root) @ _unit(forward - (forward @ upper) * upper),
            (points - self.middle) @ _unit(forward - (forward @ lower) * lower),
        )


@dataclass(frozen=True)
class Hand:
    """The flat hand in the rest pose.

    Attributes:
        axis: unit vector from the wrist towards the fingers.
        palm: unit vector out of the palm.
        has_fingers: whether the skeleton has finger bones.
    """

    axis: Vector
    palm: Vector
    has_fingers: bool


@dataclass(frozen=True)
class Landmarks:
    """Body axes and limbs of a rest skeleton, in whatever frame it is given.

    Attributes:
        up, forward, left: unit vectors; left is the person's own, up runs from the hips to the neck.
        hips: midpoint of the hip joints.
        neck: the joint at the base of the neck.
        arms, legs, hands: by side.
    """

    up: Vector
    forward: Vector
    left: Vector
    hips: Vector
    neck: Vector
    arms: Mapping[Side, Limb]
    legs: Mapping[Side, Limb]
    hands: Mapping[Side, Hand]

    def height(self, points: Points) -> Scalars:
        """(p,) height on the torso: 0 at the hip joints, 1 at the base of the neck."""
        return (points - self.hips) @ self.up / ((self.neck - self.hips) @ self.up)

    def is_left(self, points: Points) -> Bool[np.ndarray, " p"]:
        """(p,) on the person's left half; the midline itself counts as left, whatever the rounding."""
        return (points - self.hips) @ self.left > -1e-4 * np.linalg.norm(self.neck - self.hips)


def read_landmarks(bones: Bones, positions: Float[np.ndarray, "j 3"]) -> Landmarks:
    """Find axes and limbs.

    Args:
        bones: what each joint is.
        positions: (j, 3) rest position of each bone's head, in a right-handed frame.

    Raises:
        InputError: the skeleton lacks a joint that the regions need, or two of them coincide.
    """

    def joint(segment: Segment, side: Side | None) -> Vector:
        found = bones.chain_starts(segment, side)
        if not found:
            raise _missing(bones, f"{side} {segment}" if side else segment)
        return positions[found[0]]

    arms: dict[Side, Limb] = {s: Limb(joint("upper_arm", s), joint("forearm", s), joint("hand", s)) for s in SIDES}
    legs: dict[Side, Limb] = {s: Limb(joint("thigh", s), joint("shank", s), joint("foot", s)) for s in SIDES}
    neck = joint("neck", None)
    hips = (legs["left"].root + legs["right"].root) / 2
    up = _unit(neck - hips)
    across = legs["left"].root - legs["right"].root
    left = _unit(across - (across @ up) * up)
    forward = np.cross(left, up)
    hands: dict[Side, Hand] = {s: _hand(bones, positions, s, arms[s], forward) for s in SIDES}
    return Landmarks(up, forward, left, hips, neck, arms, legs, hands)


def _hand(bones: Bones, positions: Float[np.ndarray, "j 3"], side: Side, arm: Limb, forward: Vector) -> Hand:
    """Axis and palm: for a left hand the palm is to the right of someone who walks up the hand and looks at the thumb.

    A skeleton that does not name its fingers must hold its thumbs forwards, as T- and A-poses do.
    """
    roots = bones.chain_starts("finger", side)
    ranked = sorted((rank, i) for i in roots if (rank := bones.finger_rank(i)) is not None and rank > 0)
    thumbwards = positions[ranked[0][1]] - positions[ranked[-1][1]] if len(ranked) > 1 else forward
    flat = [i for _, i in ranked] or roots
    axis = positions[flat].mean(0) - arm.end if flat else arm.end - arm.middle
    palm = np.cross(axis, thumbwards) * (1.0 if side == "left" else -1.0)
    return Hand(_unit(axis), _unit(palm), bool(roots))


def _unit(vector: Vector) -> Vector:
    length = np.linalg.norm(vector)
    if not length > 0:
        raise InputError(
            "The rest skeleton has no direction where a limb should be.",
            where="joint positions",
            expected="limbs of some length, and arms, legs and neck at different places",
            got="two joints at the same place, or positions that are not finite",
            remedy="check the joint positions that the body model gives in its rest pose.",
        )
    return vector / length


def _missing(bones: Bones, what: str) -> InputError:
    return InputError(
        "The skeleton lacks a joint that the surface regions need.",
        where=f"bones: {', '.join(bones.names[:12])}{', ...' if len(bones.names) > 12 else ''}",
        expected=f"a bone that begins the {what.replace('_', ' ')}",
        got=f"none among {len(bones.names)} bones",
        remedy="name the bones as a common rig does (Anny, SMPL-X, Mixamo, Unreal, CMU, SOMA), sides included.",
    )
