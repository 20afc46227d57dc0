"""Loops of the rest body, which depends on the shape alone: blendshape coefficients and the bones' rest orientations.

Conventions as in `apu.body.anny_fused_kernels`.
"""

from typing import no_type_check

import numpy as np

from apu.body.anny_fused_kernels import kernel

POLAR_STEPS = 30
"""More than Newton's iteration for the polar factor ever needs (about 8), so that it ends on any input."""

NEXT = (1, 2, 0, 1)
"""The axes that follow axis i, in cyclic order: NEXT[i] and NEXT[i + 1]."""


@kernel
@no_type_check
def coefficients(values, anchors, anchor_counts, table, value, slope):
    """Multilinear interpolation of `table` between phenotype anchors, and its derivatives; written into zeros."""
    size = values.shape[1]
    low = np.empty(size, np.int64)
    share = np.empty(size)
    width = np.empty(size)
    for n in range(len(values)):
        for i in range(size):
            low[i] = 0
            while low[i] < anchor_counts[i] - 2 and values[n, i] > anchors[i, low[i] + 1]:
                low[i] += 1
            width[i] = anchors[i, low[i] + 1] - anchors[i, low[i]]
            share[i] = (values[n, i] - anchors[i, low[i]]) / width[i]
        for corner in range(1 << size):
            row = 0
            weight = 1.0
            for i in range(size):
                up = (corner >> i) & 1
                row = row * anchor_counts[i] + low[i] + up
                weight *= share[i] if up else 1.0 - share[i]
            for s in range(table.shape[1]):
                value[n, s] += weight * table[row, s]
            for i in range(size):
                by = 1.0 if (corner >> i) & 1 else -1.0
                for j in range(size):
                    if j != i:
                        by *= share[j] if (corner >> j) & 1 else 1.0 - share[j]
                for s in range(table.shape[1]):
                    slope[n, i, s] += by / width[i] * table[row, s]


@kernel
@no_type_check
def polar_rotations(matrix, rotation):
    """Rotation of the polar decomposition of each (3, 3), by Newton's iteration X <- (g X + X^-T / g) / 2.

    Higham, "Computing the polar decomposition", 1986. It is the nearest rotation where the determinant is positive.

    Returns:
        False when a determinant is not positive; the rotations then mean nothing.
    """
    x = np.empty((3, 3))
    cofactor = np.empty((3, 3))
    for m in range(len(matrix)):
        for i in range(3):
            for j in range(3):
                x[i, j] = matrix[m, i, j]
        for _ in range(POLAR_STEPS):
            for i in range(3):
                for j in range(3):
                    a, b, c, d = NEXT[i], NEXT[i + 1], NEXT[j], NEXT[j + 1]
                    cofactor[i, j] = x[a, c] * x[b, d] - x[a, d] * x[b, c]
            determinant = x[0, 0] * cofactor[0, 0] + x[0, 1] * cofactor[0, 1] + x[0, 2] * cofactor[0, 2]
            if not determinant > 0:
                return False
            size, inverse_size = 0.0, 0.0
            for i in range(3):
                for j in range(3):
                    cofactor[i, j] /= determinant
                    size += x[i, j] ** 2
                    inverse_size += cofactor[i, j] ** 2
            scale = np.sqrt(np.sqrt(inverse_size / size))
            change = 0.0
            for i in range(3):
                for j in range(3):
                    new = 0.5 * (scale * x[i, j] + cofactor[i, j] / scale)
                    change += (new - x[i, j]) ** 2
                    x[i, j] = new
            if change < 1e-30:
                break
        for i in range(3):
            for j in range(3):
                rotation[m, i, j] = x[i, j]
    return True


@kernel
@no_type_check
def solve_axial(rotation, matrix, right, out):
    """(tr(S) I - S)^-1 right with S = R^T M symmetric: what ties a turn of the polar factor to a change of M."""
    s = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            s[i, j] = 0.0
            for k in range(3):
                s[i, j] += 0.5 * (rotation[k, i] * matrix[k, j] + rotation[k, j] * matrix[k, i])
    trace = s[0, 0] + s[1, 1] + s[2, 2]
    a, b, c = trace - s[0, 0], trace - s[1, 1], trace - s[2, 2]
    d, e, f = -s[0, 1], -s[0, 2], -s[1, 2]
    p, q, r = b * c - f * f, e * f - d * c, d * f - e * b
    u, v, w = a * c - e * e, d * e - a * f, a * b - d * d
    determinant = a * p + d * q + e * r
    out[0] = (p * right[0] + q * right[1] + r * right[2]) / determinant
    out[1] = (q * right[0] + u * right[1] + v * right[2]) / determinant
    out[2] = (r * right[0] + v * right[1] + w * right[2]) / determinant


@kernel
@no_type_check
def axial(matrix, out):
    """a with a . e = sum of matrix * [e] for every e, [e] the cross product's matrix."""
    out[0] = matrix[2, 1] - matrix[1, 2]
    out[1] = matrix[0, 2] - matrix[2, 0]
    out[2] = matrix[1, 0] - matrix[0, 1]


@kernel
@no_type_check
def times_cross(rotation, turn, out):
    """R [turn]."""
    for i in range(3):
        out[i, 0] = rotation[i, 1] * turn[2] - rotation[i, 2] * turn[1]
        out[i, 1] = rotation[i, 2] * turn[0] - rotation[i, 0] * turn[2]
        out[i, 2] = rotation[i, 0] * turn[1] - rotation[i, 1] * turn[0]


@kernel
@no_type_check
def align_adjoint(reference, rotation, matrix, g_align, g_matrix):
    """Gradient of A = U R^T by M (n, b, 3, 3), R the polar factor of M: R moves by R [w] with w from `solve_axial`."""
    right, turn, inner = np.empty(3), np.empty(3), np.empty((3, 3))
    for n in range(len(matrix)):
        for b in range(len(reference)):
            u, r, g = reference[b], rotation[n, b], g_align[n, b]
            for i in range(3):  # R^T dL/dR with dL/dR = (dL/dA)^T U
                for j in range(3):
                    inner[i, j] = 0.0
                    for k in range(3):
                        for h in range(3):
                            inner[i, j] += r[k, i] * g[h, k] * u[h, j]
            axial(inner, right)
            solve_axial(r, matrix[n, b], right, turn)
            times_cross(r, turn, g_matrix[n, b])


@kernel
@no_type_check
def align_tangent(reference, rotation, matrix, d_matrix, d_align):
    """Changes of A = U R^T (n, m, b, 3, 3) when M changes by `d_matrix`."""
    right, turn = np.empty(3), np.empty(3)
    inner, change = np.empty((3, 3)), np.empty((3, 3))
    for n in range(d_matrix.shape[0]):
        for m in range(d_matrix.shape[1]):
            for b in range(len(reference)):
                u, r = reference[b], rotation[n, b]
                for i in range(3):
                    for j in range(3):
                        inner[i, j] = 0.0
                        for k in range(3):
                            inner[i, j] += r[k, i] * d_matrix[n, m, b, k, j]
                axial(inner, right)
                solve_axial(r, matrix[n, b], right, turn)
                times_cross(r, turn, change)
                for i in range(3):
                    for j in range(3):
                        d_align[n, m, b, i, j] = 0.0
                        for k in range(3):
                            d_align[n, m, b, i, j] += u[i, k] * change[j, k]
