"""Random numbers by name: every part of a pair's observation draws from a stream of its own.

So nothing depends on which pairs are observed together or in which order, and a part that is switched off leaves the
random numbers of all others as they are.
"""

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The streams of one pair.

    Attributes:
        seed: of the observation, not negative.
        pair: id of the pair.
    """

    seed: int
    pair: str

    def __call__(self, part: str) -> np.random.Generator:
        """A fresh generator, always the same for a seed, pair and part; parts are independent of each other."""
        digest = hashlib.sha256(f"{len(self.pair)}:{self.pair}:{part}".encode()).digest()
        words = np.frombuffer(digest, dtype=">u4")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, *(int(w) for w in words)])))
