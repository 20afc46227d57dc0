"""One end of a contact as an annotator names it: a part, and its side as far as it was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apu.contact.parts import OTHER_PARTS, PARTS, Part, part_of_region, part_regions, regions_of
from apu.errors import InputError

END_SIDES: tuple[str, ...] = ("left", "right", "both", "none", "unknown")
"""`unknown`: the part has a side, and nobody knows which. `none`: the body has one such part, or no side was said."""

OTHER_SIDE: Mapping[str, str] = MappingProxyType({"left": "right", "right": "left"})


@dataclass(frozen=True)
class End:
    """One side of a contact, as an annotator names it.

    Attributes:
        part: a name out of `PARTS` or `OTHER_PARTS`.
        side: out of `END_SIDES`; of an unpaired part, `left` is its left half.
    """

    part: str
    side: str = "none"

    def __post_init__(self) -> None:
        if self.side not in END_SIDES:
            raise InputError(
                "A side has an unknown name.",
                where=f"part {self.part[:40]!r}",
                expected=f"one of {', '.join(END_SIDES)}",
                got=repr(self.side[:40]),
                remedy="give the person's own left or right; `unknown` when nobody knows.",
            )
        if self.part not in PARTS and self.part not in OTHER_PARTS:
            part_regions(self.part, "none")  # raises the error that names what comes close

    @property
    def label(self) -> str:
        """E.g. `left hand`, `both hands`; `hand` where no side is known. `regions_of` understands it."""
        if self.side == "both" and self.paired:
            return regions_of(f"both {self.part}")[1]
        return f"{self.side} {self.part}" if self.sided else self.part

    @property
    def regions(self) -> frozenset[str]:
        """The regions it stands for; of both sides where it is not said which."""
        return part_regions(self.part, "none" if self.side == "unknown" else self.side)

    @property
    def paired(self) -> bool:
        """Whether a body has two of this part."""
        return is_paired(self.part)

    @property
    def sided(self) -> bool:
        """Whether it is on a known side."""
        return self.side in OTHER_SIDE

    @property
    def meant(self) -> "End":
        """With the side that is meant: an unpaired part has `none`; a paired one that has none is `unknown`."""
        if self.sided or (self.paired and self.side != "none"):
            return self
        side = "unknown" if self.paired else "none"
        return self if side == self.side else End(self.part, side)

    @property
    def sides(self) -> tuple[str, ...]:
        """The single sides that it may be on: one where it is said, else both; `none` for an unpaired part."""
        meant = self.meant.side
        return (meant,) if meant in ("left", "right", "none") else ("left", "right")

    def flipped(self) -> "End":
        """The same part on the other side; unchanged where it has no known one."""
        return End(self.part, OTHER_SIDE.get(self.side, self.side))

    def on_side(self, side: str) -> "End":
        """The same part on a given side."""
        return self if side == self.side else End(self.part, side)


def part_named(part: str) -> Part:
    """The entry of a part of `PARTS` or `OTHER_PARTS`."""
    return PARTS.get(part) or OTHER_PARTS[part]


def is_paired(part: str) -> bool:
    """Whether a body has two of a part."""
    return part_named(part).paired


def end_of_region(region: str) -> End:
    """The part of the fixed partition that a region belongs to. The two halves of an unpaired part are one."""
    part = part_of_region(region)
    return End(part.name, region.partition("_")[0] if part.paired else "none")
