"""How far the verdict can be trusted: fits with answers of growing noise are judged, and compared with the truth.

Batch by batch, each content-addressed, as in `apu.evaluate.synthetic_benchmark`, so a killed run goes on where it
stopped. The rows carry the clues of every fit, so `training/fit_verdict.py` calibrates on them.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from apu.body.protocol import BodyModel, Surface
from apu.dataset.engine import Engine
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.work import WorkFolder
from apu.errors import InputError
from apu.evaluate.methods import Case, Method, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.synthetic_benchmark import (
    Watcher,
    benchmark_versions,
    default_body,
    evaluate_batch,
    parts_of,
    run_batches,
)
from apu.scene.pair import Fit, PairObservation
from apu.scene.true_pair import TruePair
from apu.unite.clues import clues_of
from apu.unite.confidence import FILE as CALIBRATION
from apu.unite.solve import FirstLook, look, unite
from apu.unite.verdict import CHANCE, judge, told_contacts

NOISES = ("0", "0.5", "1", "1.5")
"""Factors on all rates of error of the simulated answers; 1 is the default noise."""
CONTROLS: tuple[Method, ...] = ("shuffled", "oracle")
"""The answer about another pair, which should be rejected, and the true contact map."""

ERROR = "pair_pa_mpjpe_mm"
KEPT = (ERROR, "pa_mpjpe_mm", "relative_depth_error_mm", "pcc_5cm_percent", "penetration_worst_mm")
"""Metrics of a row; what else there is of them is the synthetic benchmark's."""
ACCEPTED, CHANCE_PERCENT, REJECTED_BY, CLUE = "accepted", "chance_percent", "rejected by ", "clue "
"""Names, and first words of names, of a row's further values; shares of one fit are 0 or 1."""


@dataclass(frozen=True)
class VerdictBatch:
    """A piece of work: every kind of answer on a few pairs, which share their first fits.

    Attributes:
        pairs: (id, digest) of each pair.
        others: of whom the control `shuffled` is given the answer.
        seed: of the observation.
        answers: factors of noise, and controls.
        settings: of the observation; the factors multiply its answers' own.
    """

    pairs: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    seed: int
    answers: tuple[str, ...]
    settings: ObservationSettings = field(default_factory=ObservationSettings)


@dataclass(frozen=True)
class VerdictBenchmark:
    """What is to be measured.

    Attributes:
        pairs: true pairs, in the order in which they are put into batches.
        seeds: of the observations.
        answers: factors of noise, and controls, in the order of the tables.
        settings: of the observations.
    """

    pairs: tuple[TruePair, ...]
    seeds: tuple[int, ...]
    answers: tuple[str, ...] = (*NOISES, *CONTROLS)
    settings: ObservationSettings = field(default_factory=ObservationSettings)

    def batches(self) -> list[VerdictBatch]:
        """All pieces of work."""
        parts = parts_of(self.pairs, self.seeds)
        return [VerdictBatch(*part, self.answers, self.settings) for part in parts]


@dataclass(frozen=True)
class VerdictWork:
    """Does one batch with the default body, which is loaded once in each process; picklable.

    Attributes:
        pairs: id -> true pair, all that batches name.
    """

    pairs: Mapping[str, TruePair]

    def __call__(self, batch: VerdictBatch) -> tuple[BenchmarkRow, ...]:
        """The rows of every kind of answer on every pair."""
        pairs, others = ([self.pairs[id] for id, _ in some] for some in (batch.pairs, batch.others))
        return tuple(judged_batch(default_body(), pairs, others, batch))


def judged_batch(
    body: BodyModel, pairs: Sequence[TruePair], others: Sequence[TruePair], batch: VerdictBatch
) -> list[BenchmarkRow]:
    """Observe, fit, judge and score one batch; the rows' methods are `method_name`s.

    Args:
        body: the body model.
        pairs, others: of the batch.
        batch: what is to be done with them.
    """
    looks: dict[tuple[str, ...], FirstLook] = {}
    rows = []
    for kind in batch.answers:
        judged: dict[str, Mapping[str, float]] = {}

        def solver(
            body: BodyModel, cases: Sequence[Case], names: Sequence[str], kind=kind, judged=judged
        ) -> dict[str, list[Outcome]]:
            key = tuple(case.observed.truth.id for case in cases)
            seen = [case.observed.observation for case in cases]
            if key not in looks:  # the noise of answers changes no keypoint and no estimate
                looks[key] = look(body, seen)
            method = kind if kind in CONTROLS else "contacts"
            fits = unite(body, looks[key], [contacts_of(method, case) for case in cases])
            judged.update({id: judged_values(o, f, body.surface) for id, o, f in zip(key, seen, fits, strict=True)})
            return {names[0]: [Outcome(fit.parameters, math.nan) for fit in fits]}

        settings = batch.settings
        if kind not in CONTROLS:
            factor = float(kind) * settings.answers.error_factor
            settings = replace(settings, answers=replace(settings.answers, error_factor=factor))
        found = evaluate_batch(body, pairs, others, batch.seed, [method_name(kind)], settings, solver)
        rows += [row if row.lost else _with_verdict(row, judged[row.pair]) for row in found]
    return rows


def judged_values(observation: PairObservation, fit: Fit, surface: Surface) -> dict[str, float]:
    """What the verdict says of a fit, as a row's values: accepted or not, the chance, each rule, and the clues.

    Args:
        observation: the pair.
        fit: of it.
        surface: of its bodies.
    """
    verdict = judge(observation, fit, surface)
    chances = [rule.value for rule in verdict.rules if rule.name == CHANCE]
    clues = clues_of(observation, fit, told_contacts(fit))
    return {
        ACCEPTED: float(verdict.accepted),
        CHANCE_PERCENT: chances[0] if chances else math.nan,
        **{f"{REJECTED_BY}{rule.name}": float(not rule.holds) for rule in verdict.rules},
        **{f"{CLUE}{name}": value for name, value in clues.items()},
    }


def run_verdict(
    asked: VerdictBenchmark,
    folder: Path,
    engine: Engine,
    function: Callable[[VerdictBatch], tuple[BenchmarkRow, ...]] | None = None,
    watch: Watcher = lambda done, total: None,
) -> list[BenchmarkRow]:
    """Do all batches that are not done yet; as `apu.evaluate.synthetic_benchmark.run_benchmark`.

    Args:
        asked: what to measure.
        folder: keeps the rows of finished batches.
        engine: does the work.
        function: of a batch; `VerdictWork` of the pairs when left out.
        watch: is told how far it is.

    Returns:
        Rows in the order of pairs, seeds and answers.

    Raises:
        OutputError: the folder cannot be written.
        ModelFileError: the body model is missing.
    """
    return run_batches(
        engine, verdict_folder(folder), asked.batches(), function or VerdictWork({p.id: p for p in asked.pairs}),
        asked.pairs, asked.seeds, [method_name(kind) for kind in asked.answers], watch,
    )  # fmt: skip


def verdict_folder(folder: Path) -> WorkFolder[VerdictBatch, tuple[BenchmarkRow, ...], tuple[BenchmarkRow, ...]]:
    """The finished batches in a folder."""
    return WorkFolder(folder, verdict_versions(), write_rows, read_rows, ".json")


def check_answers(names: Sequence[str]) -> tuple[str, ...]:
    """Kinds of answers, each once: factors as `%g` writes them, and controls.

    Raises:
        InputError: a name is neither, or there is none.
    """
    unknown = [name for name in names if name not in CONTROLS and not 0.0 <= _factor(name) < math.inf]
    if unknown or not names:
        raise InputError(
            "There is no such kind of answers.",
            where="--answers",
            expected=f"factors of the default noise, e.g. {', '.join(NOISES)}; {', '.join(CONTROLS)}",
            got=", ".join(unknown) or "nothing",
            remedy="name one or more of them, parted by commas.",
        )
    return tuple(dict.fromkeys(name if name in CONTROLS else f"{_factor(name):g}" for name in names))


def method_name(kind: str) -> str:
    """What rows call a kind of answers."""
    return kind if kind in CONTROLS else f"noise x {kind}"


@cache
def verdict_versions() -> dict[str, str]:
    """Versions of the benchmark, and a hash of this module and of the calibration."""
    content = Path(__file__).read_bytes() + CALIBRATION.read_bytes()
    return {**benchmark_versions(), "verdict": hashlib.sha256(content).hexdigest()[:16]}


def _with_verdict(row: BenchmarkRow, judged: Mapping[str, float]) -> BenchmarkRow:
    return replace(row, values={**{name: row.values[name] for name in KEPT if name in row.values}, **judged})


def _factor(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return math.nan
