"""What questions and replies cost, in US dollars, from the price list of the package genai-prices.

The list is as old as the installed package; nothing is looked up in the network. Token counts before sending are
estimates: four bytes of text and 500 pixels of an image each count as one token. Both are hand-set and on the high
side of what providers document for their tokenizers and image tiles, so that a budget holds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from apu.ask.model_name import ModelName
from apu.ask.provider import Usage
from apu.ask.question import EncodedImage, Question

BYTES_PER_TOKEN = 4
PIXELS_PER_TOKEN = 500
TOKENS_PER_MESSAGE = 10
UNKNOWN_PIXELS = 1024 * 1024
TYPICAL_OUTPUT = 300
"""Tokens of a usual answer; a model that thinks before it answers uses many times as much."""

MOST_OUTPUT = 4096
"""Tokens of the longest answer, where a question does not set `max_tokens`."""

BATCH_SHARE = 0.5
"""Price of a request in a batch, as a share of the usual one."""


@dataclass(frozen=True)
class Estimate:
    """What a number of questions will cost.

    Attributes:
        requests: number of questions.
        input_tokens: of all of them.
        output_tokens: if all answers are as long as usual.
        typical_usd: cost of these tokens; None if the model's price is not known.
        most_usd: cost if every answer is as long as it may be; re-asks come on top.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    typical_usd: float | None
    most_usd: float | None

    def __str__(self) -> str:
        tokens = f"{self.requests} requests, about {self.input_tokens} tokens in and {self.output_tokens} out"
        if self.typical_usd is None or self.most_usd is None:
            return f"{tokens}; the price of this model is not known"
        return f"{tokens}: about ${self.typical_usd:.2f}, at most ${self.most_usd:.2f} without re-asks"


def estimate(questions: Iterable[Question], model: ModelName, *, batch: bool = False) -> Estimate:
    """Estimate what questions to one model will cost before any is sent."""
    requests = read = usual = 0
    typical_usd = most_usd = 0.0
    known = True
    for question in questions:
        tokens, limit = input_tokens(question), output_limit(question)
        requests, read = requests + 1, read + tokens
        usual += min(TYPICAL_OUTPUT, limit)
        # Each by itself: some prices depend on the length of the request.
        typical = price(model, Usage(tokens, min(TYPICAL_OUTPUT, limit)), batch=batch)
        longest = price(model, Usage(tokens, limit), batch=batch)
        known = known and typical is not None and longest is not None
        typical_usd, most_usd = typical_usd + (typical or 0.0), most_usd + (longest or 0.0)
    return Estimate(requests, read, usual, typical_usd if known else None, most_usd if known else None)


def most_of(question: Question, model: ModelName, *, earlier: str = "") -> float | None:
    """The most that one request can cost; with `earlier`, the reply that it repeats when asked once more."""
    read = input_tokens(question) + math.ceil(len(earlier.encode("utf-8", "replace")) / BYTES_PER_TOKEN)
    return price(model, Usage(read, output_limit(question)))


def price(model: ModelName, usage: Usage, *, batch: bool = False) -> float | None:
    """Cost of the tokens of one request.

    Returns:
        US dollars; 0 for a server of one's own; None if a number of tokens or the model's price is not known, or if
        genai-prices is not installed.
    """
    if model.provider == "server":
        return 0.0
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    try:
        import genai_prices
    except ImportError:
        return None
    counted = genai_prices.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    try:
        full = genai_prices.calc_price(counted, model.name, provider_id=model.provider).total_price
    except LookupError:
        return None
    return float(full) * (BATCH_SHARE if batch else 1.0)


def input_tokens(question: Question) -> int:
    """Estimated tokens of a whole request: texts, example replies, schema, and images."""
    texts = [question.system, repr(dict(question.schema))]
    for message in question.messages:
        texts += [message.text, message.reply or ""]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    seen = sum(math.ceil(_pixels(image) / PIXELS_PER_TOKEN) for image in question.images)
    return math.ceil(size / BYTES_PER_TOKEN) + seen + TOKENS_PER_MESSAGE * (len(texts) + 1)


def output_limit(question: Question) -> int:
    """Tokens of the longest answer that the question allows."""
    limit = question.parameters.get("max_tokens")
    return limit if isinstance(limit, int) else MOST_OUTPUT


def _pixels(image: EncodedImage) -> int:
    """Width times height, from the header of a PNG or JPEG file."""
    data = image.data
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # the frame header
            return int.from_bytes(data[at + 5 : at + 7], "big") * int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return UNKNOWN_PIXELS
