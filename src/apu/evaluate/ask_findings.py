"""What the rows of annotators amount to: shares of summed counts, with intervals over pairs or photos."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from apu.evaluate.ask_agreement import KINDS
from apu.evaluate.ask_rows import AskRow, SaidContact
from apu.evaluate.bootstrap import Interval, ratio_of_means_interval, statistic_interval
from apu.evaluate.risk_coverage import RiskCoverage, risk_coverage

LEVELS: Mapping[str, tuple[str, str, str, str]] = {
    "side-blind": ("right_blind", "said", "found_blind", "wanted"),
    "side-aware": ("right", "said", "found", "wanted"),
    "denoised": ("right_denoised", "said_denoised", "found_denoised", "wanted_denoised"),
}
"""Level -> counts: right and said give precision, found and wanted give recall."""

BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Edges of weights, each bin with its upper end."""

AREA_DRAWS = 300
NOTHING = Interval(math.nan, math.nan)

Unit = Callable[[AskRow], str]


@dataclass(frozen=True)
class Share:
    """One count over another, summed over pairs.

    Attributes:
        value: NaN for a share of nothing.
        interval: 95 % bootstrap, over units.
        above, below: the counts.
    """

    value: float
    interval: Interval
    above: int
    below: int


@dataclass(frozen=True)
class Score:
    """A number with its 95 % bootstrap interval over units."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class WeightBin:
    """The contacts whose weight lies in (low, high]: their mean weight, and the shares of them that are right."""

    low: float
    high: float
    contacts: int
    weight: float
    right: float
    right_blind: float


@dataclass(frozen=True)
class Calibration:
    """How far weights are what they seem, at one level.

    Attributes:
        brier: mean squared difference of weight and being right.
        area: under the risk-coverage curve (AURC): risk of the contacts of largest weight, averaged over coverage.
        curve: of it.
    """

    brier: Score
    area: Score
    curve: RiskCoverage


@dataclass(frozen=True)
class AskFinding:
    """All about one annotator.

    Attributes:
        annotator: its name.
        pairs: about which it said something, if only that nothing touches.
        lost: rows without an answer.
        precision, recall, f1: level -> share or score; of contacts, summed over pairs (micro).
        macro_f1: level -> mean over units of each one's own.
        kinds: kind -> share of the contacts that were said.
        iou, region_recall: of the 75 x 75 map after expansion.
        detection: of the pairs that touch, those about which it said any contact.
        hallucination: of the pairs that do not touch, the same.
        calibration: `side-blind` and `side-aware`.
        bins: the reliability curve.
    """

    annotator: str
    pairs: int
    lost: int
    precision: Mapping[str, Share]
    recall: Mapping[str, Share]
    f1: Mapping[str, Score]
    macro_f1: Mapping[str, float]
    kinds: Mapping[str, Share]
    iou: Share
    region_recall: Share
    detection: Share
    hallucination: Share
    calibration: Mapping[str, Calibration]
    bins: tuple[WeightBin, ...]


def find_annotators(rows: Sequence[AskRow], unit: Unit = lambda one: one.row.pair) -> list[AskFinding]:
    """Everything about every annotator, in the order in which they come up.

    Args:
        rows: of one benchmark.
        unit: what is drawn for intervals: pairs, or photos.
    """
    names = dict.fromkeys(one.row.method for one in rows)
    return [_finding(name, [one for one in rows if one.row.method == name], unit) for name in names]


def f1_gains(
    rows: Sequence[AskRow], baseline: str, unit: Unit = lambda one: one.row.pair
) -> dict[str, Mapping[str, Score]]:
    """Annotator -> level -> its F1 minus that of the baseline, on common observations; units are drawn together."""
    base = {_key(one): one for one in rows if one.row.method == baseline and not one.row.lost}
    out: dict[str, Mapping[str, Score]] = {}
    for name in dict.fromkeys(one.row.method for one in rows):
        mine = [one for one in rows if one.row.method == name and not one.row.lost and _key(one) in base]
        if name == baseline or not mine:
            continue
        theirs = [base[_key(one)] for one in mine]
        out[name] = {level: _gain(mine, theirs, names, unit) for level, names in LEVELS.items()}
    return out


def share_of(counts: Sequence[tuple[str, float, float]]) -> Share:
    """A share of summed counts.

    Args:
        counts: (unit, above, below); intervals are over units.
    """
    sums: dict[str, np.ndarray] = {}
    for name, above, below in counts:
        sums[name] = sums.get(name, np.zeros(2)) + np.array([above, below])
    return _share(np.array(list(sums.values())).reshape(-1, 2))


def f1_of(
    right: Float[np.ndarray, " d"], said: Float[np.ndarray, " d"], found: Float[np.ndarray, " d"],
    wanted: Float[np.ndarray, " d"],
) -> Float[np.ndarray, " d"]:  # fmt: skip
    """F1 from summed counts: 0 where something is said or wanted and nothing is right; NaN where neither."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = right / said, found / wanted
        f1 = 2 * precision * recall / (precision + recall)
    f1 = np.where((right == 0) | (found == 0), 0.0, f1)
    return np.where((said == 0) & (wanted == 0), np.nan, f1)


def _finding(name: str, rows: Sequence[AskRow], unit: Unit) -> AskFinding:
    kept = [one for one in rows if not one.row.lost]

    def share(above: str, below: str) -> Share:
        return _share(_sums(kept, (above, below), unit))

    def asked(touching: float) -> Share:
        some = [one for one in kept if one.row.values["touching"] == touching]
        return share_of([(unit(one), one.row.values["told"], 1.0) for one in some])

    as_said = [[c for c in one.said if c.step == "as said"] for one in kept]
    return AskFinding(
        annotator=name,
        pairs=len({one.row.pair for one in kept}),
        lost=len(rows) - len(kept),
        precision={level: share(*names[:2]) for level, names in LEVELS.items()},
        recall={level: share(*names[2:]) for level, names in LEVELS.items()},
        f1={level: _f1(_sums(kept, names, unit)) for level, names in LEVELS.items()},
        macro_f1={level: _mean(f1_of(*_sums(kept, names, unit).T)) for level, names in LEVELS.items()},
        kinds={kind: share(f"kind_{kind.replace(' ', '_')}", "said") for kind in KINDS},
        iou=share("regions_shared", "regions_either"),
        region_recall=share("regions_shared", "regions_true"),
        detection=asked(1.0),
        hallucination=asked(0.0),
        calibration={
            "side-blind": _calibration(kept, as_said, unit, lambda c: c.right_blind),
            "side-aware": _calibration(kept, as_said, unit, lambda c: c.kind == "right"),
        },
        bins=_bins([c for some in as_said for c in some]),
    )


def _key(one: AskRow) -> tuple[str, int]:
    return one.row.pair, one.row.seed


def _sums(rows: Sequence[AskRow], names: Sequence[str], unit: Unit) -> Float[np.ndarray, "u n"]:
    """Counts of every unit, summed."""
    sums: dict[str, np.ndarray] = {}
    for one in rows:
        counts = np.array([one.row.values[name] for name in names], dtype=float)
        sums[unit(one)] = sums[unit(one)] + counts if unit(one) in sums else counts
    return np.array(list(sums.values())).reshape(-1, len(names))


def _share(sums: Float[np.ndarray, "u 2"]) -> Share:
    above, below = sums.sum(0) if len(sums) else (0.0, 0.0)
    if not below:
        return Share(math.nan, NOTHING, int(above), 0)
    return Share(float(above / below), ratio_of_means_interval(sums[:, 0], sums[:, 1]), int(above), int(below))


def _f1(sums: Float[np.ndarray, "u 4"]) -> Score:
    if not len(sums):
        return Score(math.nan, NOTHING)
    total = f1_of(*(np.array([x]) for x in sums.sum(0)))
    return Score(float(total[0]), statistic_interval(sums, lambda drawn: f1_of(*drawn.sum(1).T)))


def _gain(mine: Sequence[AskRow], theirs: Sequence[AskRow], names: Sequence[str], unit: Unit) -> Score:
    both = np.concatenate([_sums(mine, names, unit), _sums(theirs, names, unit)], 1)

    def difference(drawn: Float[np.ndarray, "d u 8"]) -> Float[np.ndarray, " d"]:
        sums = drawn.sum(1).T
        return f1_of(*sums[:4]) - f1_of(*sums[4:])

    return Score(float(difference(both[None])[0]), statistic_interval(both, difference))


def _mean(values: Float[np.ndarray, " u"]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _calibration(
    rows: Sequence[AskRow], said: Sequence[Sequence[SaidContact]], unit: Unit, right: Callable[[SaidContact], bool]
) -> Calibration:
    units: dict[str, list[tuple[float, bool]]] = {}
    for one, contacts in zip(rows, said, strict=True):
        units.setdefault(unit(one), []).extend((c.weight, right(c)) for c in contacts)
    groups = [np.array(pairs, dtype=float).reshape(-1, 2) for pairs in units.values()]
    every = np.concatenate(groups) if groups else np.zeros((0, 2))
    curve = risk_coverage(every[:, 0], every[:, 1] > 0.5)
    if not len(every):
        return Calibration(Score(math.nan, NOTHING), Score(math.nan, NOTHING), curve)
    squares = np.array([[((g[:, 0] - g[:, 1]) ** 2).sum(), len(g)] for g in groups])
    brier = Score(float(squares[:, 0].sum() / squares[:, 1].sum()), ratio_of_means_interval(*squares.T))
    return Calibration(brier, Score(curve.area, _area_interval(groups)), curve)


def _area_interval(groups: Sequence[Float[np.ndarray, "_ 2"]]) -> Interval:
    generator = np.random.default_rng(0)
    areas = []
    for _ in range(AREA_DRAWS):
        drawn = np.concatenate([groups[i] for i in generator.integers(0, len(groups), len(groups))])
        areas.append(_area(drawn[:, 0], drawn[:, 1] > 0.5))
    known = np.array([area for area in areas if math.isfinite(area)])
    if not len(known):
        return NOTHING
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(float(low), float(high))


def _area(weight: Float[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> float:
    return risk_coverage(weight, right).area


def _bins(said: Sequence[SaidContact]) -> tuple[WeightBin, ...]:
    out = []
    for low, high in pairwise(BINS):
        mine = [c for c in said if low < c.weight <= high]
        count = len(mine)
        sums = (sum(c.weight for c in mine), sum(c.kind == "right" for c in mine), sum(c.right_blind for c in mine))
        out.append(WeightBin(low, high, count, *(x / count if count else math.nan for x in sums)))
    return tuple(out)
