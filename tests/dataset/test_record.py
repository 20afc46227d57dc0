from dataclasses import replace

import pytest
import torch
from fake_world import random_pair

from apu.contact.measured import MeasuredContact
from apu.dataset.record import PairRecord, validated
from apu.errors import InputError


def row(**changes) -> dict:
    return PairRecord.from_true_pair(random_pair("one", 1), {"apu": "1"}).model_dump() | changes


def test_a_true_pair_comes_back_to_the_bit():
    pair = random_pair("one", 1)
    back = PairRecord.from_true_pair(pair, {"apu": "1"}).to_true_pair()
    for name, value in pair.parameters.items():
        assert torch.equal(value.view(torch.int32), back.parameters[name].view(torch.int32))
    assert replace(back, parameters={}) == replace(pair, parameters={})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_body_that_is_not_finite_is_named_by_pair_and_number(value: float):
    pair = random_pair("broken-7", 1)
    pair.parameters["pose"][1, 0] = value
    with pytest.raises(InputError) as caught:
        PairRecord.from_true_pair(pair, {})
    assert caught.value.where is not None
    assert "pair broken-7" in caught.value.where
    assert "parameters.pose[1][0]" in caught.value.where


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contacts": [{"region_a": "nose", "region_b": "left_hand_palm", "distance_m": 0.0}]}, "contacts[0].region_a"),
        ({"contacts": [{"region_a": "left_hand_palm", "distance_m": 0.0}]}, "contacts[0].region_b"),
        ({"penetration_max_m": -1.0}, "penetration_max_m"),
        ({"split": "all"}, "split"),
        ({"schema_version": 2}, "schema_version"),
        ({"keypoints": [[[0.0, 0.0, 1.0]] * 25, [[0.0, 0.0, 1.0]] * 24]}, "keypoints[1]"),
        ({"keypoints": [[[0.0, 0.0, float("nan")]] * 25] * 2}, "keypoints[0][0][2]"),
        ({"answers": "{"}, "answers"),
        ({"image": {"sha256": "abc"}}, "image.sha256"),
        ({"seeds": {"pair": -1}}, "seeds.pair"),
        ({"parameters": {"pose": [[1.0, 1e39], [0.0, 0.0]]}}, "parameters.pose[0][1]"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_wrong_field_is_named(changes: dict, field: str):
    with pytest.raises(InputError) as caught:
        validated(PairRecord, row(**changes), "file", "one")
    assert caught.value.where == f"file: pair one: {field}"


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"pose": [[1.0], [1.0, 2.0]]}},
        {"initial": {"pose": [[1.0, 2.0], [1.0, 2.0]]}},
        {"initial": row()["parameters"] | {"pose": [[1.0], [1.0]]}},
    ],
)
def test_both_bodies_and_both_states_have_the_same_numbers(changes: dict):
    with pytest.raises(InputError):
        validated(PairRecord, row(**changes), "file", "one")


def test_the_order_of_versions_and_seeds_does_not_matter():
    a = validated(PairRecord, row(versions={"x": "1", "a": "2"}), "file")
    assert list(a.versions) == ["a", "x"]


def test_a_record_of_a_photo_is_no_true_pair():
    record = validated(PairRecord, row(kind="photo", frame="camera", group=None, base=None), "file")
    with pytest.raises(InputError, match="no synthetic pair"):
        record.to_true_pair()


def test_an_unknown_region_of_a_generator_is_refused():
    pair = replace(random_pair("one", 1), contacts=(MeasuredContact("tail", "left_hand_palm", 0.0),))
    with pytest.raises(InputError):
        PairRecord.from_true_pair(pair, {})
