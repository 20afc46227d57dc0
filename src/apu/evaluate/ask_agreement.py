"""Contacts as said against contacts as they are: what is right, what is found, and what kind of wrong the rest is.

An answer in coarse words is not punished for them: a contact that was said is right when it shares a fine region with a
true one, at both ends (it is compatible). Blind to sides, left and right are one region. With sides, a limb that was
said without its side is not right, since it tells less than it should; for parts that a body has once, such as the
back, halves are no sides. All of it is ours, after the list of pitfalls in other scripts (docs/evaluate.md).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

from apu.contact.contact import Contact, ContactMap
from apu.contact.parts import part_of_region

Kind = Literal["right", "side open", "side", "people", "one end", "unsupported"]
KINDS: tuple[Kind, ...] = ("right", "side open", "side", "people", "one end", "unsupported")
KIND_WORDS = {
    "right": "compatible with a true contact, with sides",
    "side open": "the same, but the side of a limb is not said",
    "side": "compatible on another side",
    "people": "compatible with A and B exchanged, sides aside",
    "one end": "one of its parts touches something else",
    "unsupported": "nothing of it is there: made up",
}
"""Each contact that was said is of one kind: the first that fits."""

Pair = tuple[str, str]
"""(place on A, place on B)."""

_Place = Callable[[str], str]


@dataclass(frozen=True)
class TrueContact:
    """A contact that holds.

    Attributes:
        pairs: (region of A, region of B); any of them shows it.
        wanted: whether it counts as missed when nobody says it. What is too small to be seen is right, not wanted.
    """

    pairs: frozenset[Pair]
    wanted: bool = True

    @staticmethod
    def of(contact: Contact) -> "TrueContact":
        """Of sets of regions, some of which touch."""
        return TrueContact(frozenset(product(contact.regions_a, contact.regions_b)))


@dataclass(frozen=True)
class Judged:
    """An answer about one pair, compared with the truth.

    Attributes:
        kinds: of every contact that was said, in order.
        found_blind, found: of the wanted true contacts: sides aside, and with sides.
        wanted: how many there are.
        touching: whether anything is true.
    """

    kinds: tuple[Kind, ...]
    found_blind: int
    found: int
    wanted: int
    touching: bool

    @property
    def right(self) -> tuple[bool, ...]:
        """Of every contact that was said, with sides."""
        return tuple(kind == "right" for kind in self.kinds)

    @property
    def right_blind(self) -> tuple[bool, ...]:
        """Of every contact that was said, sides aside."""
        return tuple(kind in ("right", "side open", "side") for kind in self.kinds)


def judge(said: ContactMap, truth: Sequence[TrueContact]) -> Judged:
    """Compare what was said with what is true.

    Args:
        said: contacts of any weight; each counts as one.
        truth: each contact once.
    """
    true = _Truth.of(truth)
    kinds: tuple[Kind, ...] = tuple(_kind(contact, true) for contact in said.contacts)
    right = [contact for contact, kind in zip(said.contacts, kinds, strict=True) if kind == "right"]
    wanted = [one for one in truth if one.wanted]
    found_blind = sum(_shows(one, said.contacts, surface_of) for one in wanted)
    found = sum(_shows(one, right, sided_place) for one in wanted)
    return Judged(kinds, found_blind, found, len(wanted), bool(truth))


@lru_cache(maxsize=256)
def sided_place(region: str) -> str:
    """A region; without its half where the body has its part once."""
    return region if part_of_region(region).paired else surface_of(region)


@lru_cache(maxsize=256)
def surface_of(region: str) -> str:
    """A region without side."""
    return region.removeprefix("left_").removeprefix("right_")


@dataclass(frozen=True)
class _Truth:
    """All true pairs of places, with sides and without."""

    sided: frozenset[Pair]
    blind: frozenset[Pair]

    @staticmethod
    def of(truth: Iterable[TrueContact]) -> "_Truth":
        pairs = frozenset[Pair]().union(*(one.pairs for one in truth))
        return _Truth(_places(pairs, sided_place), _places(pairs, surface_of))


def _kind(contact: Contact, true: _Truth) -> Kind:
    blind = _said(contact, surface_of)
    if not blind.isdisjoint(true.blind):
        hits = _said(contact, sided_place) & true.sided
        if not hits:
            return "side"
        return "right" if any(_sides_said(contact, hit, true.sided) for hit in hits) else "side open"
    if not frozenset((b, a) for a, b in blind).isdisjoint(true.blind):
        return "people"
    ends = [{pair[end] for pair in blind} & {pair[end] for pair in true.blind} for end in (0, 1)]
    return "one end" if any(ends) else "unsupported"


def _sides_said(contact: Contact, hit: Pair, true: frozenset[Pair]) -> bool:
    """Whether no end says both sides of a place of which only one is true."""
    for end, regions in enumerate((contact.regions_a, contact.regions_b)):
        other = _other_side(hit[end])
        if other in regions and not any(pair[end] == other and pair[1 - end] == hit[1 - end] for pair in true):
            return False
    return True


def _other_side(place: str) -> str:
    side, _, rest = place.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, "")


def _shows(one: TrueContact, said: Collection[Contact], place: _Place) -> bool:
    true = _places(one.pairs, place)
    return any(not true.isdisjoint(_said(contact, place)) for contact in said)


def _said(contact: Contact, place: _Place) -> frozenset[Pair]:
    return frozenset(product({place(r) for r in contact.regions_a}, {place(r) for r in contact.regions_b}))


def _places(pairs: Iterable[Pair], place: _Place) -> frozenset[Pair]:
    return frozenset((place(a), place(b)) for a, b in pairs)
