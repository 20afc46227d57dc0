"""The words for body parts, and the regions that each of them stands for. Left and right are the person's own."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apu.body.region_names import CENTRAL_REGIONS, REGION_NAMES, SIDED_REGIONS
from apu.errors import InputError

SIDES: tuple[str, ...] = ("left", "right", "both", "none")
"""`both` and `none` name the same regions; they differ in what the speaker meant."""

_REGIONS = frozenset(REGION_NAMES)
LONGEST_NAME = 100
"""Characters; what is longer is not looked up."""


@dataclass(frozen=True)
class Part:
    """A word for a union of regions.

    Attributes:
        name: lower case, words parted by blanks.
        surfaces: its region names without side.
        paired: a body has two of them, a left and a right one. Of an unpaired part, `left` names the left half.
    """

    name: str
    surfaces: tuple[str, ...]
    paired: bool

    def regions(self, side: str) -> frozenset[str]:
        """Those on a side of `SIDES`. The front of the pelvis goes with either side, but is on none by itself."""
        sides = (side,) if side in ("left", "right") else ("left", "right")
        sided = frozenset(f"{s}_{surface}" for s in sides for surface in self.surfaces) & _REGIONS
        central = frozenset(self.surfaces) & _REGIONS
        return sided | central if sided or len(sides) == 2 else sided


def _table(*rows: tuple[str, str, bool]) -> Mapping[str, Part]:
    return MappingProxyType({name: Part(name, tuple(surfaces.split()), paired) for name, surfaces, paired in rows})


PARTS: Mapping[str, Part] = _table(
    ("head", "head_front head_back", False),
    ("face", "head_front", False),
    ("neck", "neck_front neck_back", False),
    ("shoulder front", "shoulder_front", True),
    ("shoulder back", "shoulder_back", True),
    ("chest", "upper_chest lower_chest", False),
    ("belly", "upper_belly lower_belly", False),
    ("back", "shoulder_blade upper_back middle_back lower_back", False),
    ("waist front", "lower_belly pelvis_front", False),
    ("waist back", "lower_back", False),
    ("buttocks", "buttock", False),
    ("upper arm", "upper_arm_front upper_arm_back", True),
    ("elbow", "elbow_front elbow_back", True),
    ("forearm", "forearm_front forearm_back", True),
    ("hand", "hand_palm hand_back fingers_palm fingers_back", True),
    ("thigh", "upper_thigh_front upper_thigh_back lower_thigh_front lower_thigh_back", True),
    ("knee", "knee_front knee_back", True),
    ("lower leg", "upper_calf_front upper_calf_back lower_calf_front lower_calf_back", True),
    ("foot", "foot_top foot_sole", True),
)
"""The closed vocabulary: what an annotator chooses from, by name. The choice is ours, after the words of ProsePose: arm
and leg are cut finer, because the mesh needs it. Together they cover every region; some overlap."""

PART_OF_SURFACE: Mapping[str, str] = MappingProxyType(
    {s: next(p.name for p in PARTS.values() if s in p.surfaces) for s in (*SIDED_REGIONS, *CENTRAL_REGIONS)}
)
"""Region without side -> the first part that has it. Some words overlap; by this rule, which is ours, parts do not: the
face is part of the head, the waist's back of the back, and the waist's front is what the belly leaves of it."""


def part_of_region(region: str) -> Part:
    """The part of `PART_OF_SURFACE` that a region, with its side, belongs to."""
    return PARTS[PART_OF_SURFACE[region if region in CENTRAL_REGIONS else region.partition("_")[2]]]


OTHER_PARTS: Mapping[str, Part] = _table(
    ("shoulder", "shoulder_front shoulder_back", True),
    ("waist", "lower_belly pelvis_front lower_back", False),
    ("hip", "lower_belly pelvis_front lower_back buttock", True),
    ("arm", "upper_arm_front upper_arm_back elbow_front elbow_back forearm_front forearm_back", True),
    ("fingers", "fingers_palm fingers_back", True),
    ("leg", " ".join(s for name in ("thigh", "knee", "lower leg") for s in PARTS[name].surfaces), True),
    ("shin", "upper_calf_front lower_calf_front", True),
    ("calf", "upper_calf_back lower_calf_back", True),
)
"""Wider and narrower words that are understood, but not offered to annotators."""

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {"stomach": "belly", "abdomen": "belly", "tummy": "belly", "butt": "buttocks", "bottom": "buttocks",
     "finger": "fingers", "palm": "hand palm", "lower arm": "forearm", "upper leg": "thigh"}
)  # fmt: skip

_PLURALS = {"foot": "feet", "calf": "calves"}
_SURFACES = {
    name.replace("_", " "): Part(name.replace("_", " "), (name,), name in SIDED_REGIONS)
    for name in (*SIDED_REGIONS, *CENTRAL_REGIONS)
}
_SINGULARS: dict[str, Part] = {**_SURFACES, **OTHER_PARTS, **PARTS}


def part_regions(part: str, side: str) -> frozenset[str]:
    """The regions of a part.

    Args:
        part: a name out of `PARTS` or `OTHER_PARTS`.
        side: out of `SIDES`. `both` and `none` give the union of left and right.

    Raises:
        InputError: there is no such part or side.
    """
    if part not in PARTS and part not in OTHER_PARTS:
        raise _unknown(part)
    if side not in SIDES:
        raise InputError(
            "A side has an unknown name.",
            where=f"part {part!r}",
            expected=f"one of {', '.join(SIDES)}",
            got=repr(side[:LONGEST_NAME]),
            remedy="give the person's own left or right; `none` when the side is not known or does not exist.",
        )
    return _SINGULARS[part].regions(side)


def regions_of(words: str) -> tuple[frozenset[str], str]:
    """Understand a part or region that somebody wrote.

    Case does not matter, and neither does whether blanks, underscores or hyphens part the words: `left hand`,
    `Right_shoulder_back`, `hand (left)`, `both hands`, `back`, `left_hand_palm`. A part of which there are two, named
    without a side, stands for both.

    Returns:
        The regions, and a tidy label such as `left hand`.

    Raises:
        InputError: no part or region is called so; the remedy has the names that come close.
    """
    side, name = _sided(words)
    part = _NAMES.get(name)
    regions = part.regions(side) if part else frozenset()
    if part is None or not regions:
        raise _unknown(words)
    if part.paired and (side == "both" or (side == "none" and name != part.name and name == _plural(part.name))):
        return regions, f"both {_plural(part.name)}"
    return regions, f"{side} {part.name}" if side in ("left", "right") else part.name


def _sided(words: str) -> tuple[str, str]:
    """(side, name) of what was written, in lower case with single blanks; no name when it is too long to be one."""
    if len(words) > LONGEST_NAME:
        return "none", ""
    tokens = re.sub(r"[\s_()\-]+", " ", words).strip().casefold().split(" ")
    for at in (0, -1):
        if len(tokens) > 1 and tokens[at] in ("left", "right", "both"):
            return tokens.pop(at), " ".join(tokens)
    return "none", " ".join(tokens)


def _plural(name: str) -> str:
    return _PLURALS.get(name, name if name.endswith("s") else f"{name}s")


def _all_names() -> Iterator[tuple[str, Part]]:
    for part in _SINGULARS.values():
        if part.paired:
            yield _plural(part.name), part
    for word, name in SYNONYMS.items():
        yield word, _SINGULARS[name]
    yield from _SINGULARS.items()


_NAMES: dict[str, Part] = dict(_all_names())


def _unknown(words: str) -> InputError:
    side, name = _sided(words)
    sided = [f"{s} {part.name}" for s in ("left", "right") for part in _SINGULARS.values() if part.regions(s)]
    asked = name if side == "none" else f"{side} {name}"
    close = difflib.get_close_matches(asked, [*_NAMES, *sided], n=3)
    return InputError(
        "No part or region has this name.",
        expected='a part such as "left hand" or "back", or a region such as "left_hand_palm"',
        got=repr(words[:LONGEST_NAME]),
        remedy=f"{f'did you mean {_alternatives(close)}? ' if close else ''}`apu regions` lists all names.",
    )


def _alternatives(names: list[str]) -> str:
    return " or ".join(f'"{name}"' for name in names)
