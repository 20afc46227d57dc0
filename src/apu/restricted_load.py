"""Foreign npz, npy and pickle files: sizes are bounded, and objects inside are read by `apu.restricted_pickle`."""

import re
import stat
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from apu.errors import InputError
from apu.restricted_pickle import RefusedPickle, array_of, is_object_dtype, plain_dtype, read_pickle

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20
"""Of all arrays of a file together."""
MAX_MEMBERS = 256


@dataclass(frozen=True)
class Limits:
    """How large a file may be, in bytes.

    Attributes:
        file: as it lies on the disk.
        unpacked: all arrays of it that are read, together.
        remedy: what to do about a larger one.
    """

    file: int
    unpacked: int
    remedy: str = "keep the entries of this photo only, without meshes."


_HEADER = re.compile(
    r"\{ *'descr': *'([^']{1,16})', *'fortran_order': *(True|False), *'shape': *\(([0-9, ]{0,200})\),? *\} *\n?"
)
_ENTRY = b"PK\x01\x02"


def load_npz(
    path: Path, kind: str, limits: Limits | None = None, only: Collection[str] | None = None
) -> Mapping[str, Any]:
    """Read every array of an npz file, without trusting it.

    Args:
        path: the file.
        kind: what it ought to be, for the errors, e.g. "initial estimate".
        limits: how large it may be; those of a photo's estimates when left out.
        only: names of the arrays that are wanted; others are not even unpacked. All when left out.

    Returns:
        Name -> array that cannot be written to. An array of objects without axes is what it holds, e.g. a dictionary.

    Raises:
        InputError: it cannot be opened, is no npz file, is too large, is damaged, or holds anything but numbers, texts,
            containers and numpy arrays. Nothing of the file is ever executed.
    """
    limits = limits or Limits(MAX_FILE_BYTES, MAX_UNPACKED_BYTES)
    data = _bytes(path, kind, limits)
    with _Explained(path, kind, "npz", "numpy.savez", bool(data)):
        return _arrays(data, limits.unpacked, only)


def load_npy(path: Path, kind: str, limits: Limits | None = None) -> Any:
    """Read an npy file, without trusting it: one array, or what an array of objects without axes holds.

    Args:
        path, kind, limits: as in `load_npz`.

    Raises:
        InputError: as `load_npz`.
    """
    limits = limits or Limits(MAX_FILE_BYTES, MAX_UNPACKED_BYTES)
    data = _bytes(path, kind, limits)
    with _Explained(path, kind, "npy", "numpy.save", bool(data)):
        return _array(data, path.name)


def load_pickle(path: Path, kind: str, limits: Limits | None = None) -> Any:
    """Read a pickle file of any protocol, without trusting it.

    Args:
        path, kind, limits: as in `load_npz`.

    Raises:
        InputError: as `load_npz`.
    """
    limits = limits or Limits(MAX_FILE_BYTES, MAX_UNPACKED_BYTES)
    data = _bytes(path, kind, limits)
    with _Explained(path, kind, "pickle", "pickle.dump", bool(data)):
        return read_pickle(data)


def first_bytes(path: Path, kind: str, count: int = 64) -> bytes:
    """The beginning of a file, by which its kind is told.

    Raises:
        InputError: it cannot be opened, or is larger than `MAX_FILE_BYTES`.
    """
    return _bytes(path, kind, Limits(MAX_FILE_BYTES, MAX_UNPACKED_BYTES), count)


class _Explained:
    """Turns what can go wrong inside a file into an InputError that names the file."""

    def __init__(self, path: Path, kind: str, form: str, writer: str, filled: bool) -> None:
        self.path, self.kind, self.form, self.writer, self.filled = path, kind, form, writer, filled

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RefusedPickle):
            raise InputError(
                f"The {self.kind} file holds something that is not read.",
                where=self.path,
                expected="numbers, texts, lists, dictionaries and numpy arrays of them",
                got=error,
                remedy="do not open this file with other programs unless you trust who made it; "
                "export it as plain arrays.",
            ) from error
        if isinstance(error, _DAMAGE):
            raise InputError(
                f"The {self.kind} file is no {self.form} file, or is damaged.",
                where=self.path,
                expected=f"an {self.form} file as {self.writer} writes it",
                got=str(error)[:200] if self.filled else "an empty file",
                remedy="export it again; the file may be cut short.",
            ) from error


_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, ValueError)


def _bytes(path: Path, kind: str, limits: Limits, count: int | None = None) -> bytes:
    """All of a file that is not too large, or its first `count` bytes."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # nobody may ever write into it
            raise OSError(None, "a pipe, which is no file")
        size = path.stat().st_size
        with path.open("rb") as file:
            data = b"" if size > limits.file else file.read(limits.file + 1 if count is None else count)
    except OSError as error:
        raise InputError(
            f"The {kind} file cannot be opened.",
            where=path,
            expected="a file that you may read",
            got=error.strerror or error,
            remedy="check the path and its permissions.",
        ) from error
    if max(size, len(data)) > limits.file:
        raise InputError(
            f"The {kind} file is too large.",
            where=path,
            expected=f"at most {limits.file // 2**20} MB",
            got="more",
            remedy=limits.remedy,
        )
    return data


def _arrays(data: bytes, left: int, only: Collection[str] | None) -> dict[str, Any]:
    if data.count(_ENTRY) > MAX_MEMBERS:
        raise ValueError(f"more than {MAX_MEMBERS} arrays")
    arrays, most = {}, left
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if only is not None and name not in only:
                continue
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("a compression that numpy does not write")
            with archive.open(member) as file:
                unpacked = file.read(left + 1)
            left -= len(unpacked)
            if left < 0:
                raise ValueError(f"arrays of more than {most // 2**20} MB once unpacked")
            arrays[name] = _array(unpacked, member.filename)
    return arrays


def _array(data: bytes, name: str) -> Any:
    """One member in numpy's npy format, version 1 or 2 (numpy.lib.format)."""
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(data[:8])
    if width is None:
        raise ValueError(f"{name[:80]!a} is no array")
    start = 8 + width
    end = start + int.from_bytes(data[8:start], "little")
    header = _HEADER.fullmatch(data[start : min(end, start + 1000)].decode("latin1"))
    if header is None or len(data) < end:
        raise ValueError(f"{name[:80]!a} has a header that is not understood")
    dtype, fortran, shape = header[1], header[2] == "True", tuple(int(n) for n in header[3].split(",") if n.strip())
    if not is_object_dtype(dtype):
        return array_of(data[end:], plain_dtype(dtype), shape, fortran)
    value = read_pickle(data[end:])
    return value.item() if getattr(value, "shape", None) == () else value
