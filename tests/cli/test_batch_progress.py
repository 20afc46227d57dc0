"""How long the rest will take is told by what has been fitted."""

import pytest

from apu.cli import batch_progress
from apu.cli.batch_progress import Estimate, PlainBatch, duration


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standin = Clock()
    monkeypatch.setattr(batch_progress, "time", standin)
    return standin


def test_the_rest_takes_as_long_as_the_photos_so_far(clock: Clock):
    estimate = Estimate(4)
    assert str(estimate) == ""
    for seconds in (10, 20):
        estimate.begin()
        clock.now += seconds
        estimate.end(failed=False)
    assert str(estimate) == "about 30 s left"


def test_a_photo_that_fails_at_once_promises_nothing(clock: Clock):
    estimate = Estimate(3)
    estimate.begin()
    estimate.end(failed=True)
    assert str(estimate) == ""


def test_lines_name_the_photo_and_the_outcome(clock: Clock):
    lines: list[str] = []
    shown = PlainBatch(2, lines.append)
    shown.begin("a.jpg")("first fit")
    clock.now += 7.5
    shown.end(failed=False)
    shown.begin("b.jpg")
    shown.end(failed=True)
    assert lines == [
        "[1/2] a.jpg: first fit ...",
        "[1/2] a.jpg: done in 7.5 s; about 8 s left",
        "[2/2] b.jpg: failed in 0.0 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89.4, "89 s"), (90.0, "2 min"), (5340.0, "89 min"), (5400.0, "1.5 h"), (36000.0, "10.0 h")],
)
def test_durations_are_words_to_plan_with(seconds: float, words: str):
    assert duration(seconds) == words
