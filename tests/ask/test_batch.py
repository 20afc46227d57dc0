"""Batches are sent once, collected by any process, and never sent a second time on a guess."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked import SCHEMA, parse, question
from batch_server import BatchServer
from fault_server import GOOD

from apu.ask import pydantic_ai_batch
from apu.ask.batch import Batches
from apu.ask.batch_provider import BatchProvider
from apu.ask.batch_store import batches
from apu.ask.cost import price
from apu.ask.model_name import ModelName, parse_model_name
from apu.ask.provider import ProviderError
from apu.ask.pydantic_ai_batch import PydanticAiBatches
from apu.ask.question import Question
from apu.ask.store import Store
from apu.errors import InputError

MODEL = "openai:gpt-5.4-mini"
CANARY = "CANARY-key-77b1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "answers.sqlite") as opened:
        yield opened


def asked(*names: object) -> list[Question]:
    return [question(str(name), model=MODEL) for name in names]


def of(server: BatchServer, store: Store) -> Batches:
    name = parse_model_name(MODEL)
    provider = PydanticAiBatches(name, environment={"OPENAI_API_KEY": CANARY}, base_url=server.url)
    assert isinstance(provider, BatchProvider)
    return Batches(provider, store, MODEL, parse, price=lambda _, reply: price(name, reply.usage, batch=True))


def status(store: Store, name: object) -> str | None:
    answer = store.answer(asked(name)[0].key)
    return answer and answer.status


def test_submit_and_collect_bring_every_answer_at_half_the_price(store: Store):
    with BatchServer() as server:
        sent = of(server, store).submit(asked(*range(10)))
        assert (sent.batches, sent.questions, sent.known, sent.not_sent) == (1, 10, 0, 0)
        assert {status(store, i) for i in range(10)} == {"pending"}
        waiting = of(server, store).collect()
        assert (waiting.waiting, waiting.answers, waiting.uncertain) == (1, {}, ())
        assert "batch_0" in waiting.words[0]
        server.ended = True
        done = of(server, store).collect()
        assert (done.waiting, done.answers) == (0, {"answered": 10})
        assert of(server, store).collect().answers == {}
    answer = store.answer(asked(3)[0].key)
    assert answer is not None
    assert (answer.reply, answer.model_answered, answer.attempts) == (GOOD, "fake-1", 1)
    assert answer.cost_usd == pytest.approx((100 * 0.75e-6 + 10 * 4.5e-6) / 2)
    assert store.audit().interrupted == 0


def test_the_lines_of_a_batch_are_whole_requests(store: Store):
    with BatchServer() as server:
        of(server, store).submit(asked("a"))
        ((line,),) = server.batches
    body = line["body"]
    assert (line["method"], line["url"], body["model"]) == ("POST", "/v1/responses", "gpt-5.4-mini")
    assert body["text"]["format"]["schema"] == SCHEMA
    assert (body["max_output_tokens"], body["store"]) == (200, False)
    assert body["input"][-1]["content"][-1]["type"] == "input_image"


def test_what_is_answered_or_pending_is_not_sent_again(store: Store):
    with BatchServer() as server:
        of(server, store).submit(asked(0, 1, 1))
        sent = of(server, store).submit(asked(0, 1, 2))
        assert (sent.questions, sent.known) == (1, 2)
        server.ended = True
        of(server, store).collect()
        assert of(server, store).submit(asked(0, 1, 2)).questions == 0
    assert sorted(server.asked) == ["0", "1", "2"]


def test_every_end_of_a_request_has_its_status(store: Store):
    fates = ["ok", "refusal", "error", "expired", "missing", "prose"]
    with BatchServer(lambda name: fates[int(name)]) as server:
        of(server, store).submit(asked(*range(6)))
        server.ended = True
        done = of(server, store).collect()
    assert [status(store, i) for i in range(6)] == ["answered", "refused", "failed", "failed", "failed", "failed"]
    assert done.answers == {"answered": 1, "refused": 1, "failed": 4}
    with BatchServer(lambda name: "ok" if name != "5" else "still prose") as server:
        assert of(server, store).submit(asked(*range(6))).questions == 4
        assert "JSON" in str(server.batches[0][-1]["body"]["input"][-1])  # the re-ask says what was wrong
        assert "They hug." in str(server.batches[0][-1]["body"]["input"][-2])
        server.ended = True
        of(server, store).collect()
    assert [status(store, i) for i in range(6)] == ["answered", "refused", *["answered"] * 3, "unparsable"]


def test_many_questions_are_divided_into_batches(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pydantic_ai_batch, "MOST_REQUESTS", 4)
    with BatchServer() as server:
        sent = of(server, store).submit(asked(*range(10)))
        assert [len(batch) for batch in server.batches] == [4, 4, 2]
        monkeypatch.setattr(pydantic_ai_batch, "MOST_BYTES", 2000)  # room for one
        of(server, store).submit(asked("x", "y"))
        assert [len(batch) for batch in server.batches[3:]] == [1, 1]
        server.ended = True
        assert of(server, store).collect().answers == {"answered": 12}
    assert sent.batches == 3


def test_a_budget_limits_what_is_sent(store: Store):
    with BatchServer() as server:
        sent = of(server, store).submit(asked(*range(10)), budget_usd=0.35, most=lambda _: 0.1)
        assert (sent.questions, sent.not_sent) == (3, 7)
        with pytest.raises(InputError, match="budget"):
            of(server, store).submit(asked("x"), budget_usd=1.0)


def test_a_batch_that_is_rejected_frees_its_questions(store: Store):
    with BatchServer() as server:
        server.create_status = 400
        with pytest.raises(ProviderError, match="reject"):
            of(server, store).submit(asked(0, 1))
        assert status(store, 0) == "failed"
        server.create_status = 200
        assert of(server, store).submit(asked(0, 1)).questions == 2


def test_a_batch_whose_fate_is_unknown_is_not_sent_again_until_the_user_says_so(store: Store):
    with BatchServer() as server:
        server.create_status = 500
        with pytest.raises(ProviderError, match="trouble"):
            of(server, store).submit(asked(0, 1))
        server.create_status = 200
        assert of(server, store).submit(asked(0, 1)).questions == 0
        (uncertain,) = of(server, store).collect().uncertain
        assert [key for key, _ in uncertain.open] == [one.key for one in asked(0, 1)]
        of(server, store).forget(uncertain)
        assert status(store, 0) == "failed"
        assert of(server, store).submit(asked(0, 1)).questions == 2
        (accepted,) = batches(store, "submitted")
        with pytest.raises(InputError, match="forgotten"):
            of(server, store).forget(accepted)
        assert of(server, store).collect().uncertain == ()


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from asked import parse
from test_batch import MODEL, PydanticAiBatches, asked, parse_model_name
from apu.ask.batch import Batches
from apu.ask import batch
from apu.ask.store import Store
batch.set_stage = lambda *_: os._exit(9)
name = parse_model_name(MODEL)
provider = PydanticAiBatches(name, environment={"OPENAI_API_KEY": "x"}, base_url=sys.argv[2])
Batches(provider, Store(Path(sys.argv[3])), MODEL, parse).submit(asked(0, 1))
"""


def test_a_submit_that_is_killed_never_submits_twice(store: Store):
    with BatchServer() as server:
        command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), server.url, str(store.path)]
        assert subprocess.run(command, check=False).returncode == 9
        assert len(server.batches) == 1  # the provider has it, and its handle is lost
        assert of(server, store).submit(asked(0, 1, 2)).questions == 1
        (uncertain,) = of(server, store).collect().uncertain
        assert len(uncertain.open) == 2
    assert sorted(server.asked) == ["0", "1", "2"]


def test_a_collect_that_is_killed_goes_on_where_it_was(store: Store, monkeypatch: pytest.MonkeyPatch):
    finish, calls = store.finish, []

    def dying(*arguments: object, **named: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return finish(*arguments, **named)  # pyright: ignore[reportArgumentType]

    with BatchServer() as server:
        of(server, store).submit(asked(*range(5)))
        server.ended = True
        monkeypatch.setattr(store, "finish", dying)
        with pytest.raises(KeyboardInterrupt):
            of(server, store).collect()
        monkeypatch.undo()
        assert [status(store, i) for i in range(5)].count("answered") == 2
        assert of(server, store).collect().answers == {"answered": 3}
    assert store.audit().attempts == 5


def test_waiting_ends_when_the_batches_do(store: Store):
    told: list[str] = []
    with BatchServer() as server:
        of(server, store).submit(asked(0))

        def progress(stage: str, fraction: float = 0.0) -> None:
            told.append(stage)
            server.ended = len(told) == 2

        assert of(server, store).wait(every_s=0.01, progress=progress).answers == {"answered": 1}
    assert len(told) == 2


def test_batches_of_another_model_are_left_alone(store: Store):
    with BatchServer() as server:
        of(server, store).submit(asked(0))
        provider = PydanticAiBatches(ModelName("openai", "x"), environment={"OPENAI_API_KEY": "x"}, base_url=server.url)
        assert Batches(provider, store, "openai:x", parse).collect().waiting == 0


def test_a_server_of_ones_own_has_no_batches():
    with pytest.raises(InputError, match="batches"):
        PydanticAiBatches(parse_model_name("http://127.0.0.1:1/v1#m"))


@pytest.mark.parametrize("model", ["anthropic:claude-sonnet-5-5", "google:gemini-3.8-flash"])
def test_requests_for_the_other_providers_can_be_made(model: str):
    import asyncio

    from apu.ask.batch_provider import Item

    environment = {"ANTHROPIC_API_KEY": "x", "GOOGLE_API_KEY": "x"}
    provider = PydanticAiBatches(parse_model_name(model), environment=environment, base_url="http://127.0.0.1:1")

    async def encode() -> list[int]:
        sizes = [len(each.items) async for each in provider.sendable([Item(one) for one in asked(0, 1, 2)])]
        await provider.close()
        return sizes

    assert asyncio.run(encode()) == [3]


def test_the_key_is_in_no_file_and_no_log(store: Store, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with BatchServer() as server:
        of(server, store).submit(asked(0))
        server.ended = True
        of(server, store).collect()
        assert server.authorizations == {f"Bearer {CANARY}"}
    assert CANARY not in caplog.text
    assert all(CANARY.encode() not in file.read_bytes() for file in store.path.parent.iterdir())
    assert os.path.getsize(store.path) > 0
