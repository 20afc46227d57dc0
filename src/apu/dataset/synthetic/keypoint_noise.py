"""A detector of 2D joints and its errors: noise, missed joints, left and right exchanged, the wrong person's joints."""

import numpy as np
from jaxtyping import Float, Int

from apu.body.joints import joint_names
from apu.dataset.synthetic.observation_settings import KeypointSettings
from apu.dataset.synthetic.random_streams import Streams
from apu.dataset.synthetic.visibility import JointState
from apu.scene.camera import Camera
from apu.scene.person import Keypoints

_NAMES = joint_names("body25")
JOINTS = len(_NAMES)

TOGETHER: tuple[tuple[int, ...], ...] = tuple(
    tuple(_NAMES.index(name) for name in names)
    for names in (
        ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
        ("left_big_toe", "left_small_toe", "left_heel"),
        ("right_big_toe", "right_small_toe", "right_heel"),
    )
)
"""Joints that a detector sees as one thing: their errors hang together, and so does whether they are found."""

LIMB_PAIRS: tuple[tuple[str, ...], ...] = (
    ("elbow", "wrist"),
    ("knee", "ankle", "big_toe", "small_toe", "heel"),
)
"""Joints whose left and right are exchanged at once."""

MIDPOINTS: tuple[tuple[int, int, int], ...] = tuple(
    (_NAMES.index(middle), _NAMES.index(f"left_{end}"), _NAMES.index(f"right_{end}"))
    for middle, end in (("neck", "shoulder"), ("mid_hip", "hip"))
)
"""Joints that BODY_25 has in the middle of two others."""

CONFIDENCE_RANGE = (0.02, 0.99)


def detected(
    pixels: Float[np.ndarray, "2 25 2"],
    states: Int[np.ndarray, "2 25"],
    camera: Camera,
    streams: Streams,
    settings: KeypointSettings,
) -> tuple[Keypoints, Keypoints]:
    """What a detector says of A and B.

    Args:
        pixels: true joints, BODY_25.
        states: `JointState` of every joint.
        camera: of the picture.
        streams: of the pair.
        settings: see there.
    """
    if not settings.on:
        confidence = (states != JointState.OUT_OF_FRAME).astype(np.float32)
        return _keypoints(pixels[0], confidence[0]), _keypoints(pixels[1], confidence[1])
    place, quality = _swapped(pixels, states, streams, settings)
    place, quality = _stolen(place, quality, pixels, streams, settings)
    level = quality.clip(0, 2)
    size = np.array([box_diagonal(xy, state) for xy, state in zip(pixels, states, strict=True)])
    sigma = np.array(settings.radial_rms)[level] * size[:, None] / np.sqrt(2)
    place = place + sigma[..., None] * _unit_errors(streams, settings.together)
    spread = np.array(settings.confidence_spread)[level] * streams("keypoints/confidence").normal(size=(2, JOINTS))
    confidence = (np.array(settings.confidence)[level] + spread).clip(*CONFIDENCE_RANGE)
    missed = _shared_chance(streams) < np.array(settings.dropped)[level]
    confidence[missed | (quality == JointState.OUT_OF_FRAME)] = 0.0
    place = place.clip(0, [camera.width, camera.height])
    for middle, left, right in MIDPOINTS:
        place[:, middle] = (place[:, left] + place[:, right]) / 2
        confidence[:, middle] = np.minimum(confidence[:, left], confidence[:, right])
    return _keypoints(place[0], confidence[0]), _keypoints(place[1], confidence[1])


def box_diagonal(pixels: Float[np.ndarray, "25 2"], states: Int[np.ndarray, " 25"]) -> float:
    """Diagonal of the box around a person's joints in the picture, pixels; around all when those are fewer than 3."""
    inside = states != JointState.OUT_OF_FRAME
    counted = pixels[inside] if inside.sum() >= 3 else pixels
    return float(np.hypot(*np.ptp(counted, axis=0)))


def _swapped(pixels, states, streams: Streams, settings: KeypointSettings):
    """Left and right of whole limbs exchanged; (places, states of these places)."""
    chance = streams("keypoints/swapped").random((2, len(LIMB_PAIRS)))
    place, quality = pixels.copy(), states.copy()
    for person in (0, 1):
        for k, joints in enumerate(LIMB_PAIRS):
            left = [_NAMES.index(f"left_{joint}") for joint in joints]
            right = [_NAMES.index(f"right_{joint}") for joint in joints]
            hidden = (states[person, left + right] == JointState.BEHIND_SELF).any()
            if chance[person, k] < (settings.swapped_hidden if hidden else settings.swapped):
                place[person, left + right] = pixels[person, right + left]
                quality[person, left + right] = states[person, right + left]
    return place, quality


def _stolen(place, quality, pixels, streams: Streams, settings: KeypointSettings):
    """Some joints behind the other person put on a joint of that person's: the nearest of the same kind."""
    chance = streams("keypoints/stolen").random((2, JOINTS))
    out, quality = place.copy(), quality.copy()
    for person in (0, 1):
        near = settings.stolen_within * float(np.hypot(*np.ptp(pixels[person], axis=0)))
        taken = (quality[person] == JointState.BEHIND_OTHER) & (chance[person] < settings.stolen)
        for joint in np.flatnonzero(taken):
            goals = pixels[1 - person, _SAME_KIND[joint]]
            apart = np.linalg.norm(goals - place[person, joint], axis=-1)
            if apart.min() <= near:
                out[person, joint] = goals[apart.argmin()]
                quality[person, joint] = JointState.BEHIND_SELF
    return out, quality


def _kind(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


_SAME_KIND = [[i for i, other in enumerate(_NAMES) if _kind(other) == _kind(name)] for name in _NAMES]


def _unit_errors(streams: Streams, together: float) -> Float[np.ndarray, "2 25 2"]:
    """Errors of unit variance; those of a face or foot have the share `together` of theirs in common."""
    own = streams("keypoints/noise").normal(size=(2, JOINTS, 2))
    common = streams("keypoints/common noise").normal(size=(2, len(TOGETHER), 2))
    for k, joints in enumerate(TOGETHER):
        own[:, joints] = np.sqrt(together) * common[:, k, None] + np.sqrt(1 - together) * own[:, joints]
    return own


def _shared_chance(streams: Streams) -> Float[np.ndarray, "2 25"]:
    """Uniform numbers, the same for all joints of a face or foot."""
    chance = streams("keypoints/dropped").random((2, JOINTS))
    for joints in TOGETHER:
        chance[:, joints] = chance[:, joints[:1]]
    return chance


def _keypoints(xy: Float[np.ndarray, "25 2"], confidence: Float[np.ndarray, " 25"]) -> Keypoints:
    return Keypoints("body25", xy.astype(np.float32), confidence.astype(np.float32))
