"""The body model that a user chooses by name, loaded once."""

from pathlib import Path
from typing import Literal

from apu.body.anny import AnnyBody
from apu.body.anny_asset import asset_path
from apu.body.protocol import BodyModel
from apu.body.smplx_place import find_smplx
from apu.errors import InputError
from apu.progress import Progress, silent

BodyKind = Literal["anny", "smplx"]
KEPT = 4
"""Bodies hold up to hundreds of megabytes."""

_LOADED: dict[tuple[object, ...], BodyModel] = {}


def load_body(kind: BodyKind = "anny", file: Path | None = None, progress: Progress = silent) -> BodyModel:
    """The body of that name; the same object as long as its files are the same.

    Args:
        kind: `anny`, which is prepared in the user's cache when it is missing; or `smplx`, which is the user's own.
        file: of SMPL-X or its folder; see `apu.body.smplx_place` when left out.
        progress: told where the work stands.

    Raises:
        ModelFileError: its file is missing, or cannot be fetched or prepared.
        InputError: the file is not what it should be, or is given for a body that has none.
    """
    if kind == "smplx":
        return _smplx(file)
    if kind != "anny" or file is not None:
        raise InputError(
            "Only SMPL-X is read from a file of the user's." if kind == "anny" else "There is no such body.",
            where="body_file" if kind == "anny" else "body",
            expected="no file, or smplx as the body" if kind == "anny" else "anny or smplx",
            got=file if kind == "anny" else repr(kind),
            remedy="choose the body smplx (--body smplx), or leave its file out.",
        )
    key = (asset_path(),)
    return _LOADED[key] if key in _LOADED else _keep(key, AnnyBody.load(progress))


def _smplx(file: Path | None) -> BodyModel:
    from apu.body.smplx import SmplxBody
    from apu.body.smplx_file import load_smplx_asset

    files = find_smplx(file)
    stats = [(path.resolve(), path.stat()) for path in files.all() if path.exists()]
    key = tuple((path, found.st_size, found.st_mtime_ns) for path, found in stats)
    return _LOADED[key] if key in _LOADED else _keep(key, SmplxBody(load_smplx_asset(files)))


def _keep(key: tuple[object, ...], body: BodyModel) -> BodyModel:
    if len(_LOADED) >= KEPT:
        del _LOADED[next(iter(_LOADED))]
    _LOADED[key] = body
    return body
