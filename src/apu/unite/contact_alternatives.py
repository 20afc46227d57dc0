"""Contact losses that others have published, and ours without its robustness: to be compared with, see `ContactCost`.

All are divided by the square root of the number of contacts, and have the weight of ours, so that only what they make
of a distance d differs: ours is bounded, `hard` is d^2, the part minimum is linear, BUDDI's Chamfer distance quartic.
The linear and the quartic one are scaled to cost as much as d^2 at `MEETING_M`. Only ours has a reach and a
temperature.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples, sample_regions
from apu.contact.contact import ContactMap
from apu.unite.contact_terms import SOFT, ContactCost, ContactTerm, FullContacts, SampledContacts
from apu.unite.losses import safe_norm, segment_minimum
from apu.unite.minimum_distance import FullMinimum, SampledMinimum

ContactLoss = Literal["soft", "hard", "chamfer", "part-minimum", "mindist"]
"""How contacts pull: ours, and what it is compared with."""

MEETING_M = 0.1
"""Where linear, squared and quartic cost are the same, metres: the last reach of our loss. At the end of the contact
stage a contact that is so far off then costs about a fourth of one keypoint that is off by 10 % of the body; in BUDDI's
first stage (contact weight 10, keypoint weight 0.04) it is about a fifth."""

CHAMFER_SAMPLES = 40
CHAMFER_SEED = 0
"""BUDDI draws so many vertices of every region, once, with this seed."""


def hard_region_distance(
    a: Float[Tensor, "*p n 3"], b: Float[Tensor, "*p m 3"], mask_a: Bool[Tensor, "*p n"], mask_b: Bool[Tensor, "*p m"],
    tau_m: float = 0.0,
) -> Float[Tensor, "*p"]:  # fmt: skip
    """min_ij |a_i - b_j| between two sampled regions, metres: what our soft distance becomes as it cools.

    Args:
        a, b: points of both sides, metres.
        mask_a, mask_b: which of them count; at least one of each.
        tau_m: not used.
    """
    with torch.no_grad():
        square = _squares(a, b, mask_a, mask_b)
        of_a = square.amin(-1).argmin(-1, keepdim=True)
        of_b = square.amin(-2).argmin(-1, keepdim=True)
    ends = (torch.take_along_dim(x, rows[..., None], -2)[..., 0, :] for x, rows in ((a, of_a), (b, of_b)))
    return safe_norm(torch.sub(*ends))


def hard_full_distance(
    distance: Float[Tensor, " m"], task: Int[Tensor, " m"], tasks: int, tau_m: float = 0.0
) -> Float[Tensor, " c"]:
    """Smallest distance of any vertex of either side to the other's surface, metres; arguments as in `ContactCost`."""
    return segment_minimum(distance, task // 2, tasks // 2)


def hard_contact_loss(
    distance: Float[Tensor, "*p c"], weight: Float[Tensor, "*p c"], reach_m: object = None
) -> Float[Tensor, "*p"]:
    """sum_c weight_c d_c^2 / sqrt(number of contacts), m^2: ours without Geman and McClure; the reach is not used."""
    return _shared(weight * distance.square(), weight)


def part_minimum_loss(
    distance: Float[Tensor, "*p c"], weight: Float[Tensor, "*p c"], reach_m: object = None
) -> Float[Tensor, "*p"]:
    """`MEETING_M` sum_c weight_c d_c / sqrt(number of contacts), m^2; the reach is not used.

    The sum of smallest distances between parts, not squared, that ProsePose minimises (Subramanian et al., "Pose Priors
    from Language Models", 2024). Its freedom of sides and of who is who is left out: our maps have settled both. What
    is frequency among its twenty answers is the weight here.
    """
    return MEETING_M * _shared(weight * distance, weight)


def region_chamfer(
    a: Float[Tensor, "*p n 3"], b: Float[Tensor, "*p m 3"], mask_a: Bool[Tensor, "*p n"], mask_b: Bool[Tensor, "*p m"],
    tau_m: float = 0.0,
) -> Float[Tensor, "*p"]:  # fmt: skip
    """1/2 (mean_i min_j |a_i - b_j|^4 + mean_j min_i |a_i - b_j|^4), m^4; arguments as of `hard_region_distance`.

    The region contact loss of BUDDI (Mueller et al., "Generative Proxemics", 2024), whose code squares the squared
    distances: sum of both means of (100 d^2)^2, which is this times 2e4. Every point is pulled, so whole regions come
    together.
    """
    with torch.no_grad():
        square = _squares(a, b, mask_a, mask_b)
        to_b, to_a = square.argmin(-1), square.argmin(-2)
    way_a = a - torch.take_along_dim(b, to_b[..., None], -2)
    way_b = b - torch.take_along_dim(a, to_a[..., None], -2)
    quartic = [way.square().sum(-1).square() for way in (way_a, way_b)]
    mean_a, mean_b = ((d * mask).sum(-1) / mask.sum(-1) for d, mask in zip(quartic, (mask_a, mask_b), strict=True))
    return 0.5 * (mean_a + mean_b)


def chamfer_loss(
    chamfer: Float[Tensor, "*p c"], weight: Float[Tensor, "*p c"], reach_m: object = None
) -> Float[Tensor, "*p"]:
    """sum_c weight_c chamfer_c / `MEETING_M`^2 / sqrt(number of contacts), m^2; the reach is not used.

    BUDDI sums over region pairs without weights, and does not divide.
    """
    return _shared(weight * chamfer, weight) / MEETING_M**2


HARD = ContactCost(hard_region_distance, hard_full_distance, hard_contact_loss)
PART_MINIMUM = ContactCost(hard_region_distance, hard_full_distance, part_minimum_loss)
CHAMFER = ContactCost(region_chamfer, hard_full_distance, chamfer_loss)
"""Of samples alone, as it is a distance of sampled regions in every stage; the middle one is never asked."""


def random_samples(surface: Surface, count: int = CHAMFER_SAMPLES, seed: int = CHAMFER_SEED) -> RegionSamples:
    """At most `count` vertices of every region, drawn without replacement; the same for the same seed.

    Args:
        surface: of the body.
        count: per region.
        seed: of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    region, regions = surface.region_of_vertex, len(surface.region_names)
    rows = torch.zeros(regions, count, dtype=torch.int64, device=region.device)
    filled = torch.zeros(regions, count, dtype=torch.bool, device=region.device)
    vertices, size = [], 0
    for r in range(regions):
        members = torch.nonzero(region == r).flatten()
        chosen = members[torch.randperm(len(members), generator=generator)[:count].to(members.device)]
        rows[r, : len(chosen)] = torch.arange(size, size + len(chosen), device=region.device)
        filled[r, : len(chosen)] = True
        vertices.append(chosen)
        size += len(chosen)
    return RegionSamples(torch.cat(vertices), rows, filled)


COSTS: Mapping[str, ContactCost] = {"soft": SOFT, "hard": HARD, "chamfer": CHAMFER, "part-minimum": PART_MINIMUM}


def sampled_term(loss: ContactLoss, surface: Surface, maps: Sequence[ContactMap]) -> ContactTerm:
    """What the contact stage knows of contacts, on region samples.

    Args:
        loss: which.
        surface: of the body that both people have.
        maps: one for each pair of the batch; `mindist` ignores them.
    """
    if loss == "mindist":
        return SampledMinimum()
    return SampledContacts(surface, sample_regions(surface), maps, COSTS[loss])


def full_term(loss: ContactLoss, surface: Surface, maps: Sequence[ContactMap]) -> ContactTerm:
    """The same for the last stage, on all vertices; BUDDI's Chamfer distance sees its own 40 samples a region there.

    Args:
        loss: which.
        surface: of the body that both people have.
        maps: one for each pair of the batch; `mindist` ignores them.
    """
    if loss == "mindist":
        return FullMinimum(surface)
    if loss == "chamfer":
        return SampledContacts(surface, random_samples(surface), maps, CHAMFER, of_mesh=True)
    return FullContacts(surface, maps, COSTS[loss])


def _squares(
    a: Float[Tensor, "*p n 3"], b: Float[Tensor, "*p m 3"], mask_a: Bool[Tensor, "*p n"], mask_b: Bool[Tensor, "*p m"]
) -> Float[Tensor, "*p n m"]:
    """Squared distances of all couples, infinite where one does not count."""
    square = (a[..., :, None, :] - b[..., None, :, :]).square().sum(-1)
    return square.masked_fill(~(mask_a[..., :, None] & mask_b[..., None, :]), torch.inf)


def _shared(cost: Float[Tensor, "*p c"], weight: Float[Tensor, "*p c"]) -> Float[Tensor, "*p"]:
    return cost.sum(-1) / (weight > 0).sum(-1).clamp_min(1).to(cost.dtype).sqrt()
