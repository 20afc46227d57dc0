"""Matching of boxes by overlap."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from apu.contact.box_matching import box_overlaps, match_boxes

HUGE = 1e308


def test_overlap_is_shared_area_over_joint_area():
    box, half = (0.0, 0.0, 10.0, 10.0), (5.0, 0.0, 15.0, 10.0)
    overlaps = box_overlaps([box], [half, box, (20.0, 0.0, 30.0, 9.0)])
    np.testing.assert_allclose(overlaps, [[1 / 3, 1.0, 0.0]])


@pytest.mark.parametrize(
    "box",
    [(0.0, 0.0, 0.0, 0.0), (5.0, 5.0, 5.0, 9.0), (10.0, 10.0, 0.0, 0.0), (-HUGE, -HUGE, HUGE, HUGE),
     (float("nan"), 0.0, 1.0, 1.0), (0.0, 0.0, float("inf"), 1.0)],
)  # fmt: skip
def test_a_box_without_a_usable_area_overlaps_nothing(box):
    assert box_overlaps([box], [box, (0.0, 0.0, 10.0, 10.0)]).tolist() == [[0.0, 0.0]]


def test_no_boxes_match_nothing():
    assert box_overlaps([], [(0.0, 0.0, 1.0, 1.0)]).shape == (0, 1)
    assert match_boxes(box_overlaps([(0.0, 0.0, 1.0, 1.0)], []), 0.3) == {}


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.floats(0, 1)))
def test_the_matching_is_the_best_of_all_that_keep_the_threshold(overlaps: np.ndarray):
    matches = match_boxes(overlaps, 0.3)
    assert len(set(matches.values())) == len(matches)
    assert all(overlaps[i, j] >= 0.3 for i, j in matches.items())
    counted = np.where(overlaps >= 0.3, overlaps, 0.0)
    wide = counted if counted.shape[0] <= counted.shape[1] else counted.T
    orders = permutations(range(wide.shape[1]), wide.shape[0])
    best = max(sum(wide[i, j] for i, j in enumerate(order)) for order in orders)
    assert sum(overlaps[i, j] for i, j in matches.items()) == pytest.approx(best)


def test_a_match_below_the_threshold_does_not_cost_a_good_one():
    overlaps = np.array([[0.5, 0.29], [0.29, 0.0]])
    assert match_boxes(overlaps, 0.3) == {0: 0}
