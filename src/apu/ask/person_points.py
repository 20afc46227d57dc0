"""The joints of people as evidence on sides: in the photo, and in space after a first fit."""

from collections.abc import Sequence

from apu.contact.body_points import BodyPoints
from apu.scene.estimate import Estimate
from apu.scene.person import Person

_JOINTS = "body25"


def image_points(person: Person) -> BodyPoints:
    """The person's keypoints, pixels."""
    seen = person.keypoints.as_set(_JOINTS)
    return BodyPoints(seen.xy, seen.confidence)


def space_points(estimate: Estimate, people: Sequence[Person]) -> tuple[BodyPoints, BodyPoints]:
    """The joints of A and B in space, metres, each as sure as the keypoint that holds it.

    Args:
        estimate: of the two.
        people: A and B.
    """
    a, b = (
        BodyPoints(joints.detach().cpu().numpy(), image_points(person).confidence)
        for joints, person in zip(estimate.joints, people, strict=True)
    )
    return a, b
