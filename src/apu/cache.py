"""The user's cache directory: files appear in it whole, by rename, or not at all."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apu.errors import ApuError, OutputError

CACHE_VARIABLE = "APU_CACHE_DIR"
CONFIG_VARIABLE = "APU_CONFIG_DIR"


def cache_dir() -> Path:
    """Folder for prepared bodies and detector weights: `$APU_CACHE_DIR`, else the platform's user cache."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("apu")


def sha256_file(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def config_dir() -> Path:
    """Folder of the user's `config.toml`: `$APU_CONFIG_DIR`, else the platform's."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("apu")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` when the block ends without an error.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not mkstemp: its files are private, and reading the umask to mend that would set it, for all threads.
        temporary = target.with_name(f".apu-{secrets.token_hex(8)}{target.suffix}")
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> ApuError:
    return OutputError(
        "A file cannot be written.",
        where=target,
        expected="a folder that can be written, with room left on its disk",
        got=error.strerror or error,
        remedy=f"check the folder's permissions and the disk, or name another folder "
        f"(--out for results, ${CACHE_VARIABLE} for the cache).",
    )
