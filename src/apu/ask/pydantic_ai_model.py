"""pydantic-ai's words for our nouns: its models, its messages, and how a schema is asked for.

The schema is sent as the provider's JSON-schema mode without `strict`, which would drop length limits.
"""

import warnings
from typing import TYPE_CHECKING

from apu.ask.model_name import ModelName
from apu.ask.provider import EarlierReply
from apu.ask.question import EncodedImage, Question
from apu.errors import InputError

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model, ModelRequestParameters

ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Given to the clients, which else would take an address from the environment and send our key there."""


def require_packages(model: ModelName) -> None:
    """Check that the packages of a provider are installed.

    Raises:
        InputError: one is missing; the error says what to install.
    """
    try:
        import pydantic_ai.models

        if model.provider == "anthropic":
            import pydantic_ai.models.anthropic
        elif model.provider == "google":
            import pydantic_ai.models.google
        else:
            import pydantic_ai.models.openai  # noqa: F401
    except ImportError as error:
        raise InputError(
            "A package that asks language models is missing.",
            where=error.name or "pydantic_ai",
            expected=f"the optional dependencies [{model.extra}]",
            remedy=f'pip install "ask-pose-unite[{model.extra}]"',
        ) from None


def output_parameters(question: Question, model: "Model") -> "ModelRequestParameters":
    """The answer's schema: enforced by the provider where it can, else written into the instructions."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    schema = dict(question.schema)
    if not schema:
        return ModelRequestParameters()
    native = model.profile.get("supports_json_schema_output", False)
    loose = None if model.system == "anthropic" else False  # Anthropic has no other mode, and takes no False
    answer = OutputObjectDefinition(json_schema=schema, name="pair_answer", strict=loose)
    return ModelRequestParameters(output_mode="native" if native else "prompted", output_object=answer)


def conversation(question: Question, earlier: EarlierReply | None) -> "list[ModelMessage]":
    """The question as pydantic-ai's messages: system prompt, examples with replies, the question, an earlier reply."""
    from pydantic_ai.messages import (
        BinaryContent,
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        UserPromptPart,
    )

    def shown(text: str, images: tuple[EncodedImage, ...]) -> UserPromptPart:
        return UserPromptPart([text, *(BinaryContent(image.data, media_type=image.media_type) for image in images)])

    turns: list[ModelMessage] = []
    for message in question.messages:
        first = [SystemPromptPart(question.system)] if not turns and question.system else []
        turns.append(ModelRequest([*first, shown(message.text, message.images)]))
        if message.reply is not None:
            turns.append(ModelResponse([TextPart(message.reply)]))
    if earlier is not None:
        turns.append(ModelResponse([TextPart(earlier.text or "(nothing)")]))
        turns.append(ModelRequest([UserPromptPart(earlier.problem)]))
    return turns


def build_model(name: ModelName, key: str | None, base_url: str | None, client: "httpx2.AsyncClient") -> "Model":
    """pydantic-ai's model of a name.

    Args:
        name: which model.
        key: its key.
        base_url: of a server, or another address of a provider.
        client: sends the requests; the caller closes it.
    """
    warnings.filterwarnings("ignore", message="Sampling parameters")  # what is left out is recorded with the reply
    address = base_url or ADDRESSES.get(name.provider, "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name.provider == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(
                name.name, provider=AnthropicProvider(api_key=key or "", base_url=address, http_client=client)
            )
        if name.provider == "google":
            from google.genai.types import HttpRetryOptions
            from pydantic_ai.models.google import GoogleModel
            from pydantic_ai.providers.google import GoogleProvider

            once = HttpRetryOptions(attempts=1)
            return GoogleModel(
                name.name,
                provider=GoogleProvider(api_key=key or "", base_url=address, http_client=client, retry_options=once),
            )
        if name.provider == "openai":
            from pydantic_ai.models.openai import OpenAIResponsesModel
            from pydantic_ai.providers.openai import OpenAIProvider

            return OpenAIResponsesModel(
                name.name, provider=OpenAIProvider(base_url=address, api_key=key, http_client=client)
            )
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

        server = OpenAICompatibleProvider(
            "server",
            base_url=address,
            api_key=key,
            http_client=client,
            profile=OpenAIModelProfile(
                supports_json_schema_output=True,  # tried with every server; one that ignores it is no error
                openai_chat_supports_max_completion_tokens=False,  # all know the older `max_tokens`
            ),
        )
        return OpenAIChatModel(name.name, provider=server)
