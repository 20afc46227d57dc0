"""What touches what: contacts between two people, A and B."""

from collections.abc import Iterable
from dataclasses import dataclass

from apu.body.region_names import REGION_NAMES
from apu.errors import InputError

CERTAIN = frozenset({"annotation", "truth"})
"""Sources whose contacts are not doubted: people who looked, and synthetic truth."""


def check_weight(weight: float, where: str) -> None:
    """Raise InputError unless a weight is a trust in (0, 1]."""
    if not 0.0 < weight <= 1.0:
        raise InputError(
            "A contact's weight is out of range.",
            where=where,
            expected="a number in (0, 1]",
            got=weight,
            remedy="give 1 for a certain contact, less for a doubtful one.",
        )


@dataclass(frozen=True)
class Contact:
    """Some place of `regions_a` on A touches some place of `regions_b` on B.

    Attributes:
        regions_a, regions_b: names out of `REGION_NAMES`; a whole part is the union of its regions.
        weight: trust in (0, 1].
        source: who says so, e.g. `annotation`, `proximity`, or a model's name.
        label_a, label_b: the words of the source, e.g. "left hand"; empty when it named regions.
    """

    regions_a: frozenset[str]
    regions_b: frozenset[str]
    weight: float = 1.0
    source: str = "annotation"
    label_a: str = ""
    label_b: str = ""

    def __post_init__(self) -> None:
        for side, regions in (("A", self.regions_a), ("B", self.regions_b)):
            unknown = sorted(set(regions) - set(REGION_NAMES))
            if unknown or not regions:
                raise InputError(
                    f"A contact names no known region on {side}.",
                    where=f"source {self.source!r}",
                    expected="at least one name out of apu.body.region_names.REGION_NAMES",
                    got=", ".join(unknown) or "nothing",
                    remedy="`apu regions` lists the 75 names.",
                )
        check_weight(self.weight, f"source {self.source!r}: {self.name}")

    @property
    def certain(self) -> bool:
        """Whether nothing but its source is needed to believe it."""
        return self.source in CERTAIN

    @property
    def name(self) -> str:
        """Readable form, e.g. `left hand - right lower belly`."""
        return f"{self.label_a or _words(self.regions_a)} - {self.label_b or _words(self.regions_b)}"

    def swapped(self) -> "Contact":
        """The same contact with A and B exchanged."""
        return Contact(self.regions_b, self.regions_a, self.weight, self.source, self.label_b, self.label_a)


@dataclass(frozen=True)
class ContactMap:
    """All contacts of one pair. An empty map says: no contact is known.

    Attributes:
        contacts: in the order of their source.
        source: who made the map; shown in every output.
    """

    contacts: tuple[Contact, ...]
    source: str

    def swapped(self) -> "ContactMap":
        """The same map with A and B exchanged."""
        return ContactMap(tuple(c.swapped() for c in self.contacts), self.source)

    def matrix(self) -> list[list[float]]:
        """(75, 75) largest weight of any contact that covers (region of A, region of B); for metrics only."""
        index = {name: i for i, name in enumerate(REGION_NAMES)}
        out = [[0.0] * len(REGION_NAMES) for _ in REGION_NAMES]
        for contact in self.contacts:
            for a in contact.regions_a:
                for b in contact.regions_b:
                    row = out[index[a]]
                    row[index[b]] = max(row[index[b]], contact.weight)
        return out

    def regions(self, person: int) -> frozenset[str]:
        """Every region of A (`person` 0) or B (1) that the map names."""
        return frozenset().union(*((c.regions_a if person == 0 else c.regions_b) for c in self.contacts))


def _words(regions: Iterable[str]) -> str:
    return " / ".join(sorted(r.replace("_", " ") for r in regions))
