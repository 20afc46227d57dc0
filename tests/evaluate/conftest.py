"""Pairs of bodies with known parameters, and small meshes whose contacts and overlaps can be computed by hand."""

from dataclasses import dataclass

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, Surface, default_parameters


@dataclass(frozen=True)
class Pairs:
    """Three pairs, people close to each other.

    Attributes:
        parameters: name -> (3, 2, size).
        joints: (3, 2, 14, 3).
        vertices: (3, 2, v, 3).
    """

    parameters: dict[str, torch.Tensor]
    joints: torch.Tensor
    vertices: torch.Tensor


def posed_pairs(body: AnnyBody, seed: int) -> Pairs:
    """Three pairs in random poses, B half a step behind A."""
    generator = torch.Generator().manual_seed(seed)
    parameters = default_parameters(body.parameter_spec, (3, 2))
    for name, spread in (("pose", 0.3), ("orientation", 0.3), ("shape", 0.3), ("translation", 0.02)):
        scale = body.parameter_spec[name].scale
        parameters[name] += spread * scale * torch.randn(parameters[name].shape, generator=generator)
    parameters["translation"] += torch.tensor([[0.0, 0, 0], [0.15, 0, 0.2]])
    posed = body.forward(parameters, Parts("j14", "all"))
    assert posed.joints is not None
    assert posed.vertices is not None
    return Pairs(parameters, posed.joints, posed.vertices)


@pytest.fixture(scope="session")
def true(body: AnnyBody) -> Pairs:
    return posed_pairs(body, 0)


@pytest.fixture(scope="session")
def predicted(body: AnnyBody) -> Pairs:
    return posed_pairs(body, 1)


def closed_surface(vertices: torch.Tensor, faces: torch.Tensor) -> Surface:
    """A body that is a single closed mesh of one region."""
    return Surface(faces, faces, vertices, torch.zeros(len(vertices), dtype=torch.int64), ("left_hand_palm",))


@pytest.fixture
def two_triangles() -> Surface:
    """A body of two far triangles, a left palm and a right palm, in the plane z = 0."""
    left = torch.tensor([[0.0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], dtype=torch.float64)
    right = left + torch.tensor([5.0, 0, 0])
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])
    region = torch.tensor([0, 0, 0, 1, 1, 1])
    return Surface(faces, faces, torch.cat([left, right]), region, ("left_hand_palm", "right_hand_palm"))
