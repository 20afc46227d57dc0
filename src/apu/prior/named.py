"""The prior that a user names, by its folder or as the one that comes with us, ready to guide a fit."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from apu.body.protocol import BodyModel
from apu.errors import InputError
from apu.prior.checkpoint import load_prior, read_config
from apu.prior.contact_prior import ContactPrior
from apu.prior.guidance import DiffusionGuidance
from apu.prior.shipped import SHIPPED_FOLDER, Shipped


@dataclass(frozen=True)
class NamedPrior:
    """A prior, and what a run tells of it.

    Attributes:
        guidance: for the solver.
        name: as it was named.
        folder: where it lies.
        sha256: of the weights.
    """

    guidance: DiffusionGuidance
    name: str
    folder: Path
    sha256: str

    @property
    def note(self) -> str:
        """For the user."""
        return f"guided by the prior {self.name} ({self.sha256[:12]})"


def named_prior(named: Path | Shipped, body: BodyModel, seed: int) -> NamedPrior | None:
    """Read a folder of `apu train`, or what comes with us; None where nothing comes with us for this body.

    Args:
        named: the folder, or `shipped`.
        body: that it shall guide.
        seed: of its noise.

    Raises:
        InputError: there is no prior in the folder, it is damaged, or it is for other bodies.
    """
    folder = folder_of(named, body)
    if folder is None:
        return None
    return NamedPrior(DiffusionGuidance(loaded_prior(folder, body), seed=seed), str(named), folder, weights_of(folder))


def folder_of(named: Path | Shipped, body: BodyModel) -> Path | None:
    """Where a prior lies; None where nothing comes with us for this body.

    Raises:
        InputError: nothing comes with this version at all.
    """
    folder = SHIPPED_FOLDER if named == "shipped" else named
    if named == "shipped" and not folder.is_dir():
        raise InputError(
            "No prior comes with this version.",
            where="prior",
            expected="a folder of `apu train`, or none",
            got="shipped",
            remedy="name a folder; `python training/make_prior.py WORK` makes a prior.",
        )
    if named == "shipped" and read_config(folder).body_model != body.name:
        return None
    return folder


def loaded_prior(folder: Path, body: BodyModel) -> ContactPrior:
    """As `load_prior`, but read once in each process; again when its weights have changed."""
    return _loaded(folder, weights_of(folder), body)


def weights_of(folder: Path) -> str:
    """The sha256 of a prior's weights, as its config has it."""
    return read_config(folder).weights_sha256


@lru_cache(maxsize=64)
def _loaded(folder: Path, weights: str, body: BodyModel) -> ContactPrior:
    return load_prior(folder, body)
