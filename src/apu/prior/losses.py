"""What training minimises: errors of the predicted x0, averaged over pairs and never summed."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.body.region_samples import sample_regions
from apu.prior.representation import Representation, Token
from apu.prior.settings import LossWeights

SkinPoints = Callable[[Float[Tensor, "n d"]], Float[Tensor, "n p 3"]]
"""Rows, not normalised, to points on both bodies in A's root frame."""


def x0_loss(
    found: Float[Tensor, "n d"], true: Float[Tensor, "n d"], tokens: Sequence[Token], roles: dict[str, float]
) -> Float[Tensor, " n"]:
    """Weighted mean of the tokens' mean squared errors, in normalised units.

    Args:
        found, true: normalised rows.
        tokens: of the representation.
        roles: parameter -> weight.
    """
    square = (found - true).square()
    each = torch.stack([square[:, t.columns].mean(-1) for t in tokens], -1)
    weight = found.new_tensor([roles[t.parameter] for t in tokens])
    return (each * weight).sum(-1) / weight.sum()


def role_weights(representation: Representation, weights: LossWeights) -> dict[str, float]:
    """Parameter -> weight, by the roles of the spec."""
    by_role = {
        "angles": weights.pose,
        "shape_logits": weights.shape,
        "orientation": weights.orientation,
        "translation": weights.translation,
    }
    return {name: by_role[one.role] for name, one in representation.spec.items()}


def point_loss(found: Float[Tensor, "n p 3"], true: Float[Tensor, "n p 3"]) -> Float[Tensor, " n"]:
    """Mean squared distance of points, m^2."""
    return (found - true).square().sum(-1).mean(-1)


def skin_points(body: BodyModel, representation: Representation, per_region: int) -> SkinPoints:
    """A function that puts well spread points of every region where rows say; differentiable.

    Both bodies are posed at the origin, and B's points are then moved: no rotation vector is needed on the way.

    Args:
        body: the body model.
        representation: of its pairs.
        per_region: points of each region.
    """
    vertices = sample_regions(body.surface, per_region).vertices
    placed = (representation.orientation, representation.translation)

    def points(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n p 3"]:
        own: dict[str, Tensor] = {
            name: torch.stack([rows[:, t.columns] for t in representation.tokens if t.parameter == name], 1)
            for name in representation.own
        }
        still = rows.new_zeros(len(rows), 2, 3)
        posed = body.forward({**own, **dict.fromkeys(placed, still)}, Parts(vertices=vertices)).vertices
        assert posed is not None
        turn, offset = representation.relative(rows)
        of_b = posed[:, 1] @ turn.mT + offset[:, None]
        return torch.cat([posed[:, 0], of_b], 1)

    return points
