"""Progress is read by people: a line for each stage in a log, a bar for each on a terminal."""

import io
from contextlib import suppress

import pytest

from apu.cli import progress
from apu.cli.progress import PlainProgress, shown_progress


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standin = Clock()
    monkeypatch.setattr(progress, "time", standin)
    return standin


def test_a_log_gets_one_line_for_each_stage(clock: Clock):
    lines: list[str] = []
    watcher = PlainProgress(lines.append)
    for stage, fraction in [("read", 0.0), ("read", 0.5), ("fit", 0.0), ("fit", 0.9)]:
        watcher(stage, fraction)
    assert lines == ["read ...", "fit ..."]


def test_a_long_stage_says_again_where_it_stands(clock: Clock):
    lines: list[str] = []
    watcher = PlainProgress(lines.append)
    for second in range(12):
        clock.now = 100.0 + second
        watcher("fetch", second / 12)
    assert lines == ["fetch ...", "fetch 42% ...", "fetch 83% ..."]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_for_each_stage(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with shown_progress() as watcher:
        watcher("reading the photo")
        watcher("fitting", 0.25)
    assert "reading the photo" in terminal.getvalue()
    assert "fitting" in terminal.getvalue()


def test_bars_are_put_away_when_the_work_fails(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with suppress(ValueError), shown_progress() as watcher:
        watcher("fitting", 0.25)
        raise ValueError
    with shown_progress() as watcher:  # rich refuses a second display while the first one lives
        watcher("fitting again")
    assert "fitting again" in terminal.getvalue()
