"""Samples: reproducible, given what is known, and B for a given A."""

import pytest
import torch

from apu.contact.contact import Contact, ContactMap
from apu.errors import InputError
from apu.prior.representation import RootFrame
from apu.prior.sampling import SamplingSettings, sample

SHORT = SamplingSettings(steps=6)


def test_samples_have_the_shape_of_pairs_and_the_seed_decides_them(untrained, body):
    first, again = (sample(untrained, 4, settings=SHORT) for _ in range(2))
    other = sample(untrained, 4, settings=SamplingSettings(steps=6, seed=1))
    for name, one in body.parameter_spec.items():
        assert first[name].shape == (4, 2, one.size)
        assert bool(first[name].isfinite().all())
        assert torch.equal(first[name], again[name])
    assert not torch.allclose(first["pose"], other["pose"])
    assert not first["orientation"][:, 0].any()
    assert not first["translation"][:, 0].any()


def test_a_stands_where_it_is_told_to(untrained):
    frame = RootFrame(torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 3.0]]))
    here, there = sample(untrained, 1, settings=SHORT), sample(untrained, frame=frame, settings=SHORT)
    assert torch.equal(there["translation"][:, 0], frame.translation)
    distance = [(one["translation"][0, 1] - one["translation"][0, 0]).norm() for one in (here, there)]
    assert float(distance[0]) == pytest.approx(float(distance[1]), rel=1e-5)


@pytest.mark.parametrize("settings", [SHORT, SamplingSettings(steps=6, eta=1.0), SamplingSettings(6, ancestral=True)])
def test_given_a_the_sample_has_it_and_b_goes_with_it(untrained, body, known_pairs, settings):
    bounded = untrained.representation.within_bounds(known_pairs.parameters)
    first, other = ({name: bounded[name][rows, 0] for name in ("pose", "shape")} for rows in (slice(0, 4), slice(4, 8)))
    found = sample(untrained, given_a=first, settings=settings)
    for name, value in first.items():
        assert torch.allclose(found[name][:, 0], value, atol=1e-4), name
    assert not torch.allclose(found["pose"][:, 1], sample(untrained, given_a=other, settings=settings)["pose"][:, 1])


def test_contacts_and_estimates_are_heard(untrained, known_pairs):
    hand = ContactMap((Contact(frozenset({"left_hand_palm"}), frozenset({"left_upper_back"})),), "test")
    initial = {name: value[:3] for name, value in known_pairs.initial.items()}
    free = sample(untrained, condition=untrained.condition(3), settings=SHORT)
    assert torch.equal(free["pose"], sample(untrained, 3, settings=SHORT)["pose"])
    for told in (untrained.condition(3, contacts=[hand] * 3), untrained.condition(3, initial=initial)):
        assert not torch.allclose(sample(untrained, condition=told, settings=SHORT)["pose"], free["pose"])


def test_what_is_unknown_of_a_person_does_not_reach_a_sample(untrained, known_pairs):
    initial = {name: value[:3].clone() for name, value in known_pairs.initial.items()}
    only_a = torch.tensor([[True, False]] * 3)
    expected = sample(untrained, condition=untrained.condition(3, initial, only_a), settings=SHORT)
    for value in initial.values():
        value[:, 1] = float("nan")
    found = sample(untrained, condition=untrained.condition(3, initial, only_a), settings=SHORT)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_it_must_be_clear_how_many(untrained):
    with pytest.raises(InputError, match="how many"):
        sample(untrained)
    with pytest.raises(InputError, match="how many"):
        sample(untrained, 3, condition=untrained.condition(2))
    with pytest.raises(InputError, match="sampling steps"):
        sample(untrained, 1, settings=SamplingSettings(steps=2000))
