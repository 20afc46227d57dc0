"""Bootstrap intervals against scipy, theory and their own claims."""

import math
import time

import numpy as np
import pytest
import scipy.stats

from apu.evaluate import bootstrap
from apu.evaluate.bootstrap import mean_interval, median_interval, ratio_of_means_interval

VALUES = np.random.default_rng(0).gamma(2.0, 30.0, 300)


@pytest.mark.parametrize(("ours", "statistic"), [(mean_interval, np.mean), (median_interval, np.median)])
def test_it_is_scipys_percentile_bootstrap_up_to_the_draws(ours, statistic):
    expected = scipy.stats.bootstrap(
        (VALUES,), statistic, n_resamples=20_000, method="percentile", rng=np.random.default_rng(9)
    ).confidence_interval
    found = ours(VALUES, draws=20_000)
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.06 * width)
    assert found.high == pytest.approx(expected.high, abs=0.06 * width)


def test_the_ratio_is_scipys_paired_bootstrap_up_to_the_draws():
    below = VALUES + np.random.default_rng(1).normal(0, 5, 300)
    expected = scipy.stats.bootstrap(
        (VALUES, below), lambda a, b, axis: a.mean(axis) / b.mean(axis), paired=True, n_resamples=20_000,
        method="percentile", rng=np.random.default_rng(9), vectorized=True,
    ).confidence_interval  # fmt: skip
    found = ratio_of_means_interval(VALUES, below, draws=20_000)
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.06 * width)
    assert found.high == pytest.approx(expected.high, abs=0.06 * width)


def test_for_many_values_it_is_the_normal_interval_of_the_mean():
    half = 1.96 * VALUES.std() / math.sqrt(len(VALUES))
    found = mean_interval(VALUES, draws=20_000)
    assert found.low == pytest.approx(VALUES.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(VALUES.mean() + half, abs=0.1 * half)


def test_it_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    found = [mean_interval(generator.normal(5, 2, 60), draws=400, seed=i) for i in range(400)]
    assert 0.90 < np.mean([i.low <= 5 <= i.high for i in found]) < 0.98


def test_equal_seeds_give_equal_intervals_and_others_do_not():
    assert mean_interval(VALUES, seed=5) == mean_interval(VALUES, seed=5)
    assert mean_interval(VALUES, seed=5) != mean_interval(VALUES, seed=6)


def test_a_pairs_two_values_are_drawn_together():
    found = ratio_of_means_interval(3 * VALUES, VALUES)
    assert found.low == pytest.approx(3)
    assert found.high == pytest.approx(3)


def test_a_lower_level_gives_a_narrower_interval():
    wide, narrow = mean_interval(VALUES), mean_interval(VALUES, level=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_nothing_to_draw_from_is_nan_and_a_single_value_has_no_width():
    none = np.zeros(0)
    for found in (mean_interval(none), median_interval(none), ratio_of_means_interval(none, none)):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    assert mean_interval(np.array([7.0])) == median_interval(np.array([7.0])) == bootstrap.Interval(7.0, 7.0)


def test_a_mean_of_zero_below_is_nan():
    found = ratio_of_means_interval(np.ones(5), np.zeros(5))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch):
    whole = mean_interval(VALUES, draws=1000)
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 10_000)
    assert mean_interval(VALUES, draws=1000) == whole


def test_four_thousand_draws_of_five_hundred_pairs_take_less_than_half_a_second():
    values = np.random.default_rng(0).normal(size=500)
    start = time.process_time()
    mean_interval(values, draws=4000)
    assert time.process_time() - start < 0.5
