"""Which pairs can be fitted: what makes no sense is refused with its reason, before it meets the others of a batch.

The limits are wide: they part what no camera and no person can be from what is only strange. A strange pair is fitted,
and the verdict judges the fit.
"""

from dataclasses import replace

import numpy as np

from apu.errors import CameraError, EstimateError, FitError, PeopleError
from apu.scene.estimate import InitialBody
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Person
from apu.unite.problem import JOINT_SET, REPORTED_CONFIDENCE, sound_keypoints

LEAST_JOINTS = 4
"""Fewer seen joints say nothing about where a body is."""
LEAST_BOX_PX = 4.0
"""Diagonal of a keypoint box in which detectors could still tell joints apart."""
SAME_SHARE = 0.005
"""Joints of two people that agree to this share of the box's diagonal, on average, are those of one person."""
FOCAL_SHARES = (0.01, 1000.0)
"""Focal length by the longer image side: views of 178 and of 0.06 degrees."""
CENTER_SIDES = 100.0
"""How far off the picture's middle the principal point may lie, in image sides; crops of crops move it."""
DEPTHS_M = (0.1, 100.0)
"""Depth of an estimated body's root: nearer it is in the lens, farther it has no visible joints."""
LARGEST_NUMBER = 100.0
"""Of an estimate's angles in radians, its logits, and its place across the line of sight in metres."""

KEYPOINTS_REMEDY = "choose another pair with --pair, or give better keypoints with --keypoints FILE."


def check_fittable(observation: PairObservation) -> None:
    """Refuse a pair that cannot be fitted.

    Args:
        observation: the pair.

    Raises:
        CameraError: the camera is none.
        PeopleError: a person's keypoints are too few, too close to each other, no numbers, or the other person's.
        EstimateError: an initial estimate is no body in front of the camera.
    """
    _check_camera(observation)
    for person in observation.people:
        _check_keypoints(observation, person)
    _check_two_people(observation)
    for person, initial in zip(observation.people, observation.initial, strict=True):
        fault = None if initial is None else estimate_fault(initial)
        if initial is not None and fault is not None:
            expected, got = fault
            raise EstimateError(
                "An initial estimate is no body in front of the camera.",
                where=f"photo {observation.photo!r}, person {person.index}, estimate by {initial.source!r}",
                expected=expected,
                got=got,
                remedy="mend or leave out the file that was given with --init.",
            )


def estimate_fault(initial: InitialBody) -> tuple[str, str] | None:
    """What is wrong with an estimate, as what was expected and what was got; None for a sound one."""
    for name, value in initial.parameters.items():
        if not bool(value.isfinite().all()):
            return "finite numbers", f"{name} = {value.tolist()}"
        if name != "translation" and bool((value.abs() > LARGEST_NUMBER).any()):
            return f"{name} of at most {LARGEST_NUMBER:g}", f"{float(value.abs().max()):g}"
    x, y, z = initial.parameters["translation"].tolist()
    low, high = DEPTHS_M
    if not low <= z <= high:
        return f"a depth between {low:g} and {high:g} m", f"{z:g} m"
    if max(abs(x), abs(y)) > LARGEST_NUMBER:
        return f"a place within {LARGEST_NUMBER:g} m of the line of sight", f"({x:g}, {y:g}) m"
    return None


def with_sound_estimates(observation: PairObservation) -> PairObservation:
    """The pair without the estimates that `check_fittable` would refuse it for; they would spoil a whole batch."""
    a, b = (one if one is not None and estimate_fault(one) is None else None for one in observation.initial)
    return replace(observation, initial=(a, b))


def check_finite(observation: PairObservation, fit: Fit) -> None:
    """Refuse a fit that is no pair of bodies.

    Raises:
        FitError: a number of it is not finite.
    """
    numbers = [fit.vertices, fit.joints, fit.first_vertices, *fit.parameters.values()]
    rest = [fit.penetration_max_m, fit.penetration_volume_cm3, *fit.reprojection_percent, *fit.heights_m]
    if all(bool(x.isfinite().all()) for x in numbers) and bool(np.isfinite(rest).all()):
        return
    raise FitError(
        "The fit led to no finite bodies.",
        where=f"photo {observation.photo!r}, people {' and '.join(str(p.index) for p in observation.people)}",
        expected="finite numbers",
        got=f"reprojection errors {fit.reprojection_percent}, heights {fit.heights_m}",
        remedy=KEYPOINTS_REMEDY,
    )


def _check_camera(observation: PairObservation) -> None:
    camera = observation.camera
    side = max(camera.width, camera.height)
    low, high = FOCAL_SHARES
    center = np.abs(np.array(camera.center_px) - np.array([camera.width, camera.height]) / 2).max()
    sharp = min(camera.width, camera.height) > 0 and low * side <= camera.focal_px <= high * side
    if sharp and center <= CENTER_SIDES * side:
        return
    raise CameraError(
        "The camera is none.",
        where=f"photo {observation.photo!r}",
        expected=f"a focal length of {low:g} to {high:g} image sides, and a principal point near the picture",
        got=f"{camera.focal_px:g} px, {tuple(camera.center_px)}, picture of {camera.width} x {camera.height}",
        remedy="give the focal length in pixels of the photo, or leave it out.",
    )


def _check_keypoints(observation: PairObservation, person: Person) -> None:
    keypoints = person.keypoints.as_set(JOINT_SET)
    sound = sound_keypoints(keypoints, observation.camera)
    claimed = keypoints.confidence != 0  # NaN, too
    broken = int((claimed & (sound.confidence != keypoints.confidence)).sum())
    seen = int((sound.confidence > REPORTED_CONFIDENCE).sum())
    size = sound.diagonal(REPORTED_CONFIDENCE)
    problem = None
    if broken:
        problem = "A keypoint is no place near the picture.", "finite pixels and confidences", f"{broken} that are not"
    elif seen < LEAST_JOINTS:
        wanted = f"at least {LEAST_JOINTS} keypoints with confidence above {REPORTED_CONFIDENCE:g}"
        problem = "Too little of a person is seen.", wanted, str(seen)
    elif size < LEAST_BOX_PX:
        problem = "A person is too small.", f"keypoints {LEAST_BOX_PX:g} pixels apart or more", f"{size:.2g} pixels"
    if problem is not None:
        what, expected, got = problem
        raise PeopleError(
            what,
            where=f"photo {observation.photo!r}, person {person.index}",
            expected=expected,
            got=got,
            remedy=KEYPOINTS_REMEDY,
        )


def _check_two_people(observation: PairObservation) -> None:
    a, b = (person.keypoints.as_set(JOINT_SET) for person in observation.people)
    both = (a.confidence > REPORTED_CONFIDENCE) & (b.confidence > REPORTED_CONFIDENCE)
    if both.sum() < LEAST_JOINTS:
        return
    apart = float(np.linalg.norm(a.xy[both] - b.xy[both], axis=-1).mean())
    if apart <= SAME_SHARE * max(a.diagonal(), b.diagonal()):
        raise PeopleError(
            "The two people are one.",
            where=f"photo {observation.photo!r}, people {' and '.join(str(p.index) for p in observation.people)}",
            expected="keypoints of two people",
            got=f"the same ones to {apart:.2g} pixels",
            remedy=KEYPOINTS_REMEDY,
        )
