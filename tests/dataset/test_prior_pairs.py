"""Stored pairs become arrays that a prior can learn from, and nothing of them is lost on the way."""

from pathlib import Path

import pytest
import torch

from apu.body.region_names import REGION_NAMES
from apu.dataset.prior_pairs import prior_pairs
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.prior.pairs import checked, joined

FOLDER = Path(__file__).parent / "fixture_pairs"


@pytest.fixture(scope="module")
def records() -> list[PairRecord]:
    return list(PairStore(FOLDER).records())


def test_bodies_classes_and_ids_are_those_of_the_records(body, records):
    pairs = joined(prior_pairs(records))
    assert checked(pairs, body.name, body.parameter_spec) is None
    assert pairs.ids == tuple(record.id for record in records)
    assert pairs.interactions == tuple(record.interaction for record in records)
    for i, record in enumerate(records):
        for name, value in record.to_true_pair().parameters.items():
            assert torch.equal(pairs.parameters[name][i], value)
    assert not pairs.initial_known.any()


def test_contacts_are_those_that_the_pair_was_made_with(records):
    pairs = joined(prior_pairs(records))
    for i, record in enumerate(records):
        told = [(set(c.regions_a), set(c.regions_b)) for c in record.intended][: pairs.contacts.weight.shape[1]]
        found = [
            tuple(
                {REGION_NAMES[r] for r in torch.nonzero(on[i, k]).flatten()}
                for on in (pairs.contacts.on_a, pairs.contacts.on_b)
            )
            for k in range(len(told))
        ]
        assert found == told
        assert int((pairs.contacts.weight[i] > 0).sum()) == len(told) > 0


def test_estimates_are_known_where_a_record_has_them(records):
    wrong = {name: [[x + 0.5 for x in one] for one in value] for name, value in records[3].parameters.items()}
    pairs = joined(prior_pairs([*records[:3], records[3].model_copy(update={"initial": wrong})]))
    assert pairs.initial_known.tolist() == [[False, False]] * 3 + [[True, True]]
    assert torch.allclose(pairs.initial["pose"][3], pairs.parameters["pose"][3] + 0.5, atol=1e-6)


def test_many_records_come_in_several_parts(records, monkeypatch):
    monkeypatch.setattr("apu.dataset.prior_pairs.AT_ONCE", 10)
    parts = list(prior_pairs(iter(records)))
    assert [len(part) for part in parts] == [10, 10, 4]
    assert joined(parts).ids == tuple(record.id for record in records)
