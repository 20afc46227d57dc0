"""The embedded guess: close parts are named, far and hidden ones are not, and it says that it is a guess."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from apu.ask.annotator import Annotator
from apu.ask.proximity import BEST_WEIGHT, LEAST_WEIGHT, MOST_CONTACTS, ProximityAnnotator
from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import ContactMap
from apu.scene.camera import Camera
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo

CAMERA = Camera.of_image(640, 640)
PHOTO = Photo(np.zeros((640, 640, 3), np.uint8), "p", "0" * 64)
PEOPLE = tuple(Person(i, Keypoints("body25", np.zeros((25, 2)), np.ones(25)), 1.0, "made up") for i in (0, 1))
OBSERVATION = PairObservation("p", CAMERA, (PEOPLE[0], PEOPLE[1]))


def estimate(body: AnnyBody, aside_m: float, behind_m: float = 0.0, down_m: float = 0.0) -> Estimate:
    """Two standing people who face the camera; B stands at the picture's right of A."""
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"][1] += torch.tensor([aside_m, 0.0, behind_m])
    parameters["translation"][:, 1] += down_m
    posed = body.forward(parameters, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    return Estimate(posed.vertices, posed.joints, parameters, "made up")


@pytest.fixture(scope="module")
def annotator(body: AnnyBody) -> ProximityAnnotator:
    return ProximityAnnotator(body.surface)


def guess(annotator: ProximityAnnotator, of: Estimate) -> ContactMap:
    return annotator.annotate(PHOTO, OBSERVATION, of)


def test_it_is_an_annotator_and_every_contact_carries_its_name(annotator: ProximityAnnotator, body: AnnyBody):
    assert isinstance(annotator, Annotator)
    found = guess(annotator, estimate(body, 0.55))
    assert found.source == "proximity"
    assert found.contacts
    assert {c.source for c in found.contacts} == {"proximity"}


def test_side_by_side_the_arms_between_them_touch(annotator: ProximityAnnotator, body: AnnyBody):
    found = guess(annotator, estimate(body, 0.55))
    for contact in found.contacts:  # A's left is at the picture's right
        assert all(region.startswith("left_") for region in contact.regions_a)
        assert all(region.startswith("right_") for region in contact.regions_b)


@pytest.mark.parametrize(("aside_m", "behind_m"), [(1.5, 0.0), (0.3, 1.5)])
def test_people_apart_in_the_picture_or_in_depth_do_not_touch(
    annotator: ProximityAnnotator, body: AnnyBody, aside_m: float, behind_m: float
):
    assert guess(annotator, estimate(body, aside_m, behind_m)).contacts == ()


def test_parts_outside_the_picture_are_not_named(annotator: ProximityAnnotator, body: AnnyBody):
    assert guess(annotator, estimate(body, 0.55, down_m=9.0)).contacts == ()


def test_swapping_the_people_swaps_the_contacts(annotator: ProximityAnnotator, body: AnnyBody):
    straight = estimate(body, 0.5, 0.1)
    swapped = replace(straight, vertices=straight.vertices.flip(0), joints=straight.joints.flip(0))
    pairs = {(c.regions_a, c.regions_b) for c in guess(annotator, straight).contacts}
    assert pairs == {(c.regions_b, c.regions_a) for c in guess(annotator, swapped).contacts}


def test_a_guess_is_modest(annotator: ProximityAnnotator, body: AnnyBody):
    found = guess(annotator, estimate(body, 0.45))
    assert 0 < len(found.contacts) <= MOST_CONTACTS
    assert all(LEAST_WEIGHT <= c.weight <= BEST_WEIGHT for c in found.contacts)
    for side in ("regions_a", "regions_b"):
        named = [region for c in found.contacts for region in getattr(c, side)]
        assert len(named) == len(set(named)), "no region carries two contacts"
