"""What an estimate file holds, whatever contains it: npz, npy or pickle, told by the first bytes, not by the name."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apu.errors import InputError
from apu.restricted_load import first_bytes, load_npy, load_npz, load_pickle

KIND = "initial estimate"
KNOWN = "a file of BEV or ROMP, 4D-Humans, Multi-HMR, SAM 3D Body, or SMPL-X parameters (docs/initial_estimates.md)"
ENDINGS = (".npz", ".npy", ".pkl", ".pickle")

_SEVERAL = ("people", "humans", "persons", "outputs", "arr_0")
"""Names under which an npz file may hold a list of people."""
_JOBLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b", b"BZh", b"\xfd7z", b"\x04\x22\x4d\x18")
"""Beginnings of zlib, gzip, bz2, xz and lz4."""
_OTHER_KINDS = {
    b"glTF": "a GLB scene", b"ply": "a PLY mesh", b"# ": "a text or OBJ file", b"v ": "an OBJ mesh",
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"\x89HDF": "an HDF5 file",
}  # fmt: skip

Content = Mapping[str, Any] | list[Mapping[str, Any]]
"""Entries of a file, or those of each person in it."""


def read_content(path: Path) -> Content:
    """The entries of a file, or those of each person where it holds a list of people.

    Raises:
        InputError: it cannot be read, is too large or hostile, or of a kind that holds no estimates.
    """
    start = first_bytes(path, KIND)
    if start.startswith(b"PK"):
        _check_no_torch(path)
        return _people(load_npz(path, KIND), path)
    if start.startswith(b"\x93NUMPY"):
        return _people(load_npy(path, KIND), path)
    if start[:1] == b"\x80" or start[:2] in (b"(l", b"(d", b"]q", b"}q"):
        return _people(load_pickle(path, KIND), path)
    raise wrong_kind(path, *_told_by(start, path))


def wrong_kind(path: Path, got: str, remedy: str = "") -> InputError:
    """The error of a file that holds no estimates: what it looks like, and what to give instead."""
    return InputError(
        "The initial estimate file is of no kind that is known.",
        where=path,
        expected=KNOWN,
        got=got,
        remedy=remedy or "export the estimate as docs/initial_estimates.md says, or leave --init out.",
    )


def _people(value: Any, path: Path) -> Content:
    """Unpacks what numpy puts around a list or a dictionary."""
    if isinstance(value, Mapping):
        for name in _SEVERAL:
            inner = value.get(name)
            if isinstance(inner, Mapping) or _are_records(inner):
                return _people(inner, path)
        return value
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.reshape(-1).tolist()
    if _are_records(value):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[1:] in ((10475, 3), (6890, 3), (18439, 3)):
        remedy = "meshes tell no joints; save the program's records of the people instead (docs/initial_estimates.md)."
        raise wrong_kind(path, f"meshes of {len(value)} people, without joints", remedy)
    if isinstance(value, list | tuple) and not value:
        return []
    raise wrong_kind(path, f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else _named(value))


def _are_records(value: Any) -> bool:
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.reshape(-1).tolist()
    return isinstance(value, Sequence) and len(value) > 0 and all(isinstance(one, Mapping) for one in value)


def _named(value: Any) -> str:
    return f"a {type(value).__name__}" + (f" of {len(value)} entries" if isinstance(value, Sequence) else "")


def _check_no_torch(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            torch_like = any(name.endswith("/data.pkl") for name in archive.namelist()[:1000])
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # its reader says what is wrong with it
    if torch_like:
        raise wrong_kind(path, "a file of torch.save", "save numpy arrays with numpy.savez, not torch.save.")


def _told_by(start: bytes, path: Path) -> tuple[str, str]:
    if not start:
        return "an empty file", ""
    if start.lstrip()[:1] in (b"{", b"["):
        return _json_kind(path)
    if start.startswith(_JOBLIB):
        remedy = "load it with joblib, and save the entries of this photo with numpy.savez."
        return "a compressed file, perhaps of joblib, as tracks of a video by 4D-Humans (PHALP) are", remedy
    named = next((name for magic, name in _OTHER_KINDS.items() if start.startswith(magic)), None)
    return named or "a file that starts with " + ascii(start[:8])[1:], ""


def _json_kind(path: Path) -> tuple[str, str]:
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return "a damaged JSON file", ""
    keys = record.keys() if isinstance(record, dict) else set()
    entries = record if isinstance(record, list) else [*record.values()] if isinstance(record, dict) else []
    inner: set[str] = set().union(*(one.keys() for one in entries[:100] if isinstance(one, dict)))
    if {"people", "annotations"} & keys or "keypoints" in inner:
        return "a keypoint file", "give it with --keypoints."
    if ({"contacts", "pairs"} & keys and "version" in keys) or "ci_sign" in inner:
        return "a contact file", "give it with --contacts."
    if {"versions", "options"} <= keys:
        return "the record of one of our own runs", ""
    return "a JSON file with " + (", ".join(ascii(str(key))[:40] for key in list(keys)[:6]) or "a list"), ""
