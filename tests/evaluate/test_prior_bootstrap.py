"""The interval over pairs and trainings is that of a plain loop, and is wider the more trainings differ."""

import math

import numpy as np
import pytest

from apu.evaluate.bootstrap import mean_interval
from apu.evaluate.prior_bootstrap import crossed_difference, crossed_mean_interval, drawn_means

RANDOM = np.random.default_rng(4)


def test_drawn_means_have_the_moments_of_a_loop_that_draws_pairs_and_then_seeds():
    values = RANDOM.normal(50, 8, (12, 3)) + np.array([0.0, 4.0, -3.0])
    random = np.random.default_rng(9)
    looped = [
        values[random.integers(0, 12, 12)][:, random.integers(0, 3, 3)].mean() for _ in range(20_000)
    ]  # fmt: skip
    drawn = drawn_means(values, 20_000, 0, 0)
    assert drawn.mean() == pytest.approx(np.mean(looped), abs=0.1)
    assert drawn.std() == pytest.approx(np.std(looped), rel=0.03)


def test_with_one_training_it_is_the_bootstrap_over_pairs():
    values = RANDOM.normal(50, 8, (40, 1))
    ours, theirs = crossed_mean_interval(values), mean_interval(values[:, 0])
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.25)


def test_a_difference_is_exact_where_nothing_varies_and_pairs_are_drawn_for_both_at_once():
    a = RANDOM.normal(50, 30, (20, 1))
    found = crossed_difference(a - 5.0, a)
    assert found.difference == pytest.approx(-5.0)
    assert (found.difference_interval.low, found.difference_interval.high) == pytest.approx((-5.0, -5.0))
    halves = crossed_difference(a / 2, a)
    assert halves.percent == pytest.approx(-50.0)
    assert (halves.percent_interval.low, halves.percent_interval.high) == pytest.approx((-50.0, -50.0))


def test_trainings_that_differ_make_the_interval_wider():
    base = RANDOM.normal(50, 1, (200, 1))
    still, moved = np.repeat(base, 3, 1), base + np.array([-6.0, 0.0, 6.0])
    width = {name: np.subtract(*reversed(list(vars(crossed_mean_interval(one)).values())))
             for name, one in (("still", still), ("moved", moved))}  # fmt: skip
    assert width["moved"] > 10 * width["still"]
    assert moved.mean() == pytest.approx(still.mean())


def test_no_pairs_have_no_numbers_and_nothing_below_no_per_cent():
    nothing = crossed_difference(np.zeros((0, 2)), np.zeros((0, 1)))
    assert math.isnan(nothing.difference)
    assert math.isnan(nothing.percent_interval.high)
    assert math.isnan(crossed_mean_interval(np.zeros((0, 2))).low)
    zero = crossed_difference(np.ones((3, 1)), np.zeros((3, 1)))
    assert zero.difference == 1.0
    assert math.isnan(zero.percent)
