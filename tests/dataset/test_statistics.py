import math
from pathlib import Path

import pytest
from fake_world import LAYOUT, random_pair

from apu.body.region_names import REGION_NAMES
from apu.contact.parts import PARTS, part_of_region
from apu.dataset.record import PairRecord, validated
from apu.dataset.statistics import diversity, part_pairs, quantiles, statistics
from apu.dataset.store import PairStore, write_dataset


def contact(a: str, b: str, distance_m: float = 0.0) -> dict:
    return {"region_a": a, "region_b": b, "distance_m": distance_m}


def test_every_region_is_in_one_part_and_that_part_has_it():
    assert all(region in part_of_region(region).regions("both") for region in REGION_NAMES)
    assert {part_of_region(region).name for region in REGION_NAMES} == set(PARTS) - {"face", "waist back"}


def test_part_pairs_know_neither_side_nor_who_is_a():
    one = [contact("left_hand_palm", "right_upper_back"), contact("left_middle_back", "right_fingers_back")]
    assert part_pairs(one) == {("back", "hand")}


def test_entropy_of_equal_votes_is_the_logarithm_of_their_number():
    pairs = [{("back", "hand")}, {("hand", "hand")}, {("back", "hand"), ("hand", "hand")}]
    assert diversity(pairs)["entropy_bits"] == pytest.approx(1.0)
    assert diversity([{("back", "hand")}] * 3)["entropy_bits"] == 0.0
    assert diversity([])["entropy_bits"] == 0.0
    uneven = diversity([{("back", "hand")}] * 3 + [{("hand", "hand")}])
    assert uneven["entropy_bits"] == pytest.approx(2 - 0.75 * math.log2(3))
    assert list(uneven["most_frequent"].items()) == [("back - hand", 3), ("hand - hand", 1)]


def test_quantiles_of_known_numbers():
    found = quantiles(list(range(101)))
    assert (found["mean"], found["0 %"], found["5 %"], found["50 %"], found["100 %"]) == (50, 0, 5, 50, 100)
    assert quantiles([]) == {}


def test_statistics_of_a_small_data_set_by_hand(tmp_path: Path):
    touching = {
        "a": [contact("left_hand_palm", "left_hand_palm", 0.002), contact("left_hand_palm", "left_hand_back", 0.012)],
        "b": [contact("left_upper_back", "left_hand_back", 0.009)],
    }
    records = []
    for i, (id, contacts) in enumerate(touching.items()):
        row = PairRecord.from_true_pair(random_pair(id, i), {}).model_dump()
        row |= {"contacts": contacts, "penetration_max_m": 0.001 * i, "interaction": ("hug", "kick")[i]}
        records.append(validated(PairRecord, row, "test"))
    write_dataset(tmp_path, records, LAYOUT, kind="synthetic")
    found = statistics(PairStore(tmp_path))
    assert (found["pairs"], found["classes"]) == (2, {"hug": 1, "kick": 1})
    assert found["contacts_per_pair"]["within 10 mm"]["mean"] == 1.0
    assert found["contacts_per_pair"]["within 13 mm"]["mean"] == 1.5
    assert found["part_pairs"]["entropy_bits"] == pytest.approx(1.0)
    assert found["part_pairs_of_classes"] == {"hug": 0.0, "kick": 0.0}
    assert found["penetration_max_m"]["mean"] == pytest.approx(0.0005)
    assert found["base"] == {"people": {"density": 2, "mocap": 2}, "mocap_sequences": 2}
