"""From what the store holds about a question to what is understood of its answer."""

from dataclasses import dataclass, replace

from apu.ask.answer import PairAnswer
from apu.ask.answer_contacts import named_contacts
from apu.ask.pair_question import Label
from apu.ask.parse import parse_reply
from apu.ask.perturbation import labelled
from apu.ask.store_records import Answer
from apu.contact.named_contact import NamedContact
from apu.scene.annotation import AnswerRecord

_INSTEAD = {
    "unparsable": "what it answered cannot be understood",
    "refused": "it refused to answer",
    "failed": "no answer came",
    "pending": "its answer is still to come from a batch",
    "not asked": "it was not asked",
}


@dataclass(frozen=True)
class Heard:
    """One answer about a pair.

    Attributes:
        record: what outputs show of it.
        said: what it means, with the photo's A, B, left and right, however it was asked; None where it is no answer.
        pair: numbers of A and B.
    """

    record: AnswerRecord
    said: PairAnswer | None
    pair: tuple[int, int]

    @property
    def contacts(self) -> tuple[NamedContact, ...] | None:
        """Its contacts; empty for `no contact`. None where it says nothing of them: that nobody answered, or could
        tell, does not mean that nothing touches."""
        if self.said is None or (self.said.decision == "cannot tell" and not self.said.contacts):
            return None
        return named_contacts(self.said, self.record.model)

    @property
    def note(self) -> str:
        """Why it has no contacts, in one line; else empty."""
        if self.contacts is not None:
            return ""
        if self.said is not None:
            why = "it cannot tell what touches"
        else:
            problem = f": {self.record.problem}" if self.record.problem else ""
            why = f"{_INSTEAD[self.record.status]}{problem}"
        a, b = self.pair
        return " ".join(f"pair {a},{b}: no contacts from {self.record.model}, because {why}".split())


def heard(label: Label, pair: tuple[int, int], answer: Answer | None, why_not: str = "") -> Heard:
    """What is understood of an answer.

    Args:
        label: of the question.
        pair: numbers of A and B.
        answer: what the store holds, None where the question was not sent.
        why_not: why it was not sent.
    """
    record = answer_record(label, answer, why_not)
    said = parse_reply(record.reply).answer if record.status == "answered" else None
    return Heard(record, None if said is None else labelled(label.perturbation).undone(said), pair)


def answer_record(label: Label, answer: Answer | None, why_not: str = "") -> AnswerRecord:
    """What outputs show of an answer."""
    record = AnswerRecord(
        label.model,
        "not asked",
        problem=why_not,
        prompt_version=label.prompt_version,
        image_sha256=label.image_sha256,
        key=label.key,
        perturbation=label.perturbation,
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
