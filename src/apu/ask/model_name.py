"""Which model is asked, as one word: `openai:NAME`, `anthropic:NAME`, `google:NAME` or `http://HOST:PORT/v1#NAME`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from apu.errors import InputError

ProviderName = Literal["openai", "anthropic", "google", "server"]

KEY_VARIABLES: dict[ProviderName, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "server": ("APU_LVLM_API_KEY",),
}
"""Environment variables of the keys, the first that is set counts. Only a server of one's own may need none."""

EXPECTED = "openai:NAME, anthropic:NAME, google:NAME or http://HOST:PORT/v1#NAME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,199}")
_ADDRESS = re.compile(r"[!-~]+")  # printable ASCII, no white space
_KEY_LIKE = re.compile(r"sk-|AIza|Bearer", re.IGNORECASE)


@dataclass(frozen=True)
class ModelName:
    """A model, checked.

    Attributes:
        provider: who runs it; `server` is any server that speaks OpenAI's chat completions.
        name: the model's name there.
        base_url: address of a `server`, without the name; None for the others.
    """

    provider: ProviderName
    name: str
    base_url: str | None = None

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}" if self.base_url is None else f"{self.base_url}#{self.name}"

    @property
    def limits_name(self) -> str:
        """Whose rate limits apply."""
        return self.base_url or self.provider

    @property
    def extra(self) -> str:
        """The optional dependencies of `ask-pose-unite` that asking it needs."""
        return "openai" if self.provider == "server" else self.provider

    @property
    def key_variable(self) -> str:
        """The environment variable to name to the user."""
        return KEY_VARIABLES[self.provider][0]

    def key(self, environment: Mapping[str, str] | None = None) -> str | None:
        """The key from the environment; None only for a server, which may need none.

        Raises:
            InputError: there is none, or it cannot be one. The error does not hold it.
        """
        environment = os.environ if environment is None else environment
        variables = KEY_VARIABLES[self.provider]
        found = next((name for name in variables if environment.get(name, "").strip()), None)
        if found is None:
            if self.provider == "server":
                return None
            raise InputError(
                f"The key for {self.provider} is missing.",
                where=f"environment variable {' or '.join(variables)}",
                expected="the key that the provider gave you",
                got="nothing",
                remedy=f"export {variables[0]}=... in this shell; the key is never written to any file.",
            )
        key = environment[found].strip()
        if not _ADDRESS.fullmatch(key):
            raise InputError(
                f"The key for {self.provider} cannot be right.",
                where=f"environment variable {found}",
                expected="printable ASCII characters without white space",
                got="other characters (the key is not shown)",
                remedy="copy the key again, without quotes or line breaks.",
            )
        return key


def parse_model_name(text: str, *, allow_http: bool = False) -> ModelName:
    """Read and check what the user wrote.

    Args:
        text: see `EXPECTED`.
        allow_http: let images and keys go to another machine without encryption.

    Raises:
        InputError: it names no model, holds credentials, or is not encrypted. Secrets in it are not repeated.
    """
    if "://" in text:
        return _server(text, allow_http)
    provider, _, name = text.partition(":")
    if provider in ("openai", "anthropic", "google") and _NAME.fullmatch(name):
        return ModelName(provider, name)
    raise _unclear(text)


def _server(text: str, allow_http: bool) -> ModelName:
    try:
        address, port = urlsplit(text), urlsplit(text).port
    except ValueError:
        raise _unclear(text) from None
    if "@" in address.netloc or address.query:
        raise InputError(
            "The address of the server holds credentials or a query.",
            where="--model",
            expected="an address without USER:PASSWORD@ and without ?...",
            got="one with them (not shown)",
            remedy=f"put the key into the environment variable {KEY_VARIABLES['server'][0]}.",
        )
    plain = _ADDRESS.fullmatch(text) and "\\" not in text and address.scheme in ("http", "https")
    if not plain or not address.hostname or port == 0 or not _NAME.fullmatch(address.fragment):
        raise _unclear(text)
    if address.scheme == "http" and not allow_http and not is_loopback(address.hostname):
        raise InputError(
            "The server is on another machine, and the connection would not be encrypted.",
            where="--model",
            expected="https://, or http:// to this machine",
            got=f"http:// to {address.hostname}",
            remedy="use https, or an SSH tunnel; --allow-http sends pictures of people and the key unencrypted.",
        )
    base = address._replace(fragment="", path=address.path.rstrip("/")).geturl()
    return ModelName("server", address.fragment, base)


def is_loopback(host: str) -> bool:
    """Whether a host name can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unclear(text: str) -> InputError:
    hidden = "@" in text or "?" in text or _KEY_LIKE.match(text.partition(":")[2] or text) is not None
    return InputError(
        "This names no model that can be asked.",
        where="--model",
        expected=EXPECTED,
        got="not shown, as it may hold a secret" if hidden else repr(text[:100]),
        remedy="write who runs the model, a colon, and the model's name as its documentation spells it.",
    )
