"""What makes a set of pairs various: kinds of interaction and contact, distances between pairs. Each pair has a weight.

A pair that counts twice is never its own neighbour, and the distance to itself is no distance.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from apu.contact.parts import part_of_region
from apu.evaluate.diversity_pairs import DiversityPairs

Weights = Float[Tensor, "d n"]
Values = Float[Tensor, " d"]


@dataclass(frozen=True)
class Measure:
    """One number of a data set.

    Attributes:
        words: what it is, for people.
        digits: after the point.
        interval: whether a draw tells how sure it is; no draw shows a kind that the set has not.
    """

    words: str
    digits: int = 2
    interval: bool = True


MEASURES: dict[str, Measure] = {
    "interaction_types": Measure("interaction types", 1, interval=False),
    "interaction_type_entropy_bits": Measure("entropy of types, bits"),
    "region_pair_entropy_bits": Measure("contact entropy, region pairs, bits"),
    "part_pair_entropy_bits": Measure("contact entropy, part pairs, bits"),
    "contacts_per_pair": Measure("region pairs that touch, each pair", 1),
    "contact_jaccard_distance": Measure("contact maps, mean Jaccard distance", 3),
    "pose_distance_mm": Measure("poses, mean distance, mm", 1),
    "pose_nearest_mm": Measure("poses, nearest other, mm", 1),
    "place_distance_mm": Measure("places, mean distance, mm", 1),
    "place_nearest_mm": Measure("places, nearest other, mm", 1),
    "apart_difference_mm": Measure("how far apart, mean difference, mm", 1),
    "facing_difference_deg": Measure("how turned, mean difference, deg", 1),
    "height_difference_mm": Measure("heights, mean difference, mm", 1),
}


NEAREST = {"pose_nearest_mm": "pose_distance_mm", "place_nearest_mm": "place_distance_mm"}
"""Distance to the nearest other pair -> the distance that is meant."""


@dataclass(frozen=True)
class DiversityNumbers:
    """What all measures of one set are computed from.

    Attributes:
        votes: measure's beginning -> (n, k) which kinds a pair votes for.
        touching: (n,) region pairs.
        apart: measure -> (n, n) distance of one pair to another.
    """

    votes: dict[str, Float[Tensor, "n _"]]
    touching: Float[Tensor, " n"]
    apart: dict[str, Float[Tensor, "n n"]]


def diversity_numbers(pairs: DiversityPairs) -> DiversityNumbers:
    """Votes and distances; the distances take n x n numbers each."""
    parts = [
        {tuple(sorted(part_of_region(region).name for region in both)) for both in touching}
        for touching in pairs.regions
    ]
    votes = {
        "interaction_type": _votes([{name} - {""} for name in pairs.interactions]),
        "region_pair": _votes(pairs.regions),
        "part_pair": _votes(parts),
    }
    apart = {
        "contact_jaccard_distance": jaccard_distances(votes["region_pair"]),
        "pose_distance_mm": 1000 * pair_distances(pairs.poses),
        "place_distance_mm": 1000 * pair_distances(pairs.places),
        "apart_difference_mm": 1000 * _differences(pairs.distances),
        "facing_difference_deg": math.degrees(1) * _differences(pairs.facing),
        "height_difference_mm": 1000 * pair_distances(pairs.heights),
    }
    return DiversityNumbers(votes, votes["region_pair"].sum(1), apart)


def measured(numbers: DiversityNumbers, weights: Weights, size: int) -> dict[str, Values]:
    """All measures of weighted pairs, by the names of `MEASURES`; neighbours are sought among `size` pairs."""
    nearest = {name: expected_nearest(numbers.apart[of], size) for name, of in NEAREST.items()}
    return {
        **of_kinds(numbers, weights),
        "contacts_per_pair": _mean(numbers.touching, weights),
        **{name: mean_between(apart, weights) for name, apart in numbers.apart.items()},
        **{name: _mean(values, weights) for name, values in nearest.items()},
    }


def of_kinds(numbers: DiversityNumbers, weights: Weights) -> dict[str, Values]:
    """What depends on the number of pairs through the kinds that are seen."""
    counts = {name: weights @ votes for name, votes in numbers.votes.items()}
    types = (counts["interaction_type"] > 0).sum(1).double()
    return {
        "interaction_types": torch.where(types > 0, types, torch.nan),
        **{f"{name}_entropy_bits": entropy_bits(one) for name, one in counts.items()},
    }


def entropy_bits(counts: Float[Tensor, "*b k"]) -> Float[Tensor, "*b"]:
    """Shannon entropy of votes; NaN where there is none.

    Args:
        counts: (..., k) votes for each kind, 0 or more.
    """
    total = counts.double().sum(-1, keepdim=True)
    entropy = torch.special.entr(counts.double() / total.clamp(min=1e-300)).sum(-1) / math.log(2.0)
    return torch.where(total[..., 0] > 0, entropy, torch.nan)


def pair_distances(points: Float[Tensor, "n 2 k c"]) -> Float[Tensor, "n n"]:
    """Mean distance of A's and B's points in one pair and in another, with A and B as they are or exchanged.

    The smaller one counts: which of the people is called A says nothing.

    Args:
        points: of A and B.
    """
    n = len(points)
    both = points.transpose(0, 1).flatten(0, 1)  # all A, then all B
    exact = "donot_use_mm_for_euclid_dist"  # the fast way gives a copy a distance that is not 0
    total = sum(torch.cdist(both[:, k], both[:, k], compute_mode=exact) for k in range(points.shape[2]))
    mean = torch.as_tensor(total) / points.shape[2]
    straight = (mean[:n, :n] + mean[n:, n:]) / 2
    exchanged = (mean[:n, n:] + mean[n:, :n]) / 2
    return torch.minimum(straight, exchanged)


def jaccard_distances(votes: Float[Tensor, "n k"]) -> Float[Tensor, "n n"]:
    """1 - |both| / |either| of the contact maps of every two pairs; two maps without contact are equal.

    Args:
        votes: (n, k) 1 where a pair has the contact, else 0.
    """
    both = votes @ votes.T
    each = votes.sum(1)
    either = each[:, None] + each[None] - both
    return torch.where(either > 0, 1 - both / either.clamp(min=1), 0.0)


def mean_between(apart: Float[Tensor, "n n"], weights: Weights) -> Values:
    """Weighted mean over all two different pairs; NaN where fewer than two have a weight.

    Args:
        apart: symmetric, 0 on the diagonal.
        weights: of the pairs, in every draw.
    """
    count = weights.double()
    return ((weights @ apart).double() * count).sum(1) / (count.sum(1) ** 2 - (count**2).sum(1))


def expected_nearest(apart: Float[Tensor, "n n"], size: int) -> Float[Tensor, " n"]:
    """Distance of each pair to the nearest of `size` - 1 others, its mean over all choices of the others.

    Args:
        apart: of all pairs.
        size: 2 to n.
    """
    n = len(apart)
    others = apart.masked_fill(torch.eye(n, dtype=torch.bool), math.inf).sort(1).values[:, : n - 1]
    chance, chances = (size - 1) / (n - 1), []
    for k in range(n - size + 1):  # that the k-th nearest is drawn, and none before it
        chances.append(chance)
        chance *= (n - size - k) / max(1, n - 2 - k)
    return others[:, : len(chances)] @ others.new_tensor(chances)


def _votes(each: Iterable[Iterable[object]]) -> Float[Tensor, "n _"]:
    """Which kinds each pair votes for, as 0 and 1."""
    rows = [list(kinds) for kinds in each]
    column = {kind: i for i, kind in enumerate(sorted({kind for row in rows for kind in row}, key=str))}
    votes = torch.zeros(len(rows), len(column))
    for i, row in enumerate(rows):
        votes[i, [column[kind] for kind in row]] = 1.0
    return votes


def _differences(values: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    return (values[:, None] - values[None]).abs()


def _mean(values: Float[Tensor, " n"], weights: Weights) -> Values:
    return (weights.double() @ values.double()) / weights.double().sum(1)
