"""Random pairs of the default body, the 24 synthetic pairs of the repository as arrays, and a tiny prior."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import default_parameters
from apu.prior.contact_prior import ContactPrior
from apu.prior.network import Denoiser
from apu.prior.pairs import PairArrays
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.statistics import Statistics

sys.path.insert(0, str(Path(__file__).parent))  # so that other processes find `small_training`

from small_training import TINY, fixture_pairs

Pairs = Callable[..., dict[str, torch.Tensor]]


@pytest.fixture(scope="session")
def body64(body: AnnyBody) -> AnnyBody:
    return AnnyBody(body.asset, torch.float64)


@pytest.fixture(scope="session")
def representation(body: AnnyBody) -> Representation:
    return Representation(body.name, body.parameter_spec)


@pytest.fixture(scope="session")
def random_pairs(body64: AnnyBody) -> Pairs:
    """name -> (n, 2, size): angles within their bounds, any orientation, some metres from the camera."""

    def draw(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
        random = torch.Generator().manual_seed(seed)
        spec = body64.parameter_spec
        pairs = default_parameters(spec, (n, 2), torch.float64)
        share = torch.rand(n, 2, spec["pose"].size, generator=random, dtype=torch.float64)
        pairs["pose"] = spec["pose"].lower + share * (spec["pose"].upper - spec["pose"].lower)
        for name in ("orientation", "translation", "shape"):
            pairs[name] = pairs[name] + torch.randn(pairs[name].shape, generator=random, dtype=torch.float64)
        return {name: value.to(dtype) for name, value in pairs.items()}

    return draw


@pytest.fixture(scope="session")
def known_pairs(body: AnnyBody) -> PairArrays:
    """24 pairs with estimates and contacts."""
    return fixture_pairs(body)


@pytest.fixture
def untrained(representation: Representation, known_pairs: PairArrays) -> ContactPrior:
    """A prior with random weights, also in the layers that come last."""
    torch.manual_seed(3)
    network = Denoiser(representation.tokens, Schedule.of("cosine"), TINY)
    return ContactPrior(representation, Statistics.of(representation.encode(known_pairs.parameters)), network)
