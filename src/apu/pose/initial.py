"""Other programs' bodies as starts of the fit: read, matched to the people of the photo, in our body's parameters."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import joint_names
from apu.body.protocol import BodyModel
from apu.body.retarget import JOINT_SET, retarget
from apu.body.smpl_rotations import hips_from_pelvis, smpl_rotations_to_pose
from apu.pose.initial_camera import pixels_of, place_in
from apu.pose.initial_kinds import read_estimates
from apu.pose.initial_matching import match_people
from apu.pose.initial_person import Estimated, EstimatedPerson, RotatedPerson, about_hips
from apu.pose.initial_plausible import check_plausible
from apu.pose.initial_values import NEAREST_M
from apu.scene.camera import Camera
from apu.scene.estimate import InitialBody
from apu.scene.person import Person

CHILD_START = {"age": math.log(0.22 / 0.78)}
"""From an adult, the fit of a small skeleton may end at a small adult; from a child it finds the child."""


def initial_bodies(path: Path, body: BodyModel, camera: Camera, people: Sequence[Person]) -> Mapping[int, InitialBody]:
    """Person's number -> another program's estimate, for those who have one.

    Args:
        path: a file of the photo by BEV, ROMP, 4D-Humans, Multi-HMR or SAM 3D Body, or of SMPL-X parameters; or a
            folder of such files, one per person.
        body: whose parameters are wanted.
        camera: of the photo; where the program's field of view is another, depth is changed so that the projection
            stays.
        people: of the photo.

    Raises:
        InputError: the file cannot be read, or nobody in it is in the photo.
    """
    estimates = with_joints(body, read_estimates(path, camera), path)
    matched = match_people(people, estimates, path)
    parameters = estimated_parameters(body, list(matched.values()), camera)
    return {
        index: InitialBody({name: value[i] for name, value in parameters.items()}, one.source)
        for i, (index, one) in enumerate(matched.items())
    }


def estimated_parameters(
    body: BodyModel, estimates: Sequence[EstimatedPerson], camera: Camera
) -> Mapping[str, Float[Tensor, "n _"]]:
    """Our body's parameters of other programs' people, in our camera: name -> (n, size)."""
    like = body.surface.rest_vertices
    joints = torch.tensor(np.array([one.joints_m for one in estimates])).to(like).reshape(-1, 25, 3)
    known = torch.tensor(np.array([one.known for one in estimates])).to(like).reshape(-1, 25)
    places = [place_in(one.place_m, one.camera, camera) for one in estimates]
    place = torch.tensor(np.array(places)).to(like).reshape(-1, 3)
    told = [one.parameters for one in estimates]
    if any(one is None for one in told):
        return retarget(body, joints + place[:, None], known, ({}, CHILD_START)).parameters
    rows = [one for one in told if one is not None]
    found = {name: torch.stack([one[name] for one in rows]) for name in rows[0]}
    moved = torch.tensor(np.array([one.place_m for one in estimates])).to(place)
    return {**found, "translation": found["translation"] + place - moved}


def with_joints(body: BodyModel, estimates: Sequence[Estimated], path: Path) -> list[EstimatedPerson]:
    """Everybody with joints: who has only rotations gets those of our body in that pose, with its default shape.

    Args:
        body: our body.
        estimates: of one file.
        path: the file, for errors.

    Raises:
        InputError: somebody does not stand in sight of the camera.
    """
    rotated = [one for one in estimates if isinstance(one, RotatedPerson)]
    posed = iter(_posed(body, rotated, path) if rotated else [])
    return [next(posed) if isinstance(one, RotatedPerson) else one for one in estimates]


def _posed(body: BodyModel, people: Sequence[RotatedPerson], path: Path) -> list[EstimatedPerson]:
    like = body.surface.rest_vertices
    turns = torch.tensor(np.array([one.global_orient for one in people])).to(like)
    poses = torch.tensor(np.array([one.body_pose for one in people])).to(like)
    parameters = smpl_rotations_to_pose(body, turns, poses)
    joints, _ = body.joints_and_jacobian(parameters, JOINT_SET, shape=False)
    names = joint_names(JOINT_SET)
    mine = joints[:, [names.index("left_hip"), names.index("right_hip")]].mean(1)
    pelvis = np.array([one.pelvis_m for one in people], np.float64)
    shift = pelvis + (hips_from_pelvis(turns.double()) - mine.double()).cpu().numpy()
    parameters["translation"] = parameters["translation"] + torch.from_numpy(shift).to(like)
    placed = joints.double().cpu().numpy() + shift[:, None]
    estimates = []
    for i, (person, xyz) in enumerate(zip(people, placed.astype(np.float32), strict=True)):
        seen = xyz[:, 2] > NEAREST_M
        place, around = about_hips(xyz, seen)
        own = {name: value[i] for name, value in parameters.items()}
        pixels = pixels_of(xyz, seen, person.camera)
        one = EstimatedPerson(person.row, person.source, person.camera, place, around, seen, pixels, own)
        check_plausible(one, path)
        estimates.append(one)
    return estimates
