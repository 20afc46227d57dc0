"""The folder of a data set: names of its files, and whether it can take a new one. Loads nothing heavy."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Literal

from apu.errors import OutputError

INFO = "dataset.json"
WORK = ".work"
"""Holds finished pieces of work until the data set is whole."""
REJECTED, REASONS = "rejected.parquet", "rejected.jsonl"
"""Of a data set of fits: those that were not taken, and why."""

_SHARD = re.compile(r"pairs-\d{5}\.parquet")
_TEMPORARY = re.compile(r"\.apu-[0-9a-f]{16}\b.*")  # as `apu.cache.written_whole` calls them

State = Literal["new", "unfinished", "finished"]


def shard_name(number: int) -> str:
    """Name of a file of pairs."""
    return f"pairs-{number:05d}.parquet"


def shards_in(folder: Path) -> list[Path]:
    """All files of pairs that lie in a folder, in order."""
    return sorted(path for path in folder.iterdir() if _SHARD.fullmatch(path.name)) if folder.is_dir() else []


def prepare(folder: Path, *, overwrite: bool, resume: bool) -> State:
    """See what a folder holds, and delete an earlier data set when that is asked for.

    Args:
        folder: of the data set; may be missing.
        overwrite: delete an earlier one.
        resume: go on with an earlier one.

    Raises:
        OutputError: it is a file, holds other things, or holds a data set and nobody said what to do with it.
    """
    if folder.exists() and not folder.is_dir():
        raise _refused(folder, "a file of that name", "name another folder.")
    entries = list(folder.iterdir()) if folder.is_dir() else []
    others = [entry.name for entry in entries if not _is_ours(entry.name)]
    if others:
        raise _refused(folder, f"other things in it, such as {sorted(others)[0]!r}", "name another folder.")
    for entry in entries:
        if _TEMPORARY.fullmatch(entry.name):
            entry.unlink(missing_ok=True)
    state = "finished" if (folder / INFO).is_file() else "unfinished" if entries else "new"
    if state != "new" and overwrite:
        (folder / INFO).unlink(missing_ok=True)
        for shard in shards_in(folder):
            shard.unlink()
        for name in (REJECTED, REASONS):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / WORK, ignore_errors=True)
        return "new"
    if state != "new" and not resume:
        remedy = "add --resume to go on with it, --overwrite to begin again, or name another folder."
        raise _refused(folder, f"{'a' if state == 'finished' else 'an'} {state} data set", remedy)
    return state


def check_same(folder: Path, settings: dict[str, Any], versions: dict[str, str]) -> None:
    """Refuse to take a finished data set for the one that is asked for when it is another one.

    Raises:
        OutputError: its settings or versions differ.
    """
    try:
        found = json.loads((folder / INFO).read_bytes())
        theirs = {"settings": found["settings"], "versions": found["versions"]}
        changed = [
            f"{kind}.{name}"
            for kind, mine in (("settings", settings), ("versions", versions))
            for name in sorted({*mine, *theirs[kind]})
            if theirs[kind].get(name) != mine.get(name)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        changed = ["dataset.json cannot be read"]
    if changed:
        raise _refused(
            folder,
            f"a finished data set that differs in {', '.join(changed)}",
            "add --overwrite instead of --resume to replace it, or name another folder.",
        )


def _is_ours(name: str) -> bool:
    return name in (INFO, WORK, REJECTED, REASONS) or bool(_SHARD.fullmatch(name) or _TEMPORARY.fullmatch(name))


def _refused(folder: Path, got: str, remedy: str) -> OutputError:
    return OutputError(
        "The folder cannot take the data set.",
        where=folder,
        expected="a new or an empty folder",
        got=got,
        remedy=remedy,
    )
