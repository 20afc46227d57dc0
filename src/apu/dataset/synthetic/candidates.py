"""Pairs before they touch: shapes, base poses and places drawn from a class description, reproducibly one by one."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny_pose import mirror_matrix
from apu.body.protocol import BodyModel, Parts
from apu.body.region_names import mirrored
from apu.contact.contact import Contact
from apu.dataset.synthetic.base_poses import STANDING, BasePoses
from apu.dataset.synthetic.chunk import Chunk
from apu.dataset.synthetic.interaction import AgeBand, Interaction, Role, Spread

STREAM = 0x5E7
"""Parts the generator's random numbers from everybody else's; nothing in `unite` draws from this stream."""

ADULT_HEIGHT_M = 1.7
AGE_BANDS: Mapping[AgeBand, tuple[float, float]] = {
    "adult": (0.58, 0.85),
    "elder": (0.86, 0.98),
    "child": (0.24, 0.42),
    "small child": (0.13, 0.24),
}
"""Ranges of Anny's age attribute: 1/3 is a child, 2/3 a young adult, 1 an old one."""
BUILD_RANGE = (0.15, 0.85)
"""Of the attributes muscle, weight and proportions."""
HEIGHT_RANGE = (0.25, 0.60)
"""Of the attribute height: women of 1.50 to 1.89 m, men of 1.61 to 2.00 m; it is the same for children."""
GENDER_RANGE = (0.02, 0.25)
"""Distance from either end."""


@dataclass(frozen=True)
class Candidates:
    """`n` pairs as they are drawn; the level frame, role a first.

    Attributes:
        parameters: name -> (n, 2, size).
        contacts: for every pair what has to touch, in the roles' order.
        base: sources of the two base poses.
        swapped: whether role a is to become person B.
    """

    parameters: Mapping[str, Float[Tensor, "n 2 _"]]
    contacts: tuple[tuple[Contact, ...], ...]
    base: tuple[tuple[str, str], ...]
    swapped: tuple[bool, ...]


def random_stream(chunk: Chunk, place: int) -> np.random.Generator:
    """The random numbers of one candidate; no two candidates share any."""
    text = f"{chunk.seed}/{chunk.split}/{chunk.interaction}/{chunk.number}/{place}"
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.default_rng([STREAM, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def draw_candidates(body: BodyModel, one: Interaction, chunk: Chunk, poses: BasePoses, count: int) -> Candidates:
    """Draw the candidates of a chunk.

    Args:
        body: the body model.
        one: the class.
        chunk: which candidates.
        poses: where base poses come from.
        count: how many.
    """
    drawn = [_draw(body, one, poses, random_stream(chunk, place)) for place in range(count)]
    return Candidates(
        parameters={name: torch.stack([d.parameters[name] for d in drawn]) for name in drawn[0].parameters},
        contacts=tuple(d.contacts for d in drawn),
        base=tuple(d.base for d in drawn),
        swapped=tuple(d.swapped for d in drawn),
    )


@dataclass(frozen=True)
class _Drawn:
    parameters: dict[str, Float[Tensor, "2 _"]]
    contacts: tuple[Contact, ...]
    base: tuple[str, str]
    swapped: bool


def _draw(body: BodyModel, one: Interaction, poses: BasePoses, rng: np.random.Generator) -> _Drawn:
    ages = one.ages[int(rng.choice(len(one.ages), p=_shares([a.share for a in one.ages])))]
    shape = torch.stack([_shape(body, band, rng) for band in ages.bands])
    stood = [_stance(body, role, families, poses, rng) for role, families in zip(one.roles, ages.families, strict=True)]
    pose = torch.stack([s.pose for s in stood])
    turn_right = math.radians(rng.normal(*one.turn_right_deg))
    heading = roma.rotvec_to_rotmat(torch.tensor([[0.0, 0.0, 0.0], [0.0, turn_right, 0.0]]))
    orientation = roma.rotmat_to_rotvec(heading @ torch.stack([s.tilt for s in stood]))
    parameters = {"orientation": orientation, "translation": torch.zeros(2, 3), "pose": pose, "shape": shape}
    parameters = {name: parameters[name].to(body.surface.rest_vertices) for name in body.parameter_spec}
    parameters["translation"] = _places(body, one, parameters, rng)
    contacts = _contacts(one, rng)
    if rng.random() < 0.5:
        parameters, contacts = _mirror(parameters), tuple(_mirror_contact(c) for c in contacts)
    return _Drawn(parameters, contacts, (stood[0].source, stood[1].source), bool(rng.random() < 0.5))


def _shares(values: list[float]) -> Float[np.ndarray, " n"]:
    return np.array(values) / np.sum(values)


def _shape(body: BodyModel, band: AgeBand, rng: np.random.Generator) -> Float[Tensor, " s"]:
    values = []
    for name in body.parameter_spec["shape"].names:
        if name == "gender":
            value = float(rng.uniform(*GENDER_RANGE))
            value = 1 - value if rng.random() < 0.5 else value
        else:
            value = float(rng.uniform(*{"age": AGE_BANDS[band], "height": HEIGHT_RANGE}.get(name, BUILD_RANGE)))
        values.append(math.log(value / (1 - value)))
    return torch.tensor(values)


@dataclass(frozen=True)
class _Stance:
    pose: Float[Tensor, " d"]
    tilt: Float[Tensor, "3 3"]
    source: str


def _stance(
    body: BodyModel, role: Role, families: Mapping[str, float] | None, poses: BasePoses, rng: np.random.Generator
) -> _Stance:
    """A base pose with the role's angles set on top of it."""
    shares = families or role.families
    family = str(rng.choice(list(shares), p=_shares(list(shares.values()))))
    drawn = poses.sample(family, 1, rng)
    spec = body.parameter_spec["pose"]
    calm = role.calm if family == STANDING else 1.0
    pose = spec.default + calm * (drawn.pose[0] - spec.default)
    for name, spread in role.pose.items():
        pose[spec.names.index(name)] = rng.normal(*spread)
    pose = torch.minimum(torch.maximum(pose, spec.lower.to(pose)), spec.upper.to(pose))
    lean = torch.tensor([float(rng.normal(*role.tilt_forward)), 0.0, 0.0])
    tilt = roma.rotvec_to_rotmat(lean) @ roma.rotvec_to_rotmat(calm * drawn.tilt[0].float())
    return _Stance(pose.float(), tilt, drawn.source[0])


def _places(
    body: BodyModel, one: Interaction, parameters: Mapping[str, Float[Tensor, "2 _"]], rng: np.random.Generator
) -> Float[Tensor, "2 3"]:
    """Roots of both: A above the origin, B where the class says; on the floor who is not carried."""
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    scale = float(body.height(parameters).mean()) / ADULT_HEIGHT_M

    def metres(spread: Spread) -> float:
        return scale * float(rng.normal(*spread))

    low = vertices[..., 1].amax(1)  # y points down
    place = torch.stack([torch.zeros_like(low), -low, torch.zeros_like(low)], -1)
    left, ahead, up = metres(one.left), metres(one.ahead), metres(one.up)
    place[1, 0], place[1, 2] = left, -ahead
    if one.carried is not None:
        who = "ab".index(one.carried)
        place[who, 1] = place[1 - who, 1] - up
    return place


def _contacts(one: Interaction, rng: np.random.Generator) -> tuple[Contact, ...]:
    """One alternative of each side of each contact that takes part; at least one contact does."""
    chosen = [c for c in one.contacts if rng.random() < c.probability] or list(one.contacts[:1])
    return tuple(
        Contact(c.a[int(rng.integers(len(c.a)))], c.b[int(rng.integers(len(c.b)))], source="intended") for c in chosen
    )


def _mirror(parameters: Mapping[str, Float[Tensor, "2 _"]]) -> dict[str, Float[Tensor, "2 _"]]:
    """The pair in a mirror that stands left of it."""
    sign = torch.tensor([-1.0, 1.0, 1.0]).to(parameters["pose"])
    return {
        "orientation": parameters["orientation"] * -sign,
        "translation": parameters["translation"] * sign,
        "pose": parameters["pose"] @ mirror_matrix().to(parameters["pose"]).T,
        "shape": parameters["shape"],
    }


def _mirror_contact(contact: Contact) -> Contact:
    a, b = (frozenset(mirrored(r) for r in regions) for regions in (contact.regions_a, contact.regions_b))
    return Contact(a, b, contact.weight, contact.source)
