"""Random numbers of training as functions of seed, purpose and step: nothing to store, and the same in any process."""

import hashlib

import torch
from jaxtyping import Int
from torch import Tensor


def generator(seed: int, purpose: str, number: int) -> torch.Generator:
    """Random numbers for one purpose at one step."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, number))


def derived_seed(seed: int, purpose: str, number: int) -> int:
    """A seed below 2^63."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def batch_rows(seed: int, count: int, batch: int, step: int) -> Int[Tensor, " batch"]:
    """Which pairs a step learns from. Every pair comes once in an epoch, in an order of the epoch's own.

    Args:
        seed: of the training.
        count: pairs of the data.
        batch: pairs of one step.
        step: from 0.
    """
    places = torch.arange(step * batch, (step + 1) * batch)
    epochs = torch.unique(places // count).tolist()
    order = torch.cat([torch.randperm(count, generator=generator(seed, "order", epoch)) for epoch in epochs])
    return order[places - epochs[0] * count]
