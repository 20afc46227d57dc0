"""Quaternions and Euler angles, against scipy's."""

import numpy as np
from scipy.spatial.transform import Rotation

from apu.geometry.rotations import euler_zxy_of, quaternions_of

HALF_TURNS = Rotation.from_rotvec(np.pi * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [0, 0.6, 0.8]]))
ANY = Rotation.concatenate([Rotation.random(500, random_state=0), HALF_TURNS, Rotation.identity(1)])


def test_quaternions_are_scipys_up_to_sign():
    found = quaternions_of(ANY.as_matrix())
    assert np.abs((found * ANY.as_quat()).sum(1)).min() > 1 - 1e-12
    assert (found[:, 3] >= 0).all()
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-15)


def test_euler_angles_give_back_the_rotation():
    again = Rotation.from_euler("ZXY", euler_zxy_of(ANY.as_matrix())).as_matrix()
    assert np.abs(again - ANY.as_matrix()).max() < 1e-12


def test_euler_angles_give_back_the_rotation_where_two_axes_fall_together():
    for x in (np.pi / 2, -np.pi / 2):
        locked = Rotation.from_euler("ZXY", [[0.3, x, 0.4], [-2.0, x, 1.0]]).as_matrix()
        assert np.abs(Rotation.from_euler("ZXY", euler_zxy_of(locked)).as_matrix() - locked).max() < 1e-7
