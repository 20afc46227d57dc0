"""Fails unless a folder of results is complete: python .ci/check_folder.py FOLDER."""

import json
import sys
from pathlib import Path

SIGNATURES = {
    "scene.html": b"<!doctype html>",
    "panel.png": b"\x89PNG\r\n\x1a\n",
    "pair.glb": b"glTF",
    "pair.npz": b"PK",
}


def check(folder: Path) -> None:
    """Raises AssertionError for a file that is missing, empty, or of another kind."""
    for name, signature in SIGNATURES.items():
        start = (folder / name).read_bytes()[: len(signature)]
        assert start == signature, f"{folder / name} is no {Path(name).suffix[1:]} file"
    for name in ("contacts.json", "run.json"):
        assert json.loads((folder / name).read_text()), f"{folder / name} is empty"
    print(f"{folder} is complete.")


if __name__ == "__main__":
    check(Path(sys.argv[1]))
