"""An object that is meant as an answer -> a valid answer: words made known, unknown parts dropped, all recorded."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from apu.ask.answer import (
    LONGEST_EVIDENCE,
    LONGEST_SCENE,
    MOST_CONTACTS,
    Confidence,
    ContactAnswer,
    Decision,
    PairAnswer,
    PersonAnswer,
    Visibility,
)
from apu.ask.answer_keys import answer_fields, contact_fields, person_fields
from apu.ask.answer_words import (
    End,
    Unknown,
    age_of,
    confidence_of,
    decision_of,
    end_of,
    posture_of,
    tidy,
    visibility_of,
)
from apu.ask.loose_json import found_values
from apu.scene.pair import AgeGroup, Posture

LONGEST_LIST = 100_000
MOST_LISTED = 200
"""Entries of a list of contacts that are looked at."""

_ORDER = {"low": 0, "medium": 1, "high": 2}
_BETWEEN = re.compile(
    r"\s+(?:-+>?|\u2013|\u2014|→|<->|↔|touches|touching|on|against|with|to|and)\s+|\s*(?:->|→|↔|\|)\s*"
)
_ALTERNATIVES = re.compile(r"\s*/\s*|\s+or\s+")

_Fields = dict[tuple[str, int | None], object]
Repaired = tuple[PairAnswer | None, list[str], str | None]


def repaired(entry: Mapping[str, object], *, cut: bool) -> Repaired:
    """(answer, mends, problem) of an object that has contacts or a decision.

    Args:
        entry: as read.
        cut: the object was not finished.
    """
    fields, plain = answer_fields(entry)
    mends = [] if plain else ["key: fields with other names"]
    listed, given = _listed(fields.get(("contacts", None)), mends)
    contacts, dropped = _contacts(listed, mends)
    said = decision_of(fields.get(("decision", None))) if ("decision", None) in fields else None
    if dropped and not contacts:
        return None, mends, "unknown_parts"
    decision, problem = _decision(said, bool(contacts), given and not cut, cut, mends)
    if decision is None:
        return None, mends, problem
    people = _people(fields, mends)
    scene = _sentence(fields.get(("scene", None), ""), LONGEST_SCENE, "scene", mends)
    return (
        PairAnswer(scene=scene, person_a=people[0], person_b=people[1], contacts=contacts, decision=decision),
        (list(dict.fromkeys(mends))),
        None,
    )


def _decision(
    said: Decision | None, any_contact: bool, finished: bool, cut: bool, mends: list[str]
) -> tuple[Decision | None, str | None]:
    """(decision, problem): the list wins over the word, because it is the list that the fit takes."""
    if any_contact:
        if said != "contact":
            mends.append(f"decision: {said or 'no word'} for a list that has contacts")
        return "contact", None
    if said == "contact":
        if not finished:
            return None, "truncated" if cut else "no_answer"
        mends.append("decision: contact, but the list is empty; taken as cannot tell")
        return "cannot tell", None
    if said is not None:
        return said, None
    if not finished:
        return None, "truncated" if cut else "no_answer"
    mends.append("decision: no word for an empty list; taken as no contact")
    return "no contact", None


def _listed(value: Any, mends: list[str]) -> tuple[list[Any], bool]:
    """(entries of the list, whether there is one)."""
    if isinstance(value, str) and (inside := found_values(value[:LONGEST_LIST])):
        value = inside[0].value
        mends.append("list: JSON inside a JSON string")
    if isinstance(value, str):
        value = (
            [] if tidy(value) in ("", "none", "no", "no contact", "empty", "n a", "nothing", "no contacts") else [value]
        )
        mends.append("list: a word instead of a list")
    if isinstance(value, dict):
        entries = [v for v in value.values() if isinstance(v, dict)]
        whole = {("part", 0), ("part", 1)} <= contact_fields(value)[0].keys()
        value = [value] if whole or (value and not entries) else entries
        mends.append("list: an object instead of a list")
    if not isinstance(value, list):
        return [], False
    if len(value) > MOST_LISTED:
        mends.append(f"too_many: {len(value)} contacts")
    return value[:MOST_LISTED], True


def _contacts(listed: list[object], mends: list[str]) -> tuple[tuple[ContactAnswer, ...], int]:
    """(distinct contacts in their order, how many entries name no known part)."""
    out: dict[tuple[str, str, str, str], ContactAnswer] = {}
    dropped = 0
    for number, fields in ((n, one) for n, entry in enumerate(listed, 1) for one in _entries(entry, n, mends)):
        found = _contact(fields, number, mends)
        if not isinstance(found, ContactAnswer):
            dropped += found
            continue
        key = (found.part_a, found.side_a, found.part_b, found.side_b)
        if key in out:
            mends.append(f"repeated: contact {number}")
            if _ORDER[found.confidence] <= _ORDER[out[key].confidence]:
                continue
        out[key] = found
    if len(out) > MOST_CONTACTS:
        mends.append(f"too_many: {len(out)} contacts; the first {MOST_CONTACTS} are kept")
    return tuple(out.values())[:MOST_CONTACTS], dropped


def _entries(entry: object, number: int, mends: list[str]) -> list[_Fields]:
    """Fields of one contact for each pair of parts that an entry names; none for an entry without content."""
    if entry in (None, "", {}, []):
        mends.append(f"empty_contact: contact {number} names no parts")
        return []
    fields, plain = _as_fields(entry)
    if not plain:
        mends.append(f"key: contact {number} has fields with other names")
    parts = [_several(fields.get(("part", who))) for who in (0, 1)]
    if len(parts[0]) * len(parts[1]) == 1:
        return [fields]
    mends.append(f"several_parts: contact {number} names {len(parts[0])} and {len(parts[1])}")
    return [{**fields, ("part", 0): a, ("part", 1): b} for a in parts[0] for b in parts[1]]


def _several(value: object) -> list[object]:
    """The parts that one field names: all of them touch."""
    words: list[Any] = [value]
    if isinstance(value, str) and "(" not in value and not re.search("left and right|right and left", value.casefold()):
        words = re.split(r"\s*[,;&+]\s*|\s+and\s+", value[:400])
    elif isinstance(value, list):
        words = value
    return words[:4] or [None]


def _contact(fields: _Fields, number: int, mends: list[str]) -> ContactAnswer | int:
    """A contact; or 0 for an entry that says that there is none, and 1 for one that cannot be understood."""
    where = f"contact {number}"
    ends = [_end(fields, who) for who in (0, 1)]
    if all(isinstance(end, Unknown) and end.empty for end in ends):
        mends.append(f"empty_contact: {where} names no parts")
        return 0
    for end, letter in zip(ends, "AB", strict=True):
        if isinstance(end, Unknown):
            nearest = f"; nearest: {', '.join(end.nearest)}" if end.nearest else ""
            mends.append(f"unknown_part: {where}, {letter}: {end.words[:60]!r}{nearest}")
    if any(isinstance(end, Unknown) for end in ends):
        return 1
    a, b = (cast(End, end) for end in ends)
    mends += [f"{mend} ({where})" for end in (a, b) for mend in end.mends]
    return ContactAnswer(
        evidence=_sentence(fields.get(("evidence", None), ""), LONGEST_EVIDENCE, "evidence", mends),
        part_a=a.part,
        side_a=a.side,
        part_b=b.part,
        side_b=b.side,
        visibility=_visibility(fields, where, mends),
        confidence=_confidence(fields, where, mends),
    )


def _as_fields(entry: object) -> tuple[_Fields, bool]:
    """Fields of an entry that may also be a pair of words, or one line of text."""
    if isinstance(entry, dict):
        return contact_fields(entry)
    if isinstance(entry, str):
        entry = [part for part in _BETWEEN.split(entry[:400], maxsplit=1) if part]
    if isinstance(entry, list) and len(entry) >= 2:
        return {("part", 0): entry[0], ("part", 1): entry[1]}, False
    return {}, False


def _end(fields: _Fields, who: int) -> End | Unknown:
    part, side = fields.get(("part", who)), fields.get(("side", who))
    both, sides = fields.get(("part", None)), fields.get(("side", None))
    if part is None and isinstance(both, str):
        both = [word for word in _BETWEEN.split(both[:400], maxsplit=1) if word]
    if part is None and isinstance(both, list) and len(both) == 2:
        part = both[who]
    if side is None and isinstance(sides, list) and len(sides) == 2:
        side = sides[who]
    if isinstance(part, dict):
        inner = contact_fields(part)[0]
        side = inner.get(("side", None), side)
        part = next((value for (field, _), value in inner.items() if field == "part"), None)
    if not isinstance(part, str):
        return Unknown(tidy(part), (), empty=part is None and ("part", who) in fields)
    words = _ALTERNATIVES.split(part[:400])
    ends = [end_of(word, side) for word in words[:4]]
    known = next((end for end in ends if isinstance(end, End)), None)
    if known is None:
        return ends[0]
    if len(words) > 1:
        return End(known.part, known.side, (*known.mends, f"alternatives: {known.part!r} of {tidy(part)[:60]!r}"))
    return known


def _visibility(fields: _Fields, where: str, mends: list[str]) -> Visibility:
    value, hidden = fields.get(("visibility", None)), fields.get(("hidden", None))
    word = visibility_of(value) if value is not None else None
    if word is None and hidden is not None:
        word = {"true": "inferred", "yes": "inferred", "false": "visible", "no": "visible"}.get(tidy(hidden))
    if word is None:
        mends.append(f"visibility: no known word; taken as inferred ({where})")
    return cast(Visibility, word or "inferred")


def _confidence(fields: _Fields, where: str, mends: list[str]) -> Confidence:
    value = fields.get(("confidence", None))
    word = confidence_of(value) if value is not None else None
    if word is None:
        mends.append(f"confidence: no known word; taken as low ({where})")
    elif tidy(value) != word:
        mends.append(f"confidence: {tidy(value)[:30]!r} taken as {word} ({where})")
    return word or "low"


def _people(fields: _Fields, mends: list[str]) -> tuple[PersonAnswer, PersonAnswer]:
    given: list[object] = [fields.get(("person", 0)), fields.get(("person", 1))]
    people = fields.get(("people", None))
    if isinstance(people, dict):
        people = list(people.values())
    if isinstance(people, list):
        given = [g if g is not None else p for g, p in zip(given, [*people, None, None][:2], strict=True)]
    a, b = (_person(value, letter, mends) for value, letter in zip(given, "AB", strict=True))
    return a, b


def _person(value: object, letter: str, mends: list[str]) -> PersonAnswer:
    if isinstance(value, str):
        words = re.findall(r"\w+", value[:200])
        ages: list[AgeGroup] = [age for word in words if not word.isdigit() and (age := age_of(word))]
        postures: list[Posture] = [posture for word in words if (posture := posture_of(word))]
        ages.append("unknown")
        postures.append("unknown")
        mends.append(f"person: {letter} is described in words")
        return PersonAnswer(age_group=ages[0], posture=postures[0])
    fields = person_fields(value)[0] if isinstance(value, dict) else {}
    age, posture = (fields.get((name, None)) for name in ("age", "posture"))
    known = (age_of(age) if age is not None else None), (posture_of(posture) if posture is not None else None)
    if None in known:
        mends.append(f"person: age group or posture of {letter} not understood; taken as unknown")
    return PersonAnswer(age_group=known[0] or "unknown", posture=known[1] or "unknown")


def _sentence(value: object, longest: int, name: str, mends: list[str]) -> str:
    """Text of an answer: one line without characters that cannot be seen or change the direction of writing."""
    text = value if isinstance(value, str) else ""
    text = "".join(" " if c in "\n\r\t" else c for c in text[: 4 * longest] if c in "\n\r\t" or _printable(c))
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > longest:
        mends.append(f"long_text: {name}")
        text = text[: longest - 1] + "…"
    return text


def _printable(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
