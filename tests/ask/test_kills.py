"""A run that is killed at any moment loses no reply, and asks for none again."""

import sqlite3
import sys
from collections import Counter
from pathlib import Path

from fault_server import FaultServer, at_random

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from ask_kills import killed_until_done, questions

CONCURRENCY = 8


def attempts(store: Path, condition: str) -> Counter[str]:
    """Key -> attempts that meet a condition."""
    rows = sqlite3.connect(store).execute(f"SELECT key, count(*) FROM attempts WHERE {condition} GROUP BY key")
    return Counter(dict(rows.fetchall()))


def test_killed_at_random_moments_and_restarted(tmp_path: Path):
    store, count = tmp_path / "answers.sqlite", 200
    with FaultServer(at_random(1, 0.1, ("503", "cut", "reset", "html")), delay_s=0.03) as server:
        model = f"{server.url}#m"
        found = killed_until_done(model, store, count, concurrency=CONCURRENCY, seed=0, longest_s=0.6, kills=2)
        received = Counter(one.id for one in server.received)
        good = Counter(one.id for one in server.received if one.fault == "ok")
    assert found.starts >= 2  # else nothing was tested
    assert found.answers == {"answered": count}
    assert found.integrity == "ok"
    assert found.replies_of_one == 1

    begun, replied = attempts(store, "1"), attempts(store, "outcome = 'reply'")
    lost = attempts(store, "finished IS NULL")
    assert found.interrupted == lost.total() <= (found.starts - 1) * CONCURRENCY
    for i, question in enumerate(questions(model, count)):
        assert replied[question.key] == 1
        assert received[str(i)] <= begun[question.key] <= received[str(i)] + lost[question.key]
        assert good[str(i)] <= 1 + lost[question.key]  # more than once only if killed while it was under way
