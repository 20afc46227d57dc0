"""Foreign npz files, whoever made them: sizes are bounded, and objects inside are read by `apu.restricted_pickle`."""

import re
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from apu.errors import InputError
from apu.restricted_pickle import RefusedPickle, array_of, is_object_dtype, plain_dtype, read_pickle

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20
"""Of all arrays of a file together."""
MAX_MEMBERS = 256

_HEADER = re.compile(
    r"\{ *'descr': *'([^']{1,16})', *'fortran_order': *(True|False), *'shape': *\(([0-9, ]{0,200})\),? *\} *\n?"
)
_ENTRY = b"PK\x01\x02"


def load_npz(path: Path, kind: str) -> Mapping[str, Any]:
    """Read every array of an npz file, without trusting it.

    Args:
        path: the file.
        kind: what it ought to be, for the errors, e.g. "initial estimate".

    Returns:
        Name -> array that cannot be written to. An array of objects without axes is what it holds, e.g. a dictionary.

    Raises:
        InputError: it cannot be opened, is no npz file, is too large, is damaged, or holds anything but numbers, texts,
            containers and numpy arrays. Nothing of the file is ever executed.
    """
    data = _bytes(path, kind)
    try:
        return _arrays(data)
    except RefusedPickle as error:
        raise InputError(
            f"The {kind} file holds something that is not read.",
            where=path,
            expected="numbers, texts, lists, dictionaries and numpy arrays of them",
            got=error,
            remedy="do not open this file with other programs unless you trust who made it; export it as plain arrays.",
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError, ValueError) as error:
        raise InputError(
            f"The {kind} file is no npz file, or is damaged.",
            where=path,
            expected="an npz file as numpy.savez writes it",
            got=str(error)[:200] if data else "an empty file",
            remedy="export it again; the file may be cut short.",
        ) from error


def _bytes(path: Path, kind: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"The {kind} file cannot be opened.",
            where=path,
            expected="a file that you may read",
            got=error.strerror or error,
            remedy="check the path and its permissions.",
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            f"The {kind} file is too large.",
            where=path,
            expected=f"at most {MAX_FILE_BYTES // 2**20} MB",
            got="more",
            remedy="keep the entries of this photo only, without meshes.",
        )
    return data


def _arrays(data: bytes) -> dict[str, Any]:
    if data.count(_ENTRY) > MAX_MEMBERS:
        raise ValueError(f"more than {MAX_MEMBERS} arrays")
    arrays, left = {}, MAX_UNPACKED_BYTES
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for member in archive.infolist():
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("a compression that numpy does not write")
            with archive.open(member) as file:
                unpacked = file.read(left + 1)
            left -= len(unpacked)
            if left < 0:
                raise ValueError(f"arrays of more than {MAX_UNPACKED_BYTES // 2**20} MB once unpacked")
            arrays[member.filename.removesuffix(".npy")] = _array(unpacked, member.filename)
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
