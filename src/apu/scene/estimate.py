"""Two bodies as somebody placed them before any contact was used: the first fit, or another program's estimate."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class InitialBody:
    """One body as another program estimates it, in the parameters of our body model.

    Attributes:
        parameters: name -> (size,), camera frame.
        source: who estimated it, e.g. `bev`.
    """

    parameters: Mapping[str, Float[Tensor, " size"]]
    source: str


@dataclass(frozen=True)
class Estimate:
    """Two bodies in the camera frame, metres; person axis first.

    Attributes:
        vertices: (2, v, 3) full mesh.
        joints: (2, 25, 3) BODY_25.
        parameters: name -> (2, size).
        source: who made it, e.g. `first fit`.
    """

    vertices: Float[Tensor, "2 v 3"]
    joints: Float[Tensor, "2 25 3"]
    parameters: Mapping[str, Float[Tensor, "2 size"]]
    source: str
