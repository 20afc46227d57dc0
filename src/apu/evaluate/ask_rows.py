"""What one annotator said about one pair, as counts: from sums of them follows every share of the tables."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from apu.contact.contact import ContactMap
from apu.evaluate.ask_agreement import KINDS, Judged, Kind, TrueContact, judge
from apu.evaluate.rows import BenchmarkRow

CONTACTS_FILE = "contacts.csv"
"""Every contact that was said, one line each."""

_HEAD = ("pair", "class", "seed", "annotator", "step", "a", "b", "weight", "counted", "kind")


@dataclass(frozen=True)
class SaidContact:
    """A contact that was said, and what is to be thought of it.

    Attributes:
        a, b: its words.
        weight: as the annotator gave it.
        counted: whether it weighs enough to count in shares; all are looked at for calibration.
        kind: see `KINDS`.
        step: `as said`, or `denoised`: after sides were decided by keypoints.
    """

    a: str
    b: str
    weight: float
    counted: bool
    kind: Kind
    step: str = "as said"

    @property
    def right_blind(self) -> bool:
        """Whether it is right, sides aside."""
        return self.kind in ("right", "side open", "side")


@dataclass(frozen=True)
class AskRow:
    """One annotator on one pair.

    Attributes:
        row: the counts; its method is the annotator.
        said: every contact, first as said, then denoised.
    """

    row: BenchmarkRow
    said: tuple[SaidContact, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A pair that is asked about.

    Attributes:
        pair, interaction, group, seed: as in `BenchmarkRow`.
        truth: its contacts.
    """

    pair: str
    interaction: str
    group: str
    seed: int
    truth: tuple[TrueContact, ...]


def ask_row(subject: Subject, annotator: str, said: ContactMap, denoised: ContactMap, least_weight: float) -> AskRow:
    """Count what is right.

    Args:
        subject: the pair.
        annotator: who was asked.
        said: the answer.
        denoised: the same after sides were decided by keypoints.
        least_weight: contacts below do not count in shares.
    """
    values: dict[str, float] = {}
    contacts: list[SaidContact] = []
    for step, one in (("as said", said), ("denoised", denoised)):
        counted = replace(one, contacts=tuple(c for c in one.contacts if c.weight >= least_weight))
        values |= _counts(judge(counted, subject.truth), "" if step == "as said" else "_denoised")
        for contact, kind in zip(one.contacts, judge(one, subject.truth).kinds, strict=True):
            a, _, b = contact.name.partition(" - ")
            contacts.append(SaidContact(a, b, contact.weight, contact.weight >= least_weight, kind, step))
        if step == "as said":
            values |= _expanded(counted, subject.truth)
    row = BenchmarkRow(subject.pair, subject.interaction, subject.group, subject.seed, annotator, values)
    return AskRow(row, tuple(contacts))


def lost_ask_row(subject: Subject, annotator: str, reason: str) -> AskRow:
    """The row of a pair about which the annotator said nothing that could be used. That is not "no contact"."""
    return AskRow(
        BenchmarkRow(subject.pair, subject.interaction, subject.group, subject.seed, annotator, {}, lost=reason)
    )


def contacts_csv(rows: Sequence[AskRow]) -> str:
    """contacts.csv as text, from which the tables can be computed again."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEAD)
    for one in rows:
        row = one.row
        for c in one.said:
            counted = int(c.counted)
            writer.writerow(
                (row.pair, row.interaction, row.seed, row.method, c.step, c.a, c.b, repr(c.weight), counted, c.kind)
            )
    return text.getvalue()


def _counts(judged: Judged, end: str) -> dict[str, float]:
    counts = {
        "said": len(judged.kinds),
        "right_blind": sum(judged.right_blind),
        "right": sum(judged.right),
        "wanted": judged.wanted,
        "found_blind": judged.found_blind,
        "found": judged.found,
    }
    if not end:
        counts |= {"touching": judged.touching, "told": bool(judged.kinds)}
        counts |= {f"kind_{kind.replace(' ', '_')}": judged.kinds.count(kind) for kind in KINDS}
    return {f"{name}{end}": float(value) for name, value in counts.items()}


def _expanded(said: ContactMap, truth: Sequence[TrueContact]) -> dict[str, float]:
    """Region pairs of the 75 x 75 map: in both, in either, in the truth."""
    mine = {pair for c in said.contacts for pair in product(c.regions_a, c.regions_b)}
    true = {pair for one in truth for pair in one.pairs}
    counts = {"regions_shared": len(mine & true), "regions_either": len(mine | true), "regions_true": len(true)}
    return {name: float(value) for name, value in counts.items()}
