"""The synthetic benchmark: true pairs are observed, fitted by every method, and scored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apu.body.protocol import BodyModel
from apu.evaluate.batches import Part, Question
from apu.evaluate.cases import make_cases, score
from apu.evaluate.methods import Case, Method, Outcome, solve
from apu.evaluate.recovery import FAILURES, Lost, all_or_each
from apu.evaluate.rows import BenchmarkRow, lost_row
from apu.scene.true_pair import TruePair

Solver = Callable[[BodyModel, Sequence[Case], Sequence[Any]], Mapping[Any, Sequence[Outcome]]]
"""As `solve`: every named method on every case."""


@dataclass(frozen=True)
class Methods(Question):
    """How good the bodies of each method are.

    Attributes:
        named: the methods, in the order of the tables.
    """

    named: tuple[Method, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """See `Question`."""
        return self.named

    def measure(self, body: BodyModel, part: Part) -> list[BenchmarkRow]:
        """See `Question`."""
        return evaluate_batch(body, part, self.named)


def evaluate_batch(
    body: BodyModel, part: Part, methods: Sequence[str], solver: Solver | None = None
) -> list[BenchmarkRow]:
    """Observe, fit and score one batch. A pair that fails is lost to the method it failed for; the others go on.

    Args:
        body: the body model.
        part: of the batch.
        methods: which.
        solver: of these methods; `apu.evaluate.methods.solve` when left out.
    """

    def observed(some: Sequence[tuple[TruePair, TruePair]]) -> list[Case]:
        return make_cases(body, [p for p, _ in some], [o for _, o in some], part.seed, part.settings)

    cases = all_or_each(observed, list(zip(part.pairs, part.others, strict=True)))
    good = [case for case in cases if not isinstance(case, Lost)]
    rows = []
    for method, outcomes in _solved(body, good, methods, solver or solve).items():
        results = iter(_scored(body, good, outcomes))
        rows += [
            _row(pair, part.seed, method, case if isinstance(case, Lost) else next(results))
            for pair, case in zip(part.pairs, cases, strict=True)
        ]
    return rows


def _solved(
    body: BodyModel, cases: Sequence[Case], methods: Sequence[str], solver: Solver
) -> dict[str, list[Outcome | Lost]]:
    """Every method on every case: all methods together, else each by itself, else each case by itself."""
    if not cases:
        return {method: [] for method in methods}
    try:
        return {method: list(outcomes) for method, outcomes in solver(body, cases, methods).items()}
    except FAILURES:
        return {m: all_or_each(lambda some, m=m: solver(body, some, [m])[m], cases) for m in methods}


def _scored(
    body: BodyModel, cases: Sequence[Case], outcomes: Sequence[Outcome | Lost]
) -> list[dict[str, float] | Lost]:
    """Metrics of each case; bodies that are not finite are lost, and are kept away from the others' metrics."""
    checked = [out if isinstance(out, Lost) or _finite(out) else Lost("The bodies are not finite.") for out in outcomes]
    sound = [(case, out) for case, out in zip(cases, checked, strict=True) if isinstance(out, Outcome)]
    scores = iter(all_or_each(lambda some: score(body, [c for c, _ in some], [o for _, o in some]), sound))
    return [out if isinstance(out, Lost) else next(scores) for out in checked]


def _finite(outcome: Outcome) -> bool:
    return all(bool(value.isfinite().all()) for value in outcome.parameters.values())


def _row(pair: TruePair, seed: int, method: str, result: Mapping[str, float] | Lost) -> BenchmarkRow:
    if isinstance(result, Lost):
        return lost_row(pair, seed, method, result)
    values = {name: value for name, value in result.items() if name != "seconds"}
    return BenchmarkRow(pair.id, pair.interaction, pair.group, seed, method, values, seconds=result["seconds"])
