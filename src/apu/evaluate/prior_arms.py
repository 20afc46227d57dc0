"""What is compared when priors are: a method of the benchmark, with a prior or without, and the recipe by which the fit
hears it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from apu.errors import InputError
from apu.prior.checkpoint import CONFIG, read_config
from apu.prior.guidance import Pull
from apu.unite.weights import GuidanceWeights, KeypointWeights

Heard = Literal["keypoints", "contacts"]
HEARD: tuple[Heard, ...] = ("keypoints", "contacts")
"""Methods of the benchmark that can hear a prior: without contact answers, and with one noisy answer."""

RecipeName = Literal["ours", "buddi", "start"]
RECIPES: tuple[RecipeName, ...] = ("ours", "buddi", "start")

NONE = "none"
"""What stands for the prior of a fit without one."""

INFINITE = 1e6
"""A standard deviation at which a pull does nothing, and a scale within which all errors lie, in any unit."""

SAMPLE_STEPS = 10
"""Steps of the sample that a fit starts from, as in BUDDI."""


@dataclass(frozen=True)
class Recipe:
    """How a fit hears a prior.

    Attributes:
        pull: how sure the prior is of its target.
        guidance: how hard, how noisy and how often it is asked.
        keypoint_robust: errors of keypoints well beyond this stop pulling, box diagonals.
        opposite: whether the noise is asked with its opposite (`DiffusionGuidance`).
    """

    pull: Pull = field(default_factory=Pull)
    guidance: GuidanceWeights = field(default_factory=GuidanceWeights)
    keypoint_robust: float = field(default_factory=lambda: KeypointWeights().robust)
    opposite: bool = True


WORDS: Mapping[RecipeName, str] = {
    "ours": "Gaussian pull, noise that falls over the stages",
    "buddi": "BUDDI's: plain norms, orientation not pulled, t = 10, starts from a sample of 10 steps",
    "start": "as ours, from a sample of the prior instead of the first fit",
}


def buddi_recipe() -> Recipe:
    """BUDDI conditional on estimates, on our body: `Pull(norm="plain")`, fixed t = 10, a new target at every step.

    Its published weights (`buddi_cond_bev.yaml`: pose 100 / rad, translation 10,000 / m, orientation 0, shape 10 / unit
    in the first of two stages and 0 in the second; ours is pulled in both) belong to a keypoint term of
    0.02 c |512 / s e|^2, with s the longest side of the keypoints' box. Ours is 1 / (2 sigma^2) of the squared
    error in diagonals of the box. So all weights are divided by the ratio of the two keypoint terms (about 3), and are
    then standard deviations of our objective. One unit of BUDDI's shape is one typical deviation; so is about one of
    our logits. Only the prior's part is restated: all other terms, the hypotheses and the numbers of steps are ours.
    """
    theirs = 0.02 * 512**2 / SIDE_OF_DIAGONAL**2
    ratio = theirs / (0.5 / KeypointWeights().sigma ** 2)
    place = ratio / 10_000
    pull = Pull(ratio / 100, ratio / 10, INFINITE, place, place, place, norm="plain")
    still = (10, 10)
    heard = GuidanceWeights(1.0, still, still, refresh=1, penetration=1.0, start_steps=SAMPLE_STEPS)
    return Recipe(pull, heard, INFINITE, opposite=False)


SIDE_OF_DIAGONAL = 0.93
"""Longest side of a keypoint box by its diagonal; of a standing person's, 0.4 as wide as tall."""


def recipes(
    names: Sequence[str], guidance: GuidanceWeights | None = None, pull: Pull | None = None
) -> dict[RecipeName, Recipe]:
    """The recipes of these names, in the order of `RECIPES`.

    Args:
        names: which.
        guidance, pull: of `ours` and `start`; the standard ones when left out. `buddi` is fixed.

    Raises:
        InputError: a name is unknown, or there is none.
    """
    wrong = [name for name in names if name not in RECIPES]
    if wrong or not names:
        raise InputError(
            "There is no such recipe.",
            where="--recipe",
            expected=", ".join(RECIPES),
            got=", ".join(wrong) or "nothing",
            remedy="name one or more of them, parted by commas.",
        )
    guidance, pull = guidance or GuidanceWeights(), pull or Pull()
    sampled = replace(guidance, start_steps=guidance.start_steps or SAMPLE_STEPS)
    known: dict[RecipeName, Recipe] = {
        "ours": Recipe(pull, guidance),
        "buddi": buddi_recipe(),
        "start": Recipe(pull, sampled),
    }
    return {name: known[name] for name in RECIPES if name in names}


@dataclass(frozen=True)
class ComparedPrior:
    """A prior that takes part.

    Attributes:
        name: of what it learned from, e.g. `lab`.
        seed: of its training; None where it is the only one of its name.
        config: `config.json` of its folder, which holds the digest of the weights: it stands for the whole prior.
    """

    name: str
    seed: int | None
    config: Path

    @property
    def label(self) -> str:
        """`lab`, or `lab/0` where there are several."""
        return self.name if self.seed is None else f"{self.name}/{self.seed}"


_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.+-]*)(?:/(\d{1,9}))?")


def named_priors(words: Sequence[str]) -> tuple[ComparedPrior, ...]:
    """Priors as the command line names them: `NAME=DIR`, or `NAME/0=DIR`, `NAME/1=DIR` for trainings of several seeds.

    Raises:
        InputError: a name is wrong or comes twice, or a folder holds no prior.
    """
    found: list[ComparedPrior] = []
    for word in words:
        name, equals, folder = word.partition("=")
        parts = _NAME.fullmatch(name)
        if not (parts and equals and folder) or parts[1] == NONE:
            raise InputError(
                "A prior is not named as it should be.",
                where="--prior",
                expected="NAME=DIR or NAME/SEED=DIR, of letters, digits and _ . + -, e.g. lab/0=priors/lab-0",
                got=word,
                remedy=f"give a name, an equals sign, and the folder of the prior; {NONE!r} is no name.",
            )
        seed = None if parts[2] is None else int(parts[2])
        one = ComparedPrior(parts[1], seed, Path(folder) / CONFIG)
        for other in found:
            if other.name == one.name and (other.seed == one.seed or None in (other.seed, one.seed)):
                raise InputError(
                    "Two priors have the same name.",
                    where="--prior",
                    expected="different names, or the same name with different seeds",
                    got=f"{other.label} and {one.label}",
                    remedy="tell them apart by a seed, as in lab/0 and lab/1.",
                )
        read_config(Path(folder))
        found.append(one)
    return tuple(found)


@dataclass(frozen=True)
class Arm:
    """One way to fit the pairs.

    Attributes:
        method: what the fit is given.
        prior: None for a fit without one.
        recipe: how it is heard.
    """

    method: Heard
    prior: ComparedPrior | None = None
    recipe: RecipeName = "ours"

    @property
    def name(self) -> str:
        """The method of rows: `keypoints`, `keypoints+lab/0`, `keypoints+lab/0:buddi`."""
        return self._named(None if self.prior is None else self.prior.label)

    @property
    def without_seed(self) -> str:
        """The same of all seeds: `keypoints+lab:buddi`."""
        return self._named(None if self.prior is None else self.prior.name)

    @property
    def heard(self) -> str:
        """What differs from a fit without a prior: `none`, `lab`, `lab:buddi`."""
        return NONE if self.prior is None else self.without_seed.removeprefix(f"{self.method}+")

    def _named(self, prior: str | None) -> str:
        if prior is None:
            return self.method
        return f"{self.method}+{prior}" + ("" if self.recipe == "ours" else f":{self.recipe}")


def arms_of(
    priors: Sequence[ComparedPrior], methods: Sequence[str] = HEARD, recipe_names: Sequence[RecipeName] = ("ours",)
) -> tuple[Arm, ...]:
    """Every method without a prior, and with every prior by every recipe.

    Raises:
        InputError: a method is unknown, or there is none.
    """
    wrong = [name for name in methods if name not in HEARD]
    if wrong or not methods:
        raise InputError(
            "There is no such method.",
            where="--methods",
            expected=", ".join(HEARD),
            got=", ".join(wrong) or "nothing",
            remedy="name one or both, parted by a comma.",
        )
    return tuple(
        arm
        for method in HEARD
        if method in methods
        for arm in (Arm(method), *(Arm(method, prior, name) for name in recipe_names for prior in priors))
    )
