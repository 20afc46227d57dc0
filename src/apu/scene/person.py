"""People in a photo: keypoints and boxes. Left and right are the person's own."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_mapping, joint_names

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


@dataclass(frozen=True)
class Keypoints:
    """2D joints of one person.

    Attributes:
        joint_set: name of the order, out of `apu.body.joints.JOINT_SETS`.
        xy: (j, 2) pixels.
        confidence: (j,) in [0, 1]; 0 for a joint that was not seen.
    """

    joint_set: str
    xy: Float[np.ndarray, "j 2"]
    confidence: Float[np.ndarray, " j"]

    def as_set(self, joint_set: str) -> "Keypoints":
        """The same joints in another order; joints that are missing get confidence 0."""
        source = np.array(joint_mapping(self.joint_set, joint_set))
        known = source >= 0
        xy = np.where(known[:, None], self.xy[source], 0.0)
        confidence = np.where(known, self.confidence[source], 0.0)
        return Keypoints(joint_set, xy.astype(self.xy.dtype), confidence.astype(self.xy.dtype))

    def box(self, min_confidence: float = 0.3) -> Box:
        """Tight box around the joints above `min_confidence`, or around all seen when those are fewer than 3."""
        seen = self.confidence > min_confidence
        if seen.sum() < 3:
            seen = self.confidence > 0
        if not seen.any():
            return (0.0, 0.0, 0.0, 0.0)
        low, high = self.xy[seen].min(0), self.xy[seen].max(0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def diagonal(self, min_confidence: float = 0.3) -> float:
        """Diagonal of `box`, pixels."""
        x0, y0, x1, y1 = self.box(min_confidence)
        return float(np.hypot(x1 - x0, y1 - y0))

    def named(self, joint: str) -> tuple[float, float, float]:
        """(x, y, confidence) of a joint; confidence 0 when the set lacks it."""
        names = joint_names(self.joint_set)
        if joint not in names:
            return (0.0, 0.0, 0.0)
        i = names.index(joint)
        return (float(self.xy[i, 0]), float(self.xy[i, 1]), float(self.confidence[i]))


@dataclass(frozen=True)
class BodyHint:
    """Where somebody's joints lie in depth, as a 3D pose estimator guesses: good for facing and limbs, not for size.

    Attributes:
        joint_set: name of the order, out of `apu.body.joints.JOINT_SETS`.
        xyz: (j, 3) camera axes, metres, relative to the middle of the hips.
        confidence: (j,) in [0, 1]; 0 where nothing is known.
        source: who guesses, e.g. `blazepose`.
    """

    joint_set: str
    xyz: Float[np.ndarray, "j 3"]
    confidence: Float[np.ndarray, " j"]
    source: str


@dataclass(frozen=True)
class PersonMask:
    """Which pixels of a part of the photo show a person.

    Attributes:
        box: the part, pixels of the photo; its corner lies at multiples of `step`.
        share: (h, w) probability that a pixel of the mask shows the person.
        step: pixels of the photo per pixel of the mask, both ways; above 1 in huge photos. The same in all of a photo.
        clean: nobody else's mask claims the same pixels to speak of, so the mask can tell who is in front.
    """

    box: Box
    share: Float[np.ndarray, "h w"]
    clean: bool
    step: int = 1


@dataclass(frozen=True)
class Person:
    """One person found in a photo.

    Attributes:
        index: number in the photo, from 0; printed and drawn.
        keypoints: 2D joints.
        score: how sure the source is that this is a person, in [0, 1].
        source: who found the person, e.g. `movenet`, or the keypoint file's kind.
        hint: a guess at the pose in depth; None where there is none, or where it disagrees with the keypoints.
        mask: the person's pixels, where known.
        note: how the keypoints came about, where that is not plain, e.g. which joints are of a second file.
    """

    index: int
    keypoints: Keypoints
    score: float
    source: str
    hint: BodyHint | None = None
    mask: PersonMask | None = None
    note: str = ""

    @property
    def box(self) -> Box:
        """Tight keypoint box, pixels."""
        return self.keypoints.box()
