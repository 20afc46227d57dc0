"""The folder of results: checked before the work starts, and described when it is done."""

import os
from collections.abc import Iterable
from pathlib import Path

from apu.errors import OutputError
from apu.show.result_names import CONTACTS, FAILURE, GLB, NPZ, OBJ, PANEL, PEOPLE, REPORT, RUN, SCENE, TURNTABLE

CONTENTS = {
    PEOPLE: "the photo with everybody numbered, for --pair",
    PANEL: "look at this first: photo, overlay, side and top view, contacts painted",
    SCENE: "both meshes to turn about, in any browser; one file, no network",
    TURNTABLE: "the camera goes once round the pair",
    GLB: "both meshes, for any 3D viewer",
    NPZ: "body parameters, vertices, joints and camera, for numpy",
    CONTACTS: "what touches what, and who says so; `--contacts` reads it back",
    RUN: "versions, options, and every number of the fit",
}

RESULT_FILES = frozenset([*CONTENTS, OBJ])
"""Names of the files of a result folder."""

__all__ = [
    "CONTENTS",
    "FAILURE",
    "REPORT",
    "RESULT_FILES",
    "RUN",
    "TURNTABLE",
    "check_file",
    "check_folder",
    "describe_folder",
]


def check_file(out: Path, *, overwrite: bool) -> None:
    """Refuse a file that cannot be written anew, before minutes are spent on it.

    Raises:
        OutputError: it is a folder, or it is there and `overwrite` is not set.
    """
    taken = out.exists() or out.is_symlink()
    if taken and (out.is_dir() or not overwrite):
        raise OutputError(
            "The output file is a folder." if out.is_dir() else "The output file exists.",
            where=out,
            expected="a new file",
            got=f"a {'folder' if out.is_dir() else 'file'} of that name",
            remedy="name a file in it." if out.is_dir() else "add --overwrite, or name another file with --out.",
        )


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that cannot take the results, before minutes are spent on them.

    Raises:
        OutputError: it is a file, holds something already and `overwrite` is not set, or cannot be written.
    """
    if folder.is_dir():
        if not overwrite and any(folder.iterdir()):
            raise OutputError(
                "The output folder is not empty.",
                where=folder,
                expected="a new or an empty folder",
                got=f"a folder with {len(list(folder.iterdir()))} entries",
                remedy="add --overwrite to replace earlier results, or name another folder with --out.",
            )
    elif folder.exists():
        raise OutputError(
            "The output folder is a file.",
            where=folder,
            expected="a folder",
            got="a file of that name",
            remedy="name another folder with --out.",
        )
    parent = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            "The output folder cannot be written.",
            where=folder,
            expected="a folder that you may write",
            got=f"no permission to write in {parent}",
            remedy="name another folder with --out.",
        )


def describe_folder(folder: Path, files: Iterable[Path]) -> str:
    """The folder, then one line a file that says what it is."""
    names = [_relative(file, folder) for file in files]
    width = max((len(name) for name in names), default=0)
    lines = [f"  {name:<{width}}  {CONTENTS.get(Path(name).name, '')}".rstrip() for name in names]
    return "\n".join([f"Results in {folder}/", *lines])


def _relative(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
