"""No answer is lost, none is paid for twice, no fault ends a run: requests at the server are attempts in the store."""

import asyncio
import logging
import math
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked import parse, provider, question
from fault_server import GOOD, TRANSIENT, FaultServer, Script, always, at_random, first

from apu.ask.asking import HOPELESS
from apu.ask.pace import Backoff
from apu.ask.provider import ProviderError, Reply
from apu.ask.question import Question
from apu.ask.run_limits import RunLimits
from apu.ask.runner import Run, Runner
from apu.ask.store import Store
from apu.errors import InputError

CANARY = "CANARY-key-9d02"
QUICK = Backoff(first_s=0.01, most_s=0.1)


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """Ask once, so that no later request waits for packages to be loaded."""
    with FaultServer() as server:
        asyncio.run(provider(server.url).ask(question(), timeout_s=60.0))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "answers.sqlite") as opened:
        yield opened


def runner(server: FaultServer, store: Store, *, key: str = "", usd: float = 0.01, **limits: float) -> Runner:
    chosen = RunLimits(**{"timeout_s": 20.0, "backoff": QUICK, **limits})  # pyright: ignore[reportArgumentType]
    return Runner(
        provider(server.url, {"APU_LVLM_API_KEY": key}),
        store,
        parse,
        chosen,
        price=lambda _question, _reply: usd,
        most=lambda _question, _earlier: 2 * usd,
    )


def run(script: Script | None, store: Store, count: int = 1, **limits: float) -> tuple[Run, FaultServer]:
    with FaultServer(script, elsewhere="http://127.0.0.1:1") as server:
        return runner(server, store, **limits).run(questions(count)), server


def questions(count: int) -> list[Question]:
    return [question(str(i)) for i in range(count)]


def statuses(run: Run) -> list[str | None]:
    return [answer and answer.status for answer in run.answers]


def test_answers_come_in_the_order_of_the_questions(store: Store):
    done, server = run(None, store, 20)
    assert [answer and answer.key for answer in done.answers] == [one.key for one in questions(20)]
    assert statuses(done) == ["answered"] * 20
    assert (done.requests, done.from_store, done.not_asked, done.stopped) == (20, 0, 0, None)
    assert done.cost_usd == pytest.approx(0.2)
    assert len(server.received) == 20
    first_answer = done.answers[0]
    assert first_answer is not None
    assert (first_answer.reply, first_answer.model_answered, first_answer.attempts) == (GOOD, "fake-1", 1)
    assert (first_answer.input_tokens, first_answer.output_tokens, first_answer.cost_usd) == (100, 10, 0.01)


def test_what_is_answered_is_not_asked_again(store: Store):
    run(None, store, 10)
    again, server = run(None, store, 12)
    assert len(server.received) == 2
    assert (again.from_store, again.requests, statuses(again)) == (10, 2, ["answered"] * 12)


def test_the_same_question_twice_in_a_run_is_asked_once(store: Store):
    with FaultServer(delay_s=0.05) as server:
        done = runner(server, store).run([question("a"), question("a"), question("b"), question("a")])
    assert sorted(one.id for one in server.received) == ["a", "b"]
    assert statuses(done) == ["answered"] * 4
    assert done.answers[0] == done.answers[1] == done.answers[3]


def test_two_runs_at_once_with_one_file_share_the_questions(tmp_path: Path):
    runs: list[Run] = []
    with FaultServer(delay_s=0.02) as server:

        def work() -> None:
            with Store(tmp_path / "answers.sqlite") as own:
                runs.append(runner(server, own).run(questions(20)))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.received) == 20
    assert [statuses(one) for one in runs] == [["answered"] * 20] * 2


@pytest.mark.parametrize("fault", TRANSIENT)
def test_faults_that_pass_are_survived(store: Store, fault: str):
    timeout = 1.0 if fault in ("hang", "drip") else 20.0
    done, server = run(first(fault), store, backoff=Backoff(0.01, 2.0), timeout_s=timeout)
    assert statuses(done) == ["answered"]
    assert server.of("0") == [fault, "ok"]
    assert store.audit().attempts == 2


@pytest.mark.parametrize("fault", ["400", "403", "redirect", "huge", "404"])
def test_faults_that_stay_are_not_tried_again_now_but_in_the_next_run(store: Store, fault: str):
    done, server = run(first(fault), store)
    assert statuses(done) == ["failed"]
    assert server.of("0") == [fault]
    failed = store.answer(question("0").key)
    assert failed is not None
    assert failed.problem
    again, server = run(None, store)
    assert statuses(again) == ["answered"]
    assert again.answers[0] is not None
    assert again.answers[0].attempts == 2


def test_a_question_that_keeps_failing_is_given_up_and_the_others_go_on(store: Store):
    done, server = run(lambda name, _: "503" if name == "1" else "ok", store, 5, max_attempts=3)
    assert statuses(done) == ["answered", "failed", "answered", "answered", "answered"]
    assert server.of("1") == ["503"] * 3


@pytest.mark.parametrize("fault", ["prose", "truncated", "wrong-schema", "empty"])
def test_what_cannot_be_read_is_asked_for_once_more(store: Store, fault: str):
    done, server = run(first(fault), store)
    assert statuses(done) == ["answered"]
    assert server.of("0") == [fault, "ok"]
    problem = server.received[1].body["messages"][-1]["content"]
    assert "JSON" in problem
    (answer,) = done.answers
    assert answer is not None
    assert (answer.attempts, answer.input_tokens, answer.cost_usd) == (2, 200, 0.02)  # both are paid for
    assert len(store.replies(answer.key)) == 2


def test_what_cannot_be_read_twice_is_unparsable_and_its_replies_are_kept(store: Store):
    done, server = run(always("prose"), store)
    assert statuses(done) == ["unparsable"]
    assert server.of("0") == ["prose"] * 2
    assert done.answers[0] is not None
    assert "hold hands" in (done.answers[0].reply or "")
    assert run(None, store)[1].received == []  # paid for, so not asked again


@pytest.mark.parametrize("fault", ["refusal", "filter", "refusal-text"])
def test_a_refusal_is_no_answer_and_is_not_asked_again(store: Store, fault: str):
    done, server = run(always(fault), store)
    assert statuses(done) == ["refused"]
    assert server.of("0") == [fault]
    assert done.answers[0] is not None
    assert done.answers[0].problem
    assert run(None, store)[1].received == []


def test_mends_are_recorded(store: Store):
    done, _ = run(always("fenced"), store)
    assert done.answers[0] is not None
    assert done.answers[0].mends == ("fence",)


def test_a_wrong_key_stops_the_run_at_once(store: Store):
    with FaultServer(always("401"), delay_s=0.02) as server:
        with pytest.raises(ProviderError, match="key") as error:
            runner(server, store, key=CANARY, concurrency=4).run(questions(50))
        assert len(server.received) <= 4  # those under way
    assert "APU_LVLM_API_KEY" in str(error.value)
    assert run(None, store, 50)[0].requests == 50


def test_a_model_that_does_not_exist_stops_the_run_but_single_404_do_not(store: Store):
    with FaultServer(always("404")) as server, pytest.raises(ProviderError, match="reject"):
        runner(server, store, concurrency=1).run(questions(20))
    assert len(server.received) == HOPELESS
    done, _ = run(lambda name, _: "ok" if name == "0" else "404", store, 20, concurrency=1)
    assert statuses(done) == ["answered"] + ["failed"] * 19


def test_the_wait_that_a_server_asks_for_is_kept_by_all(store: Store):
    begun = time.monotonic()
    done, _ = run(lambda name, number: "429-0.5" if (name, number) == ("0", 0) else "ok", store, 3, concurrency=1,
                       backoff=Backoff(0.001, 5.0))  # fmt: skip
    assert statuses(done) == ["answered"] * 3
    assert time.monotonic() - begun >= 0.5


def test_a_wait_is_capped(store: Store):
    done, _ = run(first("429-86400"), store)
    assert statuses(done) == ["answered"]


def test_waits_double_with_jitter_up_to_a_cap_and_a_servers_wish_is_no_less():
    dice = random.Random(0)
    backoff = Backoff(first_s=1.0, most_s=30.0)
    for failures in range(1, 40):
        wait = backoff.wait(failures, None, dice)
        assert min(30.0, 0.5 * 2.0 ** (failures - 1)) <= wait <= min(30.0, 1.5 * 2.0 ** (failures - 1))
    assert 7.0 <= backoff.wait(1, 7.0, dice) <= 7.7
    assert 30.0 <= backoff.wait(1, 1e9, dice) <= 33.0
    assert backoff.wait(1, -5.0, dice) == 0.0
    assert backoff.wait(1, math.nan, dice) <= 1.5


def test_no_more_requests_are_under_way_than_allowed(store: Store):
    with FaultServer(delay_s=0.03) as server:
        runner(server, store, concurrency=3).run(questions(12))
    assert server.most_at_once == 3


def test_requests_per_minute_are_kept(store: Store):
    begun = time.monotonic()
    run(None, store, 5, concurrency=5, requests_per_minute=600.0)
    assert time.monotonic() - begun >= 0.4  # four gaps of 0.1 s


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_parameter_that_is_refused_is_dropped_and_counted(store: Store, concurrency: int):
    hot = [question(str(i), parameters={"max_tokens": 9, "temperature": 1.0}) for i in range(5)]
    with FaultServer(always("no-temperature")) as server:
        done = runner(server, store, concurrency=concurrency, max_attempts=1).run(hot)
    assert statuses(done) == ["answered"] * 5
    assert all(answer and answer.dropped == ("temperature",) for answer in done.answers)
    assert 6 <= len(server.received) == store.audit().attempts <= 5 + concurrency


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_budget_is_never_exceeded_and_the_rest_is_reported(store: Store, concurrency: int):
    done, server = run(None, store, 50, budget_usd=0.105, concurrency=concurrency)
    assert done.cost_usd is not None
    assert done.cost_usd <= 0.105
    assert done.cost_usd >= 0.085  # what can be spent is spent: a request may cost 0.02 and costs 0.01
    assert len(server.received) == done.requests == round(done.cost_usd / 0.01)
    assert done.not_asked == 50 - done.requests
    assert done.stopped is not None
    assert "budget" in done.stopped
    assert store.audit().attempts == done.requests


def test_what_may_have_been_billed_without_a_reply_counts_against_the_budget(store: Store):
    done, server = run(always("cut"), store, 10, budget_usd=0.1, concurrency=1, max_attempts=2)
    assert len(server.received) == 5  # 0.02 each
    assert done.stopped is not None


def test_a_budget_of_nothing_asks_nothing_but_gives_what_is_there(store: Store):
    run(None, store, 3)
    done, server = run(None, store, 10, budget_usd=0.0)
    assert server.received == []
    assert statuses(done) == ["answered"] * 3 + [None] * 7


def test_a_budget_without_a_price_is_an_input_error(store: Store):
    with FaultServer() as server, pytest.raises(InputError, match="budget"):
        Runner(provider(server.url), store, parse, RunLimits(budget_usd=1.0)).run(questions(3))
    assert server.received == []


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"timeout_s": -1.0}, {"budget_usd": math.nan}, {"budget_usd": -1.0}]
)
def test_senseless_limits_are_refused(wrong: dict[str, float]):
    with pytest.raises(InputError, match="sense"):
        RunLimits(**wrong)  # pyright: ignore[reportArgumentType]


def test_a_question_in_a_batch_is_left_there(store: Store):
    store.add(question("0"))
    store.finish(question("0").key, "pending")
    done, server = run(None, store, 2)
    assert statuses(done) == ["pending", "answered"]
    assert [one.id for one in server.received] == ["1"]


def test_a_reply_that_a_killed_run_left_behind_is_used_and_not_paid_again(store: Store):
    for name, text in (("0", GOOD), ("1", "prose")):
        store.add(question(name))
        store.got_reply(store.begin(question(name).key, "ask"), Reply(text), 0.01, 1.0)
    done, server = run(None, store, 2)
    assert statuses(done) == ["answered", "answered"]
    assert [one.id for one in server.received] == ["1"]  # and that is the one re-ask
    assert done.answers[1] is not None
    assert done.answers[1].attempts == 2


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_waits_for_what_is_paid_for_and_the_next_run_goes_on(store: Store):
    def interrupt(stage: str, fraction: float = 0.0) -> None:
        if fraction == 0.5:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C does

    with FaultServer(delay_s=0.05) as server, pytest.raises(KeyboardInterrupt):
        runner(server, store, concurrency=4).run(questions(20), interrupt)
    before = len(server.received)
    assert 10 <= before <= 14
    audit = store.audit()
    assert (audit.attempts, audit.interrupted, audit.answers) == (before, 0, {"answered": before})
    assert sqlite3.connect(store.path).execute("SELECT count(*) FROM claims").fetchone() == (0,)
    done, server = run(None, store, 20)
    assert statuses(done) == ["answered"] * 20
    assert len(server.received) == 20 - before


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_while_waiting_for_a_server_is_quick(store: Store):
    begun = time.monotonic()
    with FaultServer(always("429-60")) as server:
        timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            runner(server, store, backoff=Backoff(1.0, 100.0)).run(questions(20))
    assert time.monotonic() - begun < 30.0
    assert store.audit().interrupted == 0


def test_an_error_of_our_own_in_a_run_is_raised_and_leaves_a_whole_store(store: Store):
    def wrong(stage: str, fraction: float = 0.0) -> None:
        raise ZeroDivisionError

    with FaultServer() as server, pytest.raises(ZeroDivisionError):
        runner(server, store, concurrency=2).run(questions(20), wrong)
    assert store.audit().attempts >= len(server.received)
    assert run(None, store, 20)[0].not_asked == 0


def test_progress_is_told_and_questions_may_be_made_one_by_one(store: Store):
    told: list[float] = []
    made: list[int] = []

    def making() -> Iterator[Question]:
        for i in range(6):
            made.append(i)
            yield question(str(i))

    with FaultServer(delay_s=0.02) as server:
        one = runner(server, store, concurrency=2)
        one.run(making(), lambda stage, fraction=0.0: told.append(len(made)))
        assert told[0] <= 3  # not all were made before the first was asked
        told.clear()
        one.run(questions(8), lambda stage, fraction=0.0: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_run_works_where_an_event_loop_runs_already(store: Store):
    async def notebook() -> Run:
        with FaultServer() as server:
            return runner(server, store).run(questions(2))

    assert statuses(asyncio.run(notebook())) == ["answered"] * 2


@pytest.mark.parametrize("seed", range(3))
def test_with_any_mixture_of_faults_every_question_is_answered_and_every_request_counted(store: Store, seed: int):
    with FaultServer(at_random(seed, 0.3, (*TRANSIENT, "prose", "wrong-schema"), most=1)) as server:
        done = runner(server, store, concurrency=16, timeout_s=1.5, backoff=Backoff(0.01, 1.2), max_attempts=8).run(
            questions(60)
        )
    assert statuses(done) == ["answered"] * 60
    assert len(server.received) == store.audit().attempts == done.requests
    assert store.audit().interrupted == 0
    good = "SELECT count(*) n FROM attempts WHERE outcome = 'reply' AND reply LIKE '%decision%' GROUP BY key"
    assert sqlite3.connect(store.path).execute(f"SELECT min(n), max(n) FROM ({good})").fetchone() == (1, 1)


def test_the_key_is_in_no_file_log_or_error(store: Store, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    faults = [
        "ok",
        "echo-key",
        "400",
        "403",
        "503",
        "429",
        "html",
        "huge",
        "reset",
        "cut",
        "redirect",
        "refusal",
        "prose",
    ]
    with FaultServer(lambda name, _: faults[int(name)], elsewhere="http://127.0.0.1:1") as server:
        runner(server, store, key=CANARY, concurrency=2, max_attempts=2).run(questions(len(faults)))
        assert all(one.authorization == f"Bearer {CANARY}" for one in server.received)
    with FaultServer(always("401")) as server, pytest.raises(ProviderError) as error:
        runner(server, store, key=CANARY).run([question("x")])
    assert CANARY not in str(error.value)
    assert CANARY not in caplog.text
    files = list(store.path.parent.iterdir())
    assert len(files) >= 2  # with the write-ahead log
    assert all(CANARY.encode() not in file.read_bytes() for file in files)
