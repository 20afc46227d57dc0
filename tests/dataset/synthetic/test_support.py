"""Centres of mass against trimesh; distances to supports whose polygons are computed by hand."""

import math

import numpy as np
import pytest
import torch
import trimesh

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.dataset.synthetic.support import SLACK_M, SUPPORT_M, balance_excess, centre_of_mass, support_distance

SQUARE = [(0.0, 0.0), (0.4, 0.0), (0.4, 0.2), (0.0, 0.2)]
"""x and z on the floor, metres."""


def on_floor(corners: list[tuple[float, float]], height_m: float = 0.0) -> torch.Tensor:
    """Skin at these places, and a body far above and aside that must not count."""
    ground = torch.tensor([[x, -height_m, z] for x, z in corners])
    return torch.cat([ground, torch.tensor([[5.0, -1.0, 5.0], [-5.0, -SUPPORT_M - 0.001, 0.1]])])


def above(x: float, z: float) -> torch.Tensor:
    return torch.tensor([x, -0.9, z])


@pytest.mark.parametrize(
    ("x", "z", "expected"),
    [
        (0.2, 0.1, 0.0),
        (0.399, 0.001, 0.0),
        (0.2, 0.25, 0.05),
        (-0.03, 0.1, 0.03),
        (0.43, -0.04, 0.05),
        (1.0, 1.0, 1.0),
    ],
    ids=["inside", "just inside", "beyond an edge", "beyond another edge", "beyond a corner", "far beyond a corner"],
)
def test_the_distance_to_a_square_of_ground_is_that_by_hand(x: float, z: float, expected: float):
    assert support_distance(above(x, z), on_floor(SQUARE)) == pytest.approx(expected, abs=1e-6)


def test_between_two_feet_there_is_support():
    feet = [(x + dx, z) for x in (0.0, 0.5) for dx in (0.0, 0.1) for z in (0.0, 0.25)]
    assert support_distance(above(0.3, 0.1), on_floor(feet)) == 0.0
    assert support_distance(above(0.3, 0.3), on_floor(feet)) == pytest.approx(0.05, abs=1e-6)


def test_the_order_of_the_skin_and_points_within_the_hull_do_not_matter():
    within = [*SQUARE, (0.1, 0.1), (0.2, 0.0), (0.4, 0.0)]
    expected = support_distance(above(0.5, 0.1), on_floor(SQUARE))
    for corners in (within, within[::-1], SQUARE[::-1]):
        assert support_distance(above(0.5, 0.1), on_floor(corners)) == pytest.approx(expected, abs=1e-9)


def test_skin_carries_within_three_centimetres_of_the_floor_only():
    assert support_distance(above(0.2, 0.1), on_floor(SQUARE, height_m=0.029)) == 0.0
    assert support_distance(above(0.2, 0.1), on_floor(SQUARE, height_m=0.031)) == math.inf


def test_who_does_not_touch_the_floor_is_infinitely_far_from_support():
    assert support_distance(above(0, 0), torch.tensor([[0.0, -1.0, 0.0]])) == math.inf


def test_a_single_point_of_ground_supports_what_is_right_above_it():
    assert support_distance(above(0.1, 0.1), on_floor([(0.1, 0.1)])) == pytest.approx(0.0, abs=1e-7)
    assert support_distance(above(0.4, 0.5), on_floor([(0.1, 0.1)])) == pytest.approx(0.5, abs=1e-6)


def test_ground_in_a_line_is_as_far_as_its_end_from_what_lies_beyond_it():
    line = [(0.0, 0.0), (0.1, 0.0), (0.3, 0.0)]
    assert support_distance(above(0.4, 0.0), on_floor(line)) == pytest.approx(0.1, abs=1e-6)
    assert support_distance(above(0.33, 0.04), on_floor(line)) == pytest.approx(0.05, abs=1e-6)
    assert support_distance(above(0.1, 0.0), on_floor(line)) == pytest.approx(0.0, abs=1e-6)


def test_centre_and_volume_of_a_box_are_its_middle_and_its_size():
    box = trimesh.creation.box((0.2, 0.4, 0.6))
    box.apply_translation((1.0, -2.0, 3.0))
    centre, volume = centre_of_mass(torch.tensor(box.vertices)[None], torch.tensor(box.faces))
    np.testing.assert_allclose(centre[0], [1, -2, 3], atol=1e-12)
    np.testing.assert_allclose(volume, [0.2 * 0.4 * 0.6], atol=1e-12)


def test_centre_and_volume_of_bodies_are_those_of_trimesh(body: AnnyBody):
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["pose"][1] += 0.3
    parameters["shape"][1] -= 1.0
    vertices = body.forward(parameters, Parts(vertices="all")).vertices.double()
    centre, volume = centre_of_mass(vertices, body.surface.collision_faces)
    for i in range(2):
        mesh = trimesh.Trimesh(vertices[i].numpy(), body.surface.collision_faces.numpy(), process=False)
        np.testing.assert_allclose(centre[i], mesh.center_mass, atol=1e-7)
        np.testing.assert_allclose(volume[i], mesh.volume, rtol=1e-9)


def columns(lean_m: float) -> torch.Tensor:
    """(1, 2, 3, 3): two people of three vertices, one on the floor and two right above each other, leaning by x."""
    who = torch.tensor([[0.0, 0.0, 0.0], [lean_m, -1.0, 0.0], [lean_m, -2.0, 0.0]])
    return torch.stack([who, torch.tensor([[0.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, -2.0, 0.0]])])[None]


def test_the_smooth_stand_in_is_the_squared_distance_of_middle_and_foot_beyond_the_slack():
    excess = balance_excess(columns(0.3), (True, True), "each")
    np.testing.assert_allclose(excess, [(0.3 * 2 / 3 - SLACK_M) ** 2], rtol=1e-5)
    assert balance_excess(columns(0.05), (True, True), "each").tolist() == [0.0]


def test_together_the_middle_of_both_counts_above_who_stands():
    pair = columns(0.0)
    pair[0, 1, :, 0] += 0.4  # carried, 40 cm aside: the middle of both is 20 cm aside
    np.testing.assert_allclose(balance_excess(pair, (True, False), "together"), [(0.2 - SLACK_M) ** 2], rtol=1e-5)


def test_the_stand_in_draws_the_middle_over_the_foot():
    pair = columns(0.3).requires_grad_()
    balance_excess(pair, (True, True), "each").sum().backward()
    assert pair.grad is not None
    assert bool((pair.grad[0, 0, 1:, 0] > 0).all()), "downhill is back over the foot"
    assert pair.grad[0, 1].abs().amax() == 0
