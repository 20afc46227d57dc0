"""Pairs whose true bodies are known: posed by the body model itself and seen through a camera without noise."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person


@dataclass(frozen=True)
class KnownPair:
    """A pair and the truth behind it.

    Attributes:
        observation: what a detector would see.
        parameters: name -> (2, size).
        vertices: (2, v, 3).
        joints: (2, 25, 3).
    """

    observation: PairObservation
    parameters: dict[str, torch.Tensor]
    vertices: torch.Tensor
    joints: torch.Tensor


def known_pair(
    body: AnnyBody, seed: int = 0, name: str = "known", depths_m: tuple[float, float] = (3.0, 3.1)
) -> KnownPair:
    """Two adults in front of the camera, A's left beside B's right, in poses near to standing."""
    generator = torch.Generator().manual_seed(seed)
    parameters = default_parameters(body.parameter_spec, (2,))
    scale = body.parameter_spec["pose"].scale
    parameters["pose"] += 0.2 * scale * torch.randn(parameters["pose"].shape, generator=generator)
    parameters["translation"] = torch.tensor([[-0.20, 0.0, depths_m[0]], [0.20, 0.05, depths_m[1]]])
    posed = body.forward(parameters, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    camera = Camera.of_image(640, 640)
    pixels = project(posed.joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
    people = [Person(i, Keypoints("body25", pixels[i], np.full(25, 0.9)), 0.9, "known") for i in (0, 1)]
    return KnownPair(PairObservation(name, camera, (people[0], people[1])), parameters, posed.vertices, posed.joints)


@pytest.fixture(scope="session")
def pair(body: AnnyBody) -> KnownPair:
    """One pair with known truth."""
    return known_pair(body)


@pytest.fixture(scope="session")
def deep_pair(body: AnnyBody) -> KnownPair:
    """B stands half a metre behind A."""
    return known_pair(body, name="deep", depths_m=(2.9, 3.4))
