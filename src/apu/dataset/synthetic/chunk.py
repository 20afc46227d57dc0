"""The unit of work of the generator: a few candidates of one class, solved together, always the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from apu.scene.true_pair import Split, TruePair


@dataclass(frozen=True)
class Chunk:
    """Which candidates to make. Equal chunks give equal pairs, on the same machine and versions.

    Attributes:
        interaction: name of the class.
        split: whose base poses and shapes.
        number: from 0; the same class, split and seed have as many chunks as one likes.
        seed: of the data set.
        mocap: motion capture file with base poses; None for the shipped density.
    """

    interaction: str
    split: Split
    number: int
    seed: int
    mocap: Path | None = None


@dataclass(frozen=True)
class ChunkResult:
    """What became of a chunk.

    Attributes:
        pairs: the accepted ones, in a fixed order.
        tried: candidates.
        rejected: reason -> how many candidates failed by it first.
    """

    pairs: tuple[TruePair, ...]
    tried: int
    rejected: Mapping[str, int]
