import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from errands import square, whims

from apu.dataset.engine import Failure, LocalEngine, SerialEngine
from apu.errors import InputError, OutputError

HERE = Path(__file__).parent

ENGINES = [pytest.param(SerialEngine(), id="serial"), pytest.param(LocalEngine(2), id="two processes")]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_item_comes_back_once_with_its_result(engine):
    assert sorted(engine.run(range(7), square)) == [(i, i * i) for i in range(7)]


def test_a_failing_item_and_a_dying_process_cost_only_their_items():
    outcomes = dict(LocalEngine(2).run(["a", "raise", "die", "b", "c"], whims))
    assert {word: outcomes[word] for word in "abc"} == {"a": "A", "b": "B", "c": "C"}
    assert outcomes["raise"].reason == "ValueError: told to"
    assert "whims" in outcomes["raise"].trace
    assert "signal 9" in outcomes["die"].reason


def test_items_are_read_only_when_somebody_is_free():
    read = []

    def items():
        for i in range(5):
            read.append(i)
            yield i

    for done, (_, _) in enumerate(SerialEngine().run(items(), square)):
        assert len(read) == done + 1


def test_later_items_may_depend_on_earlier_results():
    results: list[int] = []

    def items():
        number = 2
        while number < 100:
            yield number
            number = results[-1]

    for _, result in SerialEngine().run(items(), square):
        assert isinstance(result, int)
        results.append(result)
    assert results == [4, 16, 256]


def test_a_deliberate_error_keeps_its_text_and_stops_all_only_when_all_would_fail():
    assert Failure.of(InputError("Wrong.", where="x")).error is None
    assert Failure.of(InputError("Wrong.", where="x")).reason.startswith("Wrong.\n  where")
    assert isinstance(Failure.of(OutputError("Full.")).error, OutputError)


SLOW = """
import os, sys
sys.path.insert(0, {here!r})
from errands import whims
from apu.dataset.engine import LocalEngine
if __name__ == "__main__":
    for word, result in LocalEngine(2).run(["pid", "sleep60", "sleep61"], whims):
        print(result, flush=True)
"""


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(tmp_path: Path, how: signal.Signals):
    script = tmp_path / "slow.py"
    script.write_text(SLOW.format(here=str(HERE)))
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "PID\n"
    workers = children(parent.pid)
    assert len(workers) >= 2
    os.kill(parent.pid, how)
    parent.wait(10)
    until = time.monotonic() + 10
    while not all(map(is_gone, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert all(map(is_gone, workers))
