"""Rotation matrices in the words of file formats: quaternions and Euler angles."""

import numpy as np
from jaxtyping import Float


def quaternions_of(matrices: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 4"]:
    """Unit quaternions x, y, z, w of rotation matrices, with w >= 0.

    By the largest of the four numbers, so that nothing is lost near half a turn (Shepperd, "Quaternion from Rotation
    Matrix", 1978).
    """
    m = matrices.astype(np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    x_y, x_z, y_z = m[:, 1, 0] + m[:, 0, 1], m[:, 2, 0] + m[:, 0, 2], m[:, 2, 1] + m[:, 1, 2]
    x_w, y_w, z_w = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    rows = [  # row k is 4 q_k (x, y, z, w)
        [1 + xx - yy - zz, x_y, x_z, x_w],
        [x_y, 1 - xx + yy - zz, y_z, y_w],
        [x_z, y_z, 1 - xx - yy + zz, z_w],
        [x_w, y_w, z_w, 1 + xx + yy + zz],
    ]
    products = np.stack([np.stack(row, 1) for row in rows], 1)
    largest = np.argmax(products[:, range(4), range(4)], 1)
    found = products[np.arange(len(m)), largest]
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    return np.where(found[:, 3:] < 0, -found, found)


def euler_zxy_of(matrices: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3"]:
    """Angles z, x, y in radians with `matrix = Rz Rx Ry`; x is in [-pi/2, pi/2].

    Where x is a quarter turn, only the sum of the other two counts; all of it is given to z.
    """
    m = matrices.astype(np.float64)
    x = np.arcsin(np.clip(m[:, 2, 1], -1.0, 1.0))
    locked = np.hypot(m[:, 2, 0], m[:, 2, 2]) < 1e-9
    z = np.where(locked, np.arctan2(m[:, 1, 0], m[:, 0, 0]), np.arctan2(-m[:, 0, 1], m[:, 1, 1]))
    y = np.where(locked, 0.0, np.arctan2(-m[:, 2, 0], m[:, 2, 2]))
    return np.stack([z, x, y], 1)
