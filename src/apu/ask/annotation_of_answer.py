"""From what the store holds about a question to what the fit and its outputs take from it."""

from dataclasses import replace

from apu.ask.answer import PairAnswer
from apu.ask.answer_contacts import answer_contacts, pair_words
from apu.ask.pair_question import Label
from apu.ask.parse import parse_reply
from apu.ask.store_records import Answer
from apu.scene.annotation import Annotation, AnswerRecord

_INSTEAD = {
    "unparsable": "what it answered cannot be understood",
    "refused": "it refused to answer",
    "failed": "no answer came",
    "pending": "its answer is still to come from a batch",
    "not asked": "it was not asked",
}


def annotation_of(label: Label, pair: tuple[int, int], answer: Answer | None, why_not: str = "") -> Annotation:
    """What an answer means for a pair.

    Only an answer that was understood, and that can tell, has contacts; with `no contact` they are an empty map. All
    else leaves them open, with a note: that nobody answered does not mean that nothing touches.

    Args:
        label: of the question.
        pair: numbers of A and B; for the note.
        answer: what the store holds, None where the question was not sent.
        why_not: why it was not sent.
    """
    record = answer_record(label, answer, why_not)
    said = understood(record)
    if said is None:
        why = f": {record.problem}" if record.problem else ""
        return Annotation(answer=record, note=_note(pair, label.model, f"{_INSTEAD[record.status]}{why}"))
    if said.decision == "cannot tell" and not said.contacts:
        note = _note(pair, label.model, "it cannot tell what touches")
        return Annotation(words=pair_words(said), answer=record, note=note)
    return Annotation(answer_contacts(said, label.model), pair_words(said), record)


def understood(record: AnswerRecord) -> PairAnswer | None:
    """The answer that a record's reply holds, where its status says that it was understood."""
    return parse_reply(record.reply).answer if record.status == "answered" else None


def answer_record(label: Label, answer: Answer | None, why_not: str = "") -> AnswerRecord:
    """What outputs show of an answer."""
    record = AnswerRecord(
        label.model,
        "not asked",
        problem=why_not,
        prompt_version=label.prompt_version,
        image_sha256=label.image_sha256,
        key=label.key,
    )
    if answer is None:
        return record
    return replace(
        record,
        status=answer.status,
        model_answered=answer.model_answered or "",
        reply=answer.reply or "",
        mends=answer.mends,
        problem=answer.problem or "",
        cost_usd=answer.cost_usd,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        seconds=answer.seconds or 0.0,
        attempts=answer.attempts,
    )


def _note(pair: tuple[int, int], model: str, what: str) -> str:
    a, b = pair
    return " ".join(f"pair {a},{b}: no contacts from {model}, because {what}".split())
