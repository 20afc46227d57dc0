"""Other programs' bodies as starts of the fit: read, matched to the people of the photo, in our body's parameters."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.body.retarget import JOINT_SET, retarget
from apu.pose.bev import SOURCE, BevPerson, read_bev
from apu.pose.bev_matching import match_people
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody
from apu.scene.person import Person

CHILD_START = {"age": math.log(0.22 / 0.78)}
"""From an adult, the fit of a small skeleton may end at a small adult; from a child it finds the child."""


def initial_bodies(path: Path, body: BodyModel, camera: Camera, people: Sequence[Person]) -> Mapping[int, InitialBody]:
    """Person's number -> another program's estimate, for those who have one.

    Args:
        path: a BEV or ROMP npz file of the photo.
        body: whose parameters are wanted.
        camera: of the photo; where its field of view is not BEV's 60 degrees, depth is changed so that the projection
            stays.
        people: of the photo.

    Raises:
        InputError: the file cannot be read, or nobody in it is in the photo.
    """
    matched = match_people(people, read_bev(path), path)
    parameters = bev_parameters(body, list(matched.values()), camera)
    return {
        index: InitialBody({name: value[i] for name, value in parameters.items()}, SOURCE)
        for i, index in enumerate(matched)
    }


def bev_parameters(
    body: BodyModel, estimates: Sequence[BevPerson], camera: Camera
) -> Mapping[str, Float[Tensor, "n _"]]:
    """Our body's parameters of BEV's people, camera frame: name -> (n, size)."""
    like = body.surface.rest_vertices
    named = [one.named_joints(JOINT_SET) for one in estimates]
    joints = torch.tensor(np.array([xyz for xyz, _, _ in named])).to(like)
    known = torch.tensor([known for _, _, known in named]).to(like)
    place = torch.tensor(np.array([one.translation_m for one in estimates])).to(like)
    theirs = Camera.of_image(camera.width, camera.height)
    place[:, 2] *= camera.focal_px / theirs.focal_px
    return retarget(body, joints + place[:, None], known, ({}, CHILD_START)).parameters
