"""True pairs of the synthetic world -> what a photo, a detector and a mesh estimator would say about them.

What a vision-language model would say is in `apu.dataset.synthetic.answers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.body.rigid import moved
from apu.dataset.synthetic import initial_noise, second_family
from apu.dataset.synthetic.camera_model import View, choose_view
from apu.dataset.synthetic.keypoint_noise import detected
from apu.dataset.synthetic.observation_settings import InitialSettings, ObservationSettings
from apu.dataset.synthetic.random_streams import Streams
from apu.dataset.synthetic.visibility import pixels_of
from apu.errors import InputError
from apu.scene.estimate import InitialBody
from apu.scene.pair import PairObservation
from apu.scene.person import Keypoints, Person
from apu.scene.true_pair import TruePair

SOURCE = "synthetic"


@dataclass(frozen=True)
class Observed:
    """A pair as programs see it, and the truth behind it in the camera frame.

    Attributes:
        truth: the pair.
        observation: what the fit is given.
        view: where the camera stands.
        true_parameters: name -> (2, size), camera frame.
        true_joints: (2, 25, 3) BODY_25, camera frame, metres.
        true_keypoints: (2, 25, 2) their pixels.
        visible: (2, 25) `apu.dataset.synthetic.visibility.JointState` of each.
        initial: the estimates of A and B, also where the observation does not carry them.
    """

    truth: TruePair
    observation: PairObservation
    view: View
    true_parameters: Mapping[str, Float[Tensor, "2 _"]]
    true_joints: Float[Tensor, "2 25 3"]
    true_keypoints: Float[np.ndarray, "2 25 2"]
    visible: Int[np.ndarray, "2 25"]
    initial: tuple[InitialBody, InitialBody]


@torch.no_grad()
def observe(
    body: BodyModel, pairs: Sequence[TruePair], seed: int, settings: ObservationSettings | None = None
) -> list[Observed]:
    """Observe every pair. A pair looks the same whatever others are observed with it.

    For that, pairs go one by one: sums over a larger batch differ in their last digits, and a mesh, two depth buffers
    and the bisection cost some 100 ms for a pair either way.

    Args:
        body: the model that the pairs' parameters belong to.
        pairs: in any order.
        seed: of all randomness, with the id of each pair; not negative.
        settings: defaults are the project's default noise.

    Raises:
        InputError: a pair has another body model, or the seed is negative.
    """
    if seed < 0:
        raise InputError("A seed is negative.", expected="0 or more", got=seed, remedy="give another seed.")
    return [_observed(body, pair, Streams(seed, pair.id), settings or ObservationSettings()) for pair in pairs]


def _observed(body: BodyModel, pair: TruePair, streams: Streams, settings: ObservationSettings) -> Observed:
    if pair.body_model != body.name:
        raise InputError(
            "A true pair has another body model.",
            where=f"pair {pair.id!r}",
            expected=body.name,
            got=pair.body_model,
            remedy="observe it with the body model that it was made with.",
        )
    level = body.forward(pair.parameters, Parts("body25", "all"))
    assert level.joints is not None
    assert level.vertices is not None
    joints, vertices = (x.double().cpu().numpy() for x in (level.joints, level.vertices))
    faces = body.surface.collision_faces.cpu().numpy()
    view, states = choose_view(joints, vertices, faces, streams, settings.camera)
    pixels = pixels_of(view.seen(joints), view.camera)
    people = detected(pixels, states, view.camera, streams, settings.keypoints)
    like = pair.parameters["translation"]
    true = moved(pair.parameters, torch.from_numpy(view.rotation).to(like), torch.from_numpy(view.translation).to(like))
    initial = estimated(body, true, streams, settings.initial)
    observation = PairObservation(
        photo=pair.id,
        camera=view.camera,
        people=(_person(0, people[0]), _person(1, people[1])),
        initial=initial if settings.initial.given else (None, None),
    )
    seen = torch.from_numpy(view.seen(joints)).to(like)
    return Observed(pair, observation, view, true, seen, pixels, states, initial)


def estimated(
    body: BodyModel, truth: Mapping[str, Float[Tensor, "2 _"]], streams: Streams, settings: InitialSettings
) -> tuple[InitialBody, InitialBody]:
    """Estimates of A and B by the family that the settings name.

    Args:
        body: the body model.
        truth: name -> (2, size), camera frame.
        streams: of the pair.
        settings: see there.
    """
    if settings.family == "second":
        both, source = second_family.second_family(body, truth, streams), second_family.SOURCE
    else:
        both, source = initial_noise.bev_like(body, truth, streams, settings), initial_noise.SOURCE
    a, b = (InitialBody({name: value[i] for name, value in both.items()}, source) for i in (0, 1))
    return a, b


def _person(index: int, keypoints: Keypoints) -> Person:
    seen = keypoints.confidence[keypoints.confidence > 0]
    return Person(index, keypoints, float(seen.mean()) if len(seen) else 0.0, SOURCE)
