"""The kernels that warp compiles. They stand alone because warp reads their source, and load late with warp."""

# ruff: noqa: D103
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


@wp.kernel
@no_type_check
def normal_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    reach: wp.array(dtype=float),
    face: wp.array(dtype=int),
    share: wp.array(dtype=wp.vec2),
    sign: wp.array(dtype=float),
):
    i = wp.tid()
    query = wp.mesh_query_point_sign_normal(mesh, points[i], reach[i], 0.001)
    if query.result:
        face[i] = query.face
        share[i] = wp.vec2(query.u, query.v)
        sign[i] = query.sign


@wp.kernel
@no_type_check
def winding_kernel(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    reach: wp.array(dtype=float),
    face: wp.array(dtype=int),
    share: wp.array(dtype=wp.vec2),
    sign: wp.array(dtype=float),
):
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[i], reach[i], 2.0, 0.5)
    if query.result:
        face[i] = query.face
        share[i] = wp.vec2(query.u, query.v)
        sign[i] = query.sign
