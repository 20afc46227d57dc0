"""Normals point out of a body, in the right-handed camera frame too."""

import numpy as np
import pytest
import torch
import trimesh

from apu.geometry.normals import face_normals, summed_normals, vertex_normals


@pytest.fixture
def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=3)


def test_normals_of_a_ball_are_its_radii(ball):
    normals = vertex_normals(np.asarray(ball.vertices), np.asarray(ball.faces))
    assert np.abs(normals - ball.vertices).max() < 0.02


def test_face_normals_are_trimeshs_with_twice_the_area_as_length(ball):
    found = face_normals(np.asarray(ball.vertices), np.asarray(ball.faces))
    assert np.allclose(found, ball.face_normals * 2 * ball.area_faces[:, None])


def test_normals_are_unit_and_keep_the_number_type(ball):
    normals = vertex_normals(np.asarray(ball.vertices, np.float32), np.asarray(ball.faces))
    assert normals.dtype == np.float32
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)


def test_a_vertex_without_a_face_has_no_normal():
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]])
    normals = vertex_normals(corners, np.array([[0, 1, 2]]))
    assert np.array_equal(normals[3], np.zeros(3))
    assert np.allclose(normals[:3], [0, 0, 1])


def test_big_faces_count_more_than_small_ones():
    """A corner of a long box: the mean is weighted by area."""
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 10, 0], [0, 0, 1]])
    normal = vertex_normals(corners, np.array([[0, 1, 2], [0, 3, 1]]))[0]
    assert normal[2] > normal[1] > 0
    assert normal[2] / normal[1] == pytest.approx(10.0)


def test_summed_normals_point_as_vertex_normals_do_and_have_a_gradient(ball):
    vertices = torch.from_numpy(np.stack([ball.vertices, 2 * ball.vertices])).requires_grad_()
    summed = summed_normals(vertices, torch.from_numpy(np.asarray(ball.faces)))
    found = torch.nn.functional.normalize(summed.detach(), dim=-1)
    assert np.allclose(found[0], vertex_normals(ball.vertices, ball.faces), atol=1e-12)
    assert torch.allclose(summed[1], 4 * summed[0])
    (gradient,) = torch.autograd.grad(summed.square().sum(), vertices)
    assert gradient.norm() > 0
