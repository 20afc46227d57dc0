"""JSON as language models write it: every object and list in a text, read as far as it makes sense.

One pass, no evaluation, no error: what is wrong is passed over and named. Understood beyond JSON: comments, trailing
and missing commas, single and typographic quotes, quotes inside a string, keys and words without quotes, Python's words
and tuples, NaN, line breaks in strings, missing brackets, and the end of the text at any place.
"""

import re
from dataclasses import dataclass

DEEPEST = 24
"""Nested objects and lists beyond this are given up."""

MOST_VALUES = 10_000
"""Values that are read of one text."""
LONGEST_NUMBER = 40

_SPACE = re.compile(r"[\s\ufeff\u200b\u200c\u200d\u2060\x00]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|#[^\n]*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
_BARE = re.compile(r"[^\s,:{}\[\]()\"“”=][^,:{}\[\]()\"“”\n=]*")
_KEY = re.compile(r"([\"'])[\w -]{1,40}\1\s*:")
_QUOTES = {'"': '"', "'": "'", "“": "”", "\u2018": "\u2019", "`": "`", "„": "“"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_NOT_NUMBERS = {"nan", "infinity", "-infinity", "inf", "-inf"}
_CLOSING = {"{": "}", "[": "]", "(": ")"}


@dataclass(frozen=True)
class Found:
    """One object or list of a text.

    Attributes:
        value: dicts, lists, strings, numbers, bools and None.
        start, end: its place in the text.
        mends: codes of what was not JSON about it.
        cut: it was not finished; of lists in it, the entry that was cut is left out.
    """

    value: dict[str, object] | list[object]
    start: int
    end: int
    mends: tuple[str, ...]
    cut: bool


def found_values(text: str) -> list[Found]:
    """All objects and lists of a text that are not part of another, in order. Takes time linear in the text."""
    out: list[Found] = []
    at, budget = 0, MOST_VALUES
    start = re.compile(r"[{\[]")
    while budget > 0 and (match := start.search(text, at)):
        reader = _Reader(text, match.start(), budget)
        value, complete = reader.value(0)
        budget = reader.budget - 1
        at = max(reader.at, match.start() + 1)
        if isinstance(value, dict | list):
            out.append(Found(value, match.start(), at, tuple(dict.fromkeys(reader.mends)), not complete))
    return out


class _Reader:
    """Reads one value from a place of the text. After `stopped`, all open objects and lists end as they are."""

    def __init__(self, text: str, at: int, budget: int) -> None:
        self.text, self.at, self.budget = text, at, budget
        self.stopped = False
        self.awaited: list[str] = []  # closing brackets of all that is open, the innermost last
        self.mends: list[str] = []

    def value(self, depth: int) -> tuple[object, bool]:
        """(value, whether it was finished)."""
        self.budget -= 1
        char = self._peek()
        if char in _CLOSING:
            if depth >= DEEPEST or self.budget <= 0:
                return self._stop("too_deep"), False
            self.awaited.append(_CLOSING[char])
            found = self._object(depth) if char == "{" else self._list(depth)
            self.awaited.pop()
            return found
        if char in _QUOTES:
            return self._string()
        return self._word()

    def _object(self, depth: int) -> tuple[object, bool]:
        self.at += 1
        out: dict[str, object] = {}
        while True:
            char = self._next_entry(first=not out)
            if char == "}":
                self.at += 1
                return out, True
            if char in ("]", ")"):
                if self._closed_from_without(char):
                    return out, True
                continue
            if self.stopped or not char:
                return out, bool(self._stop("truncated"))
            key, complete = self._string() if char in _QUOTES else self._word()
            if self._peek() not in (":", "="):
                return out, bool(self._stop("broken" if complete and self._peek() else "truncated"))
            while self._peek() in (":", "=", ">"):
                self.at += 1
            value, complete = self.value(depth + 1)
            if complete or isinstance(value, dict | list):
                out[str(key)] = value

    def _list(self, depth: int) -> tuple[object, bool]:
        closing = _CLOSING[self.text[self.at]]
        if closing == ")":
            self._mend("python")
        self.at += 1
        out: list[object] = []
        while True:
            char = self._next_entry(first=not out)
            if char == closing:
                self.at += 1
                return out, True
            if char in ("}", "]", ")"):
                if self._closed_from_without(char):
                    return out, True
                continue
            if self.stopped or not char:
                return out, bool(self._stop("truncated"))
            before = self.at
            value, complete = self.value(depth + 1)
            if isinstance(value, str) and complete and self._peek() == ":":  # the list was not closed: this is a key
                self._mend("bracket")
                self.at = before
                return out, True
            if complete:
                out.append(value)
            if self.at == before:
                self._stop("broken")

    def _closed_from_without(self, char: str) -> bool:
        """Whether a bracket belongs to what lies around the innermost open one, which then ends; else it is passed."""
        self._mend("bracket")
        if char in self.awaited[:-1]:
            return True
        self.at += 1
        return False

    def _string(self) -> tuple[object, bool]:
        opening = self.text[self.at]
        closing = _QUOTES[opening]
        if opening != '"':
            self._mend("quotes")
        self.at += 1
        stops = re.compile(f"[\\\\{closing}]" if closing == opening else f"[\\\\{closing}{opening}]")
        parts: list[str] = []
        while match := stops.search(self.text, self.at):
            parts.append(self.text[self.at : match.start()])
            self.at = match.end()
            if match.group() == "\\":
                parts.append(self._escaped())
            elif self._closes():
                if any("\n" in part for part in parts):
                    self._mend("line_break")
                return "".join(parts), True
            else:
                self._mend("inner_quote")
                parts.append(match.group())
        self.at = len(self.text)
        return self._stop("truncated"), False

    def _closes(self) -> bool:
        """Whether the quote just passed ends its string: by what follows."""
        after = _SPACE.match(self.text, self.at)
        end = after.end() if after else self.at
        if end >= len(self.text) or self.text[end] in ",:}])=/#":
            return True
        return self.text[end] in _QUOTES and ("\n" in self.text[self.at : end] or bool(_KEY.match(self.text, end)))

    def _escaped(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char != "u":
            return _ESCAPES.get(char, char)
        code = self._hex()
        if code is not None and 0xD800 <= code < 0xDC00 and self.text[self.at : self.at + 2] == "\\u":
            self.at += 2
            low = self._hex()
            if low is not None and 0xDC00 <= low < 0xE000:
                return chr(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00)
        return "\ufffd" if code is None or 0xD800 <= code < 0xE000 else chr(code)

    def _hex(self) -> int | None:
        digits = self.text[self.at : self.at + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            return None
        self.at += 4
        return int(digits, 16)

    def _word(self) -> tuple[object, bool]:
        """A number, a word such as `true`, or text without quotes up to the next comma or bracket."""
        number = _NUMBER.match(self.text, self.at)
        if number and len(number.group()) <= LONGEST_NUMBER:
            self.at = number.end()
            return float(number.group()), self.at < len(self.text)
        match = _BARE.match(self.text, self.at)
        if not match:
            return self._stop("broken" if self.at < len(self.text) else "truncated"), False
        self.at = match.end()
        word = match.group().strip()
        low = word.casefold()
        if low in _NOT_NUMBERS:
            self._mend("not_a_number")
            return None, True
        if low in _WORDS:
            if word not in ("true", "false", "null"):
                self._mend("python")
            return _WORDS[low], True
        self._mend("no_quotes")
        return word, self.at < len(self.text)

    def _next_entry(self, *, first: bool) -> str:
        """First character of the next entry, commas passed over; nothing at the end."""
        commas = 0
        while (char := self._peek()) in (",", ";"):
            commas += 1
            self.at += 1
        last = char in ("}", "]", ")", "")
        if commas > (0 if first or last else 1) or not (commas or first or last):
            self._mend("comma")
        return char

    def _peek(self) -> str:
        """The next character that is neither space nor comment; nothing at the end, or after a stop."""
        while not self.stopped:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            comment = _COMMENT.match(self.text, self.at)
            if not comment:
                return self.text[self.at : self.at + 1]
            self._mend("comment")
            self.at = comment.end()
        return ""

    def _mend(self, code: str) -> None:
        if code not in self.mends:
            self.mends.append(code)

    def _stop(self, code: str) -> None:
        if not self.stopped:
            self._mend(code)
        self.stopped = True
