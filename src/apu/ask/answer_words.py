"""Words of an answer -> words of its schema: parts with their sides, and the other closed fields."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from apu.ask.answer import Confidence, Decision, Side, Visibility
from apu.body.region_names import CENTRAL_REGIONS, SIDED_REGIONS
from apu.contact.parts import OTHER_PARTS, PART_OF_SURFACE, PARTS, SYNONYMS, regions_of
from apu.scene.pair import AgeGroup, Posture

LONGEST = 80
"""Characters of a word that is looked up; longer ones are no words."""

MODEL_WORDS: Mapping[str, str] = {
    "wrist": "forearm", "ankle": "lower leg", "lap": "thigh", "hamstring": "thigh",
    "bicep": "upper arm", "biceps": "upper arm", "tricep": "upper arm", "triceps": "upper arm", "armpit": "upper arm",
    "thumb": "hand", "fist": "hand", "knuckles": "hand", "fingertips": "fingers", "fingertip": "fingers",
    "toe": "foot", "toes": "foot", "heel": "foot", "sole": "foot", "ankles": "lower leg", "wrists": "forearm",
    "cheek": "face", "mouth": "face", "lips": "face", "nose": "face", "forehead": "face", "chin": "face", "jaw": "face",
    "ear": "head", "hair": "head", "temple": "head", "nape": "neck", "throat": "neck",
    "breast": "chest", "breasts": "chest", "ribs": "chest", "rib cage": "chest", "ribcage": "chest", "sternum": "chest",
    "spine": "back", "shoulderblade": "back", "shoulder blades": "back", "scapula": "back",
    "navel": "belly", "groin": "waist front", "pelvis": "waist front", "crotch": "waist front",
    "bum": "buttocks", "rear": "buttocks", "backside": "buttocks", "hind": "buttocks",
}  # fmt: skip
"""What else models say. A joint between two parts goes with the one that its skin mostly belongs to."""

_FILLERS = frozenset(
    {
        "a",
        "b",
        "the",
        "of",
        "his",
        "her",
        "their",
        "its",
        "own",
        "person",
        "persons",
        "s",
        "side",
        "area",
        "region",
        "part",
        "body",
        "one",
        "inner",
        "outer",
        "surface",
        "is",
    }
)
_SIDE_TOKENS: Mapping[str, Side] = {
    "left": "left", "l": "left", "lt": "left", "lefts": "left", "right": "right", "r": "right", "rt": "right",
    "both": "both", "bilateral": "both", "either": "unknown",
}  # fmt: skip
_SIDE_WORDS: Mapping[str, Side] = {
    "": "unknown", "na": "none", "n a": "none", "no": "none", "none": "none", "null": "none", "center": "none",
    "centre": "none", "middle": "none", "central": "none", "not applicable": "none", "unknown": "unknown",
    "unclear": "unknown", "uncertain": "unknown", "left right": "both", "left and right": "both", "both sides": "both",
}  # fmt: skip
_NOTHING = frozenset({"", "none", "n a", "na", "null", "nothing", "no contact", "no part", "unknown"})

_VISIBILITY: Mapping[str, Visibility] = {
    "visible": "visible", "true": "visible", "yes": "visible", "seen": "visible", "clear": "visible",
    "clearly visible": "visible", "full": "visible", "fully visible": "visible", "direct": "visible",
    "inferred": "inferred", "false": "inferred", "no": "inferred", "hidden": "inferred", "occluded": "inferred",
    "partial": "inferred", "partially visible": "inferred", "partly visible": "inferred", "not visible": "inferred",
    "implied": "inferred", "partially occluded": "inferred", "invisible": "inferred",
}  # fmt: skip
_CONFIDENCE: Mapping[str, Confidence] = {
    "low": "low", "weak": "low", "unsure": "low", "uncertain": "low", "very low": "low", "possible": "low",
    "medium": "medium", "moderate": "medium", "mid": "medium", "likely": "medium", "probable": "medium",
    "high": "high", "very high": "high", "certain": "high", "sure": "high", "strong": "high", "definite": "high",
}  # fmt: skip
_AGES: Mapping[str, AgeGroup] = {
    "adult": "adult", "man": "adult", "woman": "adult", "elderly": "adult", "grown up": "adult", "senior": "adult",
    "adults": "adult", "young adult": "adult", "middle aged": "adult", "old": "adult",
    "child": "child", "kid": "child", "baby": "child", "infant": "child", "toddler": "child", "children": "child",
    "unknown": "unknown", "unclear": "unknown",
}  # fmt: skip
_POSTURES: Mapping[str, Posture] = {
    "standing": "standing", "stand": "standing", "upright": "standing", "stands": "standing", "walking": "standing",
    "sitting": "sitting", "sit": "sitting", "seated": "sitting", "sits": "sitting",
    "kneeling": "kneeling", "kneel": "kneeling", "kneels": "kneeling", "on knees": "kneeling",
    "lying": "lying", "lie": "lying", "laying": "lying", "lying down": "lying", "reclining": "lying", "prone": "lying",
    "other": "other", "crouching": "other", "squatting": "other", "bending": "other", "jumping": "other",
    "unknown": "unknown", "unclear": "unknown",
}  # fmt: skip
_DECISIONS: Mapping[str, Decision] = {
    "contact": "contact", "yes": "contact", "true": "contact", "touching": "contact", "in contact": "contact",
    "contacts": "contact", "they touch": "contact", "touch": "contact",
    "no contact": "no contact", "no": "no contact", "false": "no contact", "none": "no contact",
    "not touching": "no contact", "no touch": "no contact", "nocontact": "no contact", "no contacts": "no contact",
    "cannot tell": "cannot tell", "can not tell": "cannot tell", "cant tell": "cannot tell", "unknown": "cannot tell",
    "unclear": "cannot tell", "uncertain": "cannot tell", "unsure": "cannot tell", "cannottell": "cannot tell",
}  # fmt: skip


@dataclass(frozen=True)
class End:
    """One side of a contact, understood.

    Attributes:
        part: a name out of `PARTS` or `OTHER_PARTS`.
        side: of it.
        mends: codes and words of what was not said as asked.
    """

    part: str
    side: Side
    mends: tuple[str, ...]


@dataclass(frozen=True)
class Unknown:
    """What is no part: the words, and the known ones that come closest. `empty`: the words say that there is none."""

    words: str
    nearest: tuple[str, ...]
    empty: bool = False


def tidy(value: object) -> str:
    """Lower case in one form of Unicode, without invisible characters; signs become single blanks. Bounded."""
    if isinstance(value, bool):
        return str(value).lower()
    text = unicodedata.normalize("NFKC", str(value)[: 4 * LONGEST] if value is not None else "")
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Cs") or c in "\n\t")
    text = re.sub(r"n['\u2019`]t\b", "nt", text.casefold())
    return re.sub(r"[^\w]+|_", " ", text).strip()


def end_of(words: object, side: object) -> End | Unknown:
    """Understand a part and its side.

    Args:
        words: e.g. `hand`, `left hand`, `hand (L)`, `both hands`, `A's left upper arm`.
        side: what the field of the side says; None where there is none.
    """
    said = tidy(words)
    if said in _NOTHING:
        return Unknown(said, (), empty=True)
    if len(said) > LONGEST:
        return Unknown(said[:LONGEST], ())
    tokens = said.split()
    sides: list[Side] = [_SIDE_TOKENS[token] for token in tokens if token in _SIDE_TOKENS]
    name = " ".join(t for t in tokens if t not in _SIDE_TOKENS and t not in _FILLERS and t not in ("and", "1", "2"))
    found = _lookup(name)
    if found is None:
        return Unknown(said, tuple(difflib.get_close_matches(name, _names(), n=2, cutoff=0.5)))
    part, plural = found
    mends: list[str] = [] if tidy(part) == said else [f"part_name: {said!r} taken as {part!r}"]
    if part not in PARTS:
        mends.append(f"wider_part: {part!r} is not in the vocabulary")
    named = _named_side(sides, plural)
    told, known = side_of(side)
    if not known:
        mends.append(f"side_word: {tidy(side)[:LONGEST]!r} is no side")
    return End(part, _agreed(part, named, told, mends), tuple(mends))


def side_of(value: object) -> tuple[Side, bool]:
    """The side that a field says, and whether its word was known."""
    said = tidy(value)[:LONGEST]
    if said in _SIDE_WORDS:
        return _SIDE_WORDS[said], True
    found: list[Side] = [_SIDE_TOKENS[token] for token in said.split() if token in _SIDE_TOKENS]
    if len(set(found)) == 1:
        return found[0], True
    return ("both" if {"left", "right"} <= set(found) else "unknown"), bool(found)


def visibility_of(value: object) -> Visibility | None:
    """None for an unknown word."""
    return _VISIBILITY.get(tidy(value))


def confidence_of(value: object) -> Confidence | None:
    """A word, or a number: a probability, or percents. None for anything else."""
    number = _number(value)
    if number is not None and 0 <= number <= 100:
        share = number / 100 if number > 1 else number
        return "high" if share >= 0.75 else "medium" if share >= 0.4 else "low"
    return _CONFIDENCE.get(tidy(value))


def age_of(value: object) -> AgeGroup | None:
    """A word, or years. None for anything else."""
    number = _number(value)
    if number is not None and 0 <= number <= 120:
        return "child" if number < 13 else "adult"
    return _AGES.get(tidy(value))


def posture_of(value: object) -> Posture | None:
    """None for an unknown word."""
    return _POSTURES.get(tidy(value))


def decision_of(value: object) -> Decision | None:
    """None for an unknown word."""
    return _DECISIONS.get(tidy(value))


def is_paired(part: str) -> bool:
    """Whether a body has two of a part."""
    return (PARTS.get(part) or OTHER_PARTS[part]).paired


def _named_side(sides: list[Side], plural: bool) -> Side | None:
    """The side inside the words of a part."""
    if {"left", "right"} <= set(sides) or "both" in sides:
        return "both"
    if sides:
        return sides[0]
    return "both" if plural else None


def _agreed(part: str, named: Side | None, told: Side, mends: list[str]) -> Side:
    side = told
    if named is not None and named != told:
        vague = ("none", "unknown") if named != "both" else ("none", "unknown", "both")
        if told in vague:
            side = named
            mends.append(f"side_in_name: {named} {part}")
        elif named != "both":
            side = "unknown"
            mends.append(f"side_conflict: {part!r} is called {named} and {told}")
    if not is_paired(part) and side != "none":
        if side != "unknown":
            mends.append(f"side_of_unpaired: {part!r} has no {side}")
        return "none"
    if is_paired(part) and side == "none":
        mends.append(f"side_missing: {part!r} is left or right")
        return "unknown"
    return side


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%?\s*", value) if isinstance(value, str) else None
    return float(match.group(1)) if match else None


def _lookup(name: str) -> tuple[str, bool] | None:
    """(part, whether the word was a plural that means both)."""
    table = _table()
    tokens = name.split()
    turned = [" ".join([*(t for t in tokens if t != end), end]) for end in ("front", "back") if end in tokens[:-1]]
    for word in (name, *turned):
        if word in table:
            return table[word]
        single = " ".join(t.removesuffix("s") for t in word.split())
        if single in table:
            return table[single][0], is_paired(table[single][0])
    return None


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return tuple(_table())


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, bool]]:
    """Every word that is understood -> (part, whether it is a plural)."""
    parts = {**OTHER_PARTS, **PARTS}
    out: dict[str, tuple[str, bool]] = {}
    for surface in (*SIDED_REGIONS, *CENTRAL_REGIONS):  # the part that is this region, else the part that has it
        alone = [name for name, part in PARTS.items() if part.surfaces == (surface,)]
        out[surface.replace("_", " ")] = (alone[0] if alone else PART_OF_SURFACE[surface], False)
    for word, part in MODEL_WORDS.items():
        out[word] = (part, False)
    for word, name in SYNONYMS.items():
        out[word] = (name if name in parts else out[name][0], False)
    for name, part in parts.items():
        out[name] = (name, False)
        if part.paired:
            plural = regions_of(f"both {name}")[1].removeprefix("both ")
            out[plural] = (name, plural != name)
    return out
