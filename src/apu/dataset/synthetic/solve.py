"""Bringing two drawn bodies together: what is to touch is pulled together, what overlaps is pushed apart.

The objective is the generator's own. It shares no term, weight, start or seed with `apu.unite`: coarse surface samples
first, then all vertices; both by Adam over pose, orientation and place of both bodies, with their shapes held.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.body.region_samples import RegionSamples, padded_samples, sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances
from apu.dataset.synthetic.overlap import Overlap, SampledOverlap, WholeOverlap
from apu.dataset.synthetic.support import balance_excess

Parameters = Mapping[str, Float[Tensor, "n 2 _"]]


@dataclass(frozen=True)
class Pull:
    """Strengths of one phase; lengths in centimetres, angles in their typical deviations.

    Attributes:
        steps: of Adam.
        rate: first step size, radians and metres alike; it falls to a tenth.
        touch: on the squared distances of what is to touch, first and last.
        spread_m: how wide an area is pulled, first and last.
        overlap: on the squared depth of sunken skin, first and last.
        keep: on leaving the base pose.
    """

    steps: int
    rate: float
    touch: tuple[float, float]
    spread_m: tuple[float, float]
    overlap: tuple[float, float]
    keep: float


COARSE = Pull(150, 0.025, touch=(0.02, 0.2), spread_m=(0.04, 0.015), overlap=(0.02, 0.1), keep=0.6)
FINE = Pull(50, 0.006, touch=(1.0, 4.0), spread_m=(0.008, 0.003), overlap=(0.2, 2.0), keep=0.4)
BOUND = 300.0
"""On leaving the anatomical bounds, per squared radian."""
FLOOR = 0.5
"""On the lowest point's distance to the floor, per squared centimetre."""
BALANCE = 0.05
"""On the centre of mass outside the support, per squared centimetre."""
STAY_M, STAY_RAD = 0.15, 0.12
"""How far roots usually move and turn while the bodies are brought together."""
SETTLING = 10
"""Last steps, in which no look for overlaps is saved."""
LEGS = ("hip", "knee", "ankle")
LEG_KEEP = 4.0
"""Legs keep their base pose so much better than trunk and arms: they carry the weight."""
FEET = 0.02
"""On the change of each foot's height, per squared centimetre."""


@dataclass(frozen=True)
class Scene:
    """What a batch of candidates is solved for.

    Attributes:
        contacts: of every pair.
        standing: (2,) who has to be on the floor.
        balanced: whether the people's centres of mass have to lie over what they stand on, see `Interaction.balance`.
    """

    contacts: Sequence[Sequence[Contact]]
    standing: tuple[bool, bool]
    balanced: str


def bring_together(body: BodyModel, start: Parameters, scene: Scene) -> dict[str, Float[Tensor, "n 2 _"]]:
    """Solve a batch of candidates; every pair by itself, although together.

    Args:
        body: the body model.
        start: name -> (n, 2, size), level frame.
        scene: what has to hold.
    """
    samples = sample_regions(body.surface)
    coarse = Parts(vertices=samples.vertices)
    found = _descend(body, start, start, scene, COARSE, coarse, _SampledTouch(body, samples, scene.contacts))
    return _descend(body, found, start, scene, FINE, Parts(vertices="all"), _FullTouch(body, scene.contacts))


def _descend(
    body: BodyModel, begin: Parameters, base: Parameters, scene: Scene, pull: Pull, parts: Parts,
    touch: Callable[[Float[Tensor, "n 2 v 3"], float], Float[Tensor, " n"]],
) -> dict[str, Float[Tensor, "n 2 _"]]:  # fmt: skip
    free = {name: begin[name].clone().requires_grad_() for name in ("orientation", "translation", "pose")}
    optimiser = torch.optim.Adam(list(free.values()), lr=pull.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: 0.1 + 0.45 * (1 + math.cos(math.pi * i / pull.steps))
    )
    overlap: Overlap = WholeOverlap(body) if isinstance(parts.vertices, str) else SampledOverlap(body, parts.vertices)
    feet = _feet(body, parts)
    with torch.no_grad():
        stood = body.forward(base, parts).vertices
    assert stood is not None
    for step in range(pull.steps):
        share = min(1.0, step / (0.7 * pull.steps))
        now = {**begin, **free}
        vertices = body.forward(now, parts).vertices
        assert vertices is not None
        cost = _between(pull.touch, share) * 1e4 * touch(vertices, _between(pull.spread_m, share))
        cost = cost + _between(pull.overlap, share) * overlap(vertices, now, last=step >= pull.steps - SETTLING)
        cost = cost + pull.keep * _kept(body, now, base) + _bounds(body, now["pose"])
        cost = cost + _standing(vertices, scene) + _feet_kept(vertices, stood, feet, scene)
        optimiser.zero_grad()
        cost.sum().backward()
        optimiser.step()
        schedule.step()
    return {**begin, **{name: value.detach() for name, value in free.items()}}


def _between(ends: tuple[float, float], share: float) -> float:
    """Geometric between the first and the last value."""
    return ends[0] * (ends[1] / ends[0]) ** share


def _kept(body: BodyModel, now: Parameters, base: Parameters) -> Float[Tensor, " n"]:
    """Half the squared deviation from the base pose, heading and place."""
    spec = body.parameter_spec["pose"]
    stiff = torch.tensor([LEG_KEEP if any(leg in name for leg in LEGS) else 1.0 for name in spec.names]).to(spec.scale)
    angles = (((now["pose"] - base["pose"]) / spec.scale).square() * stiff).sum((1, 2))
    turn = ((now["orientation"] - base["orientation"]) / STAY_RAD).square().sum((1, 2))
    between = (now["translation"][:, 1] - now["translation"][:, 0]) - (
        base["translation"][:, 1] - base["translation"][:, 0]
    )
    return 0.5 * (angles + turn + (between / STAY_M).square().sum(-1))


def _bounds(body: BodyModel, pose: Float[Tensor, "n 2 d"]) -> Float[Tensor, " n"]:
    spec = body.parameter_spec["pose"]
    beyond = torch.relu(pose - spec.upper) + torch.relu(spec.lower - pose)
    return BOUND * beyond.square().sum((1, 2))


def _standing(vertices: Float[Tensor, "n 2 v 3"], scene: Scene) -> Float[Tensor, " n"]:
    """Feet on the floor and, where the class asks for it, the centre of mass above them."""
    on_floor = torch.tensor(scene.standing, dtype=vertices.dtype, device=vertices.device)
    lowest = vertices[..., 1].topk(8, dim=2).values.mean(-1)
    cost = FLOOR * 1e4 * (lowest.square() * on_floor).sum(1)
    if scene.balanced != "exempt":
        strength = BALANCE * (0.2 if scene.balanced == "loose" else 1.0)
        cost = cost + strength * 1e4 * balance_excess(vertices, scene.standing, scene.balanced)
    return cost


def _feet(body: BodyModel, parts: Parts) -> tuple[Int[Tensor, " l"], Int[Tensor, " r"]]:
    """Which of the vertices that are evaluated belong to the left and to the right sole."""
    names = list(body.surface.region_names)
    region = body.surface.region_of_vertex
    region = region if isinstance(parts.vertices, str) else region[parts.vertices]
    left, right = (torch.nonzero(region == names.index(f"{side}_foot_sole")).flatten() for side in ("left", "right"))
    return left, right


def _feet_kept(
    vertices: Float[Tensor, "n 2 v 3"], stood: Float[Tensor, "n 2 v 3"], feet: Sequence[Int[Tensor, " _"]], scene: Scene
) -> Float[Tensor, " n"]:
    """Squared change of every foot's height of those who stand: nobody lifts a leg to keep the balance."""
    on_floor = torch.tensor(scene.standing, dtype=vertices.dtype, device=vertices.device)
    rise = torch.stack([(vertices[:, :, f, 1] - stood[:, :, f, 1]).mean(-1) for f in feet], -1)
    return FEET * 1e4 * (rise.square().sum(-1) * on_floor).sum(1)


class _SampledTouch:
    """Mean squared distance of the areas that are to touch, on coarse samples."""

    def __init__(self, body: BodyModel, samples: RegionSamples, contacts: Sequence[Sequence[Contact]]) -> None:
        index = {name: i for i, name in enumerate(body.surface.region_names)}
        most = max(len(one) for one in contacts)
        sides = [
            [[sorted(index[r] for r in (c.regions_a, c.regions_b)[k]) for c in one] for one in contacts] for k in (0, 1)
        ]
        (self._a, self._mask_a), (self._b, self._mask_b) = (padded_samples(s, samples, most) for s in sides)
        present = torch.tensor([[True] * len(one) + [False] * (most - len(one)) for one in contacts])
        self._present: Bool[Tensor, "n c"] = present.to(self._a.device)

    def __call__(self, vertices: Float[Tensor, "n 2 v 3"], spread_m: float) -> Float[Tensor, " n"]:
        row = torch.arange(len(vertices), device=vertices.device)[:, None, None]
        a, b = vertices[row, 0, self._a], vertices[row, 1, self._b]
        square = (a[:, :, :, None] - b[:, :, None]).square().sum(-1)
        both = self._mask_a[..., None] & self._mask_b[:, :, None]
        square = torch.where(both, square, torch.full_like(square, 1e4))
        weight = torch.softmax(-square.detach().sqrt().flatten(2) / spread_m, -1)
        each = (weight * square.flatten(2)).sum(-1)
        return (each * self._present).sum(1)


class _FullTouch:
    """The same on all vertices and triangles."""

    def __init__(self, body: BodyModel, contacts: Sequence[Sequence[Contact]]) -> None:
        self._distances = ContactDistances(body.surface, [ContactMap(tuple(one), "intended") for one in contacts])

    def __call__(self, vertices: Float[Tensor, "n 2 v 3"], spread_m: float) -> Float[Tensor, " n"]:
        points = self._distances.of_points(vertices)
        d = points.distance_m.detach()
        low = torch.full((points.tasks,), torch.inf, dtype=d.dtype, device=d.device)
        low = low.scatter_reduce(0, points.task, d, "amin")
        weight = torch.exp(-(d - low[points.task]) / spread_m)
        total = torch.zeros_like(low).index_add(0, points.task, weight)
        part = weight / total[points.task] * points.distance_m.square()
        each = torch.zeros_like(low).index_add(0, points.task, part).reshape(-1, 2).mean(-1)
        return torch.zeros_like(vertices[:, 0, 0, 0]).index_add(0, self._distances.pair_of_contact, each)
