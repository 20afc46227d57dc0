"""Which joints show where a part is, and how far its skin reaches from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from apu.contact.body_points import MIN_CONFIDENCE, BodyPoints
from apu.contact.end import End
from apu.errors import InputError


@dataclass(frozen=True)
class PartJoints:
    """How a part is found.

    Attributes:
        weights: joint of `body25`, those of the limbs without side -> its weight in the place of the part.
        any_will_do: the joints lie so close together that those which are seen stand for all.
        first_choice: a joint that, where a detector has it and sees it, is better than all others; or empty.
        reach: how far the skin of the part lies from its place at most, torsos. Measured on the
            default body in several poses, rounded up; where any joint will do, for the least lucky one.
    """

    weights: Mapping[str, float]
    reach: float
    any_will_do: bool = False
    first_choice: str = ""


@dataclass(frozen=True, eq=False)
class PartPlace:
    """Where a part is.

    Attributes:
        place: (2,) or (3,) weighted mean of its joints.
        confidence: the lowest of them, times the share of the weight that is seen.
        joints: the joints that were used.
    """

    place: Float[np.ndarray, " d"]
    confidence: float
    joints: tuple[str, ...]


_CENTRAL = ("nose", "neck", "mid_hip")


def _joints(words: str, reach: float, **more: object) -> PartJoints:
    """From words such as `shoulder*3 hip`."""
    pairs = [word.partition("*") for word in words.split()]
    weights = {name: float(weight or 1) for name, _, weight in pairs}
    return PartJoints(MappingProxyType(weights), reach, **more)  # type: ignore[arg-type]


PART_JOINTS: Mapping[str, PartJoints] = MappingProxyType(
    {
        "head": _joints("nose ear", 0.45, any_will_do=True),
        "face": _joints("nose eye", 0.3, any_will_do=True),
        "neck": _joints("neck*2 shoulder", 0.45),
        "shoulder front": _joints("shoulder", 0.3),
        "shoulder back": _joints("shoulder", 0.25),
        "shoulder": _joints("shoulder", 0.3),
        "chest": _joints("shoulder*3 hip", 0.5),
        "belly": _joints("shoulder hip*3", 0.5),
        "back": _joints("shoulder hip", 0.75),
        "waist front": _joints("shoulder hip*9", 0.4),
        "waist back": _joints("shoulder hip*3", 0.4),
        "waist": _joints("shoulder hip*9", 0.45),
        "buttocks": _joints("hip", 0.45),
        "hip": _joints("hip", 0.6),
        "upper arm": _joints("shoulder elbow", 0.3),
        "elbow": _joints("elbow", 0.15),
        "forearm": _joints("elbow wrist", 0.3),
        "arm": _joints("shoulder elbow wrist", 0.6),
        "hand": _joints("wrist", 0.45, first_choice="hand"),
        "fingers": _joints("wrist", 0.45, first_choice="hand"),
        "thigh": _joints("hip knee", 0.55),
        "knee": _joints("knee", 0.2),
        "lower leg": _joints("knee ankle", 0.45),
        "shin": _joints("knee ankle", 0.45),
        "calf": _joints("knee ankle", 0.45),
        "leg": _joints("hip knee ankle", 0.95),
        "foot": _joints("ankle big_toe heel", 0.5, any_will_do=True),
    }
)
"""Part -> how it is found. Weights are hand-set: where along the torso a part of it lies."""


def part_joints(part: str) -> PartJoints:
    """The entry of a part of `PARTS` or `OTHER_PARTS`. Raises InputError for an unknown one."""
    End(part)
    return PART_JOINTS[part]


def place_of(end: End, body: BodyPoints, min_confidence: float = MIN_CONFIDENCE) -> PartPlace:
    """Where a part is, by the joints that show it: the weighted mean of those that are seen.

    What is missing moves the place, e.g. that of a thigh to its knee. So the confidence, the lowest that was used, is
    multiplied by the share of the weight that is seen; but not where any joint will do.

    Args:
        end: on one side, or unpaired. An unpaired part without side lies amid the joints of both sides.
        body: joints of the person.
        min_confidence: joints below are not used, unless all are below.

    Raises:
        InputError: the part has two sides and none is given.
    """
    if end.meant.side in ("both", "unknown"):
        raise InputError(
            "A part of which there are two has no single place.",
            where=end.label,
            expected="a left or a right one",
            got=end.side,
            remedy="ask for each side by itself.",
        )
    found = part_joints(end.part)
    sides = end.meant.sides if end.meant.side != "none" else ("left", "right")
    weights = {
        joint: weight
        for name, weight in found.weights.items()
        for joint in ((name,) if name in _CENTRAL else (f"{side}_{name}" for side in sides))
    }
    if found.first_choice and all(body.joint(f"{s}_{found.first_choice}")[1] >= min_confidence for s in sides):
        weights = {f"{side}_{found.first_choice}": 1.0 for side in sides}
    seen = {name: weight for name, weight in weights.items() if body.joint(name)[1] >= max(min_confidence, 1e-6)}
    used = seen or weights
    share = 1.0 if found.any_will_do else sum(used.values()) / sum(weights.values())
    points = [body.joint(name) for name in used]
    place = np.average([point for point, _ in points], axis=0, weights=list(used.values()))
    return PartPlace(place, share * min(sure for _, sure in points), tuple(used))
