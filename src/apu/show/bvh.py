"""Biovision BVH: the skeleton of one body at rest, and its fitted pose as a motion of one frame."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from apu.body.rigged import RiggedBody
from apu.geometry.rotations import euler_zxy_of
from apu.show.bone_axes import bone_axes
from apu.show.glb import CAMERA_TO_GLTF

UNITS_PER_METRE = 100.0
"""Centimetres, as motion capture has them."""
_ROTATION = "Zrotation Xrotation Yrotation"
_END = 0.05
"""Length of a bone at the end of a chain, metres; the format wants one, the body has none."""


def write_bvh(path: Path, body: RiggedBody) -> None:
    """Write one body; y up, centimetres, degrees, `R = Rz Rx Ry`.

    All axes are those of the world at rest, where the body faces +z. Where bones of the body's own skeleton were
    merged, heads can lie some millimetres off: an offset of the format cannot bend.
    """
    flip = np.diag(CAMERA_TO_GLTF)
    heads = _numbers(body.rest_joints) * CAMERA_TO_GLTF
    world = flip @ _numbers(body.turn) @ flip
    above = [world[parent] if parent >= 0 else np.eye(3) for parent in body.parents]
    degrees = np.rad2deg(euler_zxy_of(np.stack([p.T @ w for p, w in zip(above, world, strict=True)])))
    place = _numbers(body.position)[0] * CAMERA_TO_GLTF * UNITS_PER_METRE
    ends = bone_axes(body, heads)[:, :, 1] * _END
    order: list[int] = []
    hierarchy = list(_joint(body, heads, ends, 0, 0, order))
    numbers = np.concatenate([place, degrees[order].ravel()])
    frame = " ".join(f"{number:.6f}" for number in numbers)
    lines = ["HIERARCHY", *hierarchy, "MOTION", "Frames: 1", "Frame Time: 0.033333", frame]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _joint(
    body: RiggedBody,
    heads: Float[np.ndarray, "b 3"],
    ends: Float[np.ndarray, "b 3"],
    bone: int,
    depth: int,
    order: list[int],
) -> Iterator[str]:
    """The lines of a joint and all below it; `order` gets the joints as their channels follow in the motion."""
    order.append(bone)
    parent, tabs = body.parents[bone], "\t" * depth
    offset = heads[bone] - heads[parent] if parent >= 0 else np.zeros(3)  # the root is placed by its channels
    yield f"{tabs}{'ROOT' if parent < 0 else 'JOINT'} {body.names[bone]}"
    yield tabs + "{"
    yield f"{tabs}\tOFFSET {_vector(offset)}"
    channels = f"3 {_ROTATION}" if parent >= 0 else f"6 Xposition Yposition Zposition {_ROTATION}"
    yield f"{tabs}\tCHANNELS {channels}"
    children = [i for i, p in enumerate(body.parents) if p == bone]
    for child in children:
        yield from _joint(body, heads, ends, child, depth + 1, order)
    if not children:
        yield from (f"{tabs}\tEnd Site", f"{tabs}\t{{", f"{tabs}\t\tOFFSET {_vector(ends[bone])}", f"{tabs}\t}}")
    yield tabs + "}"


def _vector(metres: Float[np.ndarray, " 3"]) -> str:
    return " ".join(f"{number:.6f}" for number in metres * UNITS_PER_METRE)


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
