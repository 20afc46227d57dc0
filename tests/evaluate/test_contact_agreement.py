"""Agreement of contact maps by hand, of regions and of parts, and the meaning of empty maps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.body.region_names import REGION_NAMES
from apu.contact.measured import MeasuredContact
from apu.contact.parts import PARTS
from apu.evaluate.contact_agreement import (
    agreement,
    contact_rows,
    part_maps,
    region_maps,
    side_aware_part,
    side_blind_part,
)

PALM = MeasuredContact("left_hand_palm", "right_upper_back", 0.002)
FINGERS = MeasuredContact("left_fingers_palm", "left_upper_back", 0.004)
OTHER_HAND = MeasuredContact("right_hand_palm", "right_upper_back", 0.006)
HEADS = MeasuredContact("left_head_front", "left_head_front", 0.012)

MAPS = st.lists(st.tuples(st.integers(0, 74), st.integers(0, 74)), max_size=30)


def one_map(entries: list[tuple[int, int]]) -> torch.Tensor:
    out = torch.zeros(1, 75, 75, dtype=torch.bool)
    for a, b in entries:
        out[0, a, b] = True
    return out


def shares(predicted: torch.Tensor, true: torch.Tensor) -> list[float]:
    found = agreement(predicted, true)
    return [float(getattr(found, f"{name}_percent")) for name in ("precision", "recall", "f1", "iou")]


def test_by_hand_one_hit_of_two_predicted_and_three_true():
    predicted, true = one_map([(0, 1), (5, 5)]), one_map([(0, 1), (1, 0), (7, 8)])
    assert shares(predicted, true) == pytest.approx([50.0, 100 / 3, 40.0, 25.0])


@settings(deadline=None, max_examples=50)
@given(MAPS, MAPS)
def test_it_is_that_of_sets(predicted: list[tuple[int, int]], true: list[tuple[int, int]]):
    p, t = set(predicted), set(true)
    hits = len(p & t)
    expected = [
        100 * hits / len(p) if p else math.nan,
        100 * hits / len(t) if t else math.nan,
        200 * hits / (len(p) + len(t)) if p or t else math.nan,
        100 * hits / len(p | t) if p or t else math.nan,
    ]
    found = shares(one_map(predicted), one_map(true))
    assert found == pytest.approx(expected, nan_ok=True)
    back = shares(one_map(true), one_map(predicted))
    assert [back[1], back[0], *back[2:]] == pytest.approx(expected, nan_ok=True)


def test_silence_costs_f1_and_a_map_that_should_be_empty_does_too():
    silent, some = one_map([]), one_map([(1, 2)])
    assert shares(silent, some) == pytest.approx([math.nan, 0.0, 0.0, 0.0], nan_ok=True)
    assert shares(some, silent) == pytest.approx([0.0, math.nan, 0.0, 0.0], nan_ok=True)
    assert all(math.isnan(share) for share in shares(silent, silent))


def test_pooled_counts_are_those_of_all_pairs():
    predicted = torch.cat([one_map([(0, 1)]), one_map([(2, 2), (3, 3), (4, 4)])])
    true = torch.cat([one_map([(0, 1)]), one_map([(2, 2)])])
    pooled = agreement(predicted, true).pooled()
    assert float(pooled.precision_percent) == 50.0
    assert float(pooled.recall_percent) == 100.0
    assert float(agreement(predicted, true).precision_percent.mean()) == pytest.approx(100 * (1 + 1 / 3) / 2)


def test_region_maps_keep_who_is_who_and_the_threshold():
    found = region_maps([[PALM, HEADS], []], 0.010)
    a, b = REGION_NAMES.index("left_hand_palm"), REGION_NAMES.index("right_upper_back")
    assert torch.nonzero(found).tolist() == [[0, a, b]]
    assert int(region_maps([[PALM, HEADS]], 0.013).sum()) == 2


def test_the_parts_are_a_partition_in_words_of_the_vocabulary():
    assert {side_blind_part(name) for name in REGION_NAMES} == set(PARTS) - {"face", "waist back"}
    aware = {side_aware_part(name) for name in REGION_NAMES}
    assert len(aware) == 27
    assert {"left hand", "right hand", "back", "head", "waist front"} <= aware
    for name in REGION_NAMES:
        side = name.split("_")[0]
        part = PARTS[side_blind_part(name)]
        assert name in part.regions(side if part.paired else "none")
        assert side_aware_part(name) == (f"{side} {part.name}" if part.paired else part.name)


def test_a_neighbouring_region_is_a_miss_of_regions_but_a_hit_of_parts():
    rows = contact_rows([[PALM]], [[FINGERS]])
    assert float(rows["contact_f1_10mm_percent"]) == 0
    assert float(rows["part_f1_10mm_percent"]) == 100
    assert float(rows["part_side_blind_f1_10mm_percent"]) == 100


def test_the_other_hand_is_a_miss_unless_sides_are_ignored():
    rows = contact_rows([[PALM]], [[OTHER_HAND]])
    assert float(rows["part_f1_10mm_percent"]) == 0
    assert float(rows["part_side_blind_f1_10mm_percent"]) == 100


def test_exchanged_people_are_a_miss():
    swapped = MeasuredContact(PALM.region_b, PALM.region_a, PALM.distance_m)
    rows = contact_rows([[swapped]], [[PALM]])
    assert float(rows["contact_f1_10mm_percent"]) == float(rows["part_side_blind_f1_10mm_percent"]) == 0


def test_both_thresholds_are_reported_and_hold_for_truth_and_prediction_alike():
    rows = contact_rows([[PALM, HEADS]], [[PALM, HEADS]])
    assert {name for name in rows if "10mm" in name} == {
        name.replace("13mm", "10mm") for name in rows if "13mm" in name
    }
    assert len(rows) == 24
    rows = contact_rows([[PALM]], [[PALM, HEADS]])
    assert float(rows["contact_recall_10mm_percent"]) == 100
    assert float(rows["contact_recall_13mm_percent"]) == 50


@settings(deadline=None, max_examples=30)
@given(MAPS, MAPS)
def test_part_maps_are_those_of_sets_of_words(predicted: list[tuple[int, int]], true: list[tuple[int, int]]):
    for sides, word in ((True, side_aware_part), (False, side_blind_part)):
        p, t = ({(word(REGION_NAMES[a]), word(REGION_NAMES[b])) for a, b in entries} for entries in (predicted, true))
        found = agreement(part_maps(one_map(predicted), sides=sides), part_maps(one_map(true), sides=sides))
        assert [int(found.hits), int(found.predicted), int(found.true)] == [len(p & t), len(p), len(t)]


def test_no_pairs_give_no_rows():
    assert all(values.shape == (0,) for values in contact_rows([], []).values())
