"""The tables of `apu eval ask`."""

import math
from collections.abc import Mapping, Sequence

from apu.evaluate.ask_agreement import KIND_WORDS, KINDS
from apu.evaluate.ask_chirality import DECIDABLE_TORSOS, Recovery
from apu.evaluate.ask_findings import LEVELS, AskFinding, Score, Share
from apu.evaluate.bootstrap import Interval
from apu.evaluate.tables import NONE, Table, excludes, number, with_interval

AGREEMENT_NOTES = (
    "Contacts of all pairs together, %; 95 % intervals. What was said is right when it shares a fine region with "
    "a true contact at both ends. Precision: of what was said; recall: of what is true and wanted; F1 of both.",
    "blind: left and right are one. aware: a limb said without its side is not right. denoised: aware, after the sides "
    "were decided by the keypoints.",
)
SPARSE = (
    "The annotation is sparse: people mark what they are sure of, not all that touches. So precision and F1 are lower "
    "bounds, and `unsupported` is an upper one."
)


def ask_tables(found: Sequence[AskFinding], *, compact: bool, sparse: bool = False) -> list[Table]:
    """Agreement, kinds of wrong, detection, and weights.

    Args:
        found: of all annotators.
        compact: for a terminal: intervals for the F1s alone.
        sparse: whether the truth is an annotation that is not complete.
    """
    notes = (*AGREEMENT_NOTES, *((SPARSE,) if sparse else ()))
    return [
        _agreement(found, compact, notes),
        _kinds(found),
        _detection(found, sparse),
        _weights(found),
        _reliability(found),
    ]


def gain_table(gains: Mapping[str, Mapping[str, Score]], baseline: str) -> Table:
    """F1 of every annotator minus that of one."""
    rows = [(name, *(cell for level in LEVELS for cell in _difference(own[level]))) for name, own in gains.items()]
    header = ("annotator", *(word for level in LEVELS for word in (f"{level} F1", "excl. 0")))
    notes = ("Points of %, on the same observations; pairs are drawn together.",)
    return Table(f"Against `{baseline}`", header, tuple(rows), 1, notes)


def recovery_table(found: Sequence[Recovery], *, compact: bool) -> Table:
    """How often chirality denoising finds the true sides."""
    names = ("decidable", "recovered", "mended", "kept", "before", "after")
    rows = []
    for one in found:
        cells = [_counted(getattr(one, name), compact and name != "recovered") for name in names]
        rows.append((one.variant, one.kind, str(one.contacts), *cells))
    notes = (
        f"decidable: relation right and, with noise-free keypoints, the true sides closer by {DECIDABLE_TORSOS:g} "
        "torso than any other that is compared. Of these, recovered: sides right after denoising; mended: of those "
        "answered wrong; kept: of those answered right. before, after: sides right, of all.",
    )
    return Table("Sides of single answers", ("variant", "contacts", "n", *names), tuple(rows), 2, notes)


def annotator_table(words: Mapping[str, str]) -> Table:
    """What each annotator is."""
    return Table("Annotators", ("annotator", "what it is"), tuple(words.items()), 2)


def _agreement(found: Sequence[AskFinding], compact: bool, notes: tuple[str, ...]) -> Table:
    rows = []
    for one in found:
        cells = [one.annotator, str(one.pairs), str(one.lost)]
        cells += [str(one.precision["side-blind"].below), str(one.recall["side-blind"].below)]
        for level in LEVELS:
            precision, recall, f1 = one.precision[level], one.recall[level], one.f1[level]
            cells += [_percent(precision.value), _percent(recall.value), _interval(f1.value, f1.interval, compact)]
        rows.append((*cells, _interval(one.iou.value, one.iou.interval, compact)))
    header = (
        "annotator", "pairs", "lost", "said", "true",
        "blind P", "R", "F1", "aware P", "R", "F1", "denoised P", "R", "F1", "IoU 75x75",
    )  # fmt: skip
    return Table("Contacts against the truth", header, tuple(rows), 1, notes)


def _kinds(found: Sequence[AskFinding]) -> Table:
    rows = [(one.annotator, *(_cell(one.kinds[kind]) for kind in KINDS)) for one in found]
    notes = tuple(f"{kind}: {KIND_WORDS[kind]}." for kind in KINDS)
    return Table("Kinds of the contacts that were said, % (count)", ("annotator", *KINDS), tuple(rows), 1, notes)


def _detection(found: Sequence[AskFinding], sparse: bool) -> Table:
    rows = [
        (one.annotator, *_of(one.detection), *_of(one.hallucination), _percent(one.region_recall.value))
        for one in found
    ]
    header = ("annotator", "touching", "told %", "not touching", "told %", "75x75 recall %")
    notes = (
        "told: any contact was said about the pair. Of pairs that do not touch, that is hallucination"
        + (", of which there is nothing to say without --negatives." if sparse else ".")
        + " 75x75 recall: true region pairs that are covered after expansion.",
    )
    return Table("Detection", header, tuple(rows), 1, notes)


def _weights(found: Sequence[AskFinding]) -> Table:
    rows = []
    for one in found:
        blind, aware = one.calibration["side-blind"], one.calibration["side-aware"]
        scores = (blind.brier, blind.area, aware.brier, aware.area)
        rows.append((one.annotator, *(with_interval(s.value, s.interval, 3) for s in scores)))
    header = ("annotator", "blind Brier", "AURC", "aware Brier", "AURC")
    notes = (
        "All contacts that were said, of any weight, before denoising. Brier: mean square of weight - right (1 or 0). "
        "AURC: share of wrong ones among the most trusted, averaged over coverage. Of single answers, all of "
        "weight 1, both are the share of wrong ones.",
    )
    return Table("Weights: are they what they seem?", header, tuple(rows), 1, notes)


def _reliability(found: Sequence[AskFinding]) -> Table:
    rows = [
        (one.annotator, *(f"{_percent(b.right_blind)} ({b.contacts})" if b.contacts else NONE for b in one.bins))
        for one in found
    ]
    header = ("annotator", *(f"{b.low:g} - {b.high:g}" for b in found[0].bins)) if found else ("annotator",)
    return Table("Precision by weight, side-blind, % (contacts)", header, tuple(rows), 1)


def _cell(share: Share) -> str:
    """`46.2 (24)`: a share, and how many that are."""
    return f"{_percent(share.value)} ({share.above})" if share.below else NONE


def _counted(share: Share, bare: bool) -> str:
    """`82.4 [60, 100] 14/17`; bare without the interval."""
    if not share.below:
        return NONE
    text = _percent(share.value) if bare else _interval(share.value, share.interval, True)
    return f"{text} {share.above}/{share.below}"


def _of(share: Share) -> tuple[str, str]:
    return str(share.below), _percent(share.value)


def _difference(score: Score) -> tuple[str, str]:
    if not math.isfinite(score.value):
        return NONE, NONE
    low, high = (number(100 * end, sign=True) for end in (score.interval.low, score.interval.high))
    return f"{number(100 * score.value, sign=True)} [{low}, {high}]", "yes" if excludes(score.interval, 0.0) else "no"


def _percent(value: float) -> str:
    return number(100 * value)


def _interval(value: float, interval: Interval, compact: bool) -> str:
    scaled = Interval(100 * interval.low, 100 * interval.high)
    return with_interval(100 * value, scaled, compact=compact)
