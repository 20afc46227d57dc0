"""A contact in the words of an annotator: two parts with sides, before they become regions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from apu.contact.contact import Contact, ContactMap, check_weight
from apu.contact.end import End


@dataclass(frozen=True)
class NamedContact:
    """A part of A touches a part of B.

    Attributes:
        a, b: the parts.
        weight: trust in (0, 1].
        source: who says so.
    """

    a: End
    b: End
    weight: float = 1.0
    source: str = "annotation"

    def __post_init__(self) -> None:
        check_weight(self.weight, f"source {self.source!r}: {self.name}")

    @property
    def name(self) -> str:
        """E.g. `left hand - back`."""
        return f"{self.a.label} - {self.b.label}"

    def swapped(self) -> "NamedContact":
        """The same contact with A and B exchanged. Its own inverse."""
        return replace(self, a=self.b, b=self.a)

    def mirrored(self) -> "NamedContact":
        """Left and right exchanged on both people. Its own inverse."""
        return replace(self, a=self.a.flipped(), b=self.b.flipped())

    def single(self) -> tuple["NamedContact", ...]:
        """`both` at one end as one contact for each side; anything else as it is."""
        a, b = self.a.meant, self.b.meant
        if (a.side == "both") == (b.side == "both"):
            return (self,)
        if a.side == "both":
            return tuple(replace(self, a=a.on_side(side)) for side in a.sides)
        return tuple(replace(self, b=b.on_side(side)) for side in b.sides)

    def contacts(self) -> tuple[Contact, ...]:
        """As the fit takes it.

        An unknown side becomes one contact over both sides: some place of either touches. `both` at one end becomes one
        contact for each side. `both` at both ends leaves open which touches which, left with left or left with right;
        as long as nobody has chosen (`apu.contact.chirality` does), it is one contact over both sides of either.
        """
        return tuple(
            Contact(one.a.regions, one.b.regions, one.weight, one.source, one.a.label, one.b.label)
            for one in self.single()
        )


def contact_map(contacts: Iterable[NamedContact], source: str) -> ContactMap:
    """Named contacts as the fit takes them. What is said twice counts once, with the larger weight.

    Args:
        contacts: in any order, which is kept.
        source: of the map.
    """
    distinct: dict[tuple[frozenset[str], frozenset[str]], Contact] = {}
    for contact in (c for named in contacts for c in named.contacts()):
        key = contact.regions_a, contact.regions_b
        if key not in distinct or distinct[key].weight < contact.weight:
            distinct[key] = contact
    return ContactMap(tuple(distinct.values()), source)
