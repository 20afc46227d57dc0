"""Shaded pictures: where a body is drawn, lit from above, and who hides whom."""

import numpy as np
import pytest
import trimesh

from apu.geometry.views import PerspectiveView, side_view
from apu.show.render import Mesh, over, render, with_shadow

VIEW = PerspectiveView(150.0, (50.0, 50.0), 100, 100)
RED, BLUE = np.array([0.9, 0.2, 0.2]), np.array([0.2, 0.2, 0.9])


def balls(*depths: float, colors=(RED, BLUE)) -> Mesh:
    """Balls of radius 0.4 m on the optical axis."""
    ball = trimesh.creation.icosphere(subdivisions=3, radius=0.4)
    count = len(ball.vertices)
    return Mesh(
        np.concatenate([ball.vertices + np.array([0, 0, depth]) for depth in depths]),
        np.concatenate([ball.faces + i * count for i in range(len(depths))]),
        np.repeat(np.array(colors[: len(depths)]), count, axis=0),
        np.repeat(np.arange(len(depths)), len(ball.faces)),
    )


def test_alpha_is_the_silhouette_with_a_smooth_edge():
    alpha = render(balls(2.0), VIEW)[..., 3]
    assert alpha[50, 50] == 1
    assert alpha[5, 5] == 0
    radius = 150 * np.tan(np.arcsin(0.4 / 2.0))
    assert alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.03)
    assert ((alpha > 0) & (alpha < 1)).any()


def test_the_nearer_hides_the_other_whatever_the_order():
    for depths, colors in (((2.0, 3.0), (RED, BLUE)), ((3.0, 2.0), (BLUE, RED))):
        middle = render(balls(*depths, colors=colors), VIEW)[50, 50]
        assert middle[0] > middle[2] + 0.2


def test_light_comes_from_above_in_every_view():
    mesh = balls(2.0)
    for view in (VIEW, side_view(mesh.vertices, 100, 100)):
        picture = render(mesh, view)
        covered = picture[..., 3] > 0.99
        rows = np.nonzero(covered)[0]
        upper, lower = (picture[covered & mask, 0].mean() for mask in halves(rows))
        assert upper > lower + 0.03


def halves(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = (rows.min() + rows.max()) / 2
    at = np.arange(100)[:, None] + np.zeros((1, 100))
    return at < middle, at > middle


def test_colours_stay_in_range_and_edges_are_not_darkened_by_the_empty_background():
    picture = render(balls(2.0), VIEW)
    assert picture.min() >= 0
    assert picture.max() <= 1
    edge = (picture[..., 3] > 0.2) & (picture[..., 3] < 0.8)
    assert picture[edge, 0].min() > 0.15


def test_inside_out_faces_are_lit_as_well():
    mesh = balls(2.0)
    turned = Mesh(mesh.vertices, np.ascontiguousarray(mesh.faces[:, ::-1]), mesh.colors, mesh.part)
    assert np.allclose(render(turned, VIEW), render(mesh, VIEW), atol=0.02)


def test_a_line_is_drawn_where_one_part_hides_another():
    """Two flat squares of one colour at one depth: only the parts differ."""
    corners = np.array([[x, y, 2.0] for y in (-0.5, 0.5) for x in (-0.5, 0.0, 0.5)])
    faces = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]])
    colors = np.full((6, 3), 0.8)
    apart = render(Mesh(corners, faces, colors, np.array([0, 0, 1, 1])), VIEW)
    together = render(Mesh(corners, faces, colors, np.zeros(4, np.int64)), VIEW)
    assert apart[50, 49:51, 0].mean() < together[50, 49:51, 0].mean() - 0.2
    assert np.allclose(apart[50, 30], together[50, 30])


def test_bodies_with_a_nan_leave_the_others_visible():
    mesh = balls(2.0, 3.0)
    vertices = mesh.vertices.copy()
    vertices[: len(vertices) // 2] = np.nan
    picture = render(Mesh(vertices, mesh.faces, mesh.colors, mesh.part), VIEW)
    assert picture[50, 50, 2] > picture[50, 50, 0] + 0.2
    assert np.isfinite(picture).all()


def test_laying_over_keeps_what_is_not_covered():
    below = np.full((100, 100, 3), 77, np.uint8)
    picture = render(balls(2.0), VIEW)
    whole, faint = over(below, picture), over(below, picture, 0.5)
    assert (whole[picture[..., 3] == 0] == 77).all()
    assert np.allclose(whole[50, 50], picture[50, 50, :3] * 255, atol=1)
    assert np.allclose(faint[50, 50], (picture[50, 50, :3] * 255 + 77) / 2, atol=1)


def test_a_shadow_falls_below_and_to_the_right():
    alpha = np.zeros((100, 100), np.float32)
    alpha[40:60, 40:60] = 1
    picture = with_shadow(np.full((100, 100, 3), 200, np.uint8), alpha, (0.0, 0.0, 0.0))
    dark = 200 - picture[..., 0].astype(float)
    rows, columns = np.mgrid[:100, :100] + 0.5
    assert (dark * rows).sum() / dark.sum() > 51
    assert (dark * columns).sum() / dark.sum() > 50.5
    assert dark.max() <= 0.31 * 200
