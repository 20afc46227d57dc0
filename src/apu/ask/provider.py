"""The seam to whoever runs a language model, and what can go wrong there."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from apu.ask.question import Question
from apu.errors import ApuError

MAX_REPLY_BYTES = 1_000_000
"""Size of a response above which it is given up. A whole answer has a few thousand bytes."""


@dataclass(frozen=True)
class Usage:
    """Tokens that a request used; None where the server did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Reply:
    """What a model said to one request.

    Attributes:
        text: the reply, unchanged.
        model: the model that answered, as the server names it.
        usage: tokens of this request.
        finish: why the model stopped, in the field's words: `stop`, `length`, `content_filter`, ...
        refusal: why nothing was answered, where the provider says so: a typed refusal or its content filter.
        dropped: parameters of the question that this model does not take, and that were left out.
    """

    text: str
    model: str | None = None
    usage: Usage = Usage()
    finish: str | None = None
    refusal: str | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class EarlierReply:
    """A reply that could not be understood, and why: the model is shown both when it is asked once more."""

    text: str
    problem: str


@runtime_checkable
class Provider(Protocol):
    """One model of one provider."""

    @property
    def name(self) -> str:
        """Whose rate limits apply, e.g. `openai`, or the address of a server."""
        ...

    async def ask(self, question: Question, *, timeout_s: float, earlier: EarlierReply | None = None) -> Reply:
        """Send one request, once, and wait for its reply.

        Args:
            question: what to ask.
            timeout_s: seconds from sending to the last byte.
            earlier: the reply that is being asked for again.

        Raises:
            ProviderError: there is no reply; the error says whether to try again.
        """
        ...

    async def close(self) -> None:
        """Close connections. The provider can be used again, also in another event loop."""
        ...


class ProviderError(ApuError):
    """No reply came. Its texts never hold a key or a header.

    Attributes:
        kind: one word for tables and tests: `rate_limit`, `unavailable`, `timeout`, `connection`, `too_large`,
            `garbled`, `redirect`, `rejected`, `key`.
        status: HTTP status, where there was one.
        retry: whether the same request may succeed later.
        retry_after_s: seconds that the server asked us to wait.
        stops_run: whether every other request would fail in the same way.
    """

    def __init__(
        self,
        what: str,
        *,
        kind: str,
        where: object = None,
        got: object = None,
        remedy: str | None = None,
        status: int | None = None,
        retry: bool = False,
        retry_after_s: float | None = None,
        stops_run: bool = False,
    ) -> None:
        super().__init__(what, where=where, got=got, remedy=remedy)
        self.kind, self.status, self.retry = kind, status, retry
        self.retry_after_s, self.stops_run = retry_after_s, stops_run


RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
"""HTTP statuses after which the same request may succeed."""


def status_error(
    status: int, *, where: str, message: str | None = None, retry_after_s: float | None = None, key_variable: str = ""
) -> ProviderError:
    """The error of an HTTP status that is no success.

    Args:
        status: HTTP status.
        where: the provider's name.
        message: what the server said; it is shortened, and must be free of secrets.
        retry_after_s: seconds of the header `Retry-After`.
        key_variable: environment variable of the key, for the remedy.
    """
    got = f"HTTP {status}" + (f": {message[:300]}" if message else "")
    if status in (401, 407):
        return ProviderError(
            "The provider does not accept the key.",
            kind="key",
            where=where,
            got=got,
            status=status,
            stops_run=True,
            remedy=f"check the key in the environment variable {key_variable or 'of this provider'}.",
        )
    if status == 429:
        what, kind, remedy = "The provider's rate limit is reached.", "rate_limit", "ask more slowly: --rpm."
    elif status in RETRIED:
        what, kind, remedy = "The provider has trouble.", "unavailable", "run the same command again later."
    elif 300 <= status < 400:
        what, kind = "The server redirects to another address, which is not followed.", "redirect"
        remedy = "name the final address, if you trust it with your key."
    else:
        what, kind = "The provider rejects the request.", "rejected"
        remedy = "check the model's name, and that it reads images."
    return ProviderError(
        what,
        kind=kind,
        where=where,
        got=got,
        status=status,
        retry=status in RETRIED,
        retry_after_s=retry_after_s,
        remedy=remedy,
    )
