"""The depth buffer against analytic shapes and against a naive loop over pixels and triangles."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from apu.geometry import raster
from apu.geometry.raster import NEAR_M, rasterize
from apu.geometry.views import PerspectiveView

WIDTH, HEIGHT = 40, 30


def naive(points, depth, faces, width, height, perspective):
    """(h, w) nearest face and its depth at each pixel centre, one pixel and one face at a time; edges undecided.

    Also (h, w) whether a pixel lies clearly inside or outside of all faces, and no two faces are equally near there.
    """
    face = np.full((height, width), -1)
    nearest = np.full((height, width), np.inf)
    second = np.full((height, width), np.inf)
    clear = np.ones((height, width), dtype=bool)
    rows, columns = np.mgrid[:height, :width] + 0.5
    for index, corners in enumerate(faces):
        if perspective and (depth[corners] <= NEAR_M).any():
            continue
        matrix = np.vstack([points[corners].T, np.ones(3)])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        weights = np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), np.stack([columns, rows, np.ones_like(rows)]))
        edge = weights.min(0)
        clear &= np.abs(edge) > 1e-7
        z = (
            1 / np.einsum("i,ihw->hw", 1 / depth[corners], weights)
            if perspective
            else np.einsum("i,ihw->hw", depth[corners], weights)
        )
        hit = edge > 0
        nearer = hit & (z < nearest)
        second = np.where(nearer, nearest, np.where(hit, np.minimum(second, z), second))
        face = np.where(nearer, index, face)
        nearest = np.where(nearer, z, nearest)
    with np.errstate(invalid="ignore"):  # infinite where nothing is
        return face, nearest, clear & ~(second - nearest < 1e-6)


def soup(seed: int, triangles: int, perspective: bool):
    """Triangles of all sizes that pierce each other and stick out of the picture."""
    random = np.random.default_rng(seed)
    middle = random.uniform([-10, -10], [WIDTH + 10, HEIGHT + 10], (triangles, 1, 2))
    size = random.choice([0.5, 3.0, 12.0, 60.0], (triangles, 1, 1))
    points = (middle + random.normal(size=(triangles, 3, 2)) * size).reshape(-1, 2)
    depth = random.uniform(0.5, 4.0, 3 * triangles) if perspective else random.normal(size=3 * triangles)
    return points, depth, np.arange(3 * triangles).reshape(-1, 3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_random_soup_equals_the_naive_picture(seed, perspective):
    points, depth, faces = soup(seed, 30, perspective)
    found = rasterize(points, depth, faces, WIDTH, HEIGHT, perspective=perspective)
    face, nearest, clear = naive(points, depth, faces, WIDTH, HEIGHT, perspective)
    assert clear.mean() > 0.95
    assert np.array_equal(found.face[clear], face[clear])
    hit = clear & (face >= 0)
    assert np.allclose(found.depth[hit], nearest[hit], rtol=1e-4, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_barycentric_weights_rebuild_the_pixels_and_the_depth(seed, perspective):
    points, depth, faces = soup(seed, 12, perspective)
    found = rasterize(points, depth, faces, WIDTH, HEIGHT, perspective=perspective)
    hit = found.face >= 0
    corners, weights = faces[found.face[hit]], found.barycentric[hit].astype(np.float64)
    assert np.allclose(weights.sum(1), 1, atol=1e-5)
    assert (weights >= 0).all()
    assert np.allclose((weights * depth[corners]).sum(1), found.depth[hit], rtol=1e-4, atol=1e-4)
    if perspective:  # the point of the surface, projected again, is the pixel's centre
        space = points[corners] * depth[corners][..., None]
        place = (weights[..., None] * space).sum(1) / (weights * depth[corners]).sum(1)[:, None]
    else:
        place = (weights[..., None] * points[corners]).sum(1)
    rows, columns = np.nonzero(hit)
    assert np.allclose(place, np.stack([columns, rows], 1) + 0.5, atol=0.05)


def test_nothing_is_seen_where_there_is_nothing():
    found = rasterize(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 3), np.int64), WIDTH, HEIGHT)
    assert (found.face == -1).all()
    assert np.isinf(found.depth).all()
    assert (found.barycentric == 0).all()


def test_a_rectangle_covers_exactly_the_pixels_whose_centres_it_covers():
    points = np.array([[3.4, 2.6], [10.6, 2.6], [10.6, 7.4], [3.4, 7.4]])
    found = rasterize(points, np.ones(4), np.array([[0, 1, 2], [0, 2, 3]]), WIDTH, HEIGHT)
    expected = np.zeros((HEIGHT, WIDTH), dtype=bool)
    expected[3:7, 3:11] = True  # centres 3.5 .. 10.5 across, 3.5 .. 6.5 down
    assert np.array_equal(found.face >= 0, expected)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_faces_that_share_edges_leave_no_seam_and_overlap_nowhere(seed):
    """A fan around a corner: each pixel of its outline belongs to exactly one face, whichever comes first."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, 9))
    ring = np.stack([np.cos(angles), np.sin(angles)], 1) * 13 + [WIDTH / 2, HEIGHT / 2]
    points = np.concatenate([[ring.mean(0)], ring])
    faces = np.array([[0, 1 + i, 1 + (i + 1) % 9] for i in range(9)])
    drawn = [rasterize(points, np.ones(10), faces[i : i + 1], WIDTH, HEIGHT).face >= 0 for i in range(9)]
    assert np.sum(drawn, axis=0).max() <= 1
    whole = rasterize(points, np.ones(10), faces, WIDTH, HEIGHT).face >= 0
    assert np.array_equal(whole, np.any(drawn, axis=0))
    inside = np.flatnonzero(whole.any(1))
    for row in inside:  # no hole within a row of a convex outline
        columns = np.flatnonzero(whole[row])
        assert len(columns) == columns[-1] - columns[0] + 1


def test_a_ball_is_seen_as_a_disc_with_its_front_half():
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
    center = np.array([0.0, 0.0, 3.0])
    view = PerspectiveView(200.0, (64.0, 64.0), 128, 128)
    points, depth = view.project(np.asarray(ball.vertices) + center)
    found = rasterize(points, depth, np.asarray(ball.faces), 128, 128)
    rows, columns = np.mgrid[:128, :128] + 0.5
    rays = view.rays(np.stack([columns.ravel(), rows.ravel()], 1))
    along = rays @ center
    gap = np.sqrt(9.0 - along**2)  # of the ray from the centre
    hit = (gap < 0.49).reshape(128, 128)
    miss = (gap > 0.51).reshape(128, 128)
    assert (found.face[hit] >= 0).all()
    assert (found.face[miss] == -1).all()
    expected = ((along - np.sqrt(np.maximum(0.25 - gap**2, 0))) * rays[:, 2]).reshape(128, 128)
    assert np.abs(found.depth - expected)[hit & (gap < 0.45).reshape(128, 128)].max() < 0.005


def test_both_sides_of_a_face_are_seen():
    points = np.array([[5.0, 5], [25, 5], [5, 25]])
    front, back = (rasterize(points, np.ones(3), np.array([f]), WIDTH, HEIGHT).face for f in ([0, 1, 2], [0, 2, 1]))
    assert np.array_equal(front, back)
    assert (front == 0).sum() > 150


def test_of_two_faces_at_one_depth_the_lower_index_wins():
    points = np.array([[5.0, 5], [25, 5], [5, 25]])
    found = rasterize(points, np.ones(3), np.array([[0, 1, 2], [2, 1, 0]]), WIDTH, HEIGHT)
    assert set(np.unique(found.face)) == {-1, 0}


@pytest.mark.parametrize("bad", ["nan pixel", "nan depth", "behind", "too near"])
def test_a_face_with_a_useless_corner_is_left_out_and_the_others_stay(bad):
    points = np.array([[5.0, 5], [25, 5], [5, 25], [30, 28]])
    depth = np.ones(4)
    if bad == "nan pixel":
        points[3, 0] = np.nan
    else:
        depth[3] = {"nan depth": np.nan, "behind": -1.0, "too near": NEAR_M / 2}[bad]
    found = rasterize(points, depth, np.array([[1, 2, 3], [0, 1, 2]]), WIDTH, HEIGHT)
    assert set(np.unique(found.face)) == {-1, 1}


def test_without_perspective_any_depth_is_seen():
    points = np.array([[5.0, 5], [25, 5], [5, 25]])
    found = rasterize(points, np.array([-3.0, -2.0, 0.0]), np.array([[0, 1, 2]]), WIDTH, HEIGHT, perspective=False)
    assert (found.face == 0).any()
    assert found.depth[found.face == 0].max() <= 0


def test_a_face_far_larger_than_the_picture_fills_it():
    points = np.array([[-1e6, -1e6], [1e6, -1e6], [0, 2e6]])
    found = rasterize(points, np.full(3, 2.0), np.array([[0, 1, 2]]), WIDTH, HEIGHT)
    assert (found.face == 0).all()
    assert np.allclose(found.depth, 2.0)


def test_working_in_small_pieces_gives_the_same_picture(monkeypatch):
    points, depth, faces = soup(3, 200, True)
    whole = rasterize(points, depth, faces, WIDTH, HEIGHT)
    monkeypatch.setattr(raster, "_CHUNK", 50)
    pieces = rasterize(points, depth, faces, WIDTH, HEIGHT)
    assert np.array_equal(pieces.face, whole.face)
    assert np.array_equal(pieces.depth, whole.depth)
    assert np.array_equal(pieces.barycentric, whole.barycentric)


def test_single_precision_input_gives_the_same_faces():
    points, depth, faces = soup(4, 50, True)
    points, depth = points.astype(np.float32), depth.astype(np.float32)
    single = rasterize(points, depth, faces, WIDTH, HEIGHT)
    double = rasterize(points.astype(np.float64), depth.astype(np.float64), faces, WIDTH, HEIGHT)
    assert np.array_equal(single.face, double.face)
