"""What each term, stage and loss of the fit is worth: variants of the whole, each with one thing changed.

The variants (`apu.evaluate.ablation_variants`) run on the pairs, observations and metrics of the synthetic benchmark,
and in its way: batch by batch, each content-addressed, so that a killed run goes on where it stopped.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from apu.body.protocol import BodyModel
from apu.dataset.engine import Engine
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.work import WorkFolder
from apu.evaluate.ablation_variants import ANSWERS, VARIANTS, Answers, Variant, method_name
from apu.evaluate.methods import Case, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.synthetic_benchmark import (
    Watcher,
    benchmark_versions,
    default_body,
    evaluate_batch,
    parts_of,
    run_batches,
)
from apu.scene.true_pair import TruePair
from apu.unite.solve import FirstLook, look, unite


@dataclass(frozen=True)
class AblationBatch:
    """A piece of work: every variant with every answer on a few pairs, which share their first fits.

    Attributes:
        pairs: (id, digest) of each pair.
        others: of whom a control would be given the answer; takes part in how the pairs are observed.
        seed: of the observation.
        variants: name -> variant.
        answers: which.
        settings: of the observation.
    """

    pairs: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    seed: int
    variants: Mapping[str, Variant]
    answers: tuple[Answers, ...]
    settings: ObservationSettings = field(default_factory=ObservationSettings)


@dataclass(frozen=True)
class Ablation:
    """What is to be measured.

    Attributes:
        pairs: true pairs, in the order in which they are put into batches.
        seeds: of the observations.
        variants: name -> variant, in the order of the table.
        answers: with which.
        settings: of the observations.
    """

    pairs: tuple[TruePair, ...]
    seeds: tuple[int, ...]
    variants: Mapping[str, Variant] = field(default_factory=lambda: VARIANTS)
    answers: tuple[Answers, ...] = ANSWERS
    settings: ObservationSettings = field(default_factory=ObservationSettings)

    def batches(self) -> list[AblationBatch]:
        """All pieces of work."""
        parts = parts_of(self.pairs, self.seeds)
        return [AblationBatch(*part, self.variants, self.answers, self.settings) for part in parts]


@dataclass(frozen=True)
class AblationWork:
    """Does one batch with the default body, which is loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that batches name.
    """

    pairs: Mapping[str, TruePair]

    def __call__(self, batch: AblationBatch) -> tuple[BenchmarkRow, ...]:
        """The rows of every variant and answer on every pair."""
        pairs, others = ([self.pairs[id] for id, _ in some] for some in (batch.pairs, batch.others))
        return tuple(ablate_batch(default_body(), pairs, others, batch))


def ablate_batch(
    body: BodyModel, pairs: Sequence[TruePair], others: Sequence[TruePair], batch: AblationBatch
) -> list[BenchmarkRow]:
    """Observe, fit and score one batch; the rows' methods are `method_name`s.

    Args:
        body: the body model.
        pairs, others: of the batch.
        batch: what is to be done with them.
    """
    named: dict[str, tuple[Variant, Answers]] = {
        method_name(v, a): (batch.variants[v], a) for v in batch.variants for a in batch.answers
    }

    def solver(body: BodyModel, cases: Sequence[Case], names: Sequence[str]) -> dict[str, list[Outcome]]:
        return solve_variants(body, cases, {name: named[name] for name in names})

    return evaluate_batch(body, pairs, others, batch.seed, list(named), batch.settings, solver)


def solve_variants(
    body: BodyModel, cases: Sequence[Case], named: Mapping[str, tuple[Variant, Answers]]
) -> dict[str, list[Outcome]]:
    """Every variant on every case; first fits are shared by those whose weights and inputs of it are the same.

    Args:
        body: the body model.
        cases: one batch.
        named: name -> variant, and the answers that it is given.
    """
    looks: dict[str, tuple[FirstLook, float]] = {}
    out = {}
    for name, (variant, answers) in named.items():
        w = variant.weights
        key = repr((w.keypoints, w.priors, w.first, variant.estimates))
        if key not in looks:
            began = time.perf_counter()
            seen = [c.observed.observation for c in cases]
            seen = seen if variant.estimates else [replace(one, initial=(None, None)) for one in seen]
            looks[key] = look(body, seen, w), time.perf_counter() - began
        first, before = looks[key]
        began = time.perf_counter()
        fits = unite(body, first, [contacts_of(answers, c) for c in cases], w, contact_loss=variant.contact_loss)
        seconds = (before + time.perf_counter() - began) / len(cases)
        out[name] = [Outcome(fit.parameters, seconds) for fit in fits]
    return out


def run_ablation(
    asked: Ablation,
    folder: Path,
    engine: Engine,
    function: Callable[[AblationBatch], tuple[BenchmarkRow, ...]] | None = None,
    watch: Watcher = lambda done, total: None,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet; as `apu.evaluate.synthetic_benchmark.run_benchmark`.

    Args:
        asked: what to measure.
        folder: keeps the rows of finished batches.
        engine: does the work.
        function: of a batch; `AblationWork` of the pairs when left out.
        watch: is told how far it is.

    Returns:
        Rows in the order of pairs, seeds, answers and variants.

    Raises:
        OutputError: the folder cannot be written.
        ModelFileError: the body model is missing.
    """
    names = [method_name(variant, answers) for answers in asked.answers for variant in asked.variants]
    return run_batches(
        engine, ablation_folder(folder), asked.batches(), function or AblationWork({p.id: p for p in asked.pairs}),
        asked.pairs, asked.seeds, names, watch,
    )  # fmt: skip


def ablation_folder(folder: Path) -> WorkFolder[AblationBatch, tuple[BenchmarkRow, ...], tuple[BenchmarkRow, ...]]:
    """The finished batches in a folder."""
    return WorkFolder(folder, ablation_versions(), write_rows, read_rows, ".json")


@cache
def ablation_versions() -> dict[str, str]:
    """Versions of the benchmark, and a hash of this module."""
    return {**benchmark_versions(), "ablation": hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]}
