"""Where the user's own SMPL-X files lie. Loads nothing heavy, so that a command can say early what is missing.

The model may not be passed on, so it never comes with this package: everybody registers at its authors' site. Its place
is what an option says, else the variable, else the user's `config.toml`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from apu.errors import InputError, ModelFileError
from apu.user_config import config_path, configured_path

SMPLX_VARIABLE = "APU_SMPLX"
SMPLX_SETTING = "smplx"
MODEL_NAMES = ("SMPLX_NEUTRAL.npz", "smplx/SMPLX_NEUTRAL.npz")
KID_NAMES = ("kid_template.npy", "smplx_kid_template.npy")
REGISTER = (
    "register at https://smpl-x.is.tue.mpg.de, accept the licence, download the SMPL-X model, and put "
    f"SMPLX_NEUTRAL.npz into a folder that --body-file, ${SMPLX_VARIABLE} or config.toml names (docs/smplx.md)."
)


@dataclass(frozen=True)
class SmplxFiles:
    """Where the model lies; `kid` is None where there are only adults."""

    model: Path
    kid: Path | None

    def all(self) -> list[Path]:
        """The files that there are."""
        return [self.model] if self.kid is None else [self.model, self.kid]


def named_smplx(place: Path | None = None) -> Path:
    """The file or folder that is named: `place`, else `$APU_SMPLX`, else `smplx` of the user's `config.toml`.

    Raises:
        ModelFileError: none is.
        InputError: the `config.toml` cannot be used.
    """
    if place is not None:
        return place.expanduser()
    if os.environ.get(SMPLX_VARIABLE):
        return Path(os.environ[SMPLX_VARIABLE]).expanduser()
    configured = configured_path(SMPLX_SETTING)
    if configured is None:
        where = f"${SMPLX_VARIABLE}, and `{SMPLX_SETTING}` in {config_path()}"
        raise _missing(where, "the path of SMPLX_NEUTRAL.npz, or of a folder with it", "neither is set")
    return configured


def find_smplx(place: Path | None = None) -> SmplxFiles:
    """Find the model, and the kid template beside it.

    Args:
        place: SMPLX_NEUTRAL.npz or a folder with it; see `named_smplx` when left out.

    Raises:
        ModelFileError: it is not there.
        InputError: a file in the folder is a link that leads out of it, or to nowhere; or the `config.toml` is wrong.
    """
    named = named_smplx(place)
    if named.is_dir():
        found = [named / name for name in MODEL_NAMES if os.path.lexists(named / name)]
        if not found:
            raise _missing(named, f"SMPLX_NEUTRAL.npz in the folder, which holds {_listing(named)}")
        model = _inside(named, found[0])
    elif os.path.lexists(named):
        model = named
    else:
        raise _missing(named, "SMPLX_NEUTRAL.npz, or a folder with it")
    kids = [model.parent / name for name in KID_NAMES if os.path.lexists(model.parent / name)]
    return SmplxFiles(model, _inside(model.parent, kids[0]) if kids else None)


def _inside(folder: Path, file: Path) -> Path:
    """The file, unless it is a link that leads out of its folder."""
    if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            "A file of the SMPL-X folder is a link that leads out of the folder.",
            where=file,
            expected="the file itself",
            got="a symbolic link to a place outside",
            remedy="name the folder in which the file really lies, or the file itself.",
        )
    return file


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    return (", ".join(names[:5]) + (", ..." if len(names) > 5 else "")) or "nothing"


def _missing(where: object, expected: str, got: str = "no such file") -> ModelFileError:
    return ModelFileError("The SMPL-X model is not there.", where=where, expected=expected, got=got, remedy=REGISTER)
