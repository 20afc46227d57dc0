"""Means over pairs by hand, what is missing beside them, and comparisons over what two methods have in common."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.errors import InputError
from apu.evaluate.accumulate import Accumulator, compare
from apu.evaluate.bootstrap import mean_interval, ratio_of_means_interval


def filled(values: dict[str, float | None], metric: str = "error_mm") -> Accumulator:
    """One observation for each pair; None is a lost pair."""
    out = Accumulator()
    for pair, value in values.items():
        if value is None:
            out.add_lost(pair)
        else:
            out.add(pair, {metric: value})
    return out


def test_by_hand_four_pairs_of_which_one_is_lost_and_one_undefined():
    found = filled({"a": 10.0, "b": 30.0, "c": None, "d": math.nan}).summary("error_mm")
    assert (found.mean, found.median, found.n, found.undefined, found.lost) == (20.0, 20.0, 2, 1, 1)
    assert found.coverage_percent == 75.0
    assert found.interval == mean_interval(np.array([10.0, 30.0]))


def test_seeds_of_a_pair_are_averaged_first():
    rows = Accumulator()
    for seed, value in enumerate([10.0, 20.0, 60.0]):
        rows.add("a", {"error_mm": value}, seed=seed)
    rows.add("b", {"error_mm": 50.0})
    found = rows.summary("error_mm")
    assert (found.mean, found.n) == (40.0, 2)
    assert found.interval == mean_interval(np.array([30.0, 50.0]))


def test_a_pair_that_is_lost_under_one_seed_has_a_value_but_not_full_coverage():
    rows = Accumulator()
    rows.add("a", {"error_mm": 10.0}, seed=0)
    rows.add_lost("a", seed=1)
    rows.add("b", {"error_mm": 20.0}, seed=0)
    rows.add("b", {"error_mm": 20.0}, seed=1)
    found = rows.summary("error_mm")
    assert (found.mean, found.n, found.lost, found.coverage_percent) == (15.0, 2, 0, 75.0)


def test_a_metric_that_a_row_lacks_is_undefined_there():
    rows = filled({"a": 1.0})
    rows.add("b", {"other_mm": 2.0})
    assert rows.metrics == ("error_mm", "other_mm")
    assert (rows.summary("error_mm").n, rows.summary("error_mm").undefined) == (1, 1)
    assert rows.summaries().keys() == {"error_mm", "other_mm"}


def test_infinite_values_are_undefined():
    found = filled({"a": math.inf, "b": 2.0}).summary("error_mm")
    assert (found.mean, found.n, found.undefined) == (2.0, 1, 1)


def test_with_no_value_at_all_everything_is_nan_and_still_counted():
    rows = filled({"a": math.nan, "b": None})
    found = rows.summary("error_mm")
    assert math.isnan(found.mean)
    assert math.isnan(found.median)
    assert math.isnan(found.interval.low)
    assert (found.n, found.undefined, found.lost, found.coverage_percent) == (0, 1, 1, 50.0)


@settings(deadline=None, max_examples=20)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)),
        st.one_of(st.none(), st.just(math.nan), st.floats(0, 100)),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter_and_every_pair_is_counted_once(table, random):
    found = []
    for _ in range(2):
        keys = list(table)
        random.shuffle(keys)
        rows = Accumulator()
        rows.add("z", {"error_mm": 1.0})
        for pair, seed in keys:
            value = table[pair, seed]
            if value is None:
                rows.add_lost(pair, seed=seed)
            else:
                rows.add(pair, {"error_mm": value}, seed=seed)
        found.append(rows.summary("error_mm", draws=100))
    assert found[0] == found[1]
    assert found[0].n + found[0].undefined + found[0].lost == len({pair for pair, _ in table} | {"z"})


def test_groups_are_summed_up_apart():
    rows = Accumulator()
    rows.add("a", {"error_mm": 10.0}, group="hug")
    rows.add("b", {"error_mm": 20.0}, group="lift")
    rows.add_lost("c", group="lift")
    assert rows.groups == ("hug", "lift")
    assert (rows.summary("error_mm", group="hug").mean, rows.summary("error_mm", group="hug").lost) == (10.0, 0)
    assert (rows.summary("error_mm", group="lift").mean, rows.summary("error_mm", group="lift").lost) == (20.0, 1)
    assert rows.summary("error_mm").mean == 15.0


def test_a_batch_is_its_rows():
    batch, single = Accumulator(), Accumulator()
    batch.add_batch(
        ["a", "b"], {"x_mm": torch.tensor([1.0, 2.0]), "y_mm": torch.tensor([3.0, 4.0])}, seed=2, group="hug"
    )
    single.add("a", {"x_mm": 1.0, "y_mm": 3.0}, seed=2, group="hug")
    single.add("b", {"x_mm": 2.0, "y_mm": 4.0}, seed=2, group="hug")
    assert batch.rows == single.rows


def test_mistakes_are_refused_by_name():
    rows = filled({"a": 1.0})
    with pytest.raises(InputError, match="noted twice") as twice:
        rows.add_lost("a")
    assert "pair 'a', seed 0" in str(twice.value)
    with pytest.raises(InputError, match="No row has this metric") as metric:
        rows.summary("eror_mm")
    assert "error_mm" in str(metric.value)
    with pytest.raises(InputError, match="No row has this group"):
        rows.summary("error_mm", group="hug")
    with pytest.raises(InputError, match="one value for each pair"):
        rows.add_batch(["b", "c"], {"error_mm": torch.ones(3)})
    assert len(rows.rows) == 1


def test_two_methods_are_compared_over_common_pairs_alone():
    a = filled({"p": 10.0, "q": 30.0, "r": None, "s": 500.0, "t": 700.0})
    b = filled({"p": 20.0, "q": 30.0, "r": 900.0, "s": math.nan})
    found = compare(a, b, "error_mm")
    assert (found.mean_a, found.mean_b, found.difference, found.n) == (20.0, 25.0, -5.0, 2)
    assert found.ratio == pytest.approx(0.8)
    assert (found.only_a, found.only_b) == (2, 1)
    assert found.difference_interval == mean_interval(np.array([-10.0, 0.0]))
    assert found.ratio_interval == ratio_of_means_interval(np.array([10.0, 30.0]), np.array([20.0, 30.0]))


def test_a_comparison_uses_the_seeds_that_both_methods_have():
    a, b = Accumulator(), Accumulator()
    for seed, value in enumerate([10.0, 1000.0]):
        a.add("p", {"error_mm": value}, seed=seed)
    b.add("p", {"error_mm": 20.0}, seed=0)
    b.add_lost("p", seed=1)
    found = compare(a, b, "error_mm")
    assert (found.mean_a, found.mean_b, found.n, found.only_a) == (10.0, 20.0, 1, 0)


def test_a_paired_interval_is_narrower_than_the_spread_of_the_pairs():
    generator = np.random.default_rng(0)
    hard = generator.uniform(10, 300, 200)
    a = filled({f"p{i:03}": float(h) for i, h in enumerate(hard)})
    b = filled({f"p{i:03}": float(h + 5 + generator.normal(0, 2)) for i, h in enumerate(hard)})
    found = compare(a, b, "error_mm")
    assert found.difference_interval.low < -5 < found.difference_interval.high + 0.5
    assert found.difference_interval.high < 0
    own = a.summary("error_mm").interval
    assert found.difference_interval.high - found.difference_interval.low < 0.1 * (own.high - own.low)


def test_exchanging_the_methods_turns_the_sign():
    a, b = filled({"p": 1.0, "q": 2.0, "r": 4.0}), filled({"p": 2.0, "q": 2.0, "r": 3.0})
    one, other = compare(a, b, "error_mm"), compare(b, a, "error_mm")
    assert one.difference == -other.difference
    assert one.ratio == pytest.approx(1 / other.ratio)


def test_methods_without_common_pairs_are_not_comparable():
    found = compare(filled({"p": 1.0}), filled({"q": 1.0}), "error_mm")
    assert math.isnan(found.difference)
    assert math.isnan(found.ratio)
    assert (found.n, found.only_a, found.only_b) == (0, 1, 1)
