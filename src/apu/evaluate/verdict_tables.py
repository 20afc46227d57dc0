"""Tables of the verdict's benchmark."""

from collections.abc import Sequence

from apu.evaluate.bootstrap import Interval
from apu.evaluate.tables import NONE, Table, number
from apu.evaluate.verdict_findings import VerdictFinding

NOTES = (
    "%. accepted: share of all fits, the filter's coverage. precision: share of the accepted fits that are accurate. "
    "recall: share of the accurate fits that are accepted. 95 % bootstrap intervals over pairs.",
)
CURVE_NOTES = (
    "%. The fits are ranked by their chance alone, without the other rules. AURC: mean share of wrong fits over all "
    "coverages, 0 at best, beside that of a ranking that knows nothing. AUC: how often an accurate fit is ranked above "
    "a wrong one.",
)
RULE_NOTES = (
    "%. rejects: share of all fits that a rule rejects. wrong: of those. alone: share of all fits that no other rule "
    "rejects. A rule that rejects hardly more wrong fits than there are among all does not see what is wrong; "
    "it may still be right to reject what is broken.",
)


def verdict_tables(found: Sequence[VerdictFinding], accurate_mm: float) -> list[Table]:
    """All tables.

    Args:
        found: kinds of answers, in the order of the tables.
        accurate_mm: what was called accurate.
    """
    return [_main(found, accurate_mm), _curves(found), _rules(found), _bins(found)]


def _main(found: Sequence[VerdictFinding], accurate_mm: float) -> Table:
    rows = tuple(
        (
            one.method, str(one.n), _percent(one.accurate), _with(one.accepted, one.accepted_interval),
            _with(one.precision, one.precision_interval), _percent(one.recall),
        )
        for one in found
    )  # fmt: skip
    note = f"accurate: pair PA-MPJPE below {accurate_mm:g} mm, 1.5 times the validation median with true contact maps."
    return Table("Verdict", ("answers", "fits", "accurate", "accepted", "precision", "recall"), rows, 1, (note, *NOTES))


def _curves(found: Sequence[VerdictFinding]) -> Table:
    shares = (0.1, 0.25, 0.5, 0.75)
    header = (
        "answers", *(f"precision at {100 * s:.0f} %" for s in shares), "coverage at 90 %", "AURC", "by chance", "AUC"
    )  # fmt: skip
    rows = tuple(
        (
            one.method, *(_percent(one.curve.precision(s)) for s in shares), _percent(one.curve.most_coverage(0.9)),
            _percent(one.curve.area), _percent(1 - one.accurate), _percent(one.discrimination),
        )
        for one in found
    )  # fmt: skip
    return Table("Chance of an accurate fit: risk and coverage", header, rows, 1, CURVE_NOTES)


def _rules(found: Sequence[VerdictFinding]) -> Table:
    rows = tuple(
        (one.method, rule.name, _percent(rule.rejects), _percent(rule.wrong), _percent(rule.alone))
        for one in found
        for rule in one.rules
    )
    return Table("Rules", ("answers", "rule", "rejects", "wrong", "alone"), rows, 2, RULE_NOTES)


def _bins(found: Sequence[VerdictFinding]) -> Table:
    rows = tuple(
        (one.method, f"{b.low:g} to {b.high:g} %", str(b.n), _percent(b.chance), _percent(b.accurate))
        for one in found
        for b in one.bins
        if b.n
    )
    return Table("Calibration of the chance", ("answers", "chance", "fits", "mean chance", "accurate"), rows, 2)


def _percent(share: float) -> str:
    return number(100 * share)


def _with(share: float, interval: Interval) -> str:
    if number(share) == NONE:
        return NONE
    return f"{_percent(share)} [{_percent(interval.low)}, {_percent(interval.high)}]"
