"""Ask many questions with a process that is killed at random moments, and count what was lost or asked twice.

Usage: python benchmarks/ask_kills.py [--requests 2000] [--url http://127.0.0.1:8080/v1] [--model tiny] [--seed 0]

Without --url a server of the tests is started that answers everything, and counts. A reply that is in the store is
never asked for again. Only a request that was under way when the process was killed may be sent twice: whether it was
paid for is known to nobody but the provider. So at most `concurrency` requests per kill are repeated.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from apu.ask.model_name import parse_model_name
from apu.ask.pydantic_ai_provider import PydanticAiProvider
from apu.ask.question import EncodedImage, Question
from apu.ask.run_limits import RunLimits
from apu.ask.runner import Runner
from apu.ask.store import Store

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
SCHEMA = {
    "type": "object",
    "properties": {"decision": {"enum": ["contact", "no contact"]}, "contacts": {"type": "array", "maxItems": 0}},
    "required": ["decision", "contacts"],
}


@dataclass(frozen=True)
class Counts:
    """What is in the store in the end."""

    starts: int
    answers: dict[str, int]
    attempts: int
    interrupted: int
    replies_of_one: int
    integrity: str


@dataclass(frozen=True)
class Read:
    """A reply that is JSON, or is not."""

    answer: object | None
    problem: str | None = None
    mends: tuple[str, ...] = ()
    refused: bool = False


def read(text: str) -> Read:
    try:
        return Read(json.loads(text))
    except ValueError:
        return Read(None, "It is no JSON.")


def questions(model: str, count: int) -> list[Question]:
    image = EncodedImage(PIXEL, "image/png")
    texts = [f"Do they touch? [id:{i}]" for i in range(count)]
    return [Question(image, "You measure.", text, (), SCHEMA, model, {"max_tokens": 60}) for text in texts]


def work(model: str, store: Path, count: int, concurrency: int) -> None:
    """What the killed process does."""
    begun: list[str] = []

    def say(stage: str, fraction: float = 0.0) -> None:
        if not begun:
            begun.append(stage)
            print("asking", flush=True)  # not before: loading packages takes longer than asking

    provider = PydanticAiProvider(parse_model_name(model), environment={})
    with Store(store) as opened:
        runner = Runner(provider, opened, read, RunLimits(concurrency=concurrency))
        done = runner.run(questions(model, count), say)
    sys.exit(0 if all(answer and answer.status != "failed" for answer in done.answers) else 3)


def killed_until_done(
    model: str, store: Path, count: int, *, concurrency: int, seed: int, longest_s: float, kills: int = 10_000
) -> Counts:
    """Start the work again and again, kill it at random moments, and count when it came to its end.

    Args:
        model: as for `apu ask --model`.
        store: file; made here.
        count: number of questions.
        concurrency: of each process.
        seed: of the moments.
        longest_s: a process is killed at most so many seconds after its first answer.
        kills: after so many, the next process is left alone.
    """
    dice = random.Random(seed)
    command = [sys.executable, __file__, "--work", model, str(store), str(count), str(concurrency)]
    starts = 0
    while True:
        starts += 1
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        if process.stdout.readline() != "asking\n":
            raise SystemExit(f"the process did not start: {process.wait()}")
        try:
            code = process.wait(dice.uniform(0, longest_s) if starts <= kills else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            continue
        finally:
            process.stdout.close()
        if code:
            raise SystemExit(f"the process ended with {code}")
        return counts(store, starts)


def counts(store: Path, starts: int) -> Counts:
    with Store(store) as opened:
        audit = opened.audit()
    table = sqlite3.connect(store)
    (most,) = table.execute(
        "SELECT max(n) FROM (SELECT count(*) n FROM attempts WHERE outcome = 'reply' GROUP BY key)"
    ).fetchone()
    (integrity,) = table.execute("PRAGMA integrity_check").fetchone()
    table.close()
    return Counts(starts, audit.answers, audit.attempts, audit.interrupted, most, integrity)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--url")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--longest", type=float, default=3.0, help="seconds after which a process is killed, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        model, store, count, concurrency = given.work
        return work(model, Path(store), int(count), int(concurrency))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:

        def run(url: str) -> Counts:
            return killed_until_done(
                f"{url}#{given.model}",
                Path(folder) / "answers.sqlite",
                given.requests,
                concurrency=given.concurrency,
                seed=given.seed,
                longest_s=given.longest,
            )

        if given.url:
            print(run(given.url))
        else:
            sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ask"))
            from fault_server import FaultServer

            with FaultServer(delay_s=0.02) as server:
                print(run(server.url))
                times = Counter(Counter(one.id for one in server.received).values())
                print(f"received by the server: {len(server.received)}; times asked -> questions: {dict(times)}")
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
