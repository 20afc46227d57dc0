"""A rigid motion of the parameters is that of the flesh."""

import math

import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts
from apu.body.rigid import moved

ROTATION_VECTORS = [(0.0, 0.0, 0.0), (0.3, -0.5, 0.2), (0.0, math.pi, 0.0), (2.0, 1.0, -1.5)]
PLACE = torch.tensor([0.4, -1.2, 3.0], dtype=torch.float64)
WEIGHTS_M = 5e-7
"""Weights of skin and joints are stored in float32: their sums, that multiply a translation, are off by 1e-7."""


def turn(vector: tuple[float, float, float]) -> torch.Tensor:
    return roma.rotvec_to_rotmat(torch.tensor(vector, dtype=torch.float64))


@pytest.mark.parametrize("vector", ROTATION_VECTORS)
def test_moved_bodies_have_the_moved_vertices_and_joints(body64: AnnyBody, random_people, vector):
    people = random_people(3, 2, seed=1)
    rotation = turn(vector)
    parts = Parts("body25", torch.arange(0, 13000, 97))
    before, after = body64.forward(people, parts), body64.forward(moved(people, rotation, PLACE), parts)
    torch.testing.assert_close(after.vertices, before.vertices @ rotation.T + PLACE, atol=WEIGHTS_M, rtol=0)
    torch.testing.assert_close(after.joints, before.joints @ rotation.T + PLACE, atol=WEIGHTS_M, rtol=0)


def test_the_inner_of_the_body_stays_as_it_is_and_so_does_what_was_given(random_people):
    people = random_people(4, seed=2)
    given = {name: value.clone() for name, value in people.items()}
    there = moved(people, turn(ROTATION_VECTORS[1]), PLACE)
    assert there.keys() == people.keys()
    assert all(torch.equal(there[name], people[name]) for name in ("pose", "shape"))
    assert all(torch.equal(people[name], given[name]) for name in people)


def test_two_motions_after_each_other_are_their_product(random_people):
    people = random_people(5, seed=3)
    first, second = turn(ROTATION_VECTORS[1]), turn(ROTATION_VECTORS[3])
    steps = moved(moved(people, first, PLACE), second, 2 * PLACE)
    once = moved(people, second @ first, second @ PLACE + 2 * PLACE)
    turned = [roma.rotvec_to_rotmat(one["orientation"]) for one in (steps, once)]
    torch.testing.assert_close(*turned, atol=1e-12, rtol=0)
    torch.testing.assert_close(steps["translation"], once["translation"], atol=1e-12, rtol=0)


def test_a_motion_there_and_back_leaves_everybody_in_place(random_people):
    people = random_people(5, seed=4)
    rotation = turn(ROTATION_VECTORS[3])
    back = moved(moved(people, rotation, PLACE), rotation.T, -rotation.T @ PLACE)
    torch.testing.assert_close(back["translation"], people["translation"], atol=1e-12, rtol=0)
    turned = [roma.rotvec_to_rotmat(one["orientation"]) for one in (back, people)]
    torch.testing.assert_close(*turned, atol=1e-12, rtol=0)
