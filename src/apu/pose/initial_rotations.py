"""Rotations of foreign files: vectors stay, matrices become vectors once they are known to be rotations."""

import numpy as np
import roma
import torch
from jaxtyping import Float

from apu.pose.initial_values import Fields

LARGEST_TURN = 100.0
"""Radians; larger numbers are no rotation vectors."""
ORTHOGONAL = 0.05
"""How far an entry of R^T R may be from the unit matrix: half precision leaves about 0.002."""


def rotation_vectors(fields: Fields, key: str, count: int | None, joints: int) -> Float[np.ndarray, "n j 3"]:
    """Rotation vectors of an entry that holds vectors or matrices, in any of the usual shapes.

    Args:
        fields: of the file.
        key: name of the entry.
        count: people; None for as many as there are.
        joints: of each. One person may come without an axis of people.

    Returns:
        (n, joints, 3), radians.

    Raises:
        InputError: the entry has another shape, or its matrices are no rotations (a reflection is none).
    """
    n = count
    shapes = [(n, joints, 3, 3), (n, joints, 3), (n, 3 * joints)]
    if joints == 1:
        shapes += [(n, 3, 3)]
    if count in (None, 1):
        shapes += [(joints, 3, 3), (joints, 3), (3 * joints,)]
    if joints == count == 1:
        shapes += [(3, 3)]
    value = fields.numbers(key, *shapes, largest=LARGEST_TURN)
    if not _are_matrices(value, joints, count):
        return value.reshape(-1, joints, 3)
    turns = torch.from_numpy(value.reshape(-1, joints, 3, 3))
    apart = (turns.mT @ turns - torch.eye(3)).abs().amax((-1, -2))
    wrong = (apart > ORTHOGONAL) | (torch.linalg.det(turns) < 0)
    if bool(wrong.any()):
        place = tuple(int(i) for i in torch.nonzero(wrong)[0])
        got = "a reflection" if float(apart[place]) <= ORTHOGONAL else "a matrix that stretches"
        raise fields.bad(key, "rotation matrices", got, place)
    exact = roma.special_procrustes(turns)
    assert isinstance(exact, torch.Tensor)
    return roma.rotmat_to_rotvec(exact).numpy()


def _are_matrices(value: np.ndarray, joints: int, count: int | None) -> bool:
    """By the axes: (n, 1, 3) and (n, 21, 3) are vectors, (n, 3, 3) and (21, 3, 3) are matrices."""
    one = value.shape == (3, 3) and joints == count == 1
    return one or value.ndim == 4 or (value.ndim == 3 and value.shape[1] == 3)
