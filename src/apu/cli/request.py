"""What the command line asks of one photo, in plain values; `apu.scene.results.FitOptions` itself would load torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apu.cli.options import AgeGroup, Box


@dataclass(frozen=True)
class Request:
    """The fields of `FitOptions`; a test compares the two."""

    pairs: tuple[tuple[int, int], ...] = ()
    all_pairs: bool = False
    keypoints: Path | None = None
    contacts: Path | None = None
    annotator: str | None = None
    person_boxes: tuple[Box, ...] = ()
    person_keypoints: tuple[tuple[int, Path], ...] = ()
    init: Path | None = None
    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    seed: int = 0

    def recorded(self) -> dict[str, Any]:
        """As `run.json` has it under `options`."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def files(self) -> list[Path]:
        """The files that it reads beside the photo."""
        named = [self.keypoints, self.contacts, self.init, *(file for _, file in self.person_keypoints)]
        return [file for file in named if file is not None]


def printable(text: object) -> str:
    """A path or a message in which nothing can steer the terminal, and no byte is left that is no text."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in str(text))


def json_text(text: object) -> str:
    """A path or a message as every JSON reader takes it; as `apu.show.report.clean_text`."""
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _plain(value: object) -> Any:
    if isinstance(value, str | Path):
        return json_text(value)
    return [_plain(entry) for entry in value] if isinstance(value, Sequence) else value
