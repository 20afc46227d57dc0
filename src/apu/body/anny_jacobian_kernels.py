"""Loops of the joints' Jacobian, see `apu.body.anny_jacobian`. Conventions as in `apu.body.anny_fused_kernels`."""

from typing import no_type_check

import numpy as np

from apu.body.anny_fused_kernels import kernel, rotation_terms


@kernel
@no_type_check
def pose_columns(
    joint_matrix, point_bone, points, joints, dof_bone, dof_axis, parent, below, rotvec, rotation, position, jacobian
):
    """Columns by orientation, translation and angles, written into zeros.

    `points` (n, q, 3) are posed and follow one bone each, `point_bone`; `joint_matrix` (k, q) mixes them into `joints`;
    `below` (k, b) is the share of a joint that hangs on a bone or its descendants. An angle turns that share about the
    axis Z_parent J_l(r) a through the bone's head.
    """
    count, bones = below.shape
    hanging = np.empty((count, bones, 3))
    axis = np.empty(3)
    for n in range(len(points)):
        for k in range(count):
            for b in range(bones):
                for i in range(3):
                    hanging[k, b, i] = 0.0
            for q in range(len(point_bone)):
                share = joint_matrix[k, q]
                if share != 0:
                    for i in range(3):
                        hanging[k, point_bone[q], i] += share * points[n, q, i]
            for b in range(bones - 1, 0, -1):
                for i in range(3):
                    hanging[k, parent[b], i] += hanging[k, b, i]
            for i in range(3):
                jacobian[n, k, i, 3 + i] = 1.0
                ahead, behind = (i + 1) % 3, (i + 2) % 3
                jacobian[n, k, behind, i] = joints[n, k, ahead] - position[n, 0, ahead]
                jacobian[n, k, ahead, i] = position[n, 0, behind] - joints[n, k, behind]
        for d in range(len(dof_bone)):
            b = dof_bone[d]
            if b <= 0:
                continue
            r, a = rotvec[n, b], dof_axis[d]
            _, half, cubic = rotation_terms(r)
            c0, c1, c2 = r[1] * a[2] - r[2] * a[1], r[2] * a[0] - r[0] * a[2], r[0] * a[1] - r[1] * a[0]
            x = a[0] + half * c0 + cubic * (r[1] * c2 - r[2] * c1)
            y = a[1] + half * c1 + cubic * (r[2] * c0 - r[0] * c2)
            z = a[2] + half * c2 + cubic * (r[0] * c1 - r[1] * c0)
            for i in range(3):
                turn = rotation[n, parent[b], i]
                axis[i] = turn[0] * x + turn[1] * y + turn[2] * z
            for k in range(count):
                if below[k, b] == 0:
                    continue
                x = hanging[k, b, 0] - below[k, b] * position[n, b, 0]
                y = hanging[k, b, 1] - below[k, b] * position[n, b, 1]
                z = hanging[k, b, 2] - below[k, b] * position[n, b, 2]
                jacobian[n, k, 0, 6 + d] = axis[1] * z - axis[2] * y
                jacobian[n, k, 1, 6 + d] = axis[2] * x - axis[0] * z
                jacobian[n, k, 2, 6 + d] = axis[0] * y - axis[1] * x


@kernel
@no_type_check
def shape_columns(
    joint_matrix, point_bone, points, heads, align, d_points, d_heads, d_align, parent, rotation, transform, scale,
    first, jacobian,
):  # fmt: skip
    """Columns by the shape logits, written into zeros from column `first` on: exact, as Z does not depend on the shape.

    `points`, `heads`, `align` rest (n, ...), `d_...` (n, m, ...) their derivatives by each of `m` phenotypes, `scale`
    (n, m) the derivative of a phenotype by its logit.
    """
    bones = len(parent)
    moved = np.empty((bones, 3))
    inner = np.empty(3)
    for n in range(d_points.shape[0]):
        for m in range(d_points.shape[1]):
            column = first + m
            dh, da = d_heads[n, m], d_align[n, m]
            for i in range(3):
                moved[0, i] = 0.0
            for b in range(1, bones):  # w_b = w_q + Z_q A_q (h_b - h_q), A_q = 1 for the root
                q = parent[b]
                for i in range(3):
                    inner[i] = dh[b, i] - dh[q, i]
                    if q > 0:
                        inner[i] = 0.0
                        for j in range(3):
                            inner[i] += da[q, i, j] * (heads[n, b, j] - heads[n, q, j])
                            inner[i] += align[n, q, i, j] * (dh[b, j] - dh[q, j])
                for i in range(3):
                    moved[b, i] = moved[q, i]
                    for j in range(3):
                        moved[b, i] += rotation[n, q, i, j] * inner[j]
            for q in range(len(point_bone)):  # x -> Z A (x - h) + w
                b = point_bone[q]
                for i in range(3):
                    inner[i] = 0.0
                    for j in range(3):
                        inner[i] += da[b, i, j] * (points[n, q, j] - heads[n, b, j])
                for i in range(3):
                    speed = moved[b, i]
                    for j in range(3):
                        speed += rotation[n, b, i, j] * inner[j]
                        speed += transform[n, b, i, j] * (d_points[n, m, q, j] - dh[b, j])
                    for k in range(len(joint_matrix)):
                        if joint_matrix[k, q] != 0:
                            jacobian[n, k, i, column] += joint_matrix[k, q] * speed * scale[n, m]
