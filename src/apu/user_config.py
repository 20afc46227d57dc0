"""The user's `config.toml`: what belongs to a machine and not to a run. A table of settings; there need not be one."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apu.cache import CONFIG_VARIABLE, config_dir
from apu.errors import InputError

CONFIG_FILE = "config.toml"
SETTINGS: Mapping[str, str] = {"smplx": "SMPLX_NEUTRAL.npz, or a folder with it"}
"""Setting -> the path that it names."""
MAX_BYTES = 2**20


def config_path() -> Path:
    """Where the file is looked for."""
    return config_dir() / CONFIG_FILE


def configured_path(name: str) -> Path | None:
    """The path that a setting names; one that is not absolute is meant from the folder of the file.

    Args:
        name: one of `SETTINGS`.

    Returns:
        None where there is no file, or it does not have the setting.

    Raises:
        InputError: the file cannot be read, is no TOML, or has a setting that does not exist or is no path.
    """
    path = config_path()
    found = _settings(path)
    for setting, value in found.items():
        if setting not in SETTINGS:
            raise _wrong(f"{path}: {setting}", f"settings called {', '.join(SETTINGS)}", "a setting that is not known")
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise _wrong(f"{path}: {setting}", f"the path of {SETTINGS[setting]}, in quotes", repr(value)[:200])
    return path.parent / Path(found[name]).expanduser() if name in found else None


def _settings(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise _wrong(path, f"at most {MAX_BYTES} bytes", "more")
        return tomllib.loads(text.decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, "a readable TOML file", f"{error}"[:200]) from error


def _wrong(where: object, expected: str, got: str) -> InputError:
    return InputError(
        "The file with your settings cannot be used.",
        where=where,
        expected=expected,
        got=got,
        remedy=f'mend it, e.g. to the line smplx = "/models/smplx", or delete it; ${CONFIG_VARIABLE} names its folder.',
    )
