"""One person of another program, in our terms, whatever the program: joints in metres, place, pixels, source."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.scene.camera import Camera

JOINT_SET = "body25"


@dataclass(frozen=True)
class EstimatedPerson:
    """A skeleton that another program has placed in its own camera.

    Attributes:
        row: in the file, or in the files of a folder together.
        source: which program, e.g. `bev`.
        camera: the program's, of the upright photo; its field of view need not be ours.
        place_m: (3,) of the joints' origin, camera axes.
        joints_m: (25, 3) BODY_25, camera axes, relative to the origin; zeros where unknown.
        known: (25,) which joints there are.
        pixels: (25, 2) the same joints in the upright photo; zeros where unknown.
        parameters: of our body, name -> (size,), where rotations are all that the file holds; None where the joints
            tell the pose.
    """

    row: int
    source: str
    camera: Camera
    place_m: Float[np.ndarray, " 3"]
    joints_m: Float[np.ndarray, "25 3"]
    known: Bool[np.ndarray, " 25"]
    pixels: Float[np.ndarray, "25 2"]
    parameters: Mapping[str, Float[Tensor, " size"]] | None = None


@dataclass(frozen=True)
class RotatedPerson:
    """A pose of SMPL or SMPL-X without joints: those would come from a model that may not be passed on.

    Attributes:
        row: in the file.
        source: which program.
        camera: as in `EstimatedPerson`.
        global_orient: (3,) rotation vector, from SMPL's axes (x left, y up, z to the front) to the camera's.
        body_pose: (21, 3) rotation vectors of the joints 1 to 21 against their parents.
        pelvis_m: (3,) SMPL's joint 0, camera axes.
    """

    row: int
    source: str
    camera: Camera
    global_orient: Float[np.ndarray, " 3"]
    body_pose: Float[np.ndarray, "21 3"]
    pelvis_m: Float[np.ndarray, " 3"]


Estimated = EstimatedPerson | RotatedPerson


def body25_of(
    values: Float[np.ndarray, "k d"], rows: Mapping[str, int]
) -> tuple[Float[np.ndarray, "25 d"], Bool[np.ndarray, " 25"]]:
    """A program's joints in the order BODY_25, and which of them it has; zeros for the others.

    Args:
        values: (k, d) positions of the program's joints.
        rows: our name of a joint -> its index there.
    """
    names = joint_names(JOINT_SET)
    known = np.array([name in rows for name in names])
    return values[[rows.get(name, 0) for name in names]] * known[:, None], known


def about_hips(joints: Float[np.ndarray, "25 3"], known: Bool[np.ndarray, " 25"]) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the hips (3,), and the joints relative to it (25, 3), zeros where unknown.

    Where an estimate's depth is changed, it is this point whose pixel stays; SMPL's own origin lies in the chest.
    """
    names = joint_names(JOINT_SET)
    middle = joints[[names.index("left_hip"), names.index("right_hip")]].mean(0)
    return middle, (joints - middle) * known[:, None]
