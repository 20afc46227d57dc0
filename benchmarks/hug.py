"""The scene of the step benchmark: two default bodies that hug, a little in each other, seen by a camera in front."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.contact import Contact, ContactMap
from apu.contact.measured import measure_contacts
from apu.geometry.camera import project
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person
from apu.unite.problem import JOINT_SET

APART_M = 0.26
"""Between the roots: the bodies are three centimetres in each other, with some 2,300 vertices inside."""
CONTACTS = 12
NOISE_PX = 3.0
WITHIN_M = 0.03


@dataclass(frozen=True)
class Hug:
    """Two people in front of each other, their sides to the camera.

    Attributes:
        body: whose parameters these are.
        parameters: name -> (1, 2, size).
        vertices: (1, 2, v, 3) metres.
        joints: (1, 2, 25, 3) metres.
    """

    body: AnnyBody
    parameters: dict[str, Tensor]
    vertices: Tensor
    joints: Tensor

    @cached_property
    def contacts(self) -> ContactMap:
        """The nearest pairs of regions, no region of A more than twice."""
        chosen: list[Contact] = []
        for found in measure_contacts(self.body.surface, self.vertices, WITHIN_M)[0]:
            a = frozenset({found.region_a})
            if sum(c.regions_a == a for c in chosen) < 2 and len(chosen) < CONTACTS:
                chosen.append(Contact(a, frozenset({found.region_b})))
        assert len(chosen) == CONTACTS
        return ContactMap(tuple(chosen), "measured")

    @cached_property
    def observation(self) -> PairObservation:
        """The joints in the picture, with noise."""
        camera = Camera.of_image(960, 960)
        pixels = project(self.joints[0], torch.tensor(camera.focal_px), torch.tensor(camera.center_px)).numpy()
        pixels = pixels + NOISE_PX * np.random.default_rng(0).standard_normal(pixels.shape)
        a, b = (Person(i, Keypoints(JOINT_SET, pixels[i], np.full(25, 0.9)), 0.9, "benchmark") for i in (0, 1))
        return PairObservation("hug", camera, (a, b))


def hug(body: AnnyBody) -> Hug:
    """A's arms over B's shoulders, B's arms around A's waist."""
    spec = body.parameter_spec
    parameters = default_parameters(spec, (1, 2))
    place = {name: i for i, name in enumerate(spec["pose"].names)}
    for person, shoulder in ((0, 1.25), (1, 0.75)):
        pose = parameters["pose"][0, person]
        pose[place["neck_bend"]] = 0.25
        for side in ("left", "right"):
            pose[place[f"{side}_shoulder_flexion"]] = shoulder
            pose[place[f"{side}_shoulder_abduction"]] = 0.35
            pose[place[f"{side}_elbow_flexion"]] = 0.9
    parameters["orientation"][0, :, 1] = torch.tensor([-np.pi / 2, np.pi / 2])
    parameters["translation"][0] = torch.tensor([[-APART_M / 2, 0.0, 3.0], [APART_M / 2, 0.02, 3.03]])
    posed = body.forward(parameters, Parts(JOINT_SET, "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    return Hug(body, parameters, posed.vertices, posed.joints)
