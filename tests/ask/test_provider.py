"""The real client against a server that fails: every fault gets a name, and no secret or picture goes astray."""

import asyncio
import json
import logging
import sys
import traceback

import pytest
from asked import SCHEMA, parse, provider, question
from fault_server import GOOD, FaultServer, always, first

from apu.ask.model_name import parse_model_name
from apu.ask.provider import EarlierReply, Provider, ProviderError, Reply, status_error
from apu.ask.pydantic_ai_provider import PydanticAiProvider
from apu.ask.question import Question
from apu.errors import InputError

CANARY = "CANARY-key-51c0"
KEY = {"APU_LVLM_API_KEY": CANARY}
HOT = {"max_tokens": 200, "temperature": 0.5, "top_p": 0.9}


def ask(one: PydanticAiProvider, *questions: Question, timeout_s: float = 5.0, earlier: EarlierReply | None = None):
    """Ask one after the other; give the replies and errors."""

    async def work() -> list[Reply | ProviderError]:
        found: list[Reply | ProviderError] = []
        for each in questions or (question(),):
            try:
                found.append(await one.ask(each, timeout_s=timeout_s, earlier=earlier))
            except ProviderError as error:
                found.append(error)
        await one.close()
        return found

    return asyncio.run(work())


def test_a_request_holds_the_texts_images_examples_and_schema_and_nothing_that_was_not_asked_for():
    with FaultServer() as server:
        one = provider(server.url)
        assert isinstance(one, Provider)
        (reply,) = ask(one)
        (received,) = server.received
    assert isinstance(reply, Reply)
    assert (reply.text, reply.model, reply.finish, reply.refusal) == (GOOD, "fake-1", "stop", None)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 10)
    body = received.body
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][0]["content"] == "You measure."
    assert body["messages"][2]["content"] == question().examples[0].reply
    last = body["messages"][3]["content"]
    assert [part["type"] for part in last] == ["text", "image_url"]  # the image last
    assert last[1]["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA  # length limits and all
    assert body["response_format"]["json_schema"]["strict"] is False
    assert list(body["response_format"]["json_schema"]["schema"]["properties"]) == list(SCHEMA["properties"])
    assert body["max_tokens"] == 200
    assert not {"temperature", "top_p", "seed", "n", "tools", "logprobs", "user"} & set(body)


def test_a_question_without_a_schema_asks_for_plain_text():
    with FaultServer() as server:
        ask(provider(server.url), question(schema={}))
        assert "response_format" not in server.received[0].body


def test_asking_again_shows_the_earlier_reply_and_what_was_wrong_with_it():
    with FaultServer() as server:
        ask(provider(server.url), earlier=EarlierReply("prose", "It was no JSON."))
        messages = server.received[0].body["messages"]
    assert [message["content"] for message in messages[-2:]] == ["prose", "It was no JSON."]
    assert [message["role"] for message in messages[-2:]] == ["assistant", "user"]


@pytest.mark.parametrize(
    ("fault", "kind", "status", "retry"),
    [
        ("429", "rate_limit", 429, True),
        ("500", "unavailable", 500, True),
        ("502", "unavailable", 502, True),
        ("503", "unavailable", 503, True),
        ("529", "unavailable", 529, True),
        ("400", "rejected", 400, False),
        ("403", "rejected", 403, False),
        ("404", "rejected", 404, False),
        ("401", "key", 401, False),
        ("402", "quota", 402, False),
        ("redirect", "redirect", 307, False),
        ("hang", "timeout", None, True),
        ("drip", "timeout", None, True),
        ("reset", "connection", None, True),
        ("cut", "connection", None, True),
        ("html", "garbled", None, True),
        ("no-choices", "garbled", None, True),
        ("huge", "too_large", None, False),
    ],
)
def test_every_fault_has_a_name_and_one_request(fault: str, kind: str, status: int | None, retry: bool):
    with FaultServer(always(fault), elsewhere="http://127.0.0.1:1") as server:
        (error,) = ask(provider(server.url, KEY), timeout_s=0.5 if kind == "timeout" else 20.0)
        assert len(server.received) == 1  # whoever asks again must be able to count
    assert isinstance(error, ProviderError)
    assert (error.kind, error.status, error.retry) == (kind, status, retry)
    assert error.stops_run == (kind in ("key", "quota"))
    assert error.where == server.url


def test_a_server_that_is_not_there_is_a_connection_error():
    with FaultServer() as server:
        pass
    (error,) = ask(provider(server.url))
    assert isinstance(error, ProviderError)
    assert (error.kind, error.retry) == ("connection", True)


@pytest.mark.parametrize(("fault", "least", "most"), [("429-7", 7, 7), ("429-0.25", 0.25, 0.25), ("429-date", 0, 1)])
def test_the_wait_that_a_server_asks_for_is_read_in_seconds_and_as_a_date(fault: str, least: float, most: float):
    with FaultServer(always(fault)) as server:
        (error,) = ask(provider(server.url))
    assert isinstance(error, ProviderError)
    assert error.retry_after_s is not None
    assert least <= error.retry_after_s <= most


@pytest.mark.parametrize("fault", ["refusal", "filter"])
def test_a_refusal_is_a_reply_that_says_so(fault: str):
    with FaultServer(always(fault)) as server:
        (reply,) = ask(provider(server.url))
    assert isinstance(reply, Reply)
    assert reply.refusal == {"refusal": "I can't assist with that.", "filter": "content filter"}[fault]
    assert reply.usage.output_tokens == 10  # it is paid for all the same


@pytest.mark.parametrize("fault", ["fenced", "prose", "truncated", "wrong-schema", "empty", "refusal-text"])
def test_replies_that_ignore_the_schema_come_back_as_they_are(fault: str):
    with FaultServer(always(fault)) as server:
        (reply,) = ask(provider(server.url))
    assert isinstance(reply, Reply)
    assert reply.refusal is None
    assert (parse(reply.text).answer is not None) == (fault == "fenced")


def test_a_model_that_does_not_take_temperature_is_asked_without_it_from_then_on():
    with FaultServer(always("no-temperature")) as server:
        one = provider(server.url)
        error, second, third = ask(one, *(question(name, parameters=HOT) for name in "abc"))
        sent = [sorted({"temperature", "top_p"} & set(received.body)) for received in server.received]
    assert isinstance(error, ProviderError)
    assert (error.kind, error.retry, error.retry_after_s) == ("parameter", True, 0.0)
    assert sent == [["temperature", "top_p"], ["top_p"], ["top_p"]]
    for reply in (second, third):
        assert isinstance(reply, Reply)
        assert reply.dropped == ("temperature",)


def test_parameters_that_were_sent_are_not_called_dropped():
    with FaultServer() as server:
        (reply,) = ask(provider(server.url), question(parameters=HOT))
        assert server.received[0].body["temperature"] == 0.5
    assert isinstance(reply, Reply)
    assert reply.dropped == ()


def test_an_unknown_parameter_is_an_input_error():
    with FaultServer() as server, pytest.raises(InputError, match="not known"):
        ask(provider(server.url), question(parameters={"stream": True}))
    assert server.received == []


def test_no_other_host_gets_the_key_or_the_picture():
    with FaultServer() as other, FaultServer(always("redirect"), elsewhere=other.url) as server:
        ask(provider(server.url, KEY))
        assert server.received[0].authorization == f"Bearer {CANARY}"
        assert other.received == []
        assert other.other == []


def test_a_server_of_ones_own_never_gets_the_key_of_openai(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("OPENAI_ORG_ID", CANARY)
    with FaultServer() as server:
        ask(provider(server.url))
        assert CANARY not in str(server.received[0].authorization)


@pytest.mark.parametrize(
    "fault", ["ok", "echo-key", "401", "429", "400", "503", "html", "reset", "huge", "redirect", "refusal"]
)
def test_the_key_is_in_no_reply_error_traceback_or_log(
    fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    with FaultServer(always(fault), elsewhere="http://127.0.0.1:1") as server:
        one = provider(server.url, KEY)
        (found,) = ask(one)
        assert server.received[0].authorization == f"Bearer {CANARY}"  # it was there to be lost
    said = [repr(found), str(found), repr(one), caplog.text, *capfd.readouterr()]
    if isinstance(found, ProviderError):
        said.append("".join(traceback.format_exception(found)))
        assert found.__cause__ is None
        assert found.__context__ is None
    assert all(CANARY not in text for text in said)


def test_one_provider_can_be_used_in_one_event_loop_after_the_other():
    with FaultServer() as server:
        one = provider(server.url)
        assert isinstance(ask(one)[0], Reply)
        assert isinstance(ask(one)[0], Reply)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name, extra in (("openai", "openai"), ("anthropic", "anthropic"), ("google", "google")):
        monkeypatch.setitem(sys.modules, f"pydantic_ai.models.{name}", None)
        with pytest.raises(InputError, match="package") as error:
            PydanticAiProvider(parse_model_name(f"{name}:m"), environment={"OPENAI_API_KEY": "x"})
        assert f'pip install "ask-pose-unite[{extra}]"' in str(error.value)
    with pytest.raises(InputError) as error:
        provider("http://127.0.0.1:1/v1")
    assert "[openai]" in str(error.value)


@pytest.mark.parametrize("model", ["openai:gpt-5.4-mini", "anthropic:claude-sonnet-5-5", "google:gemini-3.8-flash"])
def test_a_missing_key_names_its_variable_before_anything_is_sent(model: str):
    with pytest.raises(InputError, match="_API_KEY"):
        PydanticAiProvider(parse_model_name(model), environment={})


@pytest.mark.parametrize("model", ["openai:gpt-5.4-mini", "anthropic:claude-sonnet-5-5", "google:gemini-3.8-flash"])
def test_the_providers_own_clients_fail_with_our_errors_and_without_the_key(model: str):
    environment = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), CANARY)
    with FaultServer(always("404")) as server:
        root = server.url.removesuffix("/v1")
        one = PydanticAiProvider(parse_model_name(model), environment=environment, base_url=root)
        (error,) = ask(one, question(parameters=HOT))
        assert len(server.other) == 1  # one request, not several
    assert isinstance(error, ProviderError)
    assert (error.kind, error.status) == ("rejected", 404)
    assert CANARY not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("fault", ["ok", "refusal"])
@pytest.mark.parametrize("model", ["openai:gpt-5.4-mini", "anthropic:claude-sonnet-5-5", "google:gemini-3.8-flash"])
def test_the_providers_own_interfaces_are_spoken(model: str, fault: str):
    environment = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), CANARY)
    with FaultServer(always(fault)) as server:
        root = server.url.removesuffix("/v1")
        one = PydanticAiProvider(parse_model_name(model), environment=environment, base_url=root)
        (reply,) = ask(one, question(parameters=HOT))
        (body,) = server.other_bodies
    assert isinstance(reply, Reply)
    assert (reply.text, reply.refusal is None) == ((GOOD, True) if fault == "ok" else ("", False))
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.model) == (100, 10, "fake-1")
    # pydantic-ai knows that this Claude takes neither; that it left them out is recorded.
    assert reply.dropped == (("temperature", "top_p") if model.startswith("anthropic") else ())
    text = json.dumps(body)
    assert all(said in text for said in ("You measure.", "[id:a]", "no contact", "decision", "iVBORw0KGgo"))
    assert text.rindex("iVBORw0KGgo") > text.rindex("[id:a]")  # the image comes last


@pytest.mark.parametrize("status", [400, 403, 404, 413, 451])
def test_what_will_fail_again_is_not_tried_again(status: int):
    assert not status_error(status, where="x").retry


def test_the_replies_of_first_and_then_are_in_order():
    with FaultServer(first("503")) as server:
        assert [type(one) for one in ask(provider(server.url), question(), question())] == [ProviderError, Reply]
