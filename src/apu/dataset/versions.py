"""What a result depends on beside its input: the versions of the software, and of our own sources."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from apu import __version__

PACKAGES = ("anny", "numpy", "pyarrow", "roma", "torch", "warp-lang")
SOURCES = ("geometry", "body", "contact", "scene", "unite", "dataset/synthetic")
"""Rooms that decide which bodies are made."""


@cache
def versions() -> dict[str, str]:
    """Name -> version; `sources` is a hash of our own files, so that work of changed code is never taken for new."""
    found = {"apu": __version__, "sources": _sources()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _sources() -> str:
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for room in SOURCES:
        for file in sorted((root / room).rglob("*")):
            if file.suffix in (".py", ".toml", ".safetensors") and file.is_file():
                digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
