"""A model is named by one word, and no secret in that word is ever repeated."""

import subprocess
import sys

import pytest

from apu.ask.model_name import ModelName, is_loopback, parse_model_name
from apu.errors import InputError

SECRET = "CANARY-7f3a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai:gpt-5.4-mini", ModelName("openai", "gpt-5.4-mini")),
        ("anthropic:claude-sonnet-5-5", ModelName("anthropic", "claude-sonnet-5-5")),
        ("google:gemini-3.8-flash", ModelName("google", "gemini-3.8-flash")),
        ("openai:ft:gpt-4o:me::abc", ModelName("openai", "ft:gpt-4o:me::abc")),
        ("http://127.0.0.1:8080/v1#tiny", ModelName("server", "tiny", "http://127.0.0.1:8080/v1")),
        ("http://localhost:11434/v1/#qwen3-vl:8b", ModelName("server", "qwen3-vl:8b", "http://localhost:11434/v1")),
        ("http://[::1]:8000/v1#Qwen/Qwen3-VL", ModelName("server", "Qwen/Qwen3-VL", "http://[::1]:8000/v1")),
        ("https://gpu.example.org/v1#m", ModelName("server", "m", "https://gpu.example.org/v1")),
    ],
)
def test_names_are_read_and_written_back(text: str, expected: ModelName):
    name = parse_model_name(text)
    assert name == expected
    assert parse_model_name(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "", "gpt-5", "openai", "openai:", "openai: x", "mistral:large", "OPENAI:x", "openai:a b", "openai:a\nb",
        "openai:" + "x" * 201, "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1#", "http:///v1#m",
        "ftp://127.0.0.1/v1#m", "file:///etc/passwd#m", "http://127.0.0.1:99999/v1#m", "http://127.0.0.1:0/v1#m",
        "http://127.0.0.1\\@evil.org/v1#m", "http://[::1/v1#m", "http://127.0.0.1 /v1#m",
    ],
)  # fmt: skip
def test_what_names_no_model_is_refused_with_all_four_forms(text: str):
    with pytest.raises(InputError) as error:
        parse_model_name(text)
    assert error.value.remedy
    if "@" not in text:
        assert "http://HOST:PORT/v1#NAME" in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@gpu.example.org/v1#m",
        f"https://{SECRET}@gpu.example.org/v1#m",
        f"https://gpu.example.org/v1?key={SECRET}#m",
        f"htp://user:{SECRET}@gpu.example.org/v1#m",
        f"http://user:{SECRET}@[::1/v1#m",
        f"sk-{SECRET}",
        f"openai:sk-{SECRET} x",
        f"user:{SECRET}@host",
    ],
)
def test_secrets_in_the_name_are_refused_and_not_repeated(text: str):
    with pytest.raises(InputError) as error:
        parse_model_name(text, allow_http=True)
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("host", ["192.168.1.4", "gpu.example.org", "127.0.0.1.evil.org", "localhost.evil.org"])
def test_unencrypted_addresses_of_other_machines_need_permission(host: str):
    with pytest.raises(InputError, match="not be encrypted"):
        parse_model_name(f"http://{host}:8080/v1#m")
    assert parse_model_name(f"http://{host}:8080/v1#m", allow_http=True).base_url == f"http://{host}:8080/v1"
    assert parse_model_name(f"https://{host}:8080/v1#m").base_url == f"https://{host}:8080/v1"


def test_loopback_is_this_machine_and_nothing_else():
    assert all(map(is_loopback, ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "10.0.0.1", "::", "localhos", "128.0.0.1", ""]))


@pytest.mark.parametrize(
    ("model", "variable"),
    [("openai:m", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY"), ("google:m", "GOOGLE_API_KEY")],
)
def test_a_missing_key_names_its_variable(model: str, variable: str):
    name = parse_model_name(model)
    with pytest.raises(InputError, match=variable):
        name.key({})
    with pytest.raises(InputError, match=variable):
        name.key({variable: "  "})
    assert name.key({variable: f" {SECRET}\n"}) == SECRET


def test_googles_older_variable_counts_and_the_newer_wins():
    google = parse_model_name("google:m")
    assert google.key({"GEMINI_API_KEY": "old"}) == "old"
    assert google.key({"GEMINI_API_KEY": "old", "GOOGLE_API_KEY": "new"}) == "new"


def test_a_server_needs_no_key_and_never_gets_that_of_openai():
    server = parse_model_name("http://127.0.0.1:1/v1#m")
    assert server.key({"OPENAI_API_KEY": SECRET}) is None
    assert server.key({"APU_LVLM_API_KEY": SECRET}) == SECRET


@pytest.mark.parametrize("key", [f"{SECRET} {SECRET}", f"{SECRET}\r\nX: y", f"{SECRET}ü"])
def test_a_key_that_cannot_be_one_is_not_repeated(key: str):
    with pytest.raises(InputError) as error:
        parse_model_name("openai:m").key({"OPENAI_API_KEY": key})
    assert SECRET not in str(error.value)


def test_nothing_of_asking_loads_a_package_for_language_models_before_it_is_needed():
    modules = "batch budget cost model_name pace provider pydantic_ai_batch pydantic_ai_provider question runner store"
    code = "".join(f"import apu.ask.{name}\n" for name in modules.split())
    code += "import sys; print({name.split('.')[0] for name in sys.modules} & "
    code += "{'pydantic_ai', 'pydantic', 'openai', 'anthropic', 'google', 'httpx2', 'genai_prices', 'torch', 'numpy'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
