"""Keys of an answer -> fields of its schema, however a model spells them: `partA`, `part_1`, `person1`, `A`."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_KEY = 60

_WHO = {"a": 0, "first": 0, "one": 0, "1": 0, "b": 1, "second": 1, "two": 1, "2": 1}
_PART = frozenset(
    {
        "part",
        "parts",
        "body",
        "bodypart",
        "person",
        "people",
        "p",
        "region",
        "limb",
        "of",
        "name",
        "label",
        "touching",
        "contact",
        "subject",
    }
)
_SIDE = frozenset({"side", "sides", "laterality", "chirality", "handedness"})
_EVIDENCE = frozenset({"evidence", "reason", "reasoning", "explanation", "rationale", "why", "justification"})
_VISIBILITY = frozenset({"visibility", "visible", "occlusion", "occluded", "hidden", "inferred"})
_CONFIDENCE = frozenset({"confidence", "certainty", "probability", "score", "likelihood"})
_CONTACTS = frozenset({"contacts", "pairs", "touches", "touching", "contactpairs"})
_SCENE = frozenset({"scene", "description", "summary", "overview"})
_DECISION = frozenset({"decision", "verdict", "conclusion", "contact"})
_AGE = frozenset({"age", "agegroup"})
_POSTURE = frozenset({"posture", "pose", "position", "stance"})


@dataclass(frozen=True)
class Key:
    """What a key means.

    Attributes:
        field: of the schema, without the person: `part`, `side`, `person`, `contacts`, ...; empty when unknown.
        who: 0 for A, 1 for B, None where the key names nobody.
        plain: it is spelt as in the schema.
    """

    field: str
    who: int | None
    plain: bool


def contact_fields(entry: Mapping[str, object]) -> tuple[dict[tuple[str, int | None], object], bool]:
    """((field, who) -> value of one contact, whether every key was spelt as asked)."""
    return _fields(entry, _contact_field, "part_a side_a part_b side_b evidence visibility confidence")


def person_fields(entry: Mapping[str, object]) -> tuple[dict[tuple[str, int | None], object], bool]:
    """The same of what is said of one person."""
    return _fields(entry, _person_field, "age_group posture")


def answer_fields(entry: Mapping[str, object]) -> tuple[dict[tuple[str, int | None], object], bool]:
    """The same of the whole answer."""
    return _fields(entry, _answer_field, "scene person_a person_b contacts decision")


def _fields(entry, meaning, names: str) -> tuple[dict[tuple[str, int | None], object], bool]:
    plain = set(names.split())
    tokens = {key: _tokens(key) for key in entry}
    from_zero = any("0" in found for found in tokens.values())
    out: dict[tuple[str, int | None], object] = {}
    for key, value in entry.items():
        who, rest = _split(tokens[key], from_zero)
        field = meaning(rest, who, value)
        if field and ((field, who) not in out or key in plain):
            out[field, who] = value
    return out, set(entry) <= plain


def _contact_field(rest: frozenset[str], who: int | None, value: object) -> str:
    if rest & _SIDE:
        return "side"
    if rest & _EVIDENCE or rest == {"description"}:
        return "evidence"
    if rest & _VISIBILITY:
        return "visibility" if not rest & {"occluded", "hidden", "inferred"} else "hidden"
    if rest & _CONFIDENCE:
        return "confidence"
    if rest <= _PART and (who is not None or rest & {"parts", "pair", "part"} or rest == {"name"}):
        return "part"
    return "part" if rest == {"pair"} and isinstance(value, list) else ""


def _person_field(rest: frozenset[str], who: int | None, value: object) -> str:
    return "age" if rest & _AGE else "posture" if rest & _POSTURE else ""


def _answer_field(rest: frozenset[str], who: int | None, value: object) -> str:
    if rest & _CONTACTS and isinstance(value, list | dict | str):
        return "contacts"
    if rest == {"contact"} and isinstance(value, list | dict):
        return "contacts"
    if rest & _SCENE:
        return "scene"
    if isinstance(value, bool | str) and (rest & _DECISION or rest & _CONTACTS or rest == {"answer"}):
        return "decision"
    if rest <= {"person", "subject", "p"} and who is not None and isinstance(value, dict | str):
        return "person"
    if rest & {"people", "persons"} and isinstance(value, list | dict):
        return "people"
    return ""


def _split(tokens: tuple[str, ...], from_zero: bool) -> tuple[int | None, frozenset[str]]:
    """(who, the other tokens)."""
    who: int | None = None
    rest: set[str] = set()
    for token in tokens:
        if from_zero and token in ("0", "1"):
            who = int(token)
        elif token in _WHO:
            who = _WHO[token]
        else:
            rest.add(token)
    return who, frozenset(rest)


def _tokens(key: object) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", str(key)[:LONGEST_KEY])
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Cs"))
    text = re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", text)
    text = re.sub(r"([0-9])([A-Za-z])", r"\1 \2", text)
    return tuple(re.findall(r"[a-z]+|[0-9]+", re.sub(r"([A-Z])([0-9])", r"\1 \2", text).casefold()))
