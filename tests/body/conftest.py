"""The default body in double precision, and random people of all ages."""

from collections.abc import Callable

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import default_parameters

People = Callable[..., dict[str, torch.Tensor]]


@pytest.fixture(scope="session")
def body64(body: AnnyBody) -> AnnyBody:
    return AnnyBody(body.asset, torch.float64)


@pytest.fixture(scope="session")
def random_people(body64: AnnyBody) -> People:
    """Bodies anywhere within their bounds, turned anyhow; every other one a child. Same seed, same people."""

    def draw(*batch: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
        random = torch.Generator().manual_seed(seed)
        spec = body64.parameter_spec
        people = default_parameters(spec, batch, torch.float64)

        def normal(name: str) -> torch.Tensor:
            return torch.randn(*batch, spec[name].size, generator=random, dtype=torch.float64)

        share = torch.rand(*batch, spec["pose"].size, generator=random, dtype=torch.float64)
        people["pose"] = spec["pose"].lower + share * (spec["pose"].upper - spec["pose"].lower)
        people["orientation"] = normal("orientation")
        people["translation"] = people["translation"] + normal("translation")
        people["shape"] = people["shape"] + spec["shape"].scale * normal("shape")
        people["shape"].view(-1, spec["shape"].size)[1::2, spec["shape"].names.index("age")] -= 2.5
        return {name: value.to(dtype) for name, value in people.items()}

    return draw
