"""What the bones of a skeleton are, told from their names and their tree: torso, neck, head, arms, hands, legs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Segment = Literal["torso", "neck", "head", "upper_arm", "forearm", "hand", "finger", "thigh", "shank", "foot"]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")

_WORDS: tuple[tuple[str, Segment], ...] = (
    (r"neck", "neck"),
    (r"head", "head"),
    (r"metacarpal", "hand"),
    (r"toe|ball", "foot"),
    (r"wrist|hand", "hand"),
    (r"forearm|lowerarm|elbow", "forearm"),
    (r"upperarm|uparm|humerus", "upper_arm"),
    (r"foot|ankle", "foot"),
    (r"lowerleg|calf|shin|knee|tibia", "shank"),
    (r"upperleg|upleg|thigh|femur", "thigh"),
)
"""The first match wins: `forearm` stands before `arm`, which is told apart last."""

_FINGER_WORDS = r"thumb|index|middle|ring|pinky|little|finger"
"""Believed only at the end of an arm (`RightHandRing1`): there are middle spines and index bones elsewhere."""

_NO_BRANCH: frozenset[Segment] = frozenset({"head", "finger", "foot"})
"""All that hangs on these belongs to them: jaws, eyes, finger ends, toes, whatever they are called."""

_FINGER_RANKS = ("thumb|finger1", "index|finger2", "middle|finger3", "ring|finger4", "pinky|little|finger5")


@dataclass(frozen=True)
class Bones:
    """A skeleton's bones, each with what it is.

    Attributes:
        names: as the body model calls them.
        parents: index of each bone's parent, -1 for the root.
        segments: what each bone moves.
        sides: the person's own side of each bone, None on the midline.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    segments: tuple[Segment, ...]
    sides: tuple[Side | None, ...]

    def chain_starts(self, segment: Segment, side: Side | None) -> list[int]:
        """Bones with which a segment begins: those of that segment and side whose parent is of another."""
        of_kind = [s == segment and side in (None, k) for s, k in zip(self.segments, self.sides, strict=True)]
        return [i for i, p in enumerate(self.parents) if of_kind[i] and (p < 0 or not of_kind[p])]

    def finger_rank(self, bone: int) -> int | None:
        """0 for the thumb to 4 for the little finger; None when the name does not say."""
        name = self.names[bone].lower()
        return next((rank for rank, words in enumerate(_FINGER_RANKS) if re.search(words, name)), None)


def read_bones(names: Sequence[str], parents: Sequence[int]) -> Bones:
    """Tell segment and side of every bone.

    Known by words are the common rigs: Anny, MakeHuman, SMPL and SMPL-X, Mixamo, Unreal, CMU, SOMA. A bone whose name
    says nothing is what its parent is.

    Args:
        names: one per bone, any case, with or without a namespace (`mixamorig:LeftArm`).
        parents: index of each bone's parent, -1 for the root; in any order.
    """
    segments: dict[int, Segment] = {}
    sides: dict[int, Side | None] = {}
    for bone in sorted(range(len(names)), key=lambda i: _depth(i, parents)):
        parent = parents[bone]
        above: Segment = segments[parent] if parent >= 0 else "torso"
        sides[bone] = _side(names[bone]) or (sides[parent] if parent >= 0 else None)
        children = [names[i].lower() for i, p in enumerate(parents) if p == bone]
        sided = sides[bone] is not None
        segments[bone] = above if above in _NO_BRANCH else _segment(names[bone], above, children, sided)
    count = range(len(names))
    return Bones(tuple(names), tuple(parents), tuple(segments[i] for i in count), tuple(sides[i] for i in count))


def _depth(bone: int, parents: Sequence[int]) -> int:
    return 0 if parents[bone] < 0 else 1 + _depth(parents[bone], parents)


def _side(name: str) -> Side | None:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name.rpartition(":")[2])
    for word in words:
        if word.lower().startswith("left") or word in ("l", "L"):
            return "left"
        if word.lower().startswith("right") or word in ("r", "R"):
            return "right"
    return None


def _segment(name: str, above: Segment, children: list[str], sided: bool) -> Segment:
    word = name.rpartition(":")[2].lower()
    if above in ("hand", "forearm") and "metacarpal" not in word and re.search(_FINGER_WORDS, word):
        return "finger"
    for pattern, segment in _WORDS:
        if re.search(pattern, word):
            return segment
    if "shoulder" in word:
        return _shoulder(above, children)
    if re.search(r"hips?$", word):
        return _hip(children, sided)
    if "leg" in word:  # Mixamo calls the shank so, SOMA the thigh
        return "shank" if above in ("thigh", "shank") else "thigh"
    if "arm" in word:
        return "forearm" if above == "upper_arm" and "twist" not in word else "upper_arm"
    return above


def _shoulder(above: Segment, children: list[str]) -> Segment:
    """In Mixamo and SOMA a shoulder is the collar bone, and an upper arm hangs on it; in SMPL it is the upper arm."""
    carries_arm = any("arm" in c and "fore" not in c and "lower" not in c for c in children)
    return above if carries_arm else "upper_arm"


def _hip(children: list[str], sided: bool) -> Segment:
    """In SMPL `left_hip` is the thigh; in other rigs hips are the pelvis."""
    carries_thigh = any(re.search("upleg|upperleg|thigh", c) for c in children)
    return "thigh" if sided and not carries_thigh else "torso"
