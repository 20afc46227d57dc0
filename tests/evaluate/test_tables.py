import math

import pytest

from apu.evaluate.accumulate import Comparison, Summary
from apu.evaluate.bootstrap import Interval
from apu.evaluate.tables import Column, Table, difference_cells, excludes, number, with_interval

NAN = math.nan


def summary(mean: float, low: float, high: float, n: int = 9) -> Summary:
    return Summary(mean, Interval(low, high), mean / 2, Interval(low / 2, high / 2), n, 0, 0, 100.0)


def comparison(difference: float, low: float, high: float) -> Comparison:
    return Comparison(1.0, 1.0, difference, Interval(low, high), 1.0, Interval(0.9, 1.1), 9, 0, 0)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(85.25, 1, "85.2"), (-0.04, 1, "0.0"), (NAN, 1, "-"), (math.inf, 1, "-"), (1234.5, 0, "1234")],
)
def test_numbers_are_rounded_and_nothing_is_a_dash(value: float, digits: int, text: str):
    assert number(value, digits) == text


def test_a_compact_interval_is_rounded_from_ten_on():
    interval = Interval(9.96, 88.44)
    assert with_interval(85.3, interval) == "85.3 [10.0, 88.4]"
    assert with_interval(85.3, interval, compact=True) == "85.3 [10.0, 88]"
    assert with_interval(NAN, Interval(NAN, NAN)) == "-"


@pytest.mark.parametrize(("low", "high", "told"), [(-3.0, -0.1, "yes"), (0.1, 3.0, "yes"), (-1.0, 1.0, "no")])
def test_a_difference_says_whether_it_excludes_zero(low: float, high: float, told: str):
    cells = difference_cells(comparison((low + high) / 2, low, high))
    assert cells[1] == told
    assert cells[0].startswith(("+", "-", "0"))


def test_an_interval_that_ends_at_the_value_or_is_nothing_does_not_exclude_it():
    assert not excludes(Interval(0.0, 2.0), 0.0)
    assert not excludes(Interval(NAN, NAN), 0.0)
    assert difference_cells(comparison(NAN, NAN, NAN)) == ("-", "-")


def test_a_column_shows_the_mean_the_median_or_nothing():
    one = summary(20.0, 15.0, 26.0)
    assert Column("x", "m", interval=True).cell(one, compact=False) == "20.0 [15.0, 26.0]"
    assert Column("x", "m", median=True).cell(one, compact=False) == "10.0"
    assert Column("x", "m").cell(None, compact=False) == "-"


def test_a_single_pair_has_no_interval():
    assert Column("x", "m", interval=True).cell(summary(20.0, 20.0, 20.0, n=1), compact=False) == "20.0"


TABLE = Table("Title", ("name", "value"), (("a|b", "1.0"), ("c", "-10.0")), 1, ("Note " * 40,))


def test_text_is_set_in_columns_and_notes_are_wrapped():
    lines = TABLE.text().splitlines()
    assert lines[:4] == ["Title", "name  value", "a|b     1.0", "c     -10.0"]
    assert max(map(len, lines)) <= 98


def test_markdown_has_a_rule_and_escapes_what_would_break_it():
    lines = TABLE.markdown().splitlines()
    assert lines[:5] == ["## Title", "", "| name | value |", "|:--|--:|", "| a\\|b | 1.0 |"]
