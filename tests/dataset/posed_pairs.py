"""True pairs posed by hand, quickly: what the tests of the observation model look at."""

import math

import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.measured import MeasuredContact
from apu.scene.true_pair import TruePair

KINDS = {"hug": 0.32, "stand": 0.45, "side": 0.5, "sit": 0.6, "lie": 0.6}
"""Kind -> distance of the roots, metres."""

HANDS = {
    "hug": {"shoulder_flexion": 1.2, "elbow_flexion": 0.5, "shoulder_abduction": -0.2},
    "sit": {"hip_flexion": 1.4, "knee_flexion": 1.5},
}


def posed_pair(body: AnnyBody, number: int, kind: str = "hug", child: bool = False, noise: float = 0.3) -> TruePair:
    """Two people face to face (side by side in `side`, on their backs in `lie`); A a child or not."""
    spec = body.parameter_spec
    generator = torch.Generator().manual_seed(number)
    p = default_parameters(spec, (2,))
    p["pose"] += noise * spec["pose"].scale * torch.randn(2, spec["pose"].size, generator=generator)
    for name, angle in HANDS.get(kind, {}).items():
        for side in ("left", "right"):
            p["pose"][:, spec["pose"].names.index(f"{side}_{name}")] = angle
    p["pose"] = torch.maximum(torch.minimum(p["pose"], spec["pose"].upper), spec["pose"].lower)
    if child:
        p["shape"][0, spec["shape"].names.index("age")] = math.log(0.22 / 0.78)
    gap = KINDS[kind]
    p["translation"] = torch.tensor([[-gap / 2, 0.0, 0.0], [gap / 2, 0.0, 0.0]])
    quarter = math.pi / 2
    p["orientation"] = {
        "side": torch.zeros(2, 3),
        "lie": torch.tensor([[quarter, 0.0, 0.0], [quarter, 0.0, 0.0]]),
    }.get(kind, torch.tensor([[0.0, quarter, 0.0], [0.0, -quarter, 0.0]]))
    vertices = body.forward(p, Parts(vertices="all")).vertices
    assert vertices is not None
    p["translation"][:, 1] -= vertices[..., 1].amax(1)
    return true_pair(body, f"{kind}-{number}", p)


def true_pair(
    body: AnnyBody, name: str, parameters: dict[str, torch.Tensor], contacts: tuple[MeasuredContact, ...] = ()
) -> TruePair:
    return TruePair(
        name, "posed", "seen", "train", ("analytic", "analytic"), body.name, parameters, contacts, (), 0.0, 0
    )


def touching_pair(body: AnnyBody, name: str, *regions: tuple[str, str, float]) -> TruePair:
    """A pair of which only the contacts matter."""
    contacts = tuple(MeasuredContact(a, b, distance) for a, b, distance in regions)
    return true_pair(body, name, default_parameters(body.parameter_spec, (2,)), contacts)
