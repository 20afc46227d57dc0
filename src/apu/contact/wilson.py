"""Few votes as a trust: Wilson's lower bound of a share, scaled such that a unanimous vote is 1."""

import math

Z = 1.0
"""Standard normal quantile of the bound."""


def wilson_lower(share: float, votes: float, z: float = Z) -> float:
    """Lower bound of the true share, after Wilson (1927).

    Args:
        share: of the votes that are for it, in [0, 1].
        votes: how many there are, above 0; not necessarily a whole number.
        z: standard normal quantile.
    """
    square = z * z / votes
    spread = math.sqrt(max(share * (1 - share), 0.0) * square + square * square / 4)
    return max(0.0, (share + square / 2 - spread) / (1 + square))


def vote_weight(share: float, votes: float) -> float:
    """`wilson_lower` at z = 1 over its value for a unanimous vote, n / (n + 1): in [0, 1], and 1 for share 1.

    A share that n votes cannot tell from 0 gets little. No votes at all have weight 0.
    """
    if votes <= 0 or share <= 0:
        return 0.0
    return 1.0 if share >= 1 else min(1.0, wilson_lower(share, votes) * (votes + 1) / votes)


def effective_votes(weights: list[float]) -> float:
    """How many equal votes say as much as these: (sum w)^2 / sum w^2, Kish's effective sample size; 0 for none."""
    largest = max(weights, default=0.0)
    if largest <= 0:
        return 0.0
    scaled = [weight / largest for weight in weights]
    return math.fsum(scaled) ** 2 / math.fsum(w * w for w in scaled)
