"""The chance that a fit is accurate, told from its clues by a logistic regression that is calibrated where truth is.

`training/fit_verdict.py` fits it on synthetic validation pairs with simulated initial estimates and noisy simulated
answers, so the chance is one of fits that were made so: both people's estimates given, and contacts told by somebody.
For other fits it is not calibrated, and the verdict does not ask for it. Real photos differ from the simulation: the
poses cost more there, so the chance is too low. The order of fits should carry over better than the value.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "verdict.json"
FORMAT = 1


@dataclass(frozen=True)
class Clue:
    """How one clue counts.

    Attributes:
        name: as `apu.unite.clues` calls it.
        mean, spread: over the fits of the calibration; a clue is told in spreads from the mean.
        weight: added to the logit of the chance for each spread.
    """

    name: str
    mean: float
    spread: float
    weight: float


@dataclass(frozen=True)
class Calibration:
    """A logistic regression of standardised clues.

    Attributes:
        clues: that count.
        intercept: logit of the chance of a fit whose clues are all at their means.
        clip: a clue counts for at most so many spreads, either way: what lies beyond was not seen.
        least_chance: a fit with less is rejected.
        accurate_mm: what was called accurate: a smaller pair PA-MPJPE than this.
        facts: how it was fitted.
    """

    clues: tuple[Clue, ...]
    intercept: float
    clip: float
    least_chance: float
    accurate_mm: float
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Chance:
    """What a calibration says of one fit.

    Attributes:
        value: the chance in (0, 1); NaN where a clue that counts is not known.
        parts: clue -> what it adds to the logit, against a fit at the mean of every clue.
    """

    value: float
    parts: Mapping[str, float]

    @property
    def families(self) -> dict[str, float]:
        """What each family of clues (the word before the colon) adds; within one, clues may make up for each other."""
        out: dict[str, float] = {}
        for name, part in self.parts.items():
            family = name.partition(":")[0]
            out[family] = out.get(family, 0.0) + part
        return out

    def against(self) -> str:
        """The families that speak against the fit and by how much, the worst first: `depth -0.9, contacts -0.4`."""
        worst = sorted((part, family) for family, part in self.families.items() if round(part, 1) < 0)
        return ", ".join(f"{family} {part:.1f}" for part, family in worst)


def chance_of(clues: Mapping[str, float], calibration: Calibration) -> Chance:
    """The chance that a fit with these clues is accurate.

    Args:
        clues: name -> value; may hold more than the calibration knows.
        calibration: of the same clues.
    """
    parts = {}
    for clue in calibration.clues:
        away = (clues.get(clue.name, math.nan) - clue.mean) / clue.spread
        limited = away if math.isnan(away) else min(max(away, -calibration.clip), calibration.clip)
        parts[clue.name] = clue.weight * limited
    return Chance(logistic(calibration.intercept + sum(parts.values())), parts)


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)); overflows nowhere, and hands NaN on."""
    return math.exp(x) / (1 + math.exp(x)) if x < 0 else 1 / (1 + math.exp(-x))


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package."""
    return calibration_of(json.loads(FILE.read_text(encoding="utf-8")))


def calibration_of(content: Mapping[str, Any]) -> Calibration:
    """A calibration from what `content_of` made of it.

    Raises:
        ValueError: another format.
    """
    if content["format"] != FORMAT:
        raise ValueError(f"verdict.json has format {content['format']}, expected {FORMAT}")
    names = ("intercept", "clip", "least_chance", "accurate_mm")
    numbers = {name: float(content[name]) for name in names}
    clues = tuple(Clue(**one) for one in content["clues"])
    return Calibration(clues=clues, facts=content["facts"], **numbers)


def content_of(calibration: Calibration) -> dict[str, Any]:
    """A calibration as plain values that JSON can hold."""
    return {
        "format": FORMAT,
        "accurate_mm": calibration.accurate_mm,
        "least_chance": calibration.least_chance,
        "intercept": calibration.intercept,
        "clip": calibration.clip,
        "clues": [vars(clue) for clue in calibration.clues],
        "facts": dict(calibration.facts),
    }
