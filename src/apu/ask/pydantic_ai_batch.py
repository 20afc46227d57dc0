"""Batches over the package pydantic-ai: those of OpenAI, Anthropic and Google."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from apu.ask.batch_provider import BatchState, Item, Sendable
from apu.ask.model_name import ModelName
from apu.ask.provider import ProviderError, Reply
from apu.ask.pydantic_ai_model import conversation, output_parameters
from apu.ask.pydantic_ai_provider import PydanticAiProvider
from apu.errors import InputError

if TYPE_CHECKING:
    from pydantic_ai.models.batch import BatchRequest

MOST_REQUESTS = 2000
"""Of one batch, however many more a provider takes: it fits in memory, and little is lost when one goes wrong."""

MOST_BYTES = 100_000_000
MAX_RESULT_BYTES = 500_000_000
ANSWER_S = 600.0
"""Seconds that uploading a batch or fetching its results may take."""


class PydanticAiBatches:
    """The batches of one model.

    Args:
        model: which one.
        environment: where the key is looked up; default `os.environ`.
        base_url: another address of the provider, for tests.

    Raises:
        InputError: a package or the key is missing, or the model's provider has no batches.
    """

    def __init__(
        self, model: ModelName, *, environment: Mapping[str, str] | None = None, base_url: str | None = None
    ) -> None:
        if model.provider == "server":
            raise InputError(
                "A server of one's own has no batches.",
                where=str(model),
                expected="a model of OpenAI, Anthropic or Google",
                remedy="ask without --batch.",
            )
        self._provider = PydanticAiProvider(
            model, environment=environment, base_url=base_url, max_reply_bytes=MAX_RESULT_BYTES
        )

    @property
    def name(self) -> str:
        """See `BatchProvider.name`."""
        return self._provider.name

    async def sendable(self, items: Iterable[Item]) -> AsyncIterator[Sendable]:
        """See `BatchProvider.sendable`."""
        model = self._provider.model()
        if model.batch_max_requests is None:
            raise InputError("This model cannot be asked in batches.", where=self.name, remedy="ask without --batch.")
        most = min(MOST_REQUESTS, model.batch_max_requests)
        room = min(MOST_BYTES, model.batch_max_bytes or MOST_BYTES)
        taken: list[Item] = []
        encoded: list[Any] = []
        size = 0
        for item in items:
            one = await model.batch_encode(self._request(item))
            bytes_ = model.batch_request_size(one)
            if taken and (len(taken) == most or size + bytes_ > room):
                yield Sendable(tuple(taken), encoded)
                taken, encoded, size = [], [], 0
            taken.append(item)
            encoded.append(one)
            size += bytes_
        if taken:
            yield Sendable(tuple(taken), encoded)

    async def submit(self, batch: Sendable) -> str:
        """See `BatchProvider.submit`."""
        made = await self._provider.guarded(self._provider.model().batch_create(batch.encoded), ANSWER_S)
        return _written(made)

    async def state(self, handle: str) -> BatchState:
        """See `BatchProvider.state`."""
        now = await self._provider.guarded(self._provider.model().batch_status(_read(handle)), ANSWER_S)
        return BatchState(_written(now), now.status == "ended", f"{now.id}: {now.status.replace('_', ' ')}")

    async def results(self, handle: str, items: Iterator[Item]) -> list[tuple[str, Reply | ProviderError]]:
        """See `BatchProvider.results`."""
        model = self._provider.model()
        found = await self._provider.guarded(model.batch_results(_read(handle)), ANSWER_S)
        by_key = {result.custom_id: result for result in found}
        outcomes: list[tuple[str, Reply | ProviderError]] = []
        for item in items:
            key = item.question.key
            result = by_key.get(custom_id(key))
            if result is None:
                error = ProviderError("The batch ended without a result for this question.", kind="expired", retry=True)
                outcomes.append((key, error))
                continue
            try:
                response = model.batch_decode(result, self._request(item))
                outcomes.append((key, self._provider.reply(response, item.question, None)))
            except Exception as error:
                outcomes.append((key, self._provider.explained(error, ANSWER_S)))
        return outcomes

    async def close(self) -> None:
        """See `BatchProvider.close`."""
        await self._provider.close()

    def _request(self, item: Item) -> "BatchRequest":
        from pydantic_ai.models.batch import BatchRequest

        settings = self._provider.settings(item.question)
        settings.pop("max_retries", None)  # nobody but the provider could try again
        return BatchRequest(
            custom_id=custom_id(item.question.key),
            messages=conversation(item.question, item.earlier),
            model_settings=settings,
            model_request_parameters=output_parameters(item.question, self._provider.model()),
        )


def custom_id(key: str) -> str:
    """The id of a question within a batch: its key, shortened because Anthropic takes 64 characters of few kinds."""
    return f"q-{key[:48]}"


def _written(batch: Any) -> str:
    from pydantic import TypeAdapter
    from pydantic_ai.models.batch import Batch

    return TypeAdapter(Batch).dump_json(batch).decode()


def _read(handle: str) -> Any:
    from pydantic import TypeAdapter
    from pydantic_ai.models.batch import Batch

    return TypeAdapter(Batch).validate_json(handle)
