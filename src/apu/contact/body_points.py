"""The joints of one person as arrays, in an image or in space, and how large the person is in them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from apu.body.joints import joint_names
from apu.errors import InputError

MIN_CONFIDENCE = 0.2
"""What is seen with less is not compared."""

TORSO = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
"""The torso is the distance between the middles of both pairs."""

LIMBS: Mapping[tuple[str, str], float] = MappingProxyType(
    {("shoulder", "elbow"): 0.54, ("elbow", "wrist"): 0.49, ("hip", "knee"): 0.79, ("knee", "ankle"): 0.80}
)
"""Length of each limb in torsos. Measured on the default body."""


@dataclass(frozen=True, eq=False)
class BodyPoints:
    """Joints of one person.

    Attributes:
        places: (j, 2) pixels, or (j, 3) metres.
        confidence: (j,) in [0, 1]. What is not finite, or lies at no finite place, counts as not seen.
        names: of the joints: those of `body25`, and `left_hand` and `right_hand` where a detector has the middles of
            the hands.
    """

    places: Float[np.ndarray, "_ _"]
    confidence: Float[np.ndarray, " _"]
    names: tuple[str, ...] = joint_names("body25")

    def __post_init__(self) -> None:
        places = np.array(self.places, dtype=np.float64)
        confidence = np.array(self.confidence, dtype=np.float64)
        rows = len(self.names)
        if places.ndim != 2 or places.shape[1] not in (2, 3) or {len(places), *confidence.shape} != {rows}:
            raise InputError(
                "Joints, their confidences and their names do not belong together.",
                expected=f"{rows} places of 2 or 3 numbers, and {rows} confidences",
                got=f"places {places.shape}, confidences {confidence.shape}",
                remedy="give all joints of the set, with confidence 0 where one is not seen.",
            )
        known = np.isfinite(places).all(1) & np.isfinite(confidence)
        object.__setattr__(self, "places", np.where(known[:, None], places, 0.0))
        object.__setattr__(self, "confidence", np.where(known, np.clip(confidence, 0.0, 1.0), 0.0))

    def joint(self, name: str) -> tuple[Float[np.ndarray, " d"], float]:
        """(place, confidence) of a joint; confidence 0 where there is none of this name."""
        if name not in self.names:
            return np.zeros(self.places.shape[1]), 0.0
        row = self.names.index(name)
        return self.places[row], float(self.confidence[row])

    def mirrored(self) -> "BodyPoints":
        """The person in a mirror: left and right exchanged, and the first axis reversed. Its own inverse."""
        rows = [self.names.index(_other_side(name)) for name in self.names]
        places = self.places[rows] * np.where(np.arange(self.places.shape[1]) == 0, -1.0, 1.0)
        return BodyPoints(places, self.confidence[rows], self.names)


def torso_length(body: BodyPoints, min_confidence: float = MIN_CONFIDENCE) -> float | None:
    """Length of the torso, in the unit of the places; None where nothing shows it.

    A torso that points at the camera looks short. So it is never taken as shorter than the median of what the seen
    limbs say (`LIMBS`), which also stands in for a torso that is not seen.

    Args:
        body: of one person.
        min_confidence: joints below are not used.
    """
    said = limb_scales(body, min_confidence)
    longest = max(filter(None, (_torso(body, min_confidence), float(np.median(said)) if said else None)), default=0.0)
    return longest if longest > 0 else None


def mean_torso(a: BodyPoints, b: BodyPoints, min_confidence: float = MIN_CONFIDENCE) -> float | None:
    """Geometric mean of both people's `torso_length`; None where one of them is not known."""
    of_a, of_b = torso_length(a, min_confidence), torso_length(b, min_confidence)
    return None if of_a is None or of_b is None else math.sqrt(of_a * of_b)


def longest_scale(body: BodyPoints, min_confidence: float = MIN_CONFIDENCE) -> float | None:
    """Length that the torso would have if it were not foreshortened, as far as can be seen; None where nothing is.

    In a picture every segment looks at most as long as it is, so the largest of what torso and limbs say is nearest;
    of three or more the second largest, since a single joint may be wrong.
    """
    said = sorted([*limb_scales(body, min_confidence), _torso(body, min_confidence) or 0.0], reverse=True)
    longest = said[1] if len(said) >= 3 else said[0]
    return longest if longest > 0 else None


def limb_scales(body: BodyPoints, min_confidence: float = MIN_CONFIDENCE) -> list[float]:
    """Length of the torso by each limb that is seen."""
    out = []
    for side in ("left", "right"):
        for (start, end), torsos in LIMBS.items():
            (p, sure), (q, sure_too) = body.joint(f"{side}_{start}"), body.joint(f"{side}_{end}")
            if min(sure, sure_too) >= max(min_confidence, 1e-6):
                out.append(float(np.linalg.norm(p - q)) / torsos)
    return out


def _torso(body: BodyPoints, min_confidence: float) -> float | None:
    ends = [[body.joint(name) for name in pair] for pair in TORSO]
    if min(sure for end in ends for _, sure in end) < max(min_confidence, 1e-6):
        return None
    upper, lower = (np.mean([place for place, _ in end], axis=0) for end in ends)
    return float(np.linalg.norm(upper - lower))


def _other_side(name: str) -> str:
    side, _, rest = name.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)
