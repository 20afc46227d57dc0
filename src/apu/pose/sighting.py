"""People as the detector sights them, before they are `Person`s, and which of these are one person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from apu.pose.skeleton import (
    Skeleton,
    head_position,
    joint_quality,
    object_keypoint_similarity,
    torso_length,
)

SAME_OKS = 0.6
"""Two skeletons as alike as this are one person."""

SAME_HEAD = 0.25
"""Torsos between two heads below which they are one head, if the bodies are also alike a little."""

SAME_HEAD_OKS = 0.25


@dataclass(frozen=True)
class Sighting:
    """A skeleton in photo pixels and how sure the net is of its centre."""

    skeleton: Skeleton
    center: float

    @property
    def score(self) -> float:
        """How sure it is that this is a person, in [0, 1]."""
        return self.center * joint_quality(self.skeleton)


@dataclass(frozen=True)
class Window:
    """A part of the photo, whole pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def longer(self) -> int:
        """The longer side, pixels."""
        return max(self.x1 - self.x0, self.y1 - self.y0)

    def cut(self, pixels: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "a b 3"]:
        """The part of the photo."""
        return np.ascontiguousarray(pixels[self.y0 : self.y1, self.x0 : self.x1])

    def to_photo(self, xy: np.ndarray, scale: float) -> np.ndarray:
        """From pixels of the net's input, (..., 2 or 3), to the photo's; a third column is kept."""
        moved = xy.copy()
        moved[..., :2] = xy[..., :2] / scale + (self.x0, self.y0)
        return moved


def is_same(a: Skeleton, b: Skeleton) -> bool:
    """Whether two skeletons are of one person."""
    likeness = object_keypoint_similarity(a, b)
    near = SAME_HEAD * min(torso_length(a), torso_length(b))
    apart = float(np.linalg.norm(head_position(a) - head_position(b)))
    return likeness > SAME_OKS or (likeness > SAME_HEAD_OKS and apart < near)


def is_known(new: Sighting, found: Sequence[Sighting]) -> bool:
    """Whether somebody is among those who were found."""
    return any(is_same(new.skeleton, known.skeleton) for known in found)


def distinct(found: Sequence[Sighting]) -> list[Sighting]:
    """Non-maximum suppression: of the skeletons of one person, the best."""
    kept: list[Sighting] = []
    for person in sorted(found, key=lambda person: -person.score):
        if not is_known(person, kept):
            kept.append(person)
    return kept
