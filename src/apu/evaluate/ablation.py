"""What each term, stage and loss of the fit is worth: variants of the whole, each with one thing changed.

The variants (`apu.evaluate.ablation_variants`) run on the pairs, observations and metrics of the synthetic benchmark.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from apu.body.protocol import BodyModel
from apu.evaluate.ablation_variants import ANSWERS, VARIANTS, Answers, Variant, method_name
from apu.evaluate.batches import Part, Question, modules
from apu.evaluate.methods import Case, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.unite.solve import FirstLook, look, unite


@dataclass(frozen=True)
class Ablation(Question):
    """How good every variant is with every kind of answers.

    Attributes:
        variants: name -> variant, in the order of the table.
        answers: with which.
    """

    sources: ClassVar = {"ablation": modules("ablation")}

    variants: Mapping[str, Variant] = field(default_factory=lambda: VARIANTS)
    answers: tuple[Answers, ...] = ANSWERS

    @property
    def methods(self) -> tuple[str, ...]:
        """`method_name`s, see `Question`."""
        return tuple(self._named())

    def measure(self, body: BodyModel, part: Part) -> list[BenchmarkRow]:
        """See `Question`."""
        named = self._named()

        def solver(body: BodyModel, cases: Sequence[Case], names: Sequence[str]) -> dict[str, list[Outcome]]:
            return solve_variants(body, cases, {name: named[name] for name in names})

        return evaluate_batch(body, part, self.methods, solver)

    def _named(self) -> dict[str, tuple[Variant, Answers]]:
        return {method_name(v, a): (variant, a) for a in self.answers for v, variant in self.variants.items()}


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
