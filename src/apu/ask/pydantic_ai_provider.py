"""Our `Provider` over the package pydantic-ai.

Requests go out once, by our own HTTP client: redirects are not followed, so no other host gets a key or a picture;
replies are bounded in size; nothing is tried again here, because the runner counts every request. Replies are taken as
raw text, which the parser reads.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from apu.ask.model_name import ModelName
from apu.ask.provider import MAX_REPLY_BYTES, EarlierReply, ProviderError, Reply, Usage, status_error
from apu.ask.pydantic_ai_model import build_model, conversation, output_parameters, require_packages
from apu.ask.question import Question
from apu.errors import InputError

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

T = TypeVar("T")

PARAMETERS = ("max_tokens", "temperature", "top_p", "seed", "thinking")
"""Parameters that a question may hold, in pydantic-ai's names."""

SAMPLING = {"temperature": ("temperature",), "top_p": ("top_p", "topP"), "seed": ("seed",)}
"""Parameters that some models do not take -> how they are spelled in requests."""

COMPRESSED_SHARE = 1 / 16
"""Bound of a compressed reply, as a share of the usual one: deflate unpacks to at most 1,032 times as much."""

CONNECT_S = 20.0

_sent: ContextVar[set[str] | None] = ContextVar("_sent", default=None)
"""The sampling parameters that the request of this task really held."""


class _TooLarge(Exception):
    """The reply is larger than it may be."""


class PydanticAiProvider:
    """Asks one model.

    Args:
        model: which one.
        environment: where the key is looked up; default `os.environ`.
        base_url: another address of the provider, for gateways and tests.
        max_reply_bytes: size of a reply above which it is given up.

    Raises:
        InputError: a package or the key is missing.
    """

    def __init__(
        self,
        model: ModelName,
        *,
        environment: Mapping[str, str] | None = None,
        base_url: str | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        require_packages(model)
        self.model_name = model
        self._key = model.key(environment)
        self._base_url = base_url or model.base_url
        self._max_reply_bytes = max_reply_bytes
        self._dropped: set[str] = set()
        self._open: tuple[asyncio.AbstractEventLoop, httpx2.AsyncClient, Model] | None = None

    def __repr__(self) -> str:
        return f"PydanticAiProvider({self.model_name})"

    @property
    def name(self) -> str:
        """See `Provider.name`."""
        return self.model_name.limits_name

    async def ask(self, question: Question, *, timeout_s: float, earlier: EarlierReply | None = None) -> Reply:
        """See `Provider.ask`.

        Raises:
            InputError: the question holds a parameter that is not in `PARAMETERS`.
            ProviderError: there is no reply.
        """
        from pydantic_ai.direct import model_request

        model = self.model()
        settings, parameters = self.settings(question), output_parameters(question, model)
        sent: set[str] = set()
        token = _sent.set(sent)
        try:
            turns = conversation(question, earlier)
            request = model_request(model, turns, model_settings=settings, model_request_parameters=parameters)
            return self.reply(await self.guarded(request, timeout_s), question, sent)
        finally:
            _sent.reset(token)

    async def guarded(self, work: Awaitable[T], timeout_s: float) -> T:
        """Wait for something of pydantic-ai, and make its errors ours.

        Raises:
            ProviderError: it failed, or took longer than `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await work
        except Exception as error:
            failure = self.explained(error, timeout_s)
        raise failure  # outside of `except`, so that no traceback leads to the request and its headers

    async def close(self) -> None:
        """See `Provider.close`."""
        if self._open is not None and self._open[0] is asyncio.get_running_loop():
            await self._open[1].aclose()
        self._open = None

    def model(self) -> "Model":
        """pydantic-ai's model over an HTTP client of this event loop."""
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            import httpx2

            client = httpx2.AsyncClient(
                follow_redirects=False,
                timeout=httpx2.Timeout(None, connect=CONNECT_S),
                headers={"Accept-Encoding": "identity"},
                event_hooks={"request": [_note_sampling], "response": [self._bound_reply]},
            )
            self._open = (loop, client, build_model(self.model_name, self._key, self._base_url, client))
        return self._open[2]

    def settings(self, question: Question) -> "ModelSettings":
        """The question's parameters for pydantic-ai, without those that this model turned out not to take."""
        unknown = sorted(set(question.parameters) - set(PARAMETERS))
        if unknown:
            raise InputError(
                "A parameter of the question is not known.",
                where=unknown[0],
                expected=", ".join(PARAMETERS),
                remedy="leave it out.",
            )
        settings = {name: value for name, value in question.parameters.items() if name not in self._dropped}
        if self.model_name.provider != "google":  # its client is told elsewhere
            settings["max_retries"] = 0
        if self.model_name.provider == "openai":
            settings["openai_store"] = False  # else OpenAI keeps the pictures for a month
        return cast("ModelSettings", settings)

    def reply(self, response: "ModelResponse", question: Question, sent: set[str] | None) -> Reply:
        """Our reply from pydantic-ai's; `sent` is None where it is not known which parameters went out."""
        details = response.provider_details or {}
        refusal = details.get("refusal")
        if refusal is None and response.finish_reason == "content_filter":
            refusal = "content filter"
        asked = set(question.parameters) & set(SAMPLING)
        usage = response.usage
        return Reply(
            text=self.scrubbed(response.text or ""),
            model=self.scrubbed(response.model_name) if response.model_name else None,
            usage=Usage(usage.input_tokens or None, usage.output_tokens or None),
            finish=response.finish_reason,
            refusal=None if refusal is None else self.scrubbed(str(refusal)),
            dropped=tuple(sorted(asked & self._dropped if sent is None else asked - sent)),
        )

    def scrubbed(self, text: str) -> str:
        """The text without the key, which a server might send back."""
        return text.replace(self._key, "[key]") if self._key else text

    def explained(self, error: Exception, timeout_s: float) -> ProviderError:
        """The error as ours. What is no error of a request comes back as it is, by being raised."""
        from pydantic_ai import exceptions

        if isinstance(error, InputError | ProviderError):
            raise error
        chain = [error, *_causes(error)]
        if any(isinstance(one, _TooLarge) for one in chain):
            return ProviderError(
                f"The reply is larger than {self._max_reply_bytes} bytes.", kind="too_large", where=self.name
            )
        if isinstance(error, TimeoutError | exceptions.ModelTimeoutError):
            return ProviderError(
                f"No whole reply came within {timeout_s:g} s.", kind="timeout", where=self.name, retry=True
            )
        status = next((one.status_code for one in chain if hasattr(one, "status_code")), None)
        if isinstance(error, exceptions.ModelAPIError) and isinstance(status, int):
            return self._status_explained(error, status)
        if isinstance(error, exceptions.ModelConnectionError):
            got = next((type(one).__name__ for one in chain if type(one).__module__.startswith("httpx")), None)
            return ProviderError(
                "The connection failed.",
                kind="connection",
                where=self.name,
                got=got,
                retry=True,
                remedy="check that the server runs and can be reached.",
            )
        if isinstance(error, exceptions.UserError):
            return ProviderError(
                "The request cannot be made.", kind="rejected", where=self.name, got=self.scrubbed(str(error))[:300]
            )
        # The server sent what its own protocol does not allow: no JSON, no choices, a cut body.
        return ProviderError(
            "The server's response is not what its protocol says.",
            kind="garbled",
            where=self.name,
            got=self.scrubbed(f"{type(error).__name__}: {error}")[:300],
            retry=True,
        )

    def _status_explained(self, error: Any, status: int) -> ProviderError:
        from pydantic_ai import exceptions

        message = self.scrubbed(_server_message(error.body))
        named = {name for name in _sent.get() or () if name in message.lower()}
        if status in (400, 422) and named:
            self._dropped |= named
            return ProviderError(
                f"The model does not take {', '.join(sorted(named))}; it is left out from now on.",
                kind="parameter",
                where=self.name,
                status=status,
                retry=True,
                retry_after_s=0.0,
            )
        if isinstance(error, exceptions.ModelQuotaExceededError):
            return ProviderError(
                "The account's credit or quota is used up.",
                kind="quota",
                where=self.name,
                got=f"HTTP {status}: {message[:300]}",
                status=status,
                stops_run=True,
                remedy="add credit, then run the same command again: what was answered is kept.",
            )
        return status_error(
            status,
            where=self.name,
            message=message,
            retry_after_s=_retry_after(error),
            key_variable=self.model_name.key_variable,
        )

    async def _bound_reply(self, response: "httpx2.Response") -> None:
        import httpx2

        packed = response.headers.get("content-encoding", "identity") != "identity"
        limit = self._max_reply_bytes * (COMPRESSED_SHARE if packed else 1)
        stream = cast("httpx2.AsyncByteStream", response.stream)

        class Bounded(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                total = 0
                async for chunk in stream:
                    total += len(chunk)
                    if total > limit:
                        raise _TooLarge
                    yield chunk

            async def aclose(self) -> None:
                await stream.aclose()

        response.stream = Bounded()


async def _note_sampling(request: "httpx2.Request") -> None:
    sent = _sent.get()
    if sent is not None:
        # In JSON a quote inside of a text is escaped, so these bytes can only be a key.
        body = request.content.replace(b'": ', b'":')
        sent |= {name for name, words in SAMPLING.items() if any(f'"{word}":'.encode() in body for word in words)}


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    while len(found) < 10 and (cause := error.__cause__ or error.__context__) is not None:
        found.append(cause)
        error = cause
    return found


def _retry_after(error: Any) -> float | None:
    """Seconds that the server asked for: as pydantic-ai reads them, or fractions, which it does not read."""
    if error.retry_after is not None:
        return error.retry_after
    try:
        return float(error.headers["retry-after"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _server_message(body: object) -> str:
    """The words of a provider's error body: `{"error": {"message": ...}}`, or shorter forms of it."""
    for _ in range(3):
        if not isinstance(body, dict):
            break
        body = body.get("message") or body.get("error") or body.get("detail") or ""
    return body if isinstance(body, str) else ""
