"""BlazePose's output for one person, in the photo: landmarks in pixels, landmarks in metres, and the mask."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.pose.blazepose import LANDMARKS, SIDE, BodyNet, SquareBody
from apu.pose.resample import cut
from apu.pose.roi import Roi
from apu.scene.person import BodyHint, Keypoints
from apu.scene.photo import Photo

SOURCE = "blazepose"

CELL = 4
"""Pixels of the square per cell of the heat maps."""

REFINE_CELLS = 7
"""Width of the window in a heat map that refines a landmark (MediaPipe's RefineLandmarksFromHeatmapCalculator)."""

REFINE_PEAK = 0.5
"""Least probability in that window (likewise)."""

_MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}


@dataclass(frozen=True)
class BodyGuess:
    """One person as BlazePose sees them.

    Attributes:
        xy: (39, 2) pixels of the photo.
        world: (39, 3) camera axes, metres, relative to the middle of the hips; of an adult's size for everybody.
        visible: (39,) probability that a landmark is inside the circle and not hidden.
        mask: (256, 256) probability that a pixel of the upright square shows the person.
        presence: probability that there is a person.
        roi: the circle that was looked at.
    """

    xy: Float[np.ndarray, "39 2"]
    world: Float[np.ndarray, "39 3"]
    visible: Float[np.ndarray, "39"]
    mask: Float[np.ndarray, "256 256"]
    presence: float
    roi: Roi

    def keypoints(self, joint_set: str) -> Keypoints:
        """The landmarks as 2D joints; joints that BlazePose lacks have confidence 0."""
        xy, confidence = self._as_joints(self.xy, joint_set)
        return Keypoints(joint_set, xy, confidence)

    def hint(self) -> BodyHint:
        """The landmarks as 3D joints in BODY_25 order; it lacks the small toes."""
        xyz, confidence = self._as_joints(self.world, "body25")
        xyz -= xyz[joint_names("body25").index("mid_hip")]
        return BodyHint("body25", np.where(confidence[:, None] > 0, xyz, 0), confidence, SOURCE)

    def _as_joints(self, values: Float[np.ndarray, "39 d"], joint_set: str) -> tuple[np.ndarray, np.ndarray]:
        names = joint_names(joint_set)
        joints, confidence = np.zeros((len(names), values.shape[1]), np.float32), np.zeros(len(names), np.float32)
        for i, name in enumerate(names):
            ends = [LANDMARKS.index(end) for end in _MIDDLES.get(name, (name,)) if end in LANDMARKS]
            if ends:
                joints[i], confidence[i] = values[ends].mean(0), self.visible[ends].min()
        return joints, confidence


def guess_body(net: BodyNet, photo: Photo, roi: Roi) -> BodyGuess:
    """Look at one person."""
    return decoded(net.look(cut(photo.pixels, roi.to_photo(SIDE), SIDE)), roi)


def decoded(body: SquareBody, roi: Roi) -> BodyGuess:
    """From the upright square to the photo and its axes."""
    to_photo = roi.to_photo(SIDE)
    xy = refined(body) @ to_photo[:, :2].T + to_photo[:, 2]
    world = np.concatenate([roi.turned(body.world[:, :2]), body.world[:, 2:]], axis=1)
    visible = _sigmoid(body.landmarks[:, 3:]).min(1)
    return BodyGuess(
        xy.astype(np.float32),
        world.astype(np.float32),
        visible.astype(np.float32),
        body.mask,
        body.presence,
        roi,
    )


def refined(body: SquareBody) -> Float[np.ndarray, "39 2"]:
    """Landmarks in pixels of the square, moved to the middle of the heat around them where there is a peak."""
    xy = body.landmarks[:, :2].astype(np.float64)
    cells = body.heat.shape[0]
    for i, (column, row) in enumerate((xy / CELL).astype(int)):
        x0, y0 = column - REFINE_CELLS // 2, row - REFINE_CELLS // 2
        columns = np.arange(max(0, x0), min(cells, x0 + REFINE_CELLS))
        rows = np.arange(max(0, y0), min(cells, y0 + REFINE_CELLS))
        heat = body.heat[np.ix_(rows, columns, [i])][..., 0]
        if heat.size and heat.max() >= REFINE_PEAK:
            xy[i] = CELL * np.array([heat.sum(0) @ columns, heat.sum(1) @ rows]) / heat.sum()
    return xy


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))
