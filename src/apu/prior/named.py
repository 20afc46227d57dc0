"""The prior that a user names by its folder, ready to guide a fit."""

from dataclasses import dataclass
from pathlib import Path

from apu.body.protocol import BodyModel
from apu.prior.checkpoint import load_prior, read_config
from apu.prior.guidance import DiffusionGuidance


@dataclass(frozen=True)
class NamedPrior:
    """A prior, and what a run tells of it.

    Attributes:
        guidance: for the solver.
        folder: as it was named.
        sha256: of the weights.
    """

    guidance: DiffusionGuidance
    folder: Path
    sha256: str

    @property
    def note(self) -> str:
        """For the user."""
        return f"guided by the prior {self.folder} ({self.sha256[:12]})"


def named_prior(folder: Path, body: BodyModel, seed: int) -> NamedPrior:
    """Read a folder of `apu train`.

    Args:
        folder: of the prior.
        body: that it shall guide.
        seed: of its noise.

    Raises:
        InputError: there is no prior in the folder, it is damaged, or it is for other bodies.
    """
    guidance = DiffusionGuidance(load_prior(folder, body), seed=seed)
    return NamedPrior(guidance, folder, read_config(folder).weights_sha256)
