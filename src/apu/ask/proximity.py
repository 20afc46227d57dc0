"""The embedded annotator: parts that are close in the image and in the first 3D fit. A heuristic, and labelled as one.

It has no idea of the photo's meaning. In one photo the depth between two people is the least known number, so closeness
in the image counts fully, and depth only within what a first fit gets wrong. All constants are hand-set.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples, sample_regions
from apu.contact.contact import Contact, ContactMap
from apu.geometry.camera import project
from apu.geometry.normals import summed_normals
from apu.scene.annotation import NOTHING, Annotation
from apu.scene.camera import Camera
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo

IMAGE_SIGMA_M, DEPTH_SIGMA_M = 0.025, 0.15
"""How far apart two touching places are fitted, across the picture and along the line of sight, metres."""

MAX_COST = 1.5
"""Half the squared distance in those sigmas above which two places do not touch."""

FACING = 0.1
"""Largest cosine between the outward normals of two places that touch: skin meets skin face to face."""

MOST_CONTACTS = 4
MOST_OF_ONE_REGION = 1
BEST_WEIGHT, LEAST_WEIGHT = 0.5, 0.1
"""A guess is never as sure as an annotation."""

LIKELY = {"hand": 0.5, "fingers": 0.5, "forearm": 0.5, "upper_arm": 0.5, "shoulder": 0.5}
"""Cost taken off for each side that begins with these words: people mostly touch with hands and arms."""


class ProximityAnnotator:
    """Guesses contacts from the first fit.

    Args:
        surface: of the body that the estimates are made of.
    """

    name = "proximity"

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._samples: RegionSamples = sample_regions(surface)
        self._reward = torch.tensor([_reward(name) for name in surface.region_names])

    def describe(
        self, photo: Photo, people: Sequence[Person], observations: Sequence[PairObservation]
    ) -> list[Annotation]:
        """See `Annotator.describe`. It says nothing before the first fit."""
        return [NOTHING] * len(observations)

    def annotate(self, photo: Photo, observation: PairObservation, estimate: Estimate) -> ContactMap:
        """See `Annotator.annotate`. The photo's pixels are not looked at."""
        cost = self._region_costs(estimate, observation.camera)
        names = [str(name) for name in self._surface.region_names]
        used: dict[tuple[int, int], int] = {}
        contacts: list[Contact] = []
        for flat in (cost - self._reward[:, None] - self._reward[None]).flatten().argsort().tolist():
            a, b = divmod(flat, len(names))
            if float(cost[a, b]) > MAX_COST:
                continue
            if used.get((0, a), 0) >= MOST_OF_ONE_REGION or used.get((1, b), 0) >= MOST_OF_ONE_REGION:
                continue
            used[0, a], used[1, b] = used.get((0, a), 0) + 1, used.get((1, b), 0) + 1
            weight = max(LEAST_WEIGHT, BEST_WEIGHT * math.exp(-float(cost[a, b])))
            contacts.append(Contact(frozenset({names[a]}), frozenset({names[b]}), weight, self.name))
            if len(contacts) == MOST_CONTACTS:
                break
        return ContactMap(tuple(contacts), self.name)

    def _region_costs(self, estimate: Estimate, camera: Camera) -> Float[Tensor, "r r"]:
        """Cost of the best two places of every two regions; infinite where none in the picture face each other."""
        points = estimate.vertices[:, self._samples.vertices].double()
        summed = summed_normals(estimate.vertices, self._surface.faces)[:, self._samples.vertices]
        normals = torch.nn.functional.normalize(summed.double(), dim=-1)
        depth = points[..., 2:].clamp_min(0.1)
        middle = depth.mean()
        flat = points[..., :2] / depth * middle  # metres across the picture, at the pair's own distance
        square = torch.cdist(flat[0], flat[1]).square() / IMAGE_SIGMA_M**2
        square += (depth[0] - depth[1].T).square() / DEPTH_SIGMA_M**2
        facing = normals[0] @ normals[1].T <= FACING
        shown = _in_picture(points, camera)
        cost = (0.5 * square).masked_fill(~(facing & shown[0][:, None] & shown[1][None]), torch.inf)
        by_a = _least_of_each_region(cost, self._samples.rows, self._samples.filled)
        return _least_of_each_region(by_a.T, self._samples.rows, self._samples.filled).T


def _in_picture(points: Float[Tensor, "2 n 3"], camera: Camera) -> Bool[Tensor, "2 n"]:
    pixels = project(points, torch.tensor(camera.focal_px), torch.tensor(camera.center_px))
    x, y = pixels.unbind(-1)
    return (x > 0) & (y > 0) & (x < camera.width) & (y < camera.height)


def _least_of_each_region(
    cost: Float[Tensor, "n m"], rows: Int[Tensor, "r k"], filled: Bool[Tensor, "r k"]
) -> Float[Tensor, "r m"]:
    return cost[rows].masked_fill(~filled[..., None], torch.inf).amin(1)


def _reward(region: str) -> float:
    part = region.split("_", 1)[1]
    return next((value for start, value in LIKELY.items() if part.startswith(start)), 0.0)
