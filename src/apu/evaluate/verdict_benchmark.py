"""How far the verdict can be trusted: fits with answers of growing noise are judged, and compared with the truth.

The rows carry the clues of every fit, so `training/fit_verdict.py` calibrates on them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from apu.body.protocol import BodyModel, Surface
from apu.errors import InputError
from apu.evaluate.batches import Part, Question, default_body, modules
from apu.evaluate.methods import Case, Method, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.prior.guidance import DiffusionGuidance
from apu.prior.named import loaded_prior
from apu.scene.pair import Fit, PairObservation
from apu.unite.clues import clues_of
from apu.unite.confidence import FILE as CALIBRATION
from apu.unite.solve import FirstLook, look, unite
from apu.unite.verdict import CHANCE, judge, told_contacts

NOISES = ("0", "0.5", "1", "1.5")
"""Factors on all rates of error of the simulated answers; 1 is the default noise."""
PRIORS = Path(__file__).parents[1] / "prior"
"""What asks a prior."""
CONTROLS: tuple[Method, ...] = ("shuffled", "oracle")
"""The answer about another pair, which should be rejected, and the true contact map."""

ERROR = "pair_pa_mpjpe_mm"
KEPT = (ERROR, "pa_mpjpe_mm", "relative_depth_error_mm", "pcc_5cm_percent", "penetration_worst_mm")
"""Metrics of a row; what else there is of them is the synthetic benchmark's."""
ACCEPTED, CHANCE_PERCENT, REJECTED_BY, CLUE = "accepted", "chance_percent", "rejected by ", "clue "
"""Names, and first words of names, of a row's further values; shares of one fit are 0 or 1."""


@dataclass(frozen=True)
class Verdict(Question):
    """What the verdict says of fits with every kind of answers, and whether it is right.

    Attributes:
        answers: factors of noise, and controls, in the order of the tables; a factor multiplies the settings' own.
        prior: folder of the contact prior that guides the fits; it counts by its bytes.
    """

    sources: ClassVar = {"verdict": (*modules("verdict_benchmark"), *sorted(PRIORS.glob("*.py")), CALIBRATION)}

    answers: tuple[str, ...] = (*NOISES, *CONTROLS)
    prior: Path | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """`method_name`s, see `Question`."""
        return tuple(method_name(kind) for kind in self.answers)

    def check(self) -> None:
        """Whether the prior is sound.

        Raises:
            InputError: it is not, or it is for other bodies.
        """
        if self.prior is not None:
            loaded_prior(self.prior, default_body())

    def measure(self, body: BodyModel, part: Part) -> list[BenchmarkRow]:
        """See `Question`."""
        looks: dict[tuple[str, ...], FirstLook] = {}
        rows = []
        guidance = self.prior and DiffusionGuidance(loaded_prior(self.prior, body), seed=part.seed)
        for kind in self.answers:
            judged: dict[str, Mapping[str, float]] = {}

            def solver(
                body: BodyModel, cases: Sequence[Case], names: Sequence[str], kind=kind, judged=judged
            ) -> dict[str, list[Outcome]]:
                key = tuple(case.observed.truth.id for case in cases)
                seen = [case.observed.observation for case in cases]
                if key not in looks:  # the noise of answers changes no keypoint and no estimate
                    looks[key] = look(body, seen)
                method = kind if kind in CONTROLS else "contacts"
                maps = [contacts_of(method, case) for case in cases]
                fits = unite(body, looks[key], maps, guidance=guidance)
                judged.update({id: judged_values(o, f, body.surface) for id, o, f in zip(key, seen, fits, strict=True)})
                return {names[0]: [Outcome(fit.parameters, math.nan) for fit in fits]}

            found = evaluate_batch(body, _with_noise(part, kind), [method_name(kind)], solver)
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


def _with_noise(part: Part, kind: str) -> Part:
    if kind in CONTROLS:
        return part
    answers = part.settings.answers
    answers = replace(answers, error_factor=float(kind) * answers.error_factor)
    return replace(part, settings=replace(part.settings, answers=answers))


def _with_verdict(row: BenchmarkRow, judged: Mapping[str, float]) -> BenchmarkRow:
    return replace(row, values={**{name: row.values[name] for name in KEPT if name in row.values}, **judged})


def _factor(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return math.nan
