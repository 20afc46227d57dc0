import itertools
import random

import pytest

from apu.dataset.quota import EMPTY_CHUNKS, ChunkCount, Plan, even_quotas
from apu.errors import ApuError

YIELDS = {"hug": [3, 0, 2, 1, 4, 4, 4], "kick": [0, 0, 1, 5, 5, 5, 5], "lift": [1] * 12}


def count(name: str, number: int) -> ChunkCount:
    accepted = YIELDS[name][number]
    return ChunkCount(accepted, 8, {"contact": 8 - accepted})


def test_pairs_are_shared_evenly():
    assert even_quotas(["c", "a", "b"], 8) == {"a": 3, "b": 3, "c": 2}
    assert even_quotas(["c", "a", "b"], 2) == {"a": 1, "b": 1, "c": 0}


def finished(order_seed: int, workers: int) -> Plan:
    """A plan whose chunks come back in a random order."""
    draw = random.Random(order_seed)
    plan, under_way = Plan(even_quotas(list(YIELDS), 14)), []
    while True:
        while len(under_way) < workers and (found := plan.next()) is not None:
            under_way.append(found)
        if not under_way:
            return plan
        name, number = under_way.pop(draw.randrange(len(under_way)))
        if number < len(YIELDS[name]):
            plan.put(name, number, count(name, number))


def test_the_order_in_which_chunks_come_back_does_not_matter():
    serial = finished(0, 1)
    expected = {"hug": 3, "kick": 4, "lift": 4}  # 3 + 0 + 2 reach 5; 0 + 0 + 1 + 5 reach 5; four times 1
    assert {name: len(one.counting) for name, one in serial.classes.items()} == expected
    for seed, workers in itertools.product(range(8), (2, 3, 5)):
        plan = finished(seed, workers)
        assert {n: c.counting for n, c in plan.classes.items()} == {n: c.counting for n, c in serial.classes.items()}


def test_one_worker_computes_no_chunk_too_many():
    plan = finished(0, 1)
    assert all(one.asked == len(one.counting) and not one.beyond for one in plan.classes.values())


def test_statistics_leave_out_what_does_not_count():
    plan = Plan({"hug": 4})
    for number in (2, 1, 0, 3):
        plan.put("hug", number, count("hug", number))
    total = plan.classes["hug"].statistics()
    assert total == ChunkCount(5, 24, {"contact": 19})
    assert (plan.pairs, plan.wanted, plan.next()) == (4, 4, None)


def test_a_class_that_yields_nothing_is_named_with_its_reasons():
    plan = Plan({"hug": 4})
    plan.put("hug", 0, ChunkCount(1, 8, {"floor": 7}))
    for number in range(1, EMPTY_CHUNKS):
        plan.put("hug", number, ChunkCount(0, 8, {"contact": 6, "floor": 2}))
    with pytest.raises(ApuError, match="`hug` yields no more") as caught:
        plan.put("hug", EMPTY_CHUNKS, ChunkCount(0, 0, {}, "ValueError: no"))
    assert (
        caught.value.got == "1 pairs of 96 candidates; rejected: contact 66, floor 29; the last failure: ValueError: no"
    )


def test_empty_chunks_beyond_the_quota_do_no_harm():
    plan = Plan({"hug": 3})
    for number in range(1, EMPTY_CHUNKS + 3):
        plan.put("hug", number, ChunkCount(0, 8, {}))
    plan.put("hug", 0, ChunkCount(3, 8, {}))
    assert plan.pairs == 3


def test_the_class_that_is_farthest_behind_is_next():
    plan = Plan({"hug": 4, "kick": 4})
    assert plan.next() == ("hug", 0)
    plan.put("hug", 0, ChunkCount(3, 8, {}))
    assert plan.next() == ("kick", 0)
    assert plan.next() == ("kick", 1)


def test_failures_are_kept_by_chunk():
    plan = Plan({"hug": 2})
    plan.put("hug", 0, ChunkCount(0, 0, {}, "ValueError: no"))
    plan.put("hug", 1, ChunkCount(2, 8, {}))
    assert plan.classes["hug"].failures() == {0: "ValueError: no"}
