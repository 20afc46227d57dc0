"""Who is in front, on pairs whose masks are drawn from the bodies themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.geometry.raster import rasterize
from apu.geometry.views import PerspectiveView
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import PersonMask
from apu.unite.occlusion import depth_order_agreement


@pytest.fixture(scope="module")
def overlapping(body: AnnyBody, pair) -> tuple[PairObservation, Fit]:
    """A stands in front of B, with masks that say so."""
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"] = torch.tensor([[-0.1, 0.0, 2.8], [0.1, 0.0, 3.4]])
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    fit = Fit(
        body.name, parameters, vertices, torch.zeros(2, 25, 3), vertices, pair_contacts(), (), (0.0, 0.0), 0.0, 0.0,
        (1.7, 1.7), {}, {},
    )  # fmt: skip
    camera = pair.observation.camera
    view = PerspectiveView(camera.focal_px, camera.center_px, camera.width, camera.height)
    faces = body.surface.faces.numpy()
    depth = [rasterize(*view.project(v), faces, view.width, view.height).depth for v in vertices.numpy()]
    box = (0.0, 0.0, float(camera.width), float(camera.height))
    shares = [np.isfinite(depth[0]) & (depth[0] <= depth[1]), np.isfinite(depth[1]) & (depth[1] < depth[0])]
    people = tuple(
        replace(person, mask=PersonMask(box, share.astype(np.float32), True))
        for person, share in zip(pair.observation.people, shares, strict=True)
    )
    return replace(pair.observation, people=(people[0], people[1])), fit


def pair_contacts():
    from apu.contact.contact import ContactMap

    return ContactMap((), "made up")


def test_the_right_order_agrees_and_the_wrong_one_does_not(body: AnnyBody, overlapping):
    observation, fit = overlapping
    faces = body.surface.faces.numpy()
    right = depth_order_agreement(observation, fit, faces)
    wrong = depth_order_agreement(
        observation, replace(fit, vertices=fit.vertices * torch.tensor([[[1.3]], [[0.7]]])), faces
    )
    assert right is not None
    assert wrong is not None
    assert right > 0.97
    assert wrong < 0.1


def test_an_unclean_or_missing_mask_tells_nothing(body: AnnyBody, overlapping):
    observation, fit = overlapping
    a, b = observation.people
    assert a.mask is not None
    for mask in (None, replace(a.mask, clean=False)):
        doubtful = replace(observation, people=(replace(a, mask=mask), b))
        assert depth_order_agreement(doubtful, fit, body.surface.faces.numpy()) is None


def test_bodies_side_by_side_have_no_order(body: AnnyBody, overlapping):
    observation, fit = overlapping
    apart = fit.vertices + torch.tensor([[[-0.8, 0.0, 0.0]], [[0.8, 0.0, 0.0]]])
    assert depth_order_agreement(observation, replace(fit, vertices=apart), body.surface.faces.numpy()) is None
