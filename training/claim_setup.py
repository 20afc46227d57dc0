"""What one run of `claim.py` makes: its sizes, and where everything lies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sizes:
    """What is made; WORK belongs to one of these.

    Attributes:
        lab, large, wild: pairs of the data sets.
        part: true pairs that are observed and fitted for wild at a time.
        unseen, seen: pairs to evaluate on.
        steps, batch: of each training.
        network: further words for `apu train`.
        lab_classes: of lab.
        class_counts: K of the controls classes-K.
        min_chance: of `apu build`; None for the calibrated one.
        verdict: whether fits are judged at all.
    """

    lab: int = 400
    large: int = 1600
    wild: int = 1200
    part: int = 1600
    unseen: int = 200
    seen: int = 100
    steps: int = 3000
    batch: int = 64
    network: tuple[str, ...] = ()
    lab_classes: tuple[str, ...] = ("handshake", "hold_hands", "hug")
    class_counts: tuple[int, ...] = (3, 6, 9)
    min_chance: float | None = None
    verdict: bool = True


SMALL = Sizes(
    lab=4, large=6, wild=4, part=9, unseen=1, seen=1, steps=20, batch=4,
    network=("--width", "32", "--layers", "2", "--heads", "2", "--held-out", "0"),
    class_counts=(3, 9), verdict=False,
)  # fmt: skip
"""Enough to see that everything runs."""


@dataclass(frozen=True)
class Claim:
    """One run.

    Attributes:
        work: folder.
        sizes: of everything.
        seeds: of observations, answers and trainings.
        jobs: processes.
        split, test_seed, families, runs: of the evaluation.
        heard: further words for `apu eval prior`.
    """

    work: Path
    sizes: Sizes
    seeds: tuple[int, ...]
    jobs: int
    split: str
    test_seed: int
    families: tuple[str, ...]
    runs: tuple[str, ...]
    heard: tuple[str, ...]

    def true(self, name: str) -> Path:
        """Synthetic pairs."""
        return self.work / "true" / name

    def data(self, name: str) -> Path:
        """What priors learn from."""
        return self.work / "data" / name

    def prior(self, name: str, seed: int) -> Path:
        """A prior."""
        return self.work / "priors" / f"{name}-{seed}"
