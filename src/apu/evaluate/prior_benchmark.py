"""Priors on the synthetic benchmark: the same pairs without a prior and with each, on one first fit; batch by batch."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

from apu.body.protocol import BodyModel
from apu.cache import sha256_file
from apu.dataset.engine import Engine
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.work import WorkFolder
from apu.evaluate.methods import Case, Outcome, contacts_of
from apu.evaluate.prior_arms import Arm, Recipe, RecipeName
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.synthetic_benchmark import (
    Watcher,
    benchmark_versions,
    default_body,
    evaluate_batch,
    parts_of,
    run_batches,
)
from apu.prior.checkpoint import load_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.guidance import DiffusionGuidance
from apu.scene.guidance import Guidance
from apu.scene.true_pair import TruePair
from apu.unite.solve import look, unite
from apu.unite.weights import UniteWeights

MEASURING = ("prior_arms", "prior_benchmark")
"""Modules of this room that decide what a row says, beside those of the benchmark."""

GuidanceOf = Callable[[Arm], Guidance | None]


@dataclass(frozen=True)
class PriorBatch:
    """A piece of work: every arm on a few pairs, which share their first fit.

    Attributes:
        pairs: (id, digest) of each pair.
        others: of whom a control would be given the answer.
        seed: of the observation, and of the priors' noise.
        arms: all of them; a prior counts by the bytes of its `config.json`.
        recipes: name -> recipe, of all arms.
        settings: of the observation.
    """

    pairs: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    seed: int
    arms: tuple[Arm, ...]
    recipes: Mapping[RecipeName, Recipe]
    settings: ObservationSettings = field(default_factory=ObservationSettings)


@dataclass(frozen=True)
class PriorBenchmark:
    """What is to be measured.

    Attributes:
        pairs: true pairs, in the order in which they are put into batches.
        seeds: of the observations.
        arms: in the order of the tables.
        recipes: name -> recipe, of all arms.
        settings: of the observations.
    """

    pairs: tuple[TruePair, ...]
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...]
    recipes: Mapping[RecipeName, Recipe]
    settings: ObservationSettings = field(default_factory=ObservationSettings)

    def batches(self) -> list[PriorBatch]:
        """All pieces of work."""
        parts = parts_of(self.pairs, self.seeds)
        return [PriorBatch(*part, self.arms, self.recipes, self.settings) for part in parts]


@dataclass(frozen=True)
class PriorWork:
    """Does one batch with the default body; body and priors are loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that batches name.
    """

    pairs: Mapping[str, TruePair]

    def __call__(self, batch: PriorBatch) -> tuple[BenchmarkRow, ...]:
        """The rows of every arm on every pair."""
        pairs, others = ([self.pairs[id] for id, _ in some] for some in (batch.pairs, batch.others))
        return tuple(measure_batch(default_body(), pairs, others, batch))


def measure_batch(
    body: BodyModel, pairs: Sequence[TruePair], others: Sequence[TruePair], batch: PriorBatch
) -> list[BenchmarkRow]:
    """Observe, fit and score one batch; the rows' methods are the names of the arms.

    Args:
        body: the body model.
        pairs, others: of the batch.
        batch: what is to be done with them.
    """
    named = {arm.name: arm for arm in batch.arms}

    def guidance_of(arm: Arm) -> Guidance | None:
        if arm.prior is None:
            return None
        prior = _prior(arm.prior.config.parent, sha256_file(arm.prior.config))
        return DiffusionGuidance(prior, batch.recipes[arm.recipe].pull, batch.seed)

    def solver(body: BodyModel, cases: Sequence[Case], names: Sequence[str]) -> dict[str, list[Outcome]]:
        return solve_arms(body, cases, [named[name] for name in names], batch.recipes, guidance_of)

    return evaluate_batch(body, pairs, others, batch.seed, list(named), batch.settings, solver)


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


def run_priors(
    asked: PriorBenchmark,
    folder: Path,
    engine: Engine,
    function: Callable[[PriorBatch], tuple[BenchmarkRow, ...]] | None = None,
    watch: Watcher = lambda done, total: None,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet; as `apu.evaluate.synthetic_benchmark.run_benchmark`.

    Args:
        asked: what to measure.
        folder: keeps the rows of finished batches.
        engine: does the work.
        function: of a batch; `PriorWork` of the pairs when left out.
        watch: is told how far it is.

    Returns:
        Rows in the order of pairs, seeds and arms.

    Raises:
        InputError: a prior is for other bodies, or a time lies outside its schedule.
        OutputError: the folder cannot be written.
        ModelFileError: the body model is missing.
    """
    body = default_body() if function is None else None
    for arm in asked.arms:
        if body is not None and arm.prior is not None:
            _check(load_prior(arm.prior.config.parent, body), asked.recipes[arm.recipe])
    return run_batches(
        engine, prior_folder(folder), asked.batches(), function or PriorWork({p.id: p for p in asked.pairs}),
        asked.pairs, asked.seeds, [arm.name for arm in asked.arms], watch,
    )  # fmt: skip


def prior_folder(folder: Path) -> WorkFolder[PriorBatch, tuple[BenchmarkRow, ...], tuple[BenchmarkRow, ...]]:
    """The finished batches in a folder."""
    return WorkFolder(folder, prior_versions(), write_rows, read_rows, ".json")


@cache
def prior_versions() -> dict[str, str]:
    """Versions of the benchmark, and a hash of what asks a prior: its room, and modules of this one."""
    hashed, here = hashlib.sha256(), Path(__file__).parent
    for file in (*(here / f"{name}.py" for name in MEASURING), *sorted((here.parent / "prior").glob("*.py"))):
        hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    return {**benchmark_versions(), "prior": hashed.hexdigest()[:16]}


def _check(prior: ContactPrior, recipe: Recipe) -> None:
    """Whether the prior's schedule has the times; hours before it is asked.

    Raises:
        InputError: it has not.
    """
    for time_ in (*recipe.guidance.contact_times, *recipe.guidance.penetration_times):
        prior.schedule.check(time_)


@lru_cache(maxsize=64)
def _prior(folder: Path, digest: str) -> ContactPrior:
    """Loaded once in each process; the digest is that of `config.json`."""
    return load_prior(folder, default_body())
