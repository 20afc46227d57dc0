"""The loops that numba compiles for `apu.body.anny_fused`; formulas and names as in `apu.body.anny_kinematics`.

All arithmetic is float64, which costs nothing in loops that gather; points are stored in the type of the body. Arrays
are C-contiguous.
Axes: `n` bodies, `b` bones with parents first, `p` points, `d` angles, `s` blendshapes. Loops are serial, body by body,
so that a body's result does not depend on its batch.
"""

from typing import no_type_check

import numpy as np
from numba import njit

kernel = njit(cache=True, error_model="numpy", fastmath={"contract"})
"""Products and sums may fuse; nothing else that changes a value is allowed."""

SERIES_BELOW = 0.05
"""Radians under which (t - sin t) / t^3 comes from its series: both then err by less than 1e-12."""


@kernel
@no_type_check
def rotation_terms(r):
    """Of a rotation vector: sin t / t, (1 - cos t) / t^2, (t - sin t) / t^3."""
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    angle = np.sqrt(square)
    if angle < SERIES_BELOW:
        cubic = 1.0 / 6.0 - square / 120.0 + square * square / 5040.0
        half = 0.5 - square / 24.0 + square * square / 720.0
        return 1.0 - square * cubic, half, cubic
    sine = np.sin(angle)
    return sine / angle, 2.0 * (np.sin(0.5 * angle) / angle) ** 2, (angle - sine) / (angle * square)


@kernel
@no_type_check
def pose_bones(
    orientation, translation, pose, dof_bone, dof_axis, parent, heads, align, rotvec, rotation, position, transform
):
    """Z (rotation), w (position) and [Z A | w - Z A h] (transform) of every bone."""
    local = np.empty((3, 3))
    step = np.empty(3)
    for n in range(len(pose)):
        for b in range(len(parent)):
            for i in range(3):
                rotvec[n, b, i] = orientation[n, i] if b == 0 else 0.0
        for d in range(len(dof_bone)):
            if dof_bone[d] > 0:
                for i in range(3):
                    rotvec[n, dof_bone[d], i] += pose[n, d] * dof_axis[d, i]
        for b in range(len(parent)):
            x, y, z = rotvec[n, b, 0], rotvec[n, b, 1], rotvec[n, b, 2]
            sine, half, _ = rotation_terms(rotvec[n, b])
            local[0, 0], local[0, 1], local[0, 2] = (
                1 - half * (y * y + z * z),
                half * x * y - sine * z,
                half * x * z + sine * y,
            )
            local[1, 0], local[1, 1], local[1, 2] = (
                half * x * y + sine * z,
                1 - half * (x * x + z * z),
                half * y * z - sine * x,
            )
            local[2, 0], local[2, 1], local[2, 2] = (
                half * x * z - sine * y,
                half * y * z + sine * x,
                1 - half * (x * x + y * y),
            )
            q = parent[b]
            if b == 0:
                for i in range(3):
                    position[n, 0, i] = translation[n, i]
                    for j in range(3):
                        rotation[n, 0, i, j] = local[i, j]
            else:
                for i in range(3):  # Anny's root carries its children without its reference orientation
                    step[i] = 0.0
                    for j in range(3):
                        along = heads[n, b, j] - heads[n, q, j]
                        if q == 0:
                            step[i] += along if i == j else 0.0
                        else:
                            step[i] += align[n, q, i, j] * along
                for i in range(3):
                    position[n, b, i] = position[n, q, i]
                    for j in range(3):
                        position[n, b, i] += rotation[n, q, i, j] * step[j]
                        rotation[n, b, i, j] = 0.0
                        for k in range(3):
                            rotation[n, b, i, j] += rotation[n, q, i, k] * local[k, j]
            for i in range(3):
                transform[n, b, i, 3] = position[n, b, i]
                for j in range(3):
                    transform[n, b, i, j] = 0.0
                    for k in range(3):
                        transform[n, b, i, j] += rotation[n, b, i, k] * align[n, b, k, j]
                    transform[n, b, i, 3] -= transform[n, b, i, j] * heads[n, b, j]


@kernel
@no_type_check
def pose_bones_adjoint(
    dof_bone, dof_axis, parent, heads, align, rotvec, rotation, position, transform, g_transform, wants_rest,
    g_orientation, g_translation, g_pose, g_heads, g_align,
):  # fmt: skip
    """Adjoint of `pose_bones`, by forces and torques: what acts on a bone acts on its parent through the lever between.

    A turn of bone b and all below it, about its head, by a small vector e in the camera frame changes the loss by
    e . torque_b, so no adjoint of a rotation matrix is carried along the tree.
    """
    bones = len(parent)
    force = np.empty((bones, 3))
    torque = np.empty((bones, 3))
    own = np.empty((3, 3))
    turned = np.empty((bones, 3))
    for n in range(len(rotvec)):
        for b in range(bones):
            t, g = transform[n, b], g_transform[n, b]
            for i in range(3):
                j, k = (i + 1) % 3, (i + 2) % 3
                force[b, i] = g[i, 3]
                lever_j, lever_k = t[j, 3] - position[n, b, j], t[k, 3] - position[n, b, k]
                torque[b, i] = lever_j * g[k, 3] - lever_k * g[j, 3]
                for m in range(3):
                    torque[b, i] += t[j, m] * g[k, m] - t[k, m] * g[j, m]
        for b in range(bones - 1, 0, -1):
            q = parent[b]
            for i in range(3):
                j, k = (i + 1) % 3, (i + 2) % 3
                lever_j, lever_k = position[n, b, j] - position[n, q, j], position[n, b, k] - position[n, q, k]
                force[q, i] += force[b, i]
                torque[q, i] += torque[b, i] + lever_j * force[b, k] - lever_k * force[b, j]
        for b in range(bones):  # into the parent's axes, then by the transposed left Jacobian
            r = rotvec[n, b]
            _, half, cubic = rotation_terms(r)
            q = parent[b]
            x, y, z = torque[b, 0], torque[b, 1], torque[b, 2]
            if b > 0:
                z_q = rotation[n, q]
                x, y, z = (
                    z_q[0, 0] * x + z_q[1, 0] * y + z_q[2, 0] * z,
                    z_q[0, 1] * x + z_q[1, 1] * y + z_q[2, 1] * z,
                    z_q[0, 2] * x + z_q[1, 2] * y + z_q[2, 2] * z,
                )
            c0, c1, c2 = r[1] * z - r[2] * y, r[2] * x - r[0] * z, r[0] * y - r[1] * x
            turned[b, 0] = x - half * c0 + cubic * (r[1] * c2 - r[2] * c1)
            turned[b, 1] = y - half * c1 + cubic * (r[2] * c0 - r[0] * c2)
            turned[b, 2] = z - half * c2 + cubic * (r[0] * c1 - r[1] * c0)
        for i in range(3):
            g_translation[n, i] = force[0, i]
            g_orientation[n, i] = turned[0, i]
        for d in range(len(dof_bone)):
            g_pose[n, d] = 0.0
            if dof_bone[d] > 0:
                for i in range(3):
                    g_pose[n, d] += turned[dof_bone[d], i] * dof_axis[d, i]
        if not wants_rest:
            continue
        for b in range(bones):
            for j in range(3):
                g_heads[n, b, j] = 0.0
                for i in range(3):
                    g_heads[n, b, j] -= transform[n, b, i, j] * g_transform[n, b, i, 3]
                    own[i, j] = g_transform[n, b, i, j] - g_transform[n, b, i, 3] * heads[n, b, j]
            for i in range(3):
                for j in range(3):
                    g_align[n, b, i, j] = 0.0
                    for k in range(3):
                        g_align[n, b, i, j] += rotation[n, b, k, i] * own[k, j]
        for b in range(1, bones):  # w_b = w_q + Z_q A_q (h_b - h_q), A_q = 1 for the root
            q = parent[b]
            for i in range(3):
                pull = 0.0
                for k in range(3):
                    pull += rotation[n, q, k, i] * force[b, k]
                for j in range(3):
                    along = pull * (1.0 if i == j else 0.0) if q == 0 else pull * align[n, q, i, j]
                    g_heads[n, b, j] += along
                    g_heads[n, q, j] -= along
                    if q > 0:
                        g_align[n, q, i, j] += pull * (heads[n, b, j] - heads[n, q, j])


@kernel
@no_type_check
def skin(points, bones, weights, transform, out):
    """Linear blend skinning. Each point has up to K bones; those with weight come first."""
    for n in range(len(points)):
        for p in range(points.shape[1]):
            x, y, z = float(points[n, p, 0]), float(points[n, p, 1]), float(points[n, p, 2])
            a, b, c = 0.0, 0.0, 0.0
            for k in range(bones.shape[1]):
                w = float(weights[p, k])
                if w == 0.0:
                    break
                t = transform[n, bones[p, k]]
                a += w * (t[0, 0] * x + t[0, 1] * y + t[0, 2] * z + t[0, 3])
                b += w * (t[1, 0] * x + t[1, 1] * y + t[1, 2] * z + t[1, 3])
                c += w * (t[2, 0] * x + t[2, 1] * y + t[2, 2] * z + t[2, 3])
            out[n, p, 0], out[n, p, 1], out[n, p, 2] = a, b, c


@kernel
@no_type_check
def skin_adjoint(points, bones, weights, transform, gradient, wants_points, g_transform, g_points):
    """Adds to `g_transform`, and fills `g_points` where it is wanted. Points without gradient cost next to nothing."""
    for n in range(len(points)):
        for p in range(points.shape[1]):
            u, v, r = float(gradient[n, p, 0]), float(gradient[n, p, 1]), float(gradient[n, p, 2])
            a, b, c = 0.0, 0.0, 0.0
            if u != 0.0 or v != 0.0 or r != 0.0:
                x, y, z = float(points[n, p, 0]), float(points[n, p, 1]), float(points[n, p, 2])
                for k in range(bones.shape[1]):
                    w = float(weights[p, k])
                    if w == 0.0:
                        break
                    g = g_transform[n, bones[p, k]]
                    wu, wv, wr = w * u, w * v, w * r
                    g[0, 0] += wu * x
                    g[0, 1] += wu * y
                    g[0, 2] += wu * z
                    g[0, 3] += wu
                    g[1, 0] += wv * x
                    g[1, 1] += wv * y
                    g[1, 2] += wv * z
                    g[1, 3] += wv
                    g[2, 0] += wr * x
                    g[2, 1] += wr * y
                    g[2, 2] += wr * z
                    g[2, 3] += wr
                    if wants_points:
                        t = transform[n, bones[p, k]]
                        a += wu * t[0, 0] + wv * t[1, 0] + wr * t[2, 0]
                        b += wu * t[0, 1] + wv * t[1, 1] + wr * t[2, 1]
                        c += wu * t[0, 2] + wv * t[1, 2] + wr * t[2, 2]
            if wants_points:
                g_points[n, p, 0], g_points[n, p, 1], g_points[n, p, 2] = a, b, c
