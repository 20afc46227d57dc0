"""Who does many pieces of work: an `Engine`. Here, processes of this machine; a cluster can be another one.

A piece of work is a pure function of a picklable item, so it does not matter who does it, when, or how often.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeVar, runtime_checkable

from apu.errors import ApuError

Item = TypeVar("Item")
Result = TypeVar("Result")

_SINGLE_THREADED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Failure:
    """An item that could not be done; the others go on.

    Attributes:
        reason: what went wrong, for the user.
        trace: where, for us; empty of deliberate errors.
        error: what would happen to every item alike (`ApuError.stops_run`); None of others.
    """

    reason: str
    trace: str = ""
    error: ApuError | None = None

    @staticmethod
    def of(error: Exception) -> "Failure":
        """What an exception says."""
        if isinstance(error, ApuError):
            return Failure(str(error), error=error if error.stops_run else None)
        text = " ".join(str(error).split())[:500]
        trace = "".join(traceback.format_exception(error))
        return Failure(f"{type(error).__name__}: {text or 'no message'}", trace)


@runtime_checkable
class Engine(Protocol):
    """Does pieces of work in any order."""

    def run(
        self, items: Iterable[Item], function: Callable[[Item], Result]
    ) -> Iterator[tuple[Item, "Result | Failure"]]:
        """Do the function to every item.

        Args:
            items: read only when somebody is free to do the next one, so that what is asked may depend on results.
            function: pure and picklable.

        Returns:
            The items as they are finished, each with its result, or with why there is none.
        """
        ...


class SerialEngine:
    """One after another, in this process."""

    def run(self, items: Iterable[Item], function: Callable[[Item], Result]) -> Iterator[tuple[Item, Result | Failure]]:
        """See `Engine.run`."""
        for item in items:
            try:
                result = function(item)
            except Exception as error:
                yield item, Failure.of(error)
            else:
                yield item, result


@dataclass
class LocalEngine:
    """Processes of this machine, with one thread each. One that dies is replaced, and its item has failed.

    None outlives this process, however it ends.

    Attributes:
        jobs: how many processes.
    """

    jobs: int

    def run(self, items: Iterable[Item], function: Callable[[Item], Result]) -> Iterator[tuple[Item, Result | Failure]]:
        """See `Engine.run`."""
        waiting = iter(items)
        task = pickle.dumps(function)
        idle: list[_Worker] = []
        busy: dict[Connection, _Worker] = {}
        try:
            while True:
                while len(busy) < self.jobs and (item := next(waiting, _NOTHING)) is not _NOTHING:
                    worker = idle.pop() if idle else _Worker(task)
                    busy[worker.connection] = worker.given(item)
                if not busy:
                    return
                for connection in wait(list(busy)):
                    worker = busy.pop(connection)  # type: ignore[arg-type]
                    item, outcome, alive = worker.outcome()
                    if alive:
                        idle.append(worker)
                    yield item, outcome
        finally:
            for worker in (*idle, *busy.values()):
                worker.end()


_NOTHING = object()


class _Worker:
    """A process and the line to it."""

    def __init__(self, task: bytes) -> None:
        spawn = multiprocessing.get_context("spawn")  # forking would copy the locks of torch's threads
        self.connection, theirs = spawn.Pipe()
        self._process: BaseProcess = spawn.Process(target=_work, args=(theirs, task), daemon=True)
        self._process.start()
        theirs.close()  # so that its death ends the line
        self._item: Any = None

    def given(self, item: object) -> "_Worker":
        """Give it an item to do; a process that has died meanwhile shows when the outcome is asked for."""
        self._item = item
        try:
            self.connection.send(item)
        except OSError:
            self._process.join()
        return self

    def outcome(self) -> tuple[Any, Any, bool]:
        """(item, result or failure, whether the process is still there); call it when the line has something."""
        try:
            return self._item, self.connection.recv(), True
        except (EOFError, OSError):
            self.connection.close()
            self._process.join()
            code = self._process.exitcode or 0
            how = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with exit code {code}"
            return self._item, Failure(f"The process that worked on it {how}."), False

    def end(self) -> None:
        """Stop it, in the middle of something or not."""
        self.connection.close()
        self._process.terminate()
        self._process.join()


@dataclass
class _Orphan:
    """Ends this process when its parent is gone; it would compute for nobody."""

    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)


def _work(connection: Connection, task: bytes) -> None:
    """The life of a process: do item after item until the line ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first of them ends the others
    _Orphan()
    os.environ.update(dict.fromkeys(_SINGLE_THREADED, "1"))
    try:
        function = pickle.loads(task)
    except Exception as error:
        function = _Broken(Failure.of(error))
    _single_thread()
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        try:
            outcome = function(item)
        except Exception as error:
            outcome = Failure.of(error)
        try:
            connection.send(outcome)
        except OSError:
            return


@dataclass(frozen=True)
class _Broken:
    """Stands for a function that could not even be loaded."""

    failure: Failure

    def __call__(self, item: object) -> Failure:
        return self.failure


def _single_thread() -> None:
    """Sums must not depend on how many threads are free."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
