"""What is compared on the synthetic world: each method gives two bodies for an observed pair."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel
from apu.contact.contact import ContactMap
from apu.dataset.synthetic.answers import SimulatedAnswer, with_true_sides
from apu.dataset.synthetic.keypoint_noise import detected
from apu.dataset.synthetic.observation_settings import KeypointSettings
from apu.dataset.synthetic.observe import Observed
from apu.dataset.synthetic.random_streams import Streams
from apu.errors import InputError
from apu.evaluate.findings import BASELINES
from apu.evaluate.trusted_answers import Trust, trusted_map
from apu.scene.estimate import Estimate
from apu.scene.guidance import Guidance
from apu.scene.pair import PairObservation
from apu.unite.solve import FirstLook, look, unite

Method = Literal[
    "init", "keypoints", "mindist", "contacts", "contacts+oracle-sides", "shuffled", "oracle", "oracle+true-keypoints",
    "contacts+chirality", "contacts+chirality4", "contacts+chirality3d", "contacts+open-sides", "contacts+checks",
    "contacts+votes", "contacts+chirality+votes", "contacts+chirality3d+votes", "contacts+all",
    "keypoints+floor", "contacts+floor", "oracle+floor",
]  # fmt: skip
METHODS: tuple[Method, ...] = (
    "init", "keypoints", "mindist", "contacts", "contacts+oracle-sides", "shuffled", "oracle", "oracle+true-keypoints",
)  # fmt: skip
"""Those that run when none is named."""

VOTES = 5
"""Answers of the methods with votes."""

TRUST: Mapping[Method, Trust] = {
    "contacts+chirality": Trust(sides="relation"),
    "contacts+chirality4": Trust(sides="all-four"),
    "contacts+chirality3d": Trust(sides="relation and 3D"),
    "contacts+open-sides": Trust(sides="open"),
    "contacts+checks": Trust(order=True, possible=True),
    "contacts+votes": Trust(answers=VOTES),
    "contacts+chirality+votes": Trust(answers=VOTES, sides="relation"),
    "contacts+chirality3d+votes": Trust(answers=VOTES, sides="relation and 3D"),
    "contacts+all": Trust(answers=VOTES, sides="relation", order=True, possible=True),
}
"""What the methods do to noisy answers that run only when they are named."""

ON_FLOOR: Mapping[Method, Method] = {
    "keypoints+floor": "keypoints",
    "contacts+floor": "contacts",
    "oracle+floor": "oracle",
}
"""Methods that are also told of every pair that both stand on one floor, true or not, and what they are without; they
run only when they are named."""

EVERY_METHOD: tuple[Method, ...] = (*METHODS, *TRUST, *ON_FLOOR)

WORDS: Mapping[Method, str] = {
    "init": "the initial estimates as they are",
    "keypoints": "keypoints and initial estimates, no contact",
    "mindist": "and the smallest distance between the meshes pulled to zero (BUDDI's heuristic)",
    "contacts": "and one noisy simulated answer as given",
    "contacts+oracle-sides": "and the same answer with true sides",
    "shuffled": "and the noisy answer about another pair (control: must not help)",
    "oracle": "and the true contact map",
    "oracle+true-keypoints": "true contact map and noise-free keypoints (the ceiling)",
    "contacts+chirality": "the answer of `contacts`, sides decided by keypoints",
    "contacts+chirality4": "the same, the described relation not believed",
    "contacts+chirality3d": "the same, with a second vote in space after the first fit",
    "contacts+open-sides": "the answer of `contacts`, no side believed: the loss takes the nearest",
    "contacts+checks": "the answer of `contacts`, A and B checked, impossible contacts removed",
    "contacts+votes": f"{VOTES} noisy answers of the same model, pooled by votes",
    "contacts+chirality+votes": "the same, then sides decided by keypoints",
    "contacts+chirality3d+votes": "the same, then sides decided by keypoints and the first fit",
    "contacts+all": "votes, sides decided by keypoints, A and B checked, impossible contacts removed",
    **{told: f"`{method}`, and that both people stand on one floor" for told, method in ON_FLOOR.items()},
}


@dataclass(frozen=True)
class Case:
    """One observation of one pair, and what simulated models say about it.

    Attributes:
        observed: the pair as programs see it.
        answer: of a simulated model about this pair.
        other: of the same model about another pair.
        seed: of the observation.
        answers: of the same model about this pair, when it is asked several times; `answer` is the first. May be
            empty where no method pools answers.
    """

    observed: Observed
    answer: SimulatedAnswer
    other: SimulatedAnswer
    seed: int
    answers: tuple[SimulatedAnswer, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Two bodies of one method.

    Attributes:
        parameters: name -> (2, size), camera frame.
        seconds: wall time of the method for this pair; a share of its batch's, with the first fit that is shared.
    """

    parameters: Mapping[str, Float[Tensor, "2 _"]]
    seconds: float


def solve(
    body: BodyModel, cases: Sequence[Case], methods: Sequence[Method], *, guidance: Guidance | None = None
) -> dict[Method, list[Outcome]]:
    """Every method on every case; the first fit is shared by those that see the same keypoints.

    Args:
        body: the body model.
        cases: one batch.
        methods: which.
        guidance: a learned prior that all fits hear.
    """
    looks: dict[tuple[bool, bool], tuple[FirstLook, float]] = {}

    def first(method: Method) -> tuple[FirstLook, float]:
        sight = method == "oracle+true-keypoints", method in ON_FLOOR
        if sight not in looks:
            began = time.perf_counter()
            looks[sight] = look(body, [_observation(method, c.observed) for c in cases]), time.perf_counter() - began
        return looks[sight]

    out = {}
    for method in methods:
        if method == "init":
            out[method] = [_initial(c.observed) for c in cases]
            continue
        found, before = first(method)
        began = time.perf_counter()
        maps = [contacts_of(method, c, e) for c, e in zip(cases, found.estimates, strict=True)]
        loss = "mindist" if method == "mindist" else "soft"
        fits = unite(body, found, maps, contact_loss=loss, guidance=guidance)
        seconds = (before + time.perf_counter() - began) / len(cases)
        out[method] = [Outcome(f.parameters, seconds) for f in fits]
    return out


def contacts_of(method: Method, case: Case, estimate: Estimate | None = None) -> ContactMap:
    """The contact map that a method is given.

    Args:
        method: which.
        case: the pair and its answers.
        estimate: the first fit; only a second vote on sides needs it.
    """
    method = ON_FLOOR.get(method, method)
    if method in TRUST:
        return trusted_map(case.answers or (case.answer,), case.observed.observation, TRUST[method], estimate)
    maps: dict[str, Callable[[], ContactMap]] = {
        "contacts": lambda: case.answer.contact_map(),
        "contacts+oracle-sides": lambda: with_true_sides(case.answer).contact_map(),
        "shuffled": lambda: case.other.contact_map(),
        "oracle": lambda: case.observed.truth.contact_map(),
        "oracle+true-keypoints": lambda: case.observed.truth.contact_map(),
    }
    return maps[method]() if method in maps else ContactMap((), "none")


def check_methods(names: Sequence[str]) -> tuple[Method, ...]:
    """The methods of these names, each once, in the order of `EVERY_METHOD`.

    Raises:
        InputError: a name is unknown, or there is none.
    """
    unknown = [n for n in names if n not in EVERY_METHOD]
    if unknown or not names:
        raise InputError(
            "There is no such method.",
            where="--methods",
            expected=", ".join(EVERY_METHOD),
            got=", ".join(unknown) or "nothing",
            remedy="name one or more of them, parted by commas.",
        )
    return tuple(m for m in EVERY_METHOD if m in names)


def baselines(methods: Sequence[str]) -> tuple[str, ...]:
    """What the other methods are compared with: also what those that are named alone add something to."""
    plain = {method for told, method in ON_FLOOR.items() if told in methods}
    plain |= {"contacts"} if any(method in TRUST for method in methods) else set()
    return (*BASELINES, *(method for method in METHODS if method in plain and method not in BASELINES))


def _initial(observed: Observed) -> Outcome:
    names = observed.true_parameters
    return Outcome({n: torch.stack([one.parameters[n] for one in observed.initial]) for n in names}, 0.0)


def _observation(method: Method, observed: Observed) -> PairObservation:
    """What a method sees of a pair."""
    if method == "oracle+true-keypoints":
        return _true_keypoints(observed)
    return replace(observed.observation, shared_floor=True) if method in ON_FLOOR else observed.observation


def _true_keypoints(observed: Observed) -> PairObservation:
    """The observation of a detector without error: joints in the picture are where they are, with confidence 1."""
    streams = Streams(0, observed.truth.id)  # asked for nothing
    people = detected(
        observed.true_keypoints, observed.visible, observed.view.camera, streams, KeypointSettings(on=False)
    )
    a, b = (replace(p, keypoints=k) for p, k in zip(observed.observation.people, people, strict=True))
    return replace(observed.observation, people=(a, b))
