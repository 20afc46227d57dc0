"""Priors on the synthetic benchmark: the same pairs without a prior and with each, on one first fit."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from apu.body.protocol import BodyModel
from apu.evaluate.batches import Part, Question, default_body, modules
from apu.evaluate.methods import Case, Outcome, contacts_of
from apu.evaluate.prior_arms import Arm, Recipe, RecipeName
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.prior.contact_prior import ContactPrior
from apu.prior.guidance import DiffusionGuidance
from apu.prior.named import loaded_prior
from apu.scene.guidance import Guidance
from apu.unite.solve import look, unite
from apu.unite.weights import UniteWeights

ROOM = Path(__file__).parents[1] / "prior"
"""What asks a prior; all of its modules decide a row."""

GuidanceOf = Callable[[Arm], Guidance | None]


@dataclass(frozen=True)
class Priors(Question):
    """How good fits are without a prior and with each. Body and priors are loaded once in each process.

    Attributes:
        arms: in the order of the tables; a prior counts by the bytes of its `config.json`.
        recipes: name -> recipe, of all arms.
    """

    sources: ClassVar = {"prior": (*modules("prior_arms", "prior_benchmark"), *sorted(ROOM.glob("*.py")))}

    arms: tuple[Arm, ...]
    recipes: Mapping[RecipeName, Recipe]

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the arms, see `Question`."""
        return tuple(arm.name for arm in self.arms)

    def check(self) -> None:
        """Whether the schedules of the priors have the times of the recipes.

        Raises:
            InputError: one has not, or a prior is for other bodies.
        """
        for arm in self.arms:
            if arm.prior is not None:
                schedule = _prior(arm.prior.config).schedule
                heard = self.recipes[arm.recipe].guidance
                for time_ in (*heard.contact_times, *heard.penetration_times):
                    schedule.check(time_)

    def measure(self, body: BodyModel, part: Part) -> list[BenchmarkRow]:
        """See `Question`."""
        named = {arm.name: arm for arm in self.arms}

        def guidance_of(arm: Arm) -> Guidance | None:
            if arm.prior is None:
                return None
            recipe = self.recipes[arm.recipe]
            return DiffusionGuidance(_prior(arm.prior.config), recipe.pull, part.seed, recipe.opposite)

        def solver(body: BodyModel, cases: Sequence[Case], names: Sequence[str]) -> dict[str, list[Outcome]]:
            return solve_arms(body, cases, [named[name] for name in names], self.recipes, guidance_of)

        return evaluate_batch(body, part, self.methods, solver)


def solve_arms(
    body: BodyModel,
    cases: Sequence[Case],
    arms: Sequence[Arm],
    recipes: Mapping[RecipeName, Recipe],
    guidance_of: GuidanceOf,
) -> dict[str, list[Outcome]]:
    """Every arm on every case; all share one first fit, which knows nothing of priors.

    Args:
        body: the body model.
        cases: one batch.
        arms: which.
        recipes: of the arms that have a prior.
        guidance_of: the prior of an arm.
    """
    began = time.perf_counter()
    first = look(body, [case.observed.observation for case in cases])
    before = time.perf_counter() - began
    out = {}
    for arm in arms:
        began = time.perf_counter()
        maps = [contacts_of(arm.method, case) for case in cases]
        weights = UniteWeights()
        if arm.prior is not None:
            recipe = recipes[arm.recipe]
            keypoints = replace(weights.keypoints, robust=recipe.keypoint_robust)
            weights = replace(weights, keypoints=keypoints, guidance=recipe.guidance)
        fits = unite(body, first, maps, weights, guidance=guidance_of(arm))
        seconds = (before + time.perf_counter() - began) / len(cases)
        out[arm.name] = [Outcome(fit.parameters, seconds) for fit in fits]
    return out


def _prior(config: Path) -> ContactPrior:
    """The prior of a `config.json`."""
    return loaded_prior(config.parent, default_body())
