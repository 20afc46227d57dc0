"""`failure.json`: why a photo of several has no results, in the folder where they would be.

| field | type | meaning |
|---|---|---|
| `schema_version` | 1 | rises when a field changes its meaning |
| `photo` | string | file name without its ending |
| `path` | string | of the photo, as it was given |
| `kind` | string | class of the error, such as `PhotoError` |
| `what` | string | one sentence |
| `where` | string or null | file, person or field at fault |
| `expected` | string or null | what would have been right |
| `got` | string or null | what was found |
| `remedy` | string or null | what to do |
| `options` | object | as in `run.json` |
| `versions` | object of string | of apu |
"""

import json
from pathlib import Path
from typing import Any

from apu import __version__
from apu.cache import written_whole
from apu.cli.output import FAILURE
from apu.cli.request import Request, json_text
from apu.errors import ApuError

SCHEMA_VERSION = 1


def failure_record(photo: Path, request: Request, error: Exception) -> dict[str, Any]:
    """The content of `failure.json`, for a deliberate error or any other."""
    if isinstance(error, ApuError):
        told = {name: getattr(error, name) for name in ("what", "where", "expected", "got", "remedy")}
    else:
        what = f"Unexpected {type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
        remedy = f"`apu --debug fit {photo.name}` shows the traceback; please report it."
        told = {"what": what, "where": str(photo), "expected": None, "got": None, "remedy": remedy}
    return {
        "schema_version": SCHEMA_VERSION,
        "photo": json_text(photo.stem),
        "path": json_text(photo),
        "kind": type(error).__name__,
        **{name: None if text is None else json_text(text) for name, text in told.items()},
        "options": request.recorded(),
        "versions": {"apu": __version__},
    }


def write_failure(folder: Path, record: dict[str, Any]) -> Path:
    """Write it whole. Raises OutputError when the folder cannot be made or written."""
    with written_whole(folder / FAILURE) as path:
        path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return folder / FAILURE
