"""The words that a language model is asked with: text files with a version, read from the package."""

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable

from apu.ask.answer import OFFERED_PARTS
from apu.ask.pair_image import PairImage
from apu.errors import InputError

LATEST = "v1"
_FILES = ("system", "question", "question_unmarked")


@dataclass(frozen=True)
class Prompt:
    """One version of the prompt.

    Attributes:
        version: e.g. `v1`.
        texts: name -> text of each file, with its places to fill in.
        parts: the vocabulary in the order in which it is told.
    """

    version: str
    texts: tuple[tuple[str, str], ...]
    parts: tuple[str, ...]

    @property
    def system(self) -> str:
        """The system prompt: task, rules, vocabulary, and the fields of the answer."""
        listed = "\n".join(f"- {part}" for part in self.parts)
        return dict(self.texts)["system"].replace("{vocabulary}", listed).strip()

    def question(self, image: PairImage) -> str:
        """What is asked about a picture: by its marks, or by who is on the left when it has none."""
        if image.marks:
            return dict(self.texts)["question"].strip()
        places = ("left", "right") if image.a_on_left else ("right", "left")
        text = dict(self.texts)["question_unmarked"]
        return text.replace("{a_place}", places[0]).replace("{b_place}", places[1]).strip()

    @cached_property
    def digest(self) -> str:
        """Hexadecimal sha256 of the files' names and bytes; the order of the vocabulary is not in it."""
        whole = hashlib.sha256()
        for name, text in self.texts:
            data = text.encode("utf-8")
            whole.update(f"{name}_{self.version} {len(data)}\n".encode())
            whole.update(data)
        return whole.hexdigest()


def load_prompt(version: str = LATEST, shuffled: int | None = None) -> Prompt:
    """Read a prompt.

    Args:
        version: of the files, e.g. `v1`.
        shuffled: seed of another order of the vocabulary; None for head to foot.

    Raises:
        InputError: there is no such version.
    """
    folder = resources.files("apu.ask") / "prompts"
    if version not in versions(folder):
        raise InputError(
            "There is no such version of the prompt.",
            where="prompt version",
            expected=f"one of {', '.join(versions(folder))}",
            got=repr(version[:40]),
            remedy=f"use {LATEST}.",
        )
    # bytes, because text mode would turn the line ends of another platform, and with them the digest
    texts = tuple((name, (folder / f"{name}_{version}.txt").read_bytes().decode("utf-8")) for name in _FILES)
    parts = list(OFFERED_PARTS)
    if shuffled is not None:
        random.Random(shuffled).shuffle(parts)
    return Prompt(version, texts, tuple(parts))


def versions(folder: Traversable) -> list[str]:
    """Versions of which all files are in a folder."""
    names = {file.name for file in folder.iterdir()}
    found = {name.removesuffix(".txt").removeprefix("system_") for name in names if name.startswith("system_")}
    return sorted(v for v in found if all(f"{name}_{v}.txt" in names for name in _FILES))
