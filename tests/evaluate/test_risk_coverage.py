"""Risk and coverage against brute force over all orders, by hand, and at their edges."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.evaluate.risk_coverage import discrimination, limit_for, risk_coverage

SCORED = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


def arrays(scored: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s for s, _ in scored], dtype=np.float64), np.array([a for _, a in scored])


def test_a_curve_by_hand():
    curve = risk_coverage(np.array([0.9, 0.1, 0.8, 0.4]), np.array([True, False, True, False]))
    assert curve.coverage == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert curve.risk == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert [curve.precision(c) for c in (0.25, 0.5, 0.51, 1.0)] == pytest.approx([1, 1, 2 / 3, 1 / 2])
    assert [curve.most_coverage(p) for p in (1.0, 0.6, 0.5)] == pytest.approx([0.5, 0.75, 1.0])


@settings(max_examples=60, deadline=None)
@given(SCORED)
def test_ties_count_as_the_mean_over_all_their_orders(scored: list[tuple[int, bool]]):
    score, accurate = arrays(scored)
    risks = [
        np.cumsum([not accurate[i] for i in order]) / np.arange(1, len(order) + 1)
        for order in itertools.permutations(range(len(score)))
        if all(score[i] >= score[j] for i, j in itertools.pairwise(order))
    ]
    assert risk_coverage(score, accurate).risk == pytest.approx(np.mean(risks, 0))


@settings(max_examples=60, deadline=None)
@given(SCORED)
def test_discrimination_is_the_share_of_pairs_that_are_ranked_rightly(scored: list[tuple[int, bool]]):
    score, accurate = arrays(scored)
    good, bad = score[accurate], score[~accurate]
    found = discrimination(score, accurate)
    if not len(good) or not len(bad):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.mean([(g > b) + (g == b) / 2 for g in good for b in bad]))


@settings(max_examples=60, deadline=None)
@given(SCORED, st.sampled_from([0.5, 0.75, 1.0]))
def test_the_limit_is_the_lowest_that_keeps_the_precision(scored: list[tuple[int, bool]], precision: float):
    score, accurate = arrays(scored)
    limit = limit_for(score, accurate, precision)
    enough = [one for one in score if accurate[score >= one].mean() >= precision]
    assert limit == (min(enough) if enough else math.inf)


def test_an_unknown_score_is_the_worst_and_no_fits_have_no_risk():
    curve = risk_coverage(np.array([math.nan, 0.2]), np.array([False, True]))
    assert curve.risk == pytest.approx([0, 0.5])
    empty = risk_coverage(np.zeros(0), np.zeros(0, dtype=bool))
    assert math.isnan(empty.area)
    assert math.isnan(empty.precision(0.5))
    assert empty.most_coverage(0.9) == 0.0


def test_a_coverage_is_rounded_up_to_whole_fits_and_not_by_rounding_errors():
    curve = risk_coverage(np.arange(30.0)[::-1], np.arange(30) < 3)
    assert curve.precision(0.1) == 1.0  # 0.1 * 30 > 3 in floating point
    assert curve.precision(0.11) == pytest.approx(3 / 4)
