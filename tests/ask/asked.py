"""Small questions, a small parser, and the provider of a server on this machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from apu.ask.model_name import parse_model_name
from apu.ask.pydantic_ai_provider import PydanticAiProvider
from apu.ask.question import EncodedImage, Example, Question

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
SCHEMA = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "maxLength": 20},
        "contacts": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
    },
    "required": ["decision", "contacts"],
    "additionalProperties": False,
}


def question(name: str = "a", **changes: object) -> Question:
    """A question whose text holds its id."""
    image = EncodedImage(PIXEL, "image/png")
    values: dict[str, object] = {
        "image": image,
        "system": "You measure.",
        "text": f"What touches? [id:{name}]",
        "examples": (Example(image, "What touches here?", '{"contacts": [], "decision": "no contact"}'),),
        "schema": SCHEMA,
        "model": "http://127.0.0.1/v1#m",
        "parameters": {"max_tokens": 200},
        **changes,
    }
    return Question(**values)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Parsed:
    answer: object | None = None
    mends: tuple[str, ...] = ()
    problem: str | None = None
    refused: bool = False


def parse(text: str) -> Parsed:
    """Like the real parser, but strict: JSON with a decision, perhaps within a fence."""
    if text.startswith("I'm sorry"):
        return Parsed(problem="It declines.", refused=True)
    mends = ("fence",) if "```" in text else ()
    try:
        value = json.loads(text[text.index("{") : text.rindex("}") + 1])
        return Parsed(answer=value["decision"], mends=mends)
    except (ValueError, KeyError) as error:
        return Parsed(problem=f"It is not the JSON that was asked for ({type(error).__name__}).")


def provider(url: str, environment: Mapping[str, str] | None = None, **options: int) -> PydanticAiProvider:
    """The real client of a server on this machine."""
    return PydanticAiProvider(parse_model_name(f"{url}#m"), environment=environment or {}, **options)
