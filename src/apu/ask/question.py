"""What a language model is asked about one pair: everything that makes its answer what it is."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

KEY_FORMAT = 1
"""Part of every key: raise it when keys are made in another way."""


@dataclass(frozen=True)
class EncodedImage:
    """An image as it is sent.

    Attributes:
        data: the bytes of the JPEG or PNG file.
        media_type: `image/jpeg` or `image/png`.
    """

    data: bytes
    media_type: str

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal sha256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Example:
    """One in-context example: an image, what is asked about it, and the reply that is right."""

    image: EncodedImage
    text: str
    reply: str


@dataclass(frozen=True)
class Message:
    """One turn of the conversation: text, then images. `reply` is what the model is shown as its own answer, if any."""

    text: str
    images: tuple[EncodedImage, ...]
    reply: str | None


@dataclass(frozen=True)
class Question:
    """One request. Two questions with the same `key` are the same request, and are paid for once.

    Attributes:
        image: the picture of the pair.
        system: the system prompt.
        text: what is asked about `image`.
        examples: in-context examples, in the order in which they are shown.
        schema: JSON schema of the answer. The order of its properties is the order of generation, so it counts.
        model: the model as the user wrote it, e.g. `openai:NAME`.
        parameters: what else is sent, e.g. `max_tokens`; a parameter that was not asked for is absent.
        sample: number of the repetition.
        perturbation: label of how image and texts were changed; they carry the change, so it is not in the key.
        prompt_version: label of the prompt files; their texts are in the key, so it is not.
    """

    image: EncodedImage
    system: str
    text: str
    examples: tuple[Example, ...]
    schema: Mapping[str, object]
    model: str
    parameters: Mapping[str, object]
    sample: int = 0
    perturbation: str = "plain"
    prompt_version: str = ""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turns after the system prompt: the examples, and last the question itself."""
        shown = tuple(Message(example.text, (example.image,), example.reply) for example in self.examples)
        return (*shown, Message(self.text, (self.image,), None))

    @property
    def images(self) -> tuple[EncodedImage, ...]:
        """All images of the request, in the order in which they are sent."""
        return tuple(image for message in self.messages for image in message.images)

    @cached_property
    def key(self) -> str:
        """Hexadecimal sha256 of `request`; the same in every process.

        Raises:
            ValueError: a parameter or the schema holds what JSON cannot, e.g. a NaN.
        """
        return hashlib.sha256(self.request_json.encode("ascii")).hexdigest()

    @cached_property
    def request_json(self) -> str:
        """`request` as JSON in ASCII, one line."""
        return json.dumps(self.request, ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    @property
    def request(self) -> dict[str, object]:
        """The whole request as JSON values, each image by its sha256 and media type."""
        return {
            "format": KEY_FORMAT,
            "model": self.model,
            "parameters": dict(sorted(self.parameters.items())),
            "sample": self.sample,
            "system": self.system,
            "messages": [
                {
                    "text": message.text,
                    "images": [{"sha256": image.sha256, "media_type": image.media_type} for image in message.images],
                    "reply": message.reply,
                }
                for message in self.messages
            ],
            "schema": dict(self.schema),
        }
