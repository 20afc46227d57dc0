"""Shares, F1, Brier score and gains against numbers by hand, and against the file of contacts."""

import csv
import io
import math

import pytest

from apu.contact.contact import ContactMap
from apu.contact.end import End
from apu.contact.named_contact import NamedContact, contact_map
from apu.evaluate.ask_agreement import KINDS, TrueContact
from apu.evaluate.ask_findings import f1_gains, find_annotators, share_of
from apu.evaluate.ask_rows import AskRow, Subject, ask_row, contacts_csv, lost_ask_row
from apu.evaluate.ask_tables import ask_tables, gain_table

BACK = TrueContact(frozenset({("left_hand_palm", "left_upper_back")}))
KNEE = TrueContact(frozenset({("left_knee_front", "left_knee_front")}))


def said(*contacts: tuple[str, str, str, str, float]) -> ContactMap:
    return contact_map([NamedContact(End(a, x), End(b, y), weight) for a, x, b, y, weight in contacts], "somebody")


RIGHT = ("hand", "left", "back", "none", 0.9)
FLIPPED = ("hand", "right", "back", "none", 0.5)
INVENTED = ("foot", "left", "foot", "left", 0.3)
DOUBTED = ("neck", "none", "neck", "none", 0.1)


def rows(annotator: str = "x", second: tuple = (FLIPPED, DOUBTED)) -> list[AskRow]:
    first = Subject("p", "hug", "seen", 0, (BACK, KNEE))
    other = Subject("q", "kick", "seen", 0, (BACK,))
    return [
        ask_row(first, annotator, said(RIGHT, INVENTED), said(RIGHT, INVENTED), 0.2),
        ask_row(other, annotator, said(*second), said(*(RIGHT if c == FLIPPED else c for c in second)), 0.2),
    ]


def test_shares_are_of_summed_counts():
    (one,) = find_annotators(rows())
    assert (one.pairs, one.lost) == (2, 0)
    assert {level: (s.above, s.below) for level, s in one.precision.items()} == {
        "side-blind": (2, 3), "side-aware": (1, 3), "denoised": (2, 3),
    }  # fmt: skip
    assert {level: (s.above, s.below) for level, s in one.recall.items()} == {
        "side-blind": (2, 3), "side-aware": (1, 3), "denoised": (2, 3),
    }  # fmt: skip
    assert one.f1["side-blind"].value == pytest.approx(2 / 3)
    assert one.f1["side-aware"].value == pytest.approx(1 / 3)
    assert one.macro_f1["side-aware"] == pytest.approx((0.5 + 0.0) / 2)
    assert [one.kinds[kind].above for kind in KINDS] == [1, 0, 1, 0, 0, 1]
    assert (one.detection.above, one.detection.below, one.hallucination.below) == (2, 2, 0)


def test_weights_below_the_least_count_for_calibration_alone():
    (one,) = find_annotators(rows())
    by_hand = (0.1**2 + 0.3**2 + 0.5**2 + 0.1**2) / 4
    assert one.calibration["side-blind"].brier.value == pytest.approx(by_hand)
    by_hand = (0.1**2 + 0.3**2 + 0.5**2 + 0.1**2) / 4  # the flipped one is as far from 0 as from 1
    assert one.calibration["side-aware"].brier.value == pytest.approx(by_hand)
    assert one.calibration["side-blind"].area.value == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert [(b.contacts, b.right_blind) for b in one.bins if b.contacts] == [(1, 0.0), (1, 0.0), (1, 1.0), (1, 1.0)]


def test_a_reply_that_is_missing_is_lost_and_no_silence():
    subject = Subject("q", "kick", "seen", 0, (BACK,))
    (missing,) = find_annotators([rows()[0], lost_ask_row(subject, "x", "refused")])
    (silent,) = find_annotators([rows()[0], ask_row(subject, "x", said(), said(), 0.2)])
    assert (missing.pairs, missing.lost) == (1, 1)
    assert (silent.pairs, silent.lost) == (2, 0)
    assert missing.recall["side-blind"].below == 2
    assert silent.recall["side-blind"].below == 3
    assert silent.detection.value == 0.5


def test_who_says_nothing_at_all_has_finite_counts_and_undefined_precision():
    subject = Subject("q", "kick", "seen", 0, (BACK,))
    (silent,) = find_annotators([ask_row(subject, "x", said(), said(), 0.2)])
    assert math.isnan(silent.precision["side-blind"].value)
    assert silent.f1["side-blind"].value == 0.0
    assert math.isnan(silent.calibration["side-blind"].brier.value)
    for table in ask_tables([silent], compact=True, sparse=True):
        assert "nan" not in table.text()


def test_hallucination_is_counted_where_nothing_touches():
    nothing = Subject("n", "", "not touching", 0, ())
    told = ask_row(nothing, "x", said(INVENTED), said(INVENTED), 0.2)
    (one,) = find_annotators([told, ask_row(Subject("m", "", "", 0, ()), "x", said(), said(), 0.2)])
    assert (one.hallucination.above, one.hallucination.below, one.detection.below) == (1, 2, 0)


def test_gains_are_pair_by_pair_and_nothing_against_oneself():
    better = [AskRow(r.row, r.said) for r in rows("better", (RIGHT,))]
    gains = f1_gains([*rows("base"), *better, *rows("same")], "base")
    assert gains["same"]["side-aware"].value == 0
    assert gains["same"]["side-aware"].interval.low == gains["same"]["side-aware"].interval.high == 0
    assert gains["better"]["side-aware"].value == pytest.approx(2 / 3 - 1 / 3)
    assert set(gains) == {"better", "same"}
    assert gain_table(gains, "base").rows[0][0] == "better"


def test_the_unit_of_intervals_is_the_pair_or_the_photo():
    both = rows()
    (by_pair,), (by_photo,) = find_annotators(both), find_annotators(both, lambda one: "one photo")
    assert by_pair.precision["side-blind"].value == by_photo.precision["side-blind"].value
    assert by_pair.precision["side-blind"].interval.low < by_pair.precision["side-blind"].interval.high
    assert by_photo.precision["side-blind"].interval.low == by_photo.precision["side-blind"].interval.high


def test_the_tables_follow_from_the_file_of_contacts():
    lines = list(csv.DictReader(io.StringIO(contacts_csv(rows()))))
    counted = [line for line in lines if line["counted"] == "1"]
    (one,) = find_annotators(rows())
    for step, level in (("as said", "side-aware"), ("denoised", "denoised")):
        mine = [line for line in counted if line["step"] == step]
        right = sum(line["kind"] == "right" for line in mine)
        assert (one.precision[level].above, one.precision[level].below) == (right, len(mine))
    squares = [
        (float(line["weight"]) - (line["kind"] == "right")) ** 2 for line in lines if line["step"] == "as said"
    ]  # fmt: skip
    assert one.calibration["side-aware"].brier.value == pytest.approx(sum(squares) / len(squares))


def test_a_share_of_nothing_is_undefined():
    share = share_of([])
    assert math.isnan(share.value)
    assert (share.above, share.below) == (0, 0)
