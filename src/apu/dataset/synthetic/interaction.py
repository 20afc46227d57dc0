"""What people do with each other, as data: the classes of the synthetic world, read from `interactions/*.toml`.

A class says who takes part, how they stand, where B is seen from A, and what touches. How a pair is solved is no part
of it. Left and right in a file are the person's own; half of all pairs are made from the mirrored description.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, get_args

from apu.body.anny_pose import DOFS
from apu.body.region_names import REGION_NAMES
from apu.dataset.synthetic.base_poses import FAMILIES
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup, Split

AgeBand = Literal["adult", "elder", "child", "small child"]
Balance = Literal["each", "together", "loose", "exempt"]
Spread = tuple[float, float]
"""Mean and standard deviation."""

GROUPS_OF_SPLIT: Mapping[Split, tuple[ClassGroup, ...]] = MappingProxyType(
    {"train": ("seen",), "validation": ("seen", "dev-unseen"), "test": ("seen", "test-unseen")}
)
"""Classes that nobody may look at before the end occur in the test data only."""


@dataclass(frozen=True)
class Role:
    """How one of the two stands before the bodies are brought together.

    Attributes:
        families: name of a family of base poses -> its share.
        calm: factor that draws a standing base pose towards the relaxed one; 1 leaves it as it is.
        tilt_forward: lean of the whole body, radians.
        pose: angle's name -> (mean, spread), radians; set on top of the base pose.
    """

    families: Mapping[str, float]
    calm: float
    tilt_forward: Spread
    pose: Mapping[str, Spread]


@dataclass(frozen=True)
class Ages:
    """One combination of ages.

    Attributes:
        bands: of A and B.
        share: of the pairs of the class.
        families: replaces the role's families, for A and B; None keeps them.
    """

    bands: tuple[AgeBand, AgeBand]
    share: float
    families: tuple[Mapping[str, float] | None, Mapping[str, float] | None]


@dataclass(frozen=True)
class IntendedContact:
    """Something that touches; one alternative of each side is drawn for every pair.

    Attributes:
        a, b: alternatives on A and on B, each a union of regions.
        probability: that the contact takes part at all.
    """

    a: tuple[frozenset[str], ...]
    b: tuple[frozenset[str], ...]
    probability: float


@dataclass(frozen=True)
class Interaction:
    """One class.

    Attributes:
        name: the file's, e.g. `hug`.
        title: for people.
        group: who may look at it.
        ages: combinations and shares.
        roles: of A and B.
        left, ahead, up: place of B's root from A's, along A's own left, along A's view, upwards; metres for two
            adults of 1.7 m, scaled by the people's size. Without `carried`, both stand on the floor whatever `up` is.
        turn_right_deg: heading of B against A's, clockwise from above.
        carried: who is not on the floor; None for nobody.
        balance: whose centre of mass has to lie over the support: each for himself, both together, or nobody's;
            `loose` is exempt from the usual limit, but does not fall over either (`acceptance.STUMBLE_M`).
        contacts: what touches.
    """

    name: str
    title: str
    group: ClassGroup
    ages: tuple[Ages, ...]
    roles: tuple[Role, Role]
    left: Spread
    ahead: Spread
    up: Spread
    turn_right_deg: Spread
    carried: Literal["a", "b"] | None
    balance: Balance
    contacts: tuple[IntendedContact, ...]


@cache
def interactions() -> Mapping[str, Interaction]:
    """Every class by its name, in alphabetical order."""
    found = [f for f in files("apu.dataset.synthetic").joinpath("interactions").iterdir() if f.name.endswith(".toml")]
    named = {f.name.removesuffix(".toml"): f.read_text(encoding="utf-8") for f in found}
    return MappingProxyType({name: parse_interaction(name, named[name]) for name in sorted(named)})


def interaction(name: str) -> Interaction:
    """A class by its name.

    Raises:
        InputError: there is none of this name.
    """
    known = interactions()
    if name not in known:
        raise InputError(
            "There is no such interaction class.",
            expected="one of " + ", ".join(known),
            got=repr(name),
            remedy="check the spelling; the classes are described in docs/synthetic.md.",
        )
    return known[name]


def classes_of(split: Split) -> tuple[str, ...]:
    """Names of the classes whose pairs a split has."""
    return tuple(name for name, one in interactions().items() if one.group in GROUPS_OF_SPLIT[split])


def parse_interaction(name: str, text: str) -> Interaction:
    """Read one description.

    Raises:
        InputError: a field is missing, unknown or out of range.
    """
    try:
        return _interaction(name, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "An interaction description is wrong.",
            where=f"{name}.toml",
            expected="the fields of apu.dataset.synthetic.interaction.Interaction",
            got=f"{type(error).__name__}: {error}",
            remedy="compare it with the other files of the folder.",
        ) from error


def _interaction(name: str, table: dict[str, Any]) -> Interaction:
    _only(table, "title group people placement carried balance a b contact")
    carried = table.get("carried")
    place = table["placement"]
    _only(place, "left ahead up turn_right_deg")
    return Interaction(
        name=name,
        title=table["title"],
        group=_one_of(table["group"], get_args(ClassGroup)),
        ages=tuple(_ages(row) for row in table["people"]),
        roles=(_role(table["a"]), _role(table["b"])),
        left=_spread(place["left"]),
        ahead=_spread(place["ahead"]),
        up=_spread(place.get("up", [0, 0])),
        turn_right_deg=_spread(place["turn_right_deg"]),
        carried=None if carried is None else _one_of(carried, ("a", "b")),
        balance=_one_of(table.get("balance", "together" if carried else "each"), get_args(Balance)),
        contacts=tuple(_contact(row) for row in table["contact"]),
    )


def _role(table: dict[str, Any]) -> Role:
    _only(table, "family calm tilt_forward pose")
    pose: dict[str, Spread] = {}
    for key, value in table.get("pose", {}).items():
        sides = ("left_", "right_") if key.startswith("both_") else ("",)
        for side in sides:
            angle = side + key.removeprefix("both_")
            _one_of(angle, [d.name for d in DOFS])
            pose[angle] = _spread(value)
    calm = float(table.get("calm", 1.0))
    if not 0 <= calm <= 1:
        raise ValueError(f"calm {calm} is not in [0, 1]")
    return Role(_families(table["family"]), calm, _spread(table.get("tilt_forward", [0, 0])), pose)


def _ages(row: dict[str, Any]) -> Ages:
    _only(row, "a b share family_a family_b")
    bands = tuple(_one_of(row[k], get_args(AgeBand)) for k in "ab")
    own = tuple(_families(row[f"family_{k}"]) if f"family_{k}" in row else None for k in "ab")
    return Ages((bands[0], bands[1]), _share(row["share"]), (own[0], own[1]))


def _families(table: dict[str, Any]) -> dict[str, float]:
    if not table:
        raise ValueError("no family of poses is named")
    return {_one_of(name, FAMILIES): _share(share) for name, share in table.items()}


def _share(value: Any) -> float:
    """A part of a whole, which is the sum of all shares."""
    if not 0 < float(value) < math.inf:
        raise ValueError(f"a share of {value} is not above 0")
    return float(value)


def _only(table: dict[str, Any], known: str) -> None:
    for key in table:
        _one_of(key, known.split())


def _contact(row: dict[str, Any]) -> IntendedContact:
    _only(row, "a b probability")
    sides = []
    for key in "ab":
        if not row[key]:
            raise ValueError(f"contact side {key} names nothing")
        unions = [frozenset(part.strip() for part in text.split("+")) for text in row[key]]
        for region in frozenset().union(*unions):
            _one_of(region, REGION_NAMES)
        sides.append(tuple(unions))
    probability = float(row.get("probability", 1.0))
    if not 0 < probability <= 1:
        raise ValueError(f"probability {probability} is not in (0, 1]")
    return IntendedContact(sides[0], sides[1], probability)


def _spread(value: list[Any]) -> Spread:
    mean, spread = (float(v) for v in value)
    if not (math.isfinite(mean) and 0 <= spread < math.inf):
        raise ValueError(f"not a mean and a spread from 0: {value}")
    return mean, spread


def _one_of(value: Any, known: Any) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value
