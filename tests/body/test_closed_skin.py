"""The skin without eyes and with its mouth shut: closed, of one piece, and nothing else changed."""

import numpy as np
import pytest
import trimesh

from apu.body.closed_skin import closed_skin
from apu.errors import InputError


def is_closed(faces: np.ndarray) -> bool:
    """Every edge is passed once in each direction."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist()
    passed = {tuple(e) for e in edges}
    return len(passed) == len(edges) and all((b, a) in passed for a, b in passed)


def ball(subdivisions: int = 3) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions)


def test_a_closed_skin_stays_as_it_is():
    faces = np.asarray(ball().faces)
    assert np.array_equal(closed_skin(faces), faces)


def test_eyes_are_left_away():
    skin, eye = np.asarray(ball().faces), np.asarray(ball(1).faces)
    assert np.array_equal(closed_skin(np.concatenate([eye + len(ball().vertices), skin])), skin)


def test_holes_are_closed_and_the_volume_is_nearly_the_whole():
    mesh = ball()
    centres = mesh.triangles_center
    open_skin = np.asarray(mesh.faces)[(centres[:, 2] < 0.97) & (centres[:, 0] > -0.95)]
    assert not is_closed(open_skin)
    faces = closed_skin(open_skin)
    assert is_closed(faces)
    assert np.array_equal(faces[: len(open_skin)], open_skin)
    closed = trimesh.Trimesh(mesh.vertices, faces, process=False)
    assert closed.volume == pytest.approx(mesh.volume, rel=0.02)
    assert closed.volume > 0


def test_two_holes_may_share_a_vertex():
    mesh = ball(2)
    corner = int(mesh.faces[0][0])
    ring = [i for i, face in enumerate(mesh.faces) if corner in face]
    opposite = [ring[0], next(i for i in ring if len(set(mesh.faces[i]) & set(mesh.faces[ring[0]])) == 1)]
    faces = np.delete(np.asarray(mesh.faces), opposite, axis=0)
    assert is_closed(closed_skin(faces))


def test_faces_turned_inside_out_are_refused():
    faces = np.asarray(ball(1).faces).copy()
    faces[3] = faces[3][::-1]
    with pytest.raises(InputError, match="do not form a surface"):
        closed_skin(faces)
