"""What a built data set depends on beside its input: all that looks at photos and annotators, too."""

import hashlib
from functools import cache
from pathlib import Path

from apu.dataset.versions import versions

SOURCES = ("ask", "pose", "prior", "pipeline.py", "dataset/build*.py", "evaluate/trusted_answers.py")
"""Of this package, beside those of `apu.dataset.versions`: what decides about a record."""


@cache
def build_versions() -> dict[str, str]:
    """As `apu.dataset.versions.versions`; `building` is a hash of our files that no other data set depends on."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for name in SOURCES:
        for place in sorted(root.glob(name)):
            for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
                if file.suffix in (".py", ".txt", ".json", ".toml") and file.is_file():
                    digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return {**versions(), "building": digest.hexdigest()[:16]}
