"""Overlap of boxes whose depths are known by hand, and of bodies, which it parts."""

import math

import igl
import numpy as np
import pytest
import torch
import trimesh

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, Posed, Surface, default_parameters
from apu.body.region_samples import sample_regions
from apu.dataset.synthetic.overlap import VERTEX, SampledOverlap, WholeOverlap


class Box:
    """A body that is a cube of 20 cm and can only be moved."""

    name = "box"
    parameter_spec, joint_names, parents, skinning_weights = {}, (), (), torch.zeros(0, 0)

    def __init__(self) -> None:
        box = trimesh.creation.box((0.2, 0.2, 0.2))
        rest, faces = torch.tensor(box.vertices, dtype=torch.float32), torch.tensor(box.faces)
        self.surface = Surface(faces, faces, rest, torch.zeros(8, dtype=torch.int64), ("left_hand_palm",))

    def forward(self, parameters, parts: Parts) -> Posed:
        rest = self.surface.rest_vertices
        chosen = rest if isinstance(parts.vertices, str) else rest[parts.vertices]
        return Posed(chosen + parameters["translation"][..., None, :], None)

    def joints_and_jacobian(self, parameters, joint_set, shape=True):
        raise NotImplementedError

    def height(self, parameters):
        raise NotImplementedError

    def attributes(self, parameters):
        raise NotImplementedError

    def rigged(self, parameters):
        raise NotImplementedError


EVERYTHING = torch.arange(8)
CORNERS = (0.16, 0.05, 0.05)
"""One corner of each cube lies 4 cm deep in the other, nearest to the same pair of sides."""


def placed(*apart: tuple[float, float, float]) -> dict[str, torch.Tensor]:
    return {"translation": torch.tensor([[(0.0, 0.0, 0.0), one] for one in apart])}


def on_samples(box: Box, overlap: SampledOverlap, now: dict[str, torch.Tensor], last: bool = False) -> torch.Tensor:
    vertices = box.forward(now, Parts(vertices=EVERYTHING)).vertices
    assert vertices is not None
    return overlap(vertices, now, last=last)


def test_two_corners_four_centimetres_deep_cost_sixteen_each():
    box, now = Box(), placed(CORNERS)
    cost = on_samples(box, SampledOverlap(box, EVERYTHING), now)
    torch.testing.assert_close(cost, torch.tensor([32.0]), atol=1e-3, rtol=0)


def test_boxes_that_touch_by_no_point_cost_nothing_and_pairs_cost_on_their_own():
    box, now = Box(), placed((0.21, 0.0, 0.0), CORNERS, (0.0, 0.5, 0.0))
    cost = on_samples(box, SampledOverlap(box, EVERYTHING), now)
    torch.testing.assert_close(cost, torch.tensor([0.0, 32.0, 0.0]), atol=1e-3, rtol=0)


def test_of_chosen_points_only_the_sunken_ones_count():
    """The corner of A that lies in B is its last vertex; that of B in A its lowest by x, y and z."""
    box, now = Box(), placed(CORNERS)
    rest = box.surface.rest_vertices
    points = torch.nonzero((rest == torch.tensor([0.1, 0.1, 0.1])).all(-1)).flatten()
    vertices = box.forward(now, Parts(vertices=points)).vertices
    assert vertices is not None
    cost = SampledOverlap(box, points)(vertices, now, last=True)
    torch.testing.assert_close(cost, torch.tensor([16.0]), atol=1e-3, rtol=0)


def test_ways_out_are_kept_for_some_steps_unless_they_are_asked_for():
    box = Box()
    overlap = SampledOverlap(box, EVERYTHING)
    on_samples(box, overlap, placed(CORNERS))
    nearer = placed((0.17, 0.05, 0.05))  # 3 cm deep; B's goal stands still, and so does A's
    torch.testing.assert_close(on_samples(box, overlap, nearer), torch.tensor([16.0 + 9.0]), atol=1e-3, rtol=0)
    fresh = on_samples(box, overlap, nearer, last=True)
    torch.testing.assert_close(fresh, torch.tensor([18.0]), atol=1e-3, rtol=0)
    clear = on_samples(box, overlap, placed((0.25, 0.05, 0.05)), last=True)
    assert clear.tolist() == [0.0]


def test_the_gradient_parts_two_boxes_along_the_shortest_way():
    box, now = Box(), placed(CORNERS)
    now["translation"].requires_grad_()
    on_samples(box, SampledOverlap(box, EVERYTHING), now).sum().backward()
    push = -now["translation"].grad[0]
    assert push[0, 0] < -1 < 1 < push[1, 0]
    assert push[:, 1:].abs().amax() < 1e-3


def bodies(body: AnnyBody, *apart_m: float) -> dict[str, torch.Tensor]:
    """Face to face."""
    now = default_parameters(body.parameter_spec, (len(apart_m), 2))
    now["orientation"][:, 1, 1] = math.pi
    now["translation"][:, 1, 2] -= torch.tensor(apart_m)
    return now


def cost_of_bodies(body: AnnyBody, now: dict[str, torch.Tensor], kind: str) -> torch.Tensor:
    if kind == "whole":
        return WholeOverlap(body)(body.forward(now, Parts(vertices="all")).vertices, now, last=True)
    points = sample_regions(body.surface).vertices
    return SampledOverlap(body, points)(body.forward(now, Parts(vertices=points)).vertices, now, last=True)


@pytest.mark.parametrize("kind", ["sampled", "whole"])
def test_nearer_bodies_cost_more_and_parted_ones_nothing(body: AnnyBody, kind: str):
    cost = cost_of_bodies(body, bodies(body, 0.15, 0.2, 1.0), kind)
    assert cost[0] > cost[1] > 1.0
    assert cost[2] == 0.0


@pytest.mark.parametrize("kind", ["sampled", "whole"])
def test_a_step_down_the_gradient_parts_two_bodies(body: AnnyBody, kind: str):
    now = bodies(body, 0.18)
    now["translation"].requires_grad_()
    before = cost_of_bodies(body, now, kind)
    before.sum().backward()
    push = -now["translation"].grad[0, :, 2]
    assert push[0] > 0 > push[1], "A stands farther away"
    with torch.no_grad():
        now["translation"][0, :, 2] += 0.02 * push.sign()
        assert cost_of_bodies(body, now, kind) < 0.7 * before


@pytest.mark.parametrize("kind", ["sampled", "whole"])
def test_swapped_people_cost_the_same(body: AnnyBody, kind: str):
    now = bodies(body, 0.18)
    swapped = {name: value.flip(1) for name, value in now.items()}
    torch.testing.assert_close(cost_of_bodies(body, now, kind), cost_of_bodies(body, swapped, kind), rtol=1e-3, atol=0)


def test_the_cost_of_all_vertices_is_that_of_their_nearest_ways_out_or_somewhat_more(body: AnnyBody):
    """Squared depths by libigl; what lies in the other body with its limb's core leaves by the core's way."""
    now = bodies(body, 0.2)
    vertices = body.forward(now, Parts(vertices="all")).vertices
    faces, points = body.surface.collision_faces.numpy(), vertices[0].double().numpy()
    skin, nearest_m2 = np.unique(faces), 0.0
    for mine, other in ((0, 1), (1, 0)):
        inside = igl.winding_number(points[other], faces, points[mine][skin]) > 0.5
        nearest_m2 += igl.point_mesh_squared_distance(points[mine][skin][inside], points[other], faces)[0].sum()
    found_m2 = float(WholeOverlap(body)(vertices, now, last=True)) / (VERTEX * 1e4)
    assert 0.99 * nearest_m2 < found_m2 < 1.4 * nearest_m2
