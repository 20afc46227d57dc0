"""Work for the tests of engines, in a module of its own, so that other processes find it. It loads no torch."""

import os
import time
from pathlib import Path


def square(number: int) -> int:
    return number * number


def whims(word: str) -> str:
    """A function that does what it is told."""
    if word == "raise":
        raise ValueError("told to")
    if word == "die":
        os.kill(os.getpid(), 9)
    if word.startswith("sleep"):
        time.sleep(float(word.removeprefix("sleep")))
    return word.upper()


def write_text(path: Path, text: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(str(text))
