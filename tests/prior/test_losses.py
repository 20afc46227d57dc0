"""The loss is a mean over pairs and quantities, and the skin's points are where the body model puts them."""

import pytest
import torch

from apu.body.protocol import Parts
from apu.body.region_samples import sample_regions
from apu.prior.losses import point_loss, role_weights, skin_points, x0_loss
from apu.prior.representation import Representation, RootFrame
from apu.prior.settings import LossWeights


def test_the_loss_by_hand(representation):
    roles = {"pose": 2.0, "shape": 0.0, "orientation": 1.0, "translation": 1.0}
    true = torch.zeros(3, representation.size)
    found = true.clone()
    found[1, representation.tokens[0].columns] = 3.0  # A's pose: mean square 9, weight 2 of 2 + 2 + 1 + 1
    found[2, representation.tokens[1].columns] = 5.0  # A's shape does not count
    loss = x0_loss(found, true, representation.tokens, roles)
    assert loss.tolist() == [0.0, pytest.approx(9 * 2 / 6), 0.0]


def test_the_loss_of_a_pair_does_not_depend_on_the_batch(representation):
    roles = role_weights(representation, LossWeights())
    found, true = torch.randn(2, 16, representation.size, generator=torch.Generator().manual_seed(0)).unbind(0)
    whole = x0_loss(found, true, representation.tokens, roles)
    assert torch.allclose(whole[5:6], x0_loss(found[5:6], true[5:6], representation.tokens, roles))


def test_weights_go_by_role(representation):
    assert role_weights(representation, LossWeights(1.0, 2.0, 3.0, 4.0)) == {
        "pose": 1.0,
        "shape": 2.0,
        "orientation": 3.0,
        "translation": 4.0,
    }


def test_points_are_vertices_of_both_bodies_in_the_frame_of_a(body64, random_pairs):
    representation = Representation(body64.name, body64.parameter_spec)
    rows = representation.encode(random_pairs(4))
    vertices = sample_regions(body64.surface, 1).vertices
    assert len(vertices) == 75
    posed = body64.forward(representation.decode(rows, RootFrame.origin(rows)), Parts(vertices=vertices)).vertices
    found = skin_points(body64, representation, 1)(rows)
    assert found.shape == (4, 150, 3)
    assert torch.allclose(found, posed.flatten(1, 2), atol=1e-6)


def test_the_point_loss_is_a_squared_distance_in_metres():
    true = torch.zeros(2, 5, 3)
    moved = true.clone()
    moved[1] += torch.tensor([0.3, 0.0, 0.4])
    assert point_loss(moved, true).tolist() == [0.0, pytest.approx(0.25)]


def test_the_point_loss_has_the_gradient_of_finite_differences(body64, random_pairs):
    representation = Representation(body64.name, body64.parameter_spec)
    rows = representation.encode(random_pairs(2, seed=1))
    points = skin_points(body64, representation, 1)
    goal = points(rows)
    start = (rows + 0.05).requires_grad_()
    point_loss(points(start), goal).sum().backward()
    for column in (3, 50, 60, 102, 108, 113):
        step = torch.zeros_like(rows)
        step[:, column] = 1e-5
        with torch.no_grad():
            up, down = (point_loss(points(start + sign * step), goal).sum() for sign in (1, -1))
        assert float(start.grad[:, column].sum()) == pytest.approx(float((up - down) / 2e-5), rel=1e-4, abs=1e-7)
