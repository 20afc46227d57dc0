"""A batch of pairs as tensors: what the losses see."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.joints import joint_names
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints
from apu.unite.weights import KeypointWeights

JOINT_SET = "body25"


@dataclass(frozen=True)
class Evidence:
    """2D evidence, axes (pair, person, joint).

    Attributes:
        pixels: keypoints, BODY_25 order.
        trust: squared confidence, as a share of a sure one's, times the joint's factor; 0 where nothing was seen.
            Squared, because the error of a doubtful keypoint is larger, and its square is what counts.
        diagonal_px: keypoint box diagonal, the unit of all 2D errors.
        focal_px, center_px: the camera.
        hint_depth_m: depth of each joint behind the middle of the hips, as a 3D pose estimator guesses it.
        hint_trust: confidence of that guess; 0 where there is none.
        hint_size_m: `limb_size` of the guessed skeleton, which is as large as an adult's whoever it is.
        on_floor: 1 for whoever is said to have a foot on the floor of the other person, else 0.
    """

    pixels: Float[Tensor, "*b 25 2"]
    trust: Float[Tensor, "*b 25"]
    diagonal_px: Float[Tensor, "*b"]
    focal_px: Float[Tensor, "*b"]
    center_px: Float[Tensor, "*b 2"]
    hint_depth_m: Float[Tensor, "*b 25"]
    hint_trust: Float[Tensor, "*b 25"]
    hint_size_m: Float[Tensor, "*b"]
    on_floor: Float[Tensor, "*b"]

    def map(self, function) -> "Evidence":
        """Apply a function of tensors (an indexing, a reshape) to every field."""
        return Evidence(**{f.name: function(getattr(self, f.name)) for f in fields(self)})

    def select(self, index: Int[Tensor, " m"]) -> "Evidence":
        """Rows of the first axis."""
        return self.map(lambda x: x[index])


def gather_evidence(
    observations: Sequence[PairObservation], weights: KeypointWeights, dtype: torch.dtype, device: torch.device
) -> Evidence:
    """Stack the keypoints and cameras of pairs; fields have axes (pair, person, ...)."""
    names = joint_names(JOINT_SET)
    factor = torch.tensor([weights.joint.get(n, 1.0) for n in names], dtype=dtype, device=device)
    given = [[sound_keypoints(p.keypoints, o.camera) for p in o.people] for o in observations]
    people = [[k.as_set(JOINT_SET) for k in pair] for pair in given]

    def tensor(rows: list, *size: int) -> Tensor:
        return torch.tensor(rows, dtype=dtype, device=device).reshape(len(observations), 2, *size)

    confidence = tensor([[k.confidence.tolist() for k in pair] for pair in people], len(names))
    seen = torch.where(confidence >= weights.min_confidence, confidence.clamp(0, 1), torch.zeros_like(confidence))
    return Evidence(
        pixels=tensor([[k.xy.tolist() for k in pair] for pair in people], len(names), 2),
        trust=(seen / weights.sure_confidence).clamp_max(1).square() * factor,
        diagonal_px=tensor([[box_size_px(k) for k in pair] for pair in given]),
        focal_px=tensor([[o.camera.focal_px] * 2 for o in observations]),
        center_px=tensor([[o.camera.center_px] * 2 for o in observations], 2),
        **_hints(observations, dtype, device),
        on_floor=tensor([[float(o.shared_floor)] * 2 for o in observations]),
    )


FARTHEST_SIDES = 1000.0
"""Keypoints farther off the picture's middle, in image sides, are no extrapolation but an error."""
FARTHEST_HINT_M = 10.0
"""Nobody's joint lies farther from the hips."""


def sound_keypoints(keypoints: Keypoints, camera: Camera) -> Keypoints:
    """The keypoints, and as unseen those that are no place near the picture or have no finite confidence."""
    reach = FARTHEST_SIDES * max(camera.width, camera.height, 1)
    middle = np.array([camera.width, camera.height]) / 2
    with np.errstate(invalid="ignore", over="ignore"):
        near = (np.abs(keypoints.xy - middle) <= reach).all(-1)  # never for NaN
    sound = near & np.isfinite(keypoints.confidence)
    zero = keypoints.xy.dtype.type(0)
    return Keypoints(
        keypoints.joint_set,
        np.where(sound[:, None], keypoints.xy, zero),
        np.where(sound, keypoints.confidence, keypoints.confidence.dtype.type(0)),
    )


def box_size_px(keypoints: Keypoints) -> float:
    """Diagonal of the keypoint box, at least one pixel: the unit of 2D errors."""
    return max(keypoints.diagonal(), 1.0)


LIMBS = (
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("neck", "mid_hip"),
)  # fmt: skip
_IS_LIMB_JOINT = np.array(
    [name.endswith(("shoulder", "elbow", "wrist", "hip", "knee", "ankle")) for name in joint_names(JOINT_SET)]
) & np.array([name != "mid_hip" for name in joint_names(JOINT_SET)])
"""Faces and feet hang on these, so their guesses add nothing."""

_LIMB_ENDS = tuple(tuple(joint_names(JOINT_SET).index(limb[k]) for limb in LIMBS) for k in (0, 1))


def limb_size(joints: Float[Tensor, "*b 25 3"]) -> Float[Tensor, "*b"]:
    """Mean length of arms, legs and spine, metres: the size of a skeleton in any pose."""
    start, end = (joints[..., list(ends), :] for ends in _LIMB_ENDS)
    return (end - start).norm(dim=-1).mean(-1)


def _hints(
    observations: Sequence[PairObservation], dtype: torch.dtype, device: torch.device
) -> dict[str, Float[Tensor, "..."]]:
    """The `hint_...` fields of `Evidence`.

    Both people of a pair need a hint: an embrace that confuses the estimator about one of them confuses it about both.
    """
    shape = (len(observations), 2, len(joint_names(JOINT_SET)))
    depth, trust, size = np.zeros(shape), np.zeros(shape), np.ones(shape[:2])
    for i, observation in enumerate(observations):
        hints = [person.hint for person in observation.people]
        for k, hint in enumerate(hints):
            if hint is None or any(other is None or other.joint_set != JOINT_SET for other in hints):
                continue
            known = (np.abs(hint.xyz) <= FARTHEST_HINT_M).all(-1) & np.isfinite(hint.confidence)  # never for NaN
            xyz = np.where(known[:, None], hint.xyz, 0.0).astype(np.float64)
            depth[i, k] = xyz[:, 2]
            trust[i, k] = np.where(known, np.clip(hint.confidence, 0, 1), 0.0) * _IS_LIMB_JOINT
            size[i, k] = max(float(limb_size(torch.from_numpy(xyz))), 1e-3)
    fields = {"hint_depth_m": depth, "hint_trust": trust, "hint_size_m": size}
    return {name: torch.tensor(value, dtype=dtype, device=device) for name, value in fields.items()}


REPORTED_CONFIDENCE = 0.3
"""Keypoints above it count in the reprojection error that is reported."""


def reprojection_percent(observation: PairObservation, joints: Float[Tensor, "2 25 3"]) -> tuple[float, float]:
    """Mean keypoint error of A and B in percent of the keypoint box's diagonal; NaN for a person without keypoints."""
    camera = observation.camera
    focal = torch.tensor(camera.focal_px, dtype=joints.dtype, device=joints.device)
    center = torch.tensor(camera.center_px, dtype=joints.dtype, device=joints.device)
    pixels = project(joints, focal, center).double().cpu().numpy()
    shares = []
    for person, mine in zip(observation.people, pixels, strict=True):
        given = sound_keypoints(person.keypoints, camera)
        seen = given.as_set(JOINT_SET)
        counted = seen.confidence > REPORTED_CONFIDENCE
        error = np.linalg.norm(mine - seen.xy, axis=-1)[counted]
        shares.append(100 * float(error.mean()) / box_size_px(given) if counted.any() else math.nan)
    return shares[0], shares[1]
