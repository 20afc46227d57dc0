"""How usual a pose is: the open density of motion capture (`apu.body.pose_density`) as a term of the mesh stages.

It speaks of people of whom no other program has an estimate. Where there is one, it knows the person's pose better than
the average of people does, and the density only pulls away from it: on 64 validation pairs, with the factor 0.3 for
everybody, pair PA-MPJPE of `contacts` rose from 68 to 81 mm. Stage 0 does without: its postures are the mixture there.
"""

from dataclasses import replace
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.pose_density import PoseDensity
from apu.body.protocol import BodyModel
from apu.unite.hypotheses import Beliefs


def unusual_pose(pose: Float[Tensor, "*b d"], density: PoseDensity, b: Beliefs) -> Float[Tensor, "*b"]:
    """log p(the most usual poses) - log p(pose) where the beliefs hold no estimate, else 0; nats.

    Args:
        pose: angles, radians.
        density: of the same angles. What is most usual is its 99th percentile on held-out frames.
        b: beliefs of the same bodies.
    """
    alone = (b.turn_precision == 0).to(pose.dtype)
    return alone * (density.typical["99"] - density.log_prob(pose))


def density_for(body: BodyModel) -> PoseDensity | None:
    """The shipped density, where the body's angles are and as fine; None for a body that has other angles."""
    spec = body.parameter_spec["pose"]
    return _shipped(spec.names, spec.default.dtype, spec.default.device)


@lru_cache(maxsize=4)
def _shipped(names: tuple[str, ...], dtype: torch.dtype, device: torch.device) -> PoseDensity | None:
    density = PoseDensity.load(dtype=dtype)
    if density.names != names:
        return None
    tensors = ("weight", "mean", "cholesky", "lower", "upper")
    return replace(density, **{name: getattr(density, name).to(device) for name in tensors})
