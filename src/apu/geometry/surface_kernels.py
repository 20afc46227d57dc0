"""The kernels that warp compiles. They stand alone because warp reads their source, and load late with warp."""

# pyright: reportInvalidTypeForm=false, reportAttributeAccessIssue=false
import os
import sys
from typing import no_type_check

import warp as wp


def _start() -> None:
    """Initialise warp; without a GPU its library complains on file descriptor 2, whatever the log level."""
    wp.config.log_level = wp.LOG_ERROR
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_start()


FAR_M = wp.constant(1.0e6)
"""Longer than any ray within a body, metres."""
HITS = wp.constant(16)
"""Most surfaces that a ray is followed through."""
PAST_M = wp.constant(1.0e-5)
"""A ray goes on so far behind a hit, metres, that it does not hit the same face again."""


@wp.func
@no_type_check
def crossings(mesh: wp.uint64, start: wp.vec3, way: wp.vec3):
    """Faces that a ray leaves through minus those it enters through: the winding number at its start."""
    number = 0
    at = start
    for _ in range(HITS):
        hit = wp.mesh_query_ray(mesh, at, way, FAR_M)
        if not hit.result:
            return number
        if wp.dot(hit.normal, way) > 0.0:
            number += 1
        else:
            number -= 1
        at = at + (hit.t + PAST_M) * way
    return number


@wp.func
@no_type_check
def buried(mesh: wp.uint64, near: int, point: wp.vec3, goal: wp.vec3):
    """Whether a point in front of its nearest face is inside nevertheless: the body cuts itself, the face lies in it.

    A ray that meets an edge can miscount; so what one says has to be confirmed by another.
    """
    normal = wp.mesh_eval_face_normal(mesh, near)
    away = wp.normalize(wp.normalize(point - goal) + 0.1 * normal)
    if crossings(mesh, point, away) < 1:
        return False
    edge = wp.mesh_eval_position(mesh, near, 1.0, 0.0) - wp.mesh_eval_position(mesh, near, 0.0, 1.0)
    aside = wp.normalize(away + 0.3 * wp.normalize(edge))
    return crossings(mesh, point, aside) >= 1


@wp.kernel
@no_type_check
def normal_kernel(
    meshes: wp.array(dtype=wp.uint64),
    mesh: wp.array(dtype=wp.int64),
    points: wp.array(dtype=wp.vec3),
    reach: wp.array(dtype=float),
    face: wp.array(dtype=int),
    share: wp.array(dtype=wp.vec3),
    inside: wp.array(dtype=wp.bool),
):
    """Sign by the normal of the nearest face, or of the edge or corner. Point i belongs to mesh `mesh[i]`."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_normal(meshes[mesh[i]], points[i], reach[i], 0.001)
    face[i] = -1
    share[i] = wp.vec3(0.0, 0.0, 0.0)
    inside[i] = False
    if query.result:
        face[i] = query.face
        share[i] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
        inside[i] = query.sign < 0.0


@wp.kernel
@no_type_check
def ray_kernel(
    meshes: wp.array(dtype=wp.uint64),
    mesh: wp.array(dtype=wp.int64),
    points: wp.array(dtype=wp.vec3),
    reach: wp.array(dtype=float),
    face: wp.array(dtype=int),
    share: wp.array(dtype=wp.vec3),
    inside: wp.array(dtype=wp.bool),
):
    """The same, but outside is confirmed by a ray."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_normal(meshes[mesh[i]], points[i], reach[i], 0.001)
    face[i] = -1
    share[i] = wp.vec3(0.0, 0.0, 0.0)
    inside[i] = False
    if query.result:
        face[i] = query.face
        share[i] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
        inside[i] = query.sign < 0.0
        if query.sign >= 0.0:
            goal = wp.mesh_eval_position(meshes[mesh[i]], query.face, query.u, query.v)
            inside[i] = buried(meshes[mesh[i]], query.face, points[i], goal)


@wp.kernel
@no_type_check
def winding_kernel(
    meshes: wp.array(dtype=wp.uint64),
    mesh: wp.array(dtype=wp.int64),
    points: wp.array(dtype=wp.vec3),
    reach: wp.array(dtype=float),
    face: wp.array(dtype=int),
    share: wp.array(dtype=wp.vec3),
    inside: wp.array(dtype=wp.bool),
):
    """Sign by the winding number."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(meshes[mesh[i]], points[i], reach[i], 2.0, 0.5)
    face[i] = -1
    share[i] = wp.vec3(0.0, 0.0, 0.0)
    inside[i] = False
    if query.result:
        face[i] = query.face
        share[i] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
        inside[i] = query.sign < 0.0
