"""The denoiser: nothing random at inference, nothing leaks from what is unknown, every weight learns."""

from dataclasses import replace

import pytest
import torch
from small_training import TINY

from apu.errors import InputError
from apu.prior.condition import Condition
from apu.prior.network import Denoiser
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings


@pytest.fixture
def condition(representation, untrained, known_pairs) -> Condition:
    return Condition.of(known_pairs, representation, untrained.statistics)


@pytest.fixture
def rows(untrained, known_pairs) -> torch.Tensor:
    return untrained.rows(known_pairs.parameters)


def test_the_default_has_the_agreed_size_and_fits_into_twelve_megabytes(representation):
    network = Denoiser(representation.tokens, Schedule.of("cosine"), NetworkSettings())
    assert (network.settings.width, network.settings.layers, network.settings.heads) == (152, 6, 8)
    assert 4 * sum(value.numel() for value in network.parameters()) < 12e6


def test_inference_has_no_dropout_and_training_has(untrained, rows, condition):
    first, second = (untrained.denoised(rows, 500, condition) for _ in range(2))
    assert torch.equal(first, second)
    network = untrained.network.train()
    time = torch.full((24,), 500)
    assert not torch.equal(network(rows, time, condition), network(rows, time, condition))
    assert torch.equal(untrained.denoised(rows, 500, condition), first)  # asking switches it off again


def test_a_pair_alone_is_what_it_is_in_a_batch(untrained, known_pairs, rows, condition, representation):
    together = untrained.denoised(rows, 300, condition)
    one = torch.tensor([7])
    alone = untrained.denoised(
        rows[7:8], 300, Condition.of(known_pairs.rows(one), representation, untrained.statistics)
    )
    assert torch.allclose(alone[0], together[7], atol=1e-5)


@pytest.mark.parametrize("person", [0, 1])
def test_what_is_unknown_of_a_person_does_not_reach_the_network(untrained, rows, condition, representation, person):
    """Numbers of a forgotten estimate may be anything, also NaN; those that relate it to the other too."""
    forget = torch.zeros(24, 2, dtype=torch.bool)
    forget[:, person] = True
    told = condition.without(initial=forget)
    other = condition.initial.clone()
    for token in representation.tokens:
        if token.person == person or token.kind != "own":
            other[:, token.columns] = float("nan")
    expected = untrained.denoised(rows, 500, told)
    assert torch.equal(untrained.denoised(rows, 500, replace(told, initial=other)), expected)
    changed = untrained.denoised(rows, 500, replace(told, initial=condition.initial + 1))
    assert not torch.allclose(changed[1], expected[1])  # the other person's still count


def test_contacts_tilt_and_view_are_read_and_can_be_forgotten(untrained, rows, condition):
    everybody = torch.ones(24, dtype=torch.bool)
    all_known = untrained.denoised(rows, 500, condition)
    without_contacts = condition.without(contacts=everybody)
    without_up = condition.without(up=everybody)
    assert not torch.allclose(untrained.denoised(rows, 500, without_contacts), all_known)
    assert not torch.allclose(untrained.denoised(rows, 500, without_up), all_known)
    blank = Condition.unknown(rows)
    without_view = untrained.denoised(rows, 500, condition.without(view=everybody))
    changed = (without_view - all_known).abs().amax(1) > 1e-6
    assert torch.equal(changed, condition.view_known), "only those that a camera sees had a view"
    nothing = condition.without(torch.ones(24, 2, dtype=torch.bool), everybody, everybody, everybody)
    assert torch.equal(untrained.denoised(rows, 500, nothing), untrained.denoised(rows, 500, blank))


def test_the_order_of_contacts_does_not_matter(untrained, rows, condition):
    contacts = condition.contacts.with_slots(TINY.contacts)
    turned = type(contacts)(contacts.on_a.flip(1), contacts.on_b.flip(1), contacts.weight.flip(1))
    found, other = (untrained.denoised(rows, 500, replace(condition, contacts=one)) for one in (contacts, turned))
    assert torch.allclose(found, other, atol=1e-5)


def test_every_weight_has_a_gradient_whatever_is_known(untrained, rows, condition):
    """Also when nothing is known: processes that train together must agree on which weights move."""
    network = untrained.network.requires_grad_(True)
    for told in (condition, Condition.unknown(rows)):
        network.zero_grad(set_to_none=True)
        network(rows, torch.full((24,), 500), told).square().sum().backward()
        assert [name for name, value in network.named_parameters() if value.grad is None] == []


def test_with_the_skip_little_noise_needs_no_correction_and_without_it_does(representation, rows, condition):
    torch.manual_seed(0)
    change = []
    for skip in (True, False):
        network = Denoiser(representation.tokens, Schedule.of("cosine"), replace(TINY, skip=skip)).eval()
        change.append(float((network(rows, torch.zeros(24, dtype=torch.int64), condition) - rows).std().detach()))
    assert change[0] < 0.02
    assert change[1] > 0.5


@pytest.mark.parametrize("options", [{"initial": False}, {"contacts": 0}, {"tilt": False}, {"view": False}])
def test_what_the_network_does_not_read_does_not_matter(representation, rows, condition, options):
    torch.manual_seed(0)
    network = Denoiser(representation.tokens, Schedule.of("cosine"), replace(TINY, **options)).eval()
    everybody = torch.ones(24, dtype=torch.bool)
    forgotten = {
        "initial": condition.without(initial=torch.ones(24, 2, dtype=torch.bool)),
        "contacts": condition.without(contacts=everybody),
        "tilt": condition.without(up=everybody),
        "view": condition.without(view=everybody),
    }[next(iter(options))]
    time = torch.full((24,), 500)
    assert torch.equal(network(rows, time, condition), network(rows, time, forgotten))


@pytest.mark.parametrize(
    "sizes", [{"width": 30, "heads": 4}, {"layers": 0}, {"dropout": 1.0}, {"width": 33, "heads": 3}]
)
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(InputError, match="sizes"):
        NetworkSettings(**sizes)
