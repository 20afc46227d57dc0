"""A pair as it lies in a result folder, read back for other formats; nothing in the folder is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.joints import JOINT_SETS, joint_names
from apu.body.protocol import Surface
from apu.contact.annotated_pair import AnnotatedPair, contacts_of
from apu.contact.contact import ContactMap
from apu.contact.files import read_contact_file
from apu.errors import InputError
from apu.restricted_load import Limits, load_npz
from apu.scene.person import Keypoints
from apu.show.arrays import SCHEMA_VERSION
from apu.show.result_names import CONTACTS, NPZ

_LIMITS = Limits(64 * 2**20, 256 * 2**20, "name a pair.npz that `apu fit` has written.")
_FAR_M = 1e4
_FAR_PX = 1e7
_KEPT = ("heights_m", "focal_px", "center_px", "image_size", "people", "photo")


@dataclass(frozen=True)
class StoredPair:
    """Two bodies, whoever made them.

    Attributes:
        where: file or data set that they come from; for messages.
        body_model: name and version of the model that the parameters belong to.
        parameters: name -> (2, size).
        vertices: (2, v, 3) camera axes, metres.
        joints: (2, 25, 3) BODY_25, camera axes, metres.
        surface: the skin of both; its rest body is A as it is, since a file has no other.
        regions: names of the regions of A and of B that are painted.
        extra: further arrays of the file, as they are.
    """

    where: str
    body_model: str
    parameters: Mapping[str, Float[Tensor, "2 _"]]
    vertices: Float[Tensor, "2 v 3"]
    joints: Float[Tensor, "2 25 3"]
    surface: Surface
    regions: tuple[frozenset[str], frozenset[str]]
    extra: Mapping[str, Any]


def read_stored_pair(place: Path) -> StoredPair:
    """Read a result of `apu fit`.

    Args:
        place: folder of one pair, or its `pair.npz`. Contacts are read from the `contacts.json` beside it, if any.

    Raises:
        InputError: there is no pair, more than one, a file in the folder is a link that leads out of it, or a file is
            damaged.
    """
    path = _found(place)
    arrays = load_npz(path, "pair", _LIMITS)
    _check_version(arrays, path)
    vertices = _numbers(arrays, "vertices", (2, None, 3), path)
    v = vertices.shape[1]
    names = _texts(arrays, "region_names", path)
    surface = Surface(
        _indices(arrays, "faces", (None, 3), v, path),
        _indices(arrays, "collision_faces", (None, 3), v, path),
        vertices[0],
        _indices(arrays, "regions", (v,), len(names), path),
        names,
    )
    parameters = {
        key.removeprefix("param_"): _numbers(arrays, key, (2, None), path)
        for key in arrays
        if key.startswith("param_") and not key.startswith("param_names_")
    }
    return StoredPair(
        where=str(path),
        body_model=_texts(arrays, "body_model", path)[0],
        parameters=parameters,
        vertices=vertices,
        joints=_numbers(arrays, "joints_body25", (2, 25, 3), path),
        surface=surface,
        regions=_painted(path.parent / CONTACTS),
        extra={name: array for name, array in arrays.items() if _kept(name, array)},
    )


@dataclass(frozen=True)
class StoredPeople:
    """Who the two people of a stored pair are in their photo.

    Attributes:
        numbers: of A and B in the photo.
        keypoints: of A and B, as they were seen; who was not seen at a joint has confidence 0 there.
    """

    numbers: tuple[int, int]
    keypoints: tuple[Keypoints, Keypoints]


def read_stored_people(place: Path) -> StoredPeople:
    """Read who was fitted, and where the photo shows them; the bodies are not read.

    Args:
        place: as in `read_stored_pair`.

    Raises:
        InputError: as `read_stored_pair`, but for the contacts.
    """
    path = _found(place)
    arrays = load_npz(path, "pair", _LIMITS, ("schema_version", "people", "joint_set", "keypoints"))
    _check_version(arrays, path)
    a, b = (int(number) for number in _shaped(arrays, "people", (2,), "iu", path))
    joint_set = _texts(arrays, "joint_set", path)[0]
    if joint_set not in JOINT_SETS:
        raise _wrong(path, "joint_set", f"one of {', '.join(JOINT_SETS)}", joint_set[:80])
    seen = _shaped(arrays, "keypoints", (2, len(joint_names(joint_set)), 3), "fiu", path).astype(np.float64)
    seen = np.where(seen[..., 2:] > 0, seen, 0.0)  # the place of a joint that was not seen means nothing
    if not (np.abs(seen) < _FAR_PX).all():
        raise _wrong(path, "keypoints", f"finite numbers below {_FAR_PX:g}", "others")
    one, other = (Keypoints(joint_set, person[:, :2], person[:, 2]) for person in seen)
    return StoredPeople((a, b), (one, other))


def read_stored_contacts(folder: Path, numbers: tuple[int, int]) -> ContactMap:
    """The contact map that a fit was given.

    Args:
        folder: of the pair.
        numbers: of A and B in the photo; the map is theirs in this order.

    Raises:
        InputError: `contacts.json` is missing, damaged, of other people, or a link that leads out of the folder.
    """
    path = folder / CONTACTS
    contacts = contacts_of(_contact_file(path), numbers)
    if contacts is None:
        raise InputError(
            "The contacts beside the pair are of other people.",
            where=path,
            expected=f"`people`: {list(numbers)}",
            got="no such pair",
            remedy="fit the photo again, or put the file of this fit back.",
        )
    return contacts


def _kept(name: str, array: object) -> bool:
    """Whether an array goes on into exports: one of ours, of numbers or texts, so that no pickle is ever written."""
    plain = isinstance(array, np.ndarray) and array.dtype.kind in "fiuU"
    return plain and (name in _KEPT or name.startswith(("attribute_", "param_names_")))


def _found(place: Path) -> Path:
    """The pair's npz file."""
    if place.is_file() and place.suffix == ".npz":
        return place
    path = place / NPZ
    if place.is_dir() and path.is_symlink() and not path.resolve().is_relative_to(place.resolve()):
        raise _link(path)
    if path.is_file():
        return path
    several = sorted(entry.name for entry in place.glob("*") if (entry / NPZ).is_file()) if place.is_dir() else []
    raise InputError(
        "The folder has its pairs in folders below." if several else "There is no pair.",
        where=place,
        expected=f"a folder of `apu fit` with {NPZ} in it, or that file",
        got=", ".join(several[:5]) + (", ..." if len(several) > 5 else "") if several else _what(place),
        remedy=f"name one of them: {place / several[0]}" if several else "fit a photo first: apu fit photo.jpg",
    )


def _what(place: Path) -> str:
    if place.is_dir():
        return f"a folder without {NPZ}"
    return "another file" if place.exists() else "no such file or folder"


def _link(path: Path) -> InputError:
    return InputError(
        "A file of the result folder is a link that leads out of the folder.",
        where=path,
        expected="the file itself",
        got="a symbolic link to a place outside",
        remedy="name the folder in which the file really lies, or the file itself.",
    )


def _painted(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Regions that the contacts beside the pair name; none where there is no such file."""
    _check_stays(path)
    if not path.exists():
        return frozenset(), frozenset()
    contacts = _contact_file(path)[0].contacts
    return contacts.regions(0), contacts.regions(1)


def _check_stays(path: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
        raise _link(path)


def _contact_file(path: Path) -> list[AnnotatedPair]:
    _check_stays(path)
    anybody = [(0.0, 0.0, 1.0, 1.0)] * 1000  # numbers of people are not checked here
    return read_contact_file(path, "", anybody)


def _check_version(arrays: Mapping[str, Any], path: Path) -> None:
    found = arrays.get("schema_version")
    if not isinstance(found, np.ndarray) or found.shape or found.dtype.kind not in "iu" or found != SCHEMA_VERSION:
        raise _wrong(path, "schema_version", f"the number {SCHEMA_VERSION}", found)


def _numbers(arrays: Mapping[str, Any], name: str, shape: tuple[int | None, ...], path: Path) -> Tensor:
    """A finite float32 array; None in `shape` stands for any size but zero."""
    value = _shaped(arrays, name, shape, "fiu", path).astype(np.float64)
    if not (np.abs(value) < _FAR_M).all():
        raise _wrong(path, name, f"finite numbers below {_FAR_M:g}", "others")
    return torch.from_numpy(value.astype(np.float32))


def _indices(arrays: Mapping[str, Any], name: str, shape: tuple[int | None, ...], below: int, path: Path) -> Tensor:
    value = _shaped(arrays, name, shape, "iu", path).astype(np.int64)
    if value.min() < 0 or value.max() >= below:
        raise _wrong(path, name, f"numbers from 0 to {below - 1}", f"{value.min()} to {value.max()}")
    return torch.from_numpy(value)


def _texts(arrays: Mapping[str, Any], name: str, path: Path) -> tuple[str, ...]:
    value = arrays.get(name)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "U" or not value.size:
        raise _wrong(path, name, "texts", "nothing" if value is None else "something else")
    return tuple(str(text) for text in value.ravel())


def _shaped(arrays: Mapping[str, Any], name: str, shape: tuple[int | None, ...], kinds: str, path: Path) -> np.ndarray:
    value = arrays.get(name)
    wanted = str(shape).replace("None", "n")
    if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds:
        raise _wrong(path, name, f"numbers of shape {wanted}", "nothing" if value is None else "something else")
    sizes = zip(value.shape, shape, strict=False)
    if value.ndim != len(shape) or not value.size or any(n is not None and n != size for size, n in sizes):
        raise _wrong(path, name, f"shape {wanted}", f"shape {value.shape}")
    return value


def _wrong(path: Path, name: str, expected: object, got: object) -> InputError:
    return InputError(
        "The pair file is not as `apu fit` writes it.",
        where=f"{path}: {name}",
        expected=expected,
        got="nothing" if got is None else got,
        remedy="fit the photo again; docs/outputs.md lists the arrays.",
    )
