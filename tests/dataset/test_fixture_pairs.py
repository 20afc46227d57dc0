"""The 24 synthetic test pairs that lie in the repository: sound, and measured again what they were.

Made by `apu synth tests/dataset/fixture_pairs --split test --pairs 24 --seed 24`. The generator may change; these stay.
"""

from pathlib import Path

import pytest
from oracles import deepest_m, region_distance_m

from apu.body.anny import AnnyBody
from apu.contact.measured import TOUCHING_WIDE_M
from apu.dataset.measure_again import TOLERANCE_M, differences
from apu.dataset.meshes import meshes
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.dataset.synthetic.acceptance import BOUND_RAD, DEEPEST_M, INTENDED_M, REASONS
from apu.dataset.synthetic.interaction import GROUPS_OF_SPLIT, classes_of, interactions
from apu.dataset.verify import problems

FOLDER = Path(__file__).parent / "fixture_pairs"


@pytest.fixture(scope="module")
def store() -> PairStore:
    return PairStore(FOLDER)


@pytest.fixture(scope="module")
def records(store: PairStore) -> list[PairRecord]:
    return list(store.records())


def test_nothing_is_wrong_with_the_folder_and_it_is_small():
    groups = {name: one.group for name, one in interactions().items()}
    assert list(problems(FOLDER, groups, GROUPS_OF_SPLIT)) == []
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 100_000


def test_it_has_24_pairs_with_ids_of_their_own_in_every_class_of_the_test_split(store: PairStore, records):
    assert len(store) == len(records) == len({record.id for record in records}) == 24
    assert {record.interaction for record in records} == set(classes_of("test"))
    assert {record.group for record in records} == {"seen", "test-unseen"}
    assert {record.split for record in records} == {"test"}


def test_the_counts_of_every_class_add_up(store: PairStore, records):
    for name, count in store.info.classes.items():
        assert count.pairs == sum(record.interaction == name for record in records)
        assert count.pairs <= count.accepted
        assert count.accepted + sum(count.rejected.values()) == count.tried
        assert set(count.rejected) <= set(REASONS)


def test_contacts_lie_within_the_threshold_nearest_first_and_penetration_within_its_limit(records):
    for record in records:
        distances = [contact.distance_m for contact in record.contacts]
        assert distances == sorted(distances)
        assert 0 <= distances[0] <= INTENDED_M
        assert distances[-1] <= TOUCHING_WIDE_M
        assert 0 <= record.penetration_max_m <= DEEPEST_M


def test_angles_are_those_of_living_people(body: AnnyBody, records):
    spec = body.parameter_spec["pose"]
    for record in records:
        pose = record.to_true_pair().parameters["pose"]
        assert bool(((pose <= spec.upper + BOUND_RAD + 1e-6) & (pose >= spec.lower - BOUND_RAD - 1e-6)).all())


def test_a_stored_pair_comes_back_as_the_record_that_it_was(records):
    for record in records:
        assert PairRecord.from_true_pair(record.to_true_pair(), record.versions) == record


def test_measured_again_the_contacts_and_penetrations_are_the_stored_ones(body: AnnyBody, records):
    assert list(differences(body, [records[0], records[17]])) == []


def test_by_libigl_what_was_asked_for_touches_and_nobody_is_deep_in_the_other(body: AnnyBody, records):
    (batch, vertices), *_ = meshes(body, [records[5], records[11]])
    for record, both in zip(batch, vertices, strict=True):
        assert deepest_m(body.surface, both) == pytest.approx(record.penetration_max_m, abs=TOLERANCE_M)
        for contact in record.intended:
            assert (
                region_distance_m(body.surface, both, contact.regions_a, contact.regions_b) < INTENDED_M + TOLERANCE_M
            )
