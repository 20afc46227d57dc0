"""Which contacts the picture allows: two places that touch lie at one place of the photo, however deep the bodies are.

After the first fit the depth between two people is what is least known, and where their parts lie in the picture is
what is known best. So a contact is doubted by the distance of its regions across the line of sight. On 40 synthetic
validation pairs with one noisy answer each (`benchmarks/doubt.py`) 90 % of the right contacts lie within 3 cm of each
other that way and 75 % of the wrong ones beyond 7 cm; in space the same shares need 51 and 18 cm.
The wrong ones are what our simulated model invents, so only the order of size carries over. The rule is ours.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples, padded_samples
from apu.contact.contact import ContactMap

LEAST_TRUST = 0.05
"""A contact with less than this share of its weight left is not used."""


@torch.no_grad()
def distances_across(
    surface: Surface, samples: RegionSamples, vertices: Float[Tensor, "2 v 3"], contacts: ContactMap
) -> Float[Tensor, " c"]:
    """Smallest distance of each contact's regions across the line of sight, metres at the pair's mean depth.

    Args:
        surface: of the body that both people have.
        samples: of its regions; the distance is that of sampled vertices.
        vertices: (2, v, 3) camera frame, metres.
        contacts: `c` of them.
    """
    if not contacts.contacts:
        return vertices.new_zeros(0)
    points = vertices[:, samples.vertices]
    depth = points[..., 2:].clamp_min(0.1)
    flat = points[..., :2] / depth * depth.mean()
    return smallest_distances(*touching_points(surface, samples, flat, contacts))


def touching_points(
    surface: Surface, samples: RegionSamples, points: Float[Tensor, "2 n d"], contacts: ContactMap
) -> tuple[Float[Tensor, "c i d"], Float[Tensor, "c j d"], Bool[Tensor, "c i j"]]:
    """The points of A and of B that each contact is about, padded to one number, and which two count together.

    Args:
        surface: of the body that both people have.
        samples: of its regions.
        points: of A and of B, in the order of `samples.vertices`.
        contacts: `c` of them, at least one.
    """
    index = {name: i for i, name in enumerate(surface.region_names)}
    sides = []
    for person in (0, 1):
        sets = [sorted(index[r] for r in (c.regions_a, c.regions_b)[person]) for c in contacts.contacts]
        rows, mask = padded_samples([sets], samples, len(sets))
        sides.append((points[person][rows[0]], mask[0]))
    (a, of_a), (b, of_b) = sides
    return a, b, of_a[:, :, None] & of_b[:, None]


def smallest_distances(
    a: Float[Tensor, "*m c i d"], b: Float[Tensor, "*m c j d"], both: Bool[Tensor, "c i j"]
) -> Float[Tensor, "*m c"]:
    """Of each contact, over the two points that count together."""
    return torch.cdist(a, b).masked_fill(~both, torch.inf).amin((-1, -2))


def plausible(contacts: ContactMap, across_m: Sequence[float], sigma_m: float) -> tuple[ContactMap, tuple[float, ...]]:
    """The contacts with what is left of their weights: times exp(-1/2 (d / sigma)^2), unless their source is certain.

    Args:
        contacts: as they were given.
        across_m: distance of each across the line of sight, metres.
        sigma_m: how far apart a right contact may seem, metres.

    Returns:
        The map of those that are used, and for each of the given ones the share of its weight that is left; 0 for one
        that is not used.
    """
    kept, trust = [], []
    for contact, distance in zip(contacts.contacts, across_m, strict=True):
        share = 1.0 if contact.certain else math.exp(-0.5 * (distance / sigma_m) ** 2)
        trust.append(share if share >= LEAST_TRUST else 0.0)
        if trust[-1] > 0:
            kept.append(replace(contact, weight=share * contact.weight))
    return replace(contacts, contacts=tuple(kept)), tuple(trust)
