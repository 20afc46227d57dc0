"""Any text that a model replies -> its answer, with what had to be mended; or why there is none. Never raises.

A damaged reply is never taken for "no contact": that has to be said, by an empty list that was finished or in words.
"""

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from apu.ask.answer import PairAnswer
from apu.ask.answer_keys import answer_fields, contact_fields
from apu.ask.answer_repair import Repaired, repaired
from apu.ask.loose_json import Found, found_values
from apu.ask.refusal import is_refusal

LONGEST_REPLY = 100_000
"""Characters that are read from the start of a reply, and as many from its end where it is longer."""

DEEPEST_WRAPPING = 4
MOST_MENDS = 60

PROBLEMS: Mapping[str, str] = {
    "empty": "It is empty.",
    "refused": "It declines to answer.",
    "no_json": "It has no JSON object.",
    "no_answer": "Its JSON has no list of contacts, or a decision that no contact goes with.",
    "truncated": "It ends before its list of contacts is complete.",
    "unknown_parts": "It names no body part of the vocabulary.",
}
"""Code of every problem -> a sentence on the reply, e.g. for asking again."""


@dataclass(frozen=True)
class Parsed:
    """What was understood of a reply.

    Attributes:
        answer: None where there is none.
        mends: what was not as asked, each `code: words`.
        code: why there is no answer, a key of `PROBLEMS`; None where there is one.
    """

    answer: PairAnswer | None
    mends: tuple[str, ...] = ()
    code: str | None = None

    @property
    def problem(self) -> str | None:
        """Why there is no answer, in words; None where there is one."""
        return PROBLEMS[self.code] if self.code else None

    @property
    def refused(self) -> bool:
        """Whether the model declined to answer."""
        return self.code == "refused"

    @property
    def status(self) -> str:
        """`answered`, `refused` or `unparsable`."""
        return "answered" if self.answer is not None else "refused" if self.refused else "unparsable"


@dataclass(frozen=True)
class _Candidate:
    """An object of the reply that is an answer."""

    fields: Mapping[str, object]
    mends: tuple[str, ...]
    cut: bool
    start: int = 0
    end: int = 0


def parse_reply(reply: str) -> Parsed:
    """Understand a reply.

    Args:
        reply: the model's text, of any length and kind.
    """
    if not reply.strip("\ufeff\x00 \t\r\n"):
        return Parsed(None, (), "empty")
    answer, mends, problem = None, [], None
    for text in _ends(reply):
        answer, mends, problem = _understood(text)
        if answer is not None:
            break
    if len(reply) > LONGEST_REPLY:
        mends.append(f"long_reply: {len(reply)} characters")
    if len(mends) > MOST_MENDS:
        mends = [*mends[: MOST_MENDS - 1], f"more: {len(mends) - MOST_MENDS + 1} further mends"]
    if answer is None:
        nothing = _why_nothing(reply)
        return Parsed(None, tuple(mends), nothing if nothing == "refused" else problem or nothing)
    if not answer.contacts and is_refusal(answer.scene):
        return Parsed(None, tuple(mends), "refused")
    return Parsed(answer, tuple(mends))


def _ends(reply: str) -> list[str]:
    """The reply; or its start and its end where it is too long to be read whole."""
    if len(reply) <= LONGEST_REPLY:
        return [reply]
    return [reply[:LONGEST_REPLY], reply[-LONGEST_REPLY:]]


def _understood(text: str) -> Repaired:
    """(answer, mends, problem) of a text as it stands, or decoded in the first way that leads to an answer."""
    first: Repaired = (None, [], None)
    for code, decode in _DECODINGS.items():
        decoded = decode(text)
        if code and decoded == text:
            continue
        candidate = _best(decoded)
        if candidate is None:
            continue
        answer, more, problem = repaired(candidate.fields, cut=candidate.cut)
        mends = [f"{code}: {_WORDS[code]}"] if code else []
        mends += [f"{one}: {_WORDS[one]}" for one in candidate.mends]
        mends = list(dict.fromkeys([*mends, *_surroundings(decoded, candidate), *more]))
        if answer is not None:
            return answer, mends, problem
        first = first if first[2] else (answer, mends, problem)
    return first


def _string_decoded(text: str) -> str:
    """What a text says that is one JSON string; any other text as it is."""
    whole = text.strip()
    if len(whole) < 2 or not whole[0] == whole[-1] == '"':
        return text
    try:
        decoded = json.loads(whole)
    except ValueError:
        return text
    return decoded if isinstance(decoded, str) else text


_DECODINGS = {
    "": lambda text: text,
    "json_in_string": _string_decoded,
    "html": lambda text: html.unescape(re.sub(r"<[^<>{}\[\]]{0,200}>", " ", text)),
    "escaped": lambda text: text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\"),
    "unicode": lambda text: unicodedata.normalize("NFKC", text),
}
"""Code -> how the text is changed when it cannot be understood as it stands."""


def _best(text: str) -> _Candidate | None:
    """The answer among the objects of a text: the fullest, of several the last, because models think aloud first."""
    found = found_values(text)
    candidates: list[_Candidate] = []
    loose: list[tuple[Found, Mapping[str, object]]] = []
    for one in found:
        fields, steps = _unwrapped(one.value, DEEPEST_WRAPPING)
        if fields is not None:
            candidates.append(_Candidate(fields, one.mends + steps, one.cut, one.start, one.end))
        elif isinstance(one.value, dict) and _is_contact(one.value) and not one.cut:
            loose.append((one, one.value))
    if candidates:
        best = max(enumerate(candidates), key=lambda item: (_fullness(item[1]), item[0]))[1]
        if len(candidates) > 1:
            best = _Candidate(best.fields, (*best.mends, "several_answers"), best.cut, best.start, best.end)
        return best
    if loose:
        mends = tuple(dict.fromkeys(code for one, _ in loose for code in one.mends))
        fields = {"contacts": [entry for _, entry in loose]}
        return _Candidate(fields, (*mends, "separate_contacts"), False, loose[0][0].start, loose[-1][0].end)
    whole = re.sub(r"```\w*", "", text).strip()
    if len(found) == 1 and found[0].value == [] and re.fullmatch(r"\[\s*\]", whole):
        return _Candidate({"contacts": []}, ("bare_list",), False, found[0].start, found[0].end)
    return None


def _unwrapped(value: object, depth: int) -> tuple[Mapping[str, object] | None, tuple[str, ...]]:
    """(the answer in a value, codes of how deep it lay)."""
    if depth == 0:
        return None, ()
    if isinstance(value, str):
        inner = _best(value) if "{" in value or "[" in value else None
        return (inner.fields, (*inner.mends, "json_in_string")) if inner else (None, ())
    if isinstance(value, list):
        contacts = [entry for entry in value if _is_contact(entry)]
        if contacts:
            return {"contacts": value}, ("bare_list",)
        for entry in reversed(value[-20:]):
            fields, steps = _unwrapped(entry, depth - 1) if isinstance(entry, dict | str) else (None, ())
            if fields is not None:
                return fields, (*steps, "wrapped")
        return None, ()
    if not isinstance(value, dict):
        return None, ()
    fields, _ = answer_fields(value)
    if ("contacts", None) in fields or ("decision", None) in fields:
        if ("contacts", None) not in fields and _is_contact(value):
            return {**value, "contacts": [value]}, ("bare_contact",)
        return value, ()
    for inner in list(value.values())[:20]:
        found, steps = _unwrapped(inner, depth - 1) if isinstance(inner, dict | list | str) else (None, ())
        if found is not None:
            return found, (*steps, "wrapped")
    return None, ()


def _is_contact(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    fields, _ = contact_fields(value)
    return {("part", 0), ("part", 1)} <= fields.keys() and ("contacts", None) not in answer_fields(value)[0]


_PLAIN_FIELDS = (("decision", None), ("scene", None), ("person", 0), ("person", 1))


def _fullness(candidate: _Candidate) -> int:
    fields, _ = answer_fields(candidate.fields)
    listed = isinstance(fields.get(("contacts", None)), list)
    return 2 * listed + sum(name in fields for name in _PLAIN_FIELDS) - candidate.cut


def _surroundings(text: str, candidate: _Candidate) -> list[str]:
    """What stands around the answer: a fence, prose, both."""
    around = text[: candidate.start] + "\n" + text[candidate.end :]
    fenced = "```" in around
    words = re.sub(r"```\w*|\bjson\b|[\s\ufeff\x00\"'`]+", "", around)
    return (["fence: the JSON stands in a code fence"] if fenced else []) + (
        ["prose: there is text around the JSON"] if words else []
    )


_WORDS: Mapping[str, str] = {
    "truncated": "the JSON ends too early",
    "broken": "the JSON cannot be read to its end",
    "too_deep": "the JSON is nested too deeply",
    "quotes": "other quotes than JSON has",
    "inner_quote": "a quote inside a string",
    "line_break": "a line break inside a string",
    "no_quotes": "words without quotes",
    "python": "Python instead of JSON",
    "not_a_number": "NaN or infinity",
    "comment": "a comment",
    "comma": "a comma too many or too few",
    "bracket": "a bracket is missing or wrong",
    "several_answers": "several answers; the last full one counts",
    "separate_contacts": "contacts without a list around them",
    "bare_list": "a list instead of an object",
    "bare_contact": "a contact instead of a list",
    "json_in_string": "JSON inside a JSON string",
    "html": "JSON written as HTML",
    "escaped": "JSON with escaped quotes",
    "unicode": "signs of other scripts for those of JSON",
    "wrapped": "the answer lies inside another object",
}


def _why_nothing(reply: str) -> str:
    found = found_values(reply[:LONGEST_REPLY])
    if is_refusal(reply) or any(is_refusal(text) for one in found[:20] for text in _texts(one.value)):
        return "refused"
    if not any(isinstance(one.value, dict) for one in found):
        return "no_json"
    return "truncated" if found[-1].cut and found[-1].end >= len(reply.rstrip()) else "no_answer"


def _texts(value: object) -> list[str]:
    """The texts of an object that lie no deeper than two levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    out = [text for text in inner if isinstance(text, str)]
    return out + [text for one in inner if isinstance(one, dict) for text in one.values() if isinstance(text, str)]
