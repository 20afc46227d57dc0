"""Pairs that a prior must not learn from are refused, with the reason."""

from dataclasses import replace

import pytest
import torch

from apu.body.region_names import REGION_NAMES
from apu.contact.contact import Contact, ContactMap
from apu.errors import InputError
from apu.prior.contact_tokens import contact_tokens
from apu.prior.pairs import PairArrays, checked, joined
from apu.prior.statistics import Statistics


def problem(pairs: PairArrays, body, **options) -> str:
    with pytest.raises(InputError) as error:
        checked(pairs, body.name, body.parameter_spec, **options)
    return str(error.value)


def test_the_fixture_pairs_are_sound(body, known_pairs):
    assert checked(known_pairs, body.name, body.parameter_spec) is None
    assert len(known_pairs) == 24


@pytest.mark.parametrize("field", ["parameters", "initial"])
def test_a_number_that_is_not_finite_names_pair_person_and_parameter(body, known_pairs, field):
    values = {name: value.clone() for name, value in getattr(known_pairs, field).items()}
    values["shape"][5, 1, 2] = float("nan")
    text = problem(replace(known_pairs, **{field: values}), body)
    assert f"pair {known_pairs.ids[5]}, B: {field}.shape" in text


def test_an_unknown_estimate_may_hold_anything(body, known_pairs):
    values = {name: value.clone() for name, value in known_pairs.initial.items()}
    values["pose"][0, 1] = float("nan")  # of pair 0, nobody has estimated B
    assert checked(replace(known_pairs, initial=values), body.name, body.parameter_spec) is None


def test_no_pairs_are_refused(body, known_pairs):
    assert "no pairs" in problem(known_pairs.rows(torch.arange(0)), body)
    with pytest.raises(InputError, match="no pairs"):
        joined([])


def test_another_body_model_is_refused(body, known_pairs):
    text = problem(replace(known_pairs, body_model="smplx-1"), body)
    assert "smplx-1" in text
    assert body.name in text
    with pytest.raises(InputError, match="different body models"):
        joined([known_pairs, replace(known_pairs, body_model="smplx-1")])


def test_sizes_of_another_body_are_refused(body, known_pairs):
    wrong = {**known_pairs.parameters, "pose": known_pairs.parameters["pose"][..., :21]}
    assert "do not fit the body model" in problem(replace(known_pairs, parameters=wrong), body)


def test_a_single_class_is_refused_unless_it_is_meant(body, known_pairs):
    one = replace(known_pairs, interactions=("hug",) * 24)
    assert "24 of `hug`" in problem(one, body)
    assert checked(one, body.name, body.parameter_spec, one_class=True) is None
    nobody_knows = replace(known_pairs, interactions=("",) * 24)
    assert checked(nobody_knows, body.name, body.parameter_spec) is None


def test_contacts_of_other_pairs_are_refused(body, known_pairs):
    few = known_pairs.contacts.rows(torch.arange(3))
    assert "does not fit them" in problem(replace(known_pairs, contacts=few), body)


def test_parts_are_joined_in_order(known_pairs):
    index = torch.arange(24)
    again = joined(known_pairs.rows(index[a:b]) for a, b in ((0, 5), (5, 6), (6, 24)))
    assert again.digest == known_pairs.digest
    assert again.rows(index.flip(0)).digest != known_pairs.digest


def test_the_most_trusted_contacts_are_kept():
    palm, back = frozenset({"left_hand_palm", "right_hand_palm"}), frozenset({"left_upper_back"})
    contacts = [Contact(palm, back, weight) for weight in (0.2, 0.9, 0.5)]
    tokens = contact_tokens([ContactMap(tuple(contacts), "test"), ContactMap((), "test")], slots=2)
    assert tokens.weight.tolist() == [[pytest.approx(0.9), 0.5], [0.0, 0.0]]
    assert {REGION_NAMES[i] for i in torch.nonzero(tokens.on_a[0, 1]).flatten()} == palm
    assert {REGION_NAMES[i] for i in torch.nonzero(tokens.on_b[0, 1]).flatten()} == back
    assert not tokens.on_a[1].any()
    assert tokens.with_slots(5).with_slots(2).on_b.equal(tokens.on_b)


def test_normalised_rows_have_unit_scale_and_come_back(representation, known_pairs):
    rows = representation.encode(known_pairs.parameters)
    statistics = Statistics.of(rows)
    seen = statistics.normalised(rows)
    assert torch.allclose(seen.mean(0), torch.zeros(representation.size), atol=1e-4)
    assert torch.allclose(seen.std(0, unbiased=False), torch.ones(representation.size), atol=1e-3)
    assert torch.allclose(statistics.restored(seen), rows, atol=1e-5)


def test_a_constant_column_is_shifted_but_not_blown_up():
    rows = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    rows[:, 1] = 0.25
    statistics = Statistics.of(rows)
    assert statistics.std[1] == 1.0
    assert torch.equal(statistics.normalised(rows)[:, 1], torch.zeros(30))
    assert Statistics.of(rows[:1]).std.tolist() == [1.0, 1.0, 1.0]


def test_statistics_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="statistics"):
        Statistics(torch.zeros(3), torch.tensor([1.0, 0.0, 1.0]))
