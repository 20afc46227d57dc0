"""Diversity against numbers by hand, a naive twin, and what must not matter."""

import math
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
import torch

from apu.evaluate.bootstrap import Interval
from apu.evaluate.diversity import compare
from apu.evaluate.diversity_measures import (
    MEASURES,
    diversity_numbers,
    entropy_bits,
    expected_nearest,
    jaccard_distances,
    mean_between,
    measured,
    pair_distances,
)
from apu.evaluate.diversity_pairs import DiversityPairs, NamePair
from apu.evaluate.diversity_report import diversity_tables

PALM, BACK, FOOT = "left_hand_palm", "left_upper_back", "right_foot_sole"
MAPS: tuple[frozenset[NamePair], ...] = (
    frozenset({(PALM, BACK)}), frozenset({(PALM, BACK), (PALM, PALM)}), frozenset({(FOOT, FOOT)}), frozenset(),
)  # fmt: skip


def random_pairs(n: int, seed: int = 0, classes: tuple[str, ...] = ("hug", "kick"), prefix: str = "") -> DiversityPairs:
    random = torch.Generator().manual_seed(seed)

    def draw(*size: int) -> torch.Tensor:
        return torch.rand(*size, generator=random)

    chosen = torch.randint(len(MAPS), (n,), generator=random).tolist()
    return DiversityPairs(
        tuple(f"{prefix}{i:04d}" for i in range(n)),
        tuple(classes[i % len(classes)] for i in range(n)),
        tuple(MAPS[i] for i in chosen),
        draw(n, 2, 14, 3),
        draw(n, 2, 1, 3),
        draw(n),
        math.pi * draw(n),
        1.5 + 0.4 * draw(n, 2, 1, 1),
    )


def rows(pairs: DiversityPairs, index: list[int], ids: list[str] | None = None) -> DiversityPairs:
    """Some pairs; repeats are allowed where they get ids of their own."""
    tensors = {k: v[torch.tensor(index)] for k, v in vars(pairs).items() if isinstance(v, torch.Tensor)}
    return replace(
        pairs,
        ids=tuple(ids or [pairs.ids[i] for i in index]),
        interactions=tuple(pairs.interactions[i] for i in index),
        regions=tuple(pairs.regions[i] for i in index),
        **tensors,
    )


def alone(pairs: DiversityPairs) -> dict[str, float]:
    found = measured(diversity_numbers(pairs), torch.ones(1, len(pairs)), len(pairs))
    return {name: float(value) for name, value in found.items()}


def test_entropy_by_hand():
    counts = torch.tensor([[3.0, 1.0], [2.0, 2.0], [5.0, 0.0], [0.0, 0.0]])
    found = entropy_bits(counts).tolist()
    assert found[:3] == pytest.approx([2 - 0.75 * math.log2(3), 1.0, 0.0])
    assert math.isnan(found[3])
    assert math.isnan(float(entropy_bits(torch.zeros(1, 0))))


def test_kinds_of_a_small_set_by_hand():
    pairs = replace(random_pairs(4, classes=("hug", "kick", "hug", "hug")), regions=MAPS)
    found = alone(pairs)
    assert found["interaction_types"] == 2
    assert found["interaction_type_entropy_bits"] == pytest.approx(2 - 0.75 * math.log2(3))
    # votes: palm-back 2, palm-palm 1, sole-sole 1, by region as by part
    assert found["region_pair_entropy_bits"] == pytest.approx(1.5)
    assert found["part_pair_entropy_bits"] == pytest.approx(1.5)
    assert found["contacts_per_pair"] == pytest.approx(1.0)
    # one of two in common; nothing in common, five times
    assert found["contact_jaccard_distance"] == pytest.approx((0.5 + 5) / 6)


def test_parts_are_coarser_than_regions():
    pairs = replace(
        random_pairs(2),
        regions=(frozenset({(PALM, BACK)}), frozenset({("right_fingers_back", "right_lower_back")})),
    )
    assert alone(pairs)["region_pair_entropy_bits"] == pytest.approx(1.0)
    assert alone(pairs)["part_pair_entropy_bits"] == 0.0


def test_maps_without_contact_are_equal_and_unlike_any_other():
    found = jaccard_distances(torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]))
    assert found.tolist() == [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]


def test_one_class_has_the_type_entropy_zero_and_unknown_classes_have_none():
    assert alone(random_pairs(5, classes=("hug",)))["interaction_type_entropy_bits"] == 0.0
    nobody_knows = compare(random_pairs(5, classes=("",)), random_pairs(5, 1), draws=20)
    for name in ("interaction_types", "interaction_type_entropy_bits"):
        assert math.isnan(nobody_knows[name].a)
        assert math.isnan(nobody_knows[name].difference)
        assert not math.isnan(nobody_knows[name].b)


def test_the_distance_of_two_pairs_by_hand():
    points = torch.zeros(2, 2, 2, 1)
    points[0, :, :, 0] = torch.tensor([[0.0, 1.0], [5.0, 5.0]])
    points[1, :, :, 0] = torch.tensor([[1.0, 1.0], [5.0, 8.0]])
    assert pair_distances(points)[0, 1] == pytest.approx(((1 + 0) / 2 + (0 + 3) / 2) / 2)
    assert torch.equal(pair_distances(points).diagonal(), torch.zeros(2))


def test_it_does_not_matter_who_is_called_a():
    pairs = random_pairs(9)
    turned = {name: getattr(pairs, name).clone() for name in ("poses", "places", "heights")}
    for value in turned.values():
        value[::2] = value[::2].flip(1)
    assert alone(replace(pairs, **turned)) == pytest.approx(alone(pairs), rel=1e-5)


def test_the_mean_over_weighted_pairs_of_pairs_is_that_over_their_copies():
    apart = pair_distances(random_pairs(5).poses)
    weights = [2, 0, 1, 3, 0]
    copies = [i for i, count in enumerate(weights) for _ in range(count)]
    expected = [float(apart[i, j]) for i, j in combinations(copies, 2) if i != j]
    found = mean_between(apart, torch.tensor([weights], dtype=torch.float32))
    assert float(found) == pytest.approx(sum(expected) / len(expected), rel=1e-5)


@pytest.mark.parametrize("size", [2, 3, 5, 6])
def test_the_expected_nearest_is_the_mean_over_all_subsamples(size):
    apart = pair_distances(random_pairs(6).poses)
    for i in range(6):
        others = [j for j in range(6) if j != i]
        nearest = [min(float(apart[i, j]) for j in some) for some in combinations(others, size - 1)]
        assert float(expected_nearest(apart, size)[i]) == pytest.approx(sum(nearest) / len(nearest), rel=1e-5)


def test_a_set_equals_itself_to_the_bit():
    pairs = random_pairs(30)
    for name, one in compare(pairs, pairs, draws=50).items():
        assert one.difference == 0.0, name
        if MEASURES[name].interval:
            assert one.difference_interval == Interval(0.0, 0.0), name
            assert one.a_interval.low <= one.a <= one.a_interval.high


def test_copies_of_pairs_lower_every_diversity():
    various = random_pairs(40, 1, classes=("a", "b", "c", "d", "e"))
    first = various.regions.index(MAPS[0])
    one = compare(various, rows(various, [first] * 40, [f"copy {i}" for i in range(40)]), draws=50)
    for name in MEASURES.keys() - {"contacts_per_pair"}:
        assert one[name].b == (1.0 if name == "interaction_types" else 0.0), name
        assert one[name].difference < 0, name
        assert one[name].difference_interval.high < 0 or not MEASURES[name].interval, name
    each_four_times = rows(various, list(range(10)) * 4, [f"copy {i}" for i in range(40)])
    four = compare(various, each_four_times, draws=50)
    assert (four["pose_nearest_mm"].b, four["place_nearest_mm"].b) == (0.0, 0.0)
    assert four["pose_distance_mm"].difference_interval.high < 0
    assert four["contact_jaccard_distance"].difference < 0


def test_a_larger_set_of_the_same_kind_is_not_more_various():
    """At its own size it has more kinds and nearer neighbours; at the size of the smaller it has not."""
    classes = tuple(f"class {i % 37}" for i in range(400))
    large = random_pairs(400, 2, classes=classes)
    parts = torch.randperm(400, generator=torch.Generator().manual_seed(0)).view(10, 40).tolist()
    found = [compare(rows(large, part), large, draws=5) for part in parts]
    for name in ("interaction_types", "interaction_type_entropy_bits", "pose_nearest_mm", "place_nearest_mm"):
        differences = torch.tensor([one[name].difference for one in found])
        whole = torch.tensor([one[name].b_whole - one[name].a_whole for one in found])
        assert abs(differences.mean()) < 0.1 * abs(whole.mean()), name
    assert found[0]["interaction_types"].b_whole == 37


def test_subsamples_are_those_of_the_hypergeometric_law():
    """15 pairs of three classes, 3 drawn: expected classes 3 (1 - C(10, 3) / C(15, 3))."""
    large, small = random_pairs(15, classes=("a", "b", "c")), random_pairs(3, 1, prefix="small")
    expected = 3 * (1 - math.comb(10, 3) / math.comb(15, 3))
    assert compare(small, large, draws=5)["interaction_types"].b == pytest.approx(expected, abs=0.3)


def test_intervals_hold_the_mean_about_as_often_as_they_say():
    """Means of contacts: 40 sets of 40 pairs, of which the true mean is 1 (the maps have 1, 2, 1 and 0)."""
    hits = Counter()
    for seed in range(40):
        pairs = rows(random_pairs(40, seed), list(range(40)), [f"{seed} {i}" for i in range(40)])
        one = compare(pairs, pairs, draws=200, seed=seed)["contacts_per_pair"]
        hits[one.a_interval.low <= 1.0 <= one.a_interval.high] += 1
    assert hits[True] >= 34


def test_pairs_of_both_sets_are_drawn_together():
    pairs = random_pairs(60, 3)
    most = rows(pairs, list(range(55)))
    others = rows(pairs, list(range(55)), [f"other {i}" for i in range(55)])
    shared, apart = (compare(pairs, one, draws=200)["pose_distance_mm"].difference_interval for one in (most, others))
    assert shared.high - shared.low < 0.6 * (apart.high - apart.low)


def test_tables_say_at_which_size_and_mark_what_is_undefined():
    small, large = random_pairs(4, classes=("",)), random_pairs(6, 1, prefix="b")
    tables = diversity_tables(compare(small, large, draws=20), ("s", "l"), (4, 6))
    assert [table.title for table in tables] == ["Diversity at 4 pairs each", "Each set at its own size"]
    types, poses = tables[0].rows[0], tables[0].rows[6]
    assert types[1:2] + types[3:] == ("-", "-", "-")
    assert not [cell for cell in poses if "[" in cell]  # four pairs say little of others
    assert tables[1].header == ("measure", "A: 4 pairs", "B: 6 pairs")
    large = random_pairs(10, 1)
    same = diversity_tables(compare(large, large, draws=20), ("l", "l"), (10, 10))
    assert [table.title for table in same] == ["Diversity at 10 pairs each"]
    assert same[0].rows[0][1:] == ("2.0", "2.0", "+0.0", "-")
    assert {row[-2:] for row in same[0].rows if row[0].startswith("poses")} == {("+0.0 [+0.0, +0.0]", "no")}
