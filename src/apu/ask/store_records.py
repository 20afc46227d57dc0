"""What the store holds about a question, as values."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from apu.ask.question import EncodedImage, Example, Question

Status = Literal["answered", "unparsable", "refused", "failed", "pending"]
STATUSES: tuple[Status, ...] = get_args(Status)
SETTLED: tuple[Status, ...] = ("answered", "unparsable", "refused")
"""What is not asked again: there is a reply, and it was paid for."""

AttemptKind = Literal["ask", "reask", "batch"]


@dataclass(frozen=True)
class Answer:
    """What became of one question.

    Attributes:
        key: of the question.
        status: `answered`: understood. `unparsable`: not understood, even when asked once more. `refused`: the model or
            its provider declined; says nothing about contact. `failed`: no reply came; asked again in the next run.
            `pending`: in a batch.
        reply: the raw text of the last reply, None without one.
        problem: why it was refused, failed or not understood.
        mends: what the parser mended.
        model_answered: the model as the server names it.
        finish: why the model stopped.
        dropped: parameters that the model does not take.
        input_tokens: of all requests for this question; None if the server never said.
        output_tokens: likewise.
        cost_usd: of all requests for this question; None if no price is known.
        seconds: waited for the last reply.
        attempts: requests sent for this question, in all runs.
        time: when this row was written.
    """

    key: str
    status: Status
    reply: str | None = None
    problem: str | None = None
    mends: tuple[str, ...] = ()
    model_answered: str | None = None
    finish: str | None = None
    dropped: tuple[str, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    attempts: int = 0
    time: float = 0.0


@dataclass(frozen=True)
class StoredReply:
    """A reply that an attempt brought, as it is in the store."""

    text: str
    refusal: str | None
    model: str | None
    finish: str | None
    dropped: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True)
class Stored:
    """An answer with its labels, for replay: `answer.reply` can be parsed again without a network."""

    answer: Answer
    model: str
    perturbation: str
    sample: int
    prompt_version: str
    image_sha256: str


@dataclass(frozen=True)
class Audit:
    """Counts of everything in a store.

    Attributes:
        questions: that were ever about to be asked.
        attempts: requests that were sent, or about to be.
        interrupted: attempts whose end is not known: their process was killed.
        answers: status -> questions.
    """

    questions: int
    attempts: int
    interrupted: int
    answers: dict[str, int]


ANSWER_COLUMNS = (
    "key, status, reply, problem, mends, model_answered, finish, dropped, input_tokens, output_tokens, cost_usd, "
    "seconds, attempts, time"
)


def answer_of_row(row: Sequence[Any]) -> Answer:
    """An answer from `ANSWER_COLUMNS`."""
    values = dict(zip(ANSWER_COLUMNS.split(", "), row, strict=True))
    lists = {name: tuple(json.loads(values[name])) for name in ("mends", "dropped")}
    return Answer(**{**values, **lists})


def storable(text: str | None) -> str | None:
    """The text as sqlite takes it: lone surrogates, which UTF-8 lacks, are written as escapes."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def parted(question: Question) -> tuple[str, str]:
    """A request as two JSON texts: what many questions share, and what is the question's own."""
    request = question.request
    *shown, last = question.messages
    own = {"sample": request.pop("sample"), "text": last.text, "media_type": question.image.media_type}
    messages = request["messages"]
    assert isinstance(messages, list)
    request["messages"] = messages[: len(shown)]
    return json.dumps(request), json.dumps(own)


def joined(context: str, own: str, image_sha256: str) -> dict[str, object]:
    """The inverse of `parted`: `Question.request`."""
    request, rest = json.loads(context), json.loads(own)
    image = {"sha256": image_sha256, "media_type": rest["media_type"]}
    last = {"text": rest["text"], "images": [image], "reply": None}
    messages = [*request.pop("messages"), last]
    schema = request.pop("schema")
    system = request.pop("system")
    return {**request, "sample": rest["sample"], "system": system, "messages": messages, "schema": schema}


def question_of(
    request: dict[str, Any], image: Callable[[str], EncodedImage], perturbation: str, prompt_version: str
) -> Question:
    """The question whose `Question.request` this is.

    Args:
        request: as it was stored.
        image: finds an image by its sha256.
        perturbation: label of the question.
        prompt_version: label of the question.
    """

    def shown(message: dict[str, Any]) -> EncodedImage:
        (reference,) = message["images"]
        return replace(image(reference["sha256"]), media_type=reference["media_type"])

    *examples, last = request["messages"]
    return Question(
        shown(last),
        request["system"],
        last["text"],
        tuple(Example(shown(one), one["text"], one["reply"]) for one in examples),
        request["schema"],
        request["model"],
        request["parameters"],
        request["sample"],
        perturbation,
        prompt_version,
    )
