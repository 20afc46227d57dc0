"""Texts in which a model declines to answer. A refusal says nothing of the pair, least of all that nobody touches."""

import re
import unicodedata

LOOKED_AT = 4_000
"""Characters of a text that are looked at: a refusal comes first."""

_CANNOT = (
    r"(?:can ?not|can't|cant|won't|will not|(?:am|are|'m|'re) (?:unable|not able|not allowed|not permitted) to|"
    r"(?:do not|don't) feel comfortable|(?:am|are|'m|'re) not comfortable|unable to|do not|don't|should not|shouldn't)"
)
_ANY_TASK = r"(?:help|assist|comply|fulfil|engage|participate|proceed|accommodate|continue|respond)"
_SOME_TASK = (
    r"(?:identify|analy[sz]|describ|recogni[sz]|comment|discuss|process|view|examin|provid|answer|interpret|evaluat|"
    r"do|perform|complet)(?:e|ing|e?ing)?"
)
_OF_WHAT = (
    r"(?:people|persons?|individuals?|humans?|who|anyone|someone|images?|photos?|pictures?|requests?|"
    r"that|(?:with|do|answer|doing) this)"
)
_REFUSALS = re.compile(
    rf"\b(?:i|we)\b[ ,]{{0,2}}{_CANNOT} (?:\w+ ){{0,2}}?{_ANY_TASK}(?:ing)?\b(?! but (?:notice|see|think))"
    rf"|\b(?:i|we)\b[ ,]{{0,2}}{_CANNOT} (?:\w+ ){{0,2}}?{_SOME_TASK}\b[^.;]{{0,40}}\b{_OF_WHAT}\b"
    rf"|\b(?:i|we)\b[ ,]{{0,2}}{_CANNOT} do (?:this|that)\b"
    r"|\b(?:i|we)\b (?:(?:must|have to|need to|will have to) )?(?:respectfully )?(?:decline|refuse)\b"
    r"|\b(?:against|violat\w+) (?:my|our|the|usage|content|safety)[^.]{0,40}(?:polic|guideline|rules|terms)"
    r"|\b(?:request|image|content|photo)[^.]{0,40}(?:violat|blocked|flagged|inappropriate)"
    r"|\bcontent (?:filter|policy)\b|\bsafety (?:policy|policies|guidelines|system)\b"
    r"|\bes tut mir leid\b|\bje suis d[ée]sol[ée]|\blo siento\b|\bmi dispiace\b|\bdesculpe\b"
    r"|抱歉|无法协助|申し訳|죄송",
    re.IGNORECASE,
)
_ONLY_SORRY = re.compile(
    r"^\W*(?:(?:i'?m|i am|we're|we are) )?(?:(?:very|so|really|deeply|truly) )?sorry\b[^{}]{0,300}$", re.IGNORECASE
)


def is_refusal(text: str) -> bool:
    """Whether a text, or one sentence of an answer, declines the task rather than answering it."""
    start = unicodedata.normalize("NFKC", text[:LOOKED_AT]).replace("\u2019", "'").replace("\u2018", "'")
    start = re.sub(r"\s+", " ", start).strip()
    return bool(_REFUSALS.search(start) or _ONLY_SORRY.search(start))
