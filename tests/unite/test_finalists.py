import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from apu.unite.finalists import finalists

COST = torch.tensor([[3.0, 9.0, 4.0, 7.0], [0.0, 100.0, 50.0, 60.0], [5.0, 5.5, 5.2, 5.1]])
TOLD = torch.ones(3, dtype=torch.bool)


def test_the_cheapest_goes_on_and_what_comes_close_up_to_the_most():
    left = finalists(COST, TOLD, most=2, margin=5.0)
    assert left.row.tolist() == [0, 2, 4, 8, 11]
    assert left.pair.tolist() == [0, 0, 1, 2, 2]
    assert left.hypothesis.tolist() == [0, 2, 0, 0, 3]
    assert left.bodies.tolist() == [0, 1, 4, 5, 8, 9, 16, 17, 22, 23]
    assert finalists(COST, TOLD, most=1, margin=5.0).row.tolist() == [0, 4, 8]
    assert finalists(COST, TOLD, most=4, margin=math.inf).row.tolist() == list(range(12))


def test_a_pair_of_which_no_contact_is_told_has_one():
    left = finalists(COST, torch.tensor([True, False, False]), most=2, margin=5.0)
    assert left.row.tolist() == [0, 2, 4, 8]


def test_the_last_stage_may_turn_the_order_round():
    left = finalists(COST, TOLD, most=2, margin=5.0)
    assert left.cheapest(torch.tensor([8.0, 7.0, 1e9, 2.0, 3.0])).tolist() == [1, 2, 3]


def test_what_is_not_finite_loses_and_a_pair_without_anything_finite_still_has_a_winner():
    left = finalists(COST, TOLD, most=2, margin=5.0)
    nan, inf = math.nan, math.inf
    assert left.cheapest(torch.tensor([nan, 7.0, nan, inf, 3.0])).tolist() == [1, 2, 4]
    assert finalists(torch.full((1, 3), nan), TOLD[:1], most=2, margin=5.0).pair.tolist() in ([0], [0, 0])


def test_no_pairs_have_no_finalists():
    left = finalists(torch.zeros(0, 4), TOLD[:0], most=2, margin=5.0)
    assert left.row.tolist() == []
    assert left.cheapest(torch.zeros(0)).tolist() == []


@given(
    st.lists(st.lists(st.floats(0, 20), min_size=3, max_size=3), min_size=1, max_size=6),
    st.integers(1, 4),
    st.floats(0, 10),
)
def test_of_any_costs_each_pair_keeps_its_cheapest_and_nothing_beyond_the_margin(rows, most, margin):
    cost = torch.tensor(rows, dtype=torch.float64)
    left = finalists(cost, torch.ones(len(rows), dtype=torch.bool), most, margin)
    for pair in range(len(rows)):
        mine = cost[pair][left.hypothesis[left.pair == pair]]
        assert 1 <= len(mine) <= most
        assert float(mine.min()) == float(cost[pair].min())
        assert float(mine.max()) <= float(cost[pair].min()) + margin
        near = int((cost[pair] <= cost[pair].min() + margin).sum())
        assert len(mine) == min(most, near)
