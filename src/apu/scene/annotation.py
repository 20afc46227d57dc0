"""What an annotator tells of a pair before it is fitted, and where that comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from apu.contact.chirality_explained import Decisions
from apu.contact.contact import ContactMap
from apu.scene.pair import NO_WORDS, PairWords

AnswerStatus = Literal["answered", "unparsable", "refused", "failed", "pending", "not asked"]
"""What became of a question: understood; not to be understood; refused by the model or its provider; lost to the
network; waiting in a batch; not sent, because the budget was used up or nothing may be sent."""


@dataclass(frozen=True)
class AnswerRecord:
    """One answer of a language model, as outputs show it. The store has more, e.g. the whole request.

    Attributes:
        model: as the user wrote it.
        model_answered: as the server names it; empty where it did not say.
        status: what became of the question. Only `answered` says anything of contacts.
        reply: the model's text, unchanged.
        mends: what had to be mended to understand it, in words.
        problem: why there is no answer, or empty.
        cost_usd: of all requests for it; None where no price is known.
        input_tokens, output_tokens: of all requests for it; None where the server did not say.
        seconds: from asking to the reply.
        attempts: requests that were sent for it.
        prompt_version: of the prompt files.
        image_sha256: of the picture that was sent, hexadecimal.
        key: of the question in the store, hexadecimal.
        perturbation: how the question differs from the plain one, e.g. `swapped`.
        trust: what became of the contacts that it says, and why, as plain JSON values; None where none could be used.
    """

    model: str
    status: AnswerStatus
    model_answered: str = ""
    reply: str = ""
    mends: tuple[str, ...] = ()
    problem: str = ""
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 0.0
    attempts: int = 0
    prompt_version: str = ""
    image_sha256: str = ""
    key: str = ""
    perturbation: str = "plain"
    trust: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Annotation:
    """What the photo alone tells an annotator of one pair.

    Attributes:
        contacts: what touches what; an empty map says that nothing does. None where the annotator cannot tell, or
            wants to see the first fit before.
        words: on the people themselves.
        answer: of the language model that was asked, if one was.
        note: what the user should know, in one line; else empty.
        sides: how left and right of its contacts were decided by keypoints; a first fit may have a second vote. None
            where nobody decided.
    """

    contacts: ContactMap | None = None
    words: PairWords = NO_WORDS
    answer: AnswerRecord | None = None
    note: str = ""
    sides: Decisions | None = None


NOTHING = Annotation()
"""Of an annotator that does not look at the photo."""
