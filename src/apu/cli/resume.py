"""What an earlier run has left in a folder, and whether it need not be done again. Loads nothing heavy."""

import json
import re
from pathlib import Path
from typing import Any

from apu import __version__
from apu.cache import sha256_file
from apu.cli.output import FAILURE, RESULT_FILES, RUN, TURNTABLE
from apu.cli.request import Request
from apu.errors import OutputError

_TEMPORARY = re.compile(r"\.apu-[0-9a-f]{16}\b.*")  # as `apu.cache.written_whole` calls them


def why_again(folder: Path, photo: Path, request: Request, *, video: bool = False) -> str | None:
    """Why a photo has to be fitted (again), or None when its folder holds just what this run would write.

    It does when `run.json` is there, names no failed pair and no question that may still be answered, and was written
    by this version of apu with these options out of this photo, and no file that the options name has changed since.
    """
    if (folder / FAILURE).is_file():
        return "it failed"
    run = read_record(folder / RUN)
    if run is None:
        return "it is not finished"
    if run.get("failures"):
        return "a pair failed"
    if _waits_for_answer(run):
        return "its annotator gave no answer yet"
    return _changed_since(folder / RUN, run, photo, request) or (
        "it has no video" if video and not any(place.is_file() for place in _videos(folder)) else None
    )


def read_record(file: Path) -> dict[str, Any] | None:
    """A JSON object, or None when there is none or it is damaged."""
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def check_place(folder: Path) -> None:
    """Refuse to resume in a folder that no fit has written.

    Raises:
        OutputError: it is a file, or holds other things only.
    """
    if folder.exists() and not folder.is_dir():
        got = "a file"
    else:
        names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
        ours = {*RESULT_FILES, FAILURE}
        is_ours = any(name in ours or name.startswith("pair_") or _TEMPORARY.fullmatch(name) for name in names)
        got = None if is_ours or not names else "a folder with other things in it"
    if got is not None:
        raise OutputError(
            "The folder of a photo's results holds something else.",
            where=folder,
            expected="results of an earlier run, an empty folder, or none",
            got=got,
            remedy="name another folder with --out, or move it away.",
        )


def sweep(folder: Path) -> None:
    """Delete what a killed run left half-written (hidden files of our own names)."""
    for place in (folder, *folder.glob("pair_*_*")):
        for entry in place.iterdir() if place.is_dir() and not place.is_symlink() else ():
            if _TEMPORARY.fullmatch(entry.name) and entry.is_file():
                entry.unlink(missing_ok=True)


def _waits_for_answer(run: dict[str, Any]) -> bool:
    """Whether a pair was fitted without the answer of a model that can be asked again; a refusal is an answer."""
    pairs = run.get("pairs")
    answers = [pair.get("answer") for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return any(isinstance(one, dict) and one.get("status") in ("failed", "pending", "not asked") for one in answers)


def _changed_since(file: Path, run: dict[str, Any], photo: Path, request: Request) -> str | None:
    versions, options, recorded = run.get("versions"), run.get("options"), run.get("photo")
    if not isinstance(versions, dict) or versions.get("apu") != __version__:
        return "another version of apu wrote it"
    for name, value in request.recorded().items():
        if not isinstance(options, dict) or options.get(name) != value:
            return f"the options have changed ({name})"
    try:
        if not isinstance(recorded, dict) or recorded.get("sha256") != sha256_file(photo):
            return "the photo has changed"
        written = file.stat().st_mtime
        newer = [given for given in request.files() if given.stat().st_mtime > written]
    except OSError:
        return "a file cannot be read"
    return f"{newer[0].name} has changed" if newer else None


def _videos(folder: Path) -> list[Path]:
    return [place / TURNTABLE for place in (folder, *folder.glob("pair_*_*"))]
