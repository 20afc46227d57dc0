"""Rotations as six numbers, the first two columns of the matrix: continuous, so a network can learn them.

Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019. Any six numbers whose two
columns are not parallel give a rotation.
"""

import roma
from jaxtyping import Float
from torch import Tensor


def matrix_of_rotvec(rotvec: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3 3"]:
    """Rotation matrices of rotation vectors, radians."""
    return roma.rotvec_to_rotmat(rotvec)


def rotvec_of_matrix(matrix: Float[Tensor, "*b 3 3"]) -> Float[Tensor, "*b 3"]:
    """Rotation vectors, radians; their length is at most pi."""
    return roma.rotmat_to_rotvec(matrix)


def columns_of_matrix(matrix: Float[Tensor, "*b 3 3"]) -> Float[Tensor, "*b 6"]:
    """First column, then the second."""
    return matrix[..., :2].mT.flatten(-2)


def matrix_of_columns(columns: Float[Tensor, "*b 6"]) -> Float[Tensor, "*b 3 3"]:
    """The rotation with the direction of the first column, and the second one made orthogonal to it."""
    return roma.special_gramschmidt(columns.unflatten(-1, (2, 3)).mT)
