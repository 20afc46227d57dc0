"""What the command line asks of one photo, in plain values; `apu.scene.results.FitOptions` itself would load torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apu.body.smplx_place import find_smplx
from apu.cli.options import AgeGroup, BodyKind, Box, Detector
from apu.prior.shipped import SHIPPED_FOLDER, Shipped

PRIOR_CONFIG = "config.json"
"""Written last into the folder of a prior, as `apu.prior.checkpoint` has it; a test compares the two."""


@dataclass(frozen=True)
class Request:
    """The fields of `FitOptions`; a test compares the two."""

    pairs: tuple[tuple[int, int], ...] = ()
    all_pairs: bool = False
    keypoints: tuple[Path, ...] = ()
    detector: Detector = "movenet"
    detector_weights: Path | None = None
    contacts: Path | None = None
    annotator: str | None = None
    samples: int = 1
    person_boxes: tuple[Box, ...] = ()
    person_keypoints: tuple[tuple[int, Path], ...] = ()
    init: Path | None = None
    body: BodyKind = "anny"
    body_file: Path | None = None
    prior: Path | Shipped | None = "shipped"
    ages: tuple[AgeGroup, AgeGroup] = ("unknown", "unknown")
    shared_floor: bool = False
    seed: int = 0

    def recorded(self) -> dict[str, Any]:
        """As `run.json` has it under `options`."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def files(self) -> list[Path]:
        """The files that it reads beside the photo."""
        named = [*self.keypoints, self.contacts, *_estimates(self.init), *(file for _, file in self.person_keypoints)]
        named += _weights(self.detector_weights)
        named += find_smplx(self.body_file).all() if self.body == "smplx" else []
        if self.prior is not None:
            named.append((SHIPPED_FOLDER if self.prior == "shipped" else self.prior) / PRIOR_CONFIG)
        return [file for file in named if file is not None]


def _weights(given: Path | None) -> list[Path]:
    """A file, or those of a folder that hold a model."""
    if given is None or not given.is_dir():
        return [] if given is None else [given]
    return [file for file in sorted(given.iterdir()) if file.suffix in (".json", ".safetensors")]


def _estimates(given: Path | None) -> list[Path]:
    """A file, or a folder and what lies in it."""
    if given is None or not given.is_dir():
        return [] if given is None else [given]
    return [given, *sorted(file for file in given.iterdir() if file.is_file())]


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
