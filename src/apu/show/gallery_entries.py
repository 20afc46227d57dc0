"""What the result folders of many photos say of themselves, read back from their files, however damaged these are."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from apu.show.palette import PERSON_NAMES
from apu.show.panel import CONTACT_REACHED_M
from apu.show.result_names import FAILURE, PANEL, PEOPLE, RUN

Status = Literal["ok", "failed", "skipped"]

_MOST_BYTES = 64 * 2**20
_ABSURD = 1e9


@dataclass(frozen=True)
class GalleryEntry:
    """One pair of one photo, or a photo without any.

    Attributes:
        photo: its name.
        folder: where its files lie.
        status: `ok` fitted; `failed` an error; `skipped` nothing was fitted, or the fit did not come to its end.
        reason: why it is not `ok`; else empty.
        pair: numbers of A and B.
        people: a line on each of A and B.
        contacts, contacts_met: how many are known, and how many of them are within 2 cm.
        contact_source: who made the contact map.
        penetration_m: deepest point of either body inside the other; None where unknown.
        reprojection_percent: of the worse of the two people; None where unknown.
        accepted: the verdict; None where none was given.
        verdict: the same in words; empty where none was given.
    """

    photo: str
    folder: Path
    status: Status
    reason: str = ""
    pair: tuple[int, int] | None = None
    people: tuple[str, ...] = ()
    contacts: int = 0
    contacts_met: int = 0
    contact_source: str = ""
    penetration_m: float | None = None
    reprojection_percent: float | None = None
    accepted: bool | None = None
    verdict: str = ""


def entries_of(folder: Path) -> list[GalleryEntry]:
    """All results in a folder and in the folders below it, by the photo's name. What is damaged becomes `failed`."""
    entries = [entry for place in result_folders(folder) for entry in entries_in(place)]
    return sorted(entries, key=lambda entry: (entry.photo.casefold(), str(entry.folder), entry.pair or (-1, -1)))


def result_folders(folder: Path) -> Iterator[Path]:
    """Folders of photos; those of their pairs, where the photo's own `run.json` tells of them, are passed over."""
    for here, below, files in os.walk(folder):
        told = RUN in files or FAILURE in files
        below[:] = sorted(name for name in below if not name.startswith(".") and not (told and is_pair_folder(name)))
        if told or PANEL in files or PEOPLE in files:  # pictures alone: a fit that was broken off
            yield Path(here)


def is_pair_folder(folder: str) -> bool:
    """Whether a folder's name is that of one of several pairs of a photo."""
    return bool(re.fullmatch(r"pair_\d+_\d+", folder))


def entries_in(place: Path) -> list[GalleryEntry]:
    """The results in one of `result_folders`, in the order of its `run.json`. What is damaged becomes `failed`."""
    if (place / FAILURE).is_file():
        return [_failed_photo(place)]
    if not (place / RUN).is_file():
        return [GalleryEntry(place.name, place, "skipped", f"There is no {RUN}: the fit did not come to its end.")]
    try:
        run = _read(place / RUN)
    except (OSError, ValueError, RecursionError) as error:
        return [GalleryEntry(place.name, place, "failed", f"{RUN} cannot be read: {error}")]
    photo = _text(_dict(run.get("photo")).get("name")) or place.name
    fitted = [_fitted(place, photo, pair) for pair in _list(run.get("pairs"))]
    failed = [_failed_pair(place, photo, _dict(failure)) for failure in _list(run.get("failures"))]
    return fitted + failed or [GalleryEntry(photo, place, "skipped", "No pair of people was fitted.")]


def _failed_photo(place: Path) -> GalleryEntry:
    try:
        record = _read(place / FAILURE)
    except (OSError, ValueError, RecursionError) as error:
        return GalleryEntry(place.name, place, "failed", f"{FAILURE} cannot be read: {error}")
    parts = [_text(record.get("what")), *(_labelled(record, name) for name in ("where", "expected", "got", "remedy"))]
    reason = "\n".join(part for part in parts if part)
    return GalleryEntry(_text(record.get("photo")) or place.name, place, "failed", reason or "No reason was recorded.")


def _failed_pair(place: Path, photo: str, record: dict[str, Any]) -> GalleryEntry:
    reason = _text(record.get("reason")) or "No reason was recorded."
    return GalleryEntry(photo, place, "failed", reason, _pair(record.get("pair")))


def _fitted(place: Path, photo: str, record: object) -> GalleryEntry:
    pair = _pair(_dict(record).get("pair"))
    fit = _dict(_dict(record).get("fit"))
    if not fit:
        return GalleryEntry(photo, place, "failed", f"{RUN} holds no fit of this pair.", pair)
    own = place / f"pair_{pair[0]}_{pair[1]}" if pair else place
    distances = [_number(_dict(_dict(c).get("distance_m")).get("after")) for c in _list(fit.get("contacts"))]
    errors = [_number(value) for value in _list(fit.get("reprojection_percent"))]
    accepted, verdict = _verdict(fit.get("verdict"))
    return GalleryEntry(
        photo=photo,
        folder=own if own.is_dir() else place,
        status="ok",
        pair=pair,
        people=tuple(_person(*told) for told in zip(PERSON_NAMES, _list(_dict(record).get("people")), strict=False)),
        contacts=len(distances),
        contacts_met=sum(distance is not None and distance <= CONTACT_REACHED_M for distance in distances),
        contact_source=_text(fit.get("contact_source")),
        penetration_m=_number(fit.get("penetration_max_m")),
        reprojection_percent=max((e for e in errors if e is not None), default=None),
        accepted=accepted,
        verdict=verdict,
    )


def _verdict(value: object) -> tuple[bool | None, str]:
    record = _dict(value)
    accepted = record.get("accepted")
    if not isinstance(accepted, bool):
        return None, ""
    broken = [_rule(_dict(rule)) for rule in _list(record.get("rules")) if _dict(rule).get("holds") is False]
    return accepted, "accepted" if accepted else "rejected: " + "; ".join(broken)


def _rule(rule: dict[str, Any]) -> str:
    value, limit = (_quantity(rule, name) for name in ("value", "limit"))
    return f"{_text(rule.get('name'))} {value}, should be {_text(rule.get('sense'))} {limit}"


def _quantity(rule: dict[str, Any], name: str) -> str:
    value = _number(rule.get(name))
    return "unknown" if value is None else f"{value:.3g} {_text(rule.get('unit'))}".strip()


def _person(name: str, record: object) -> str:
    person = _dict(record)
    height, age = _number(person.get("height_m")), _text(person.get("age_group"))
    words = f"{name}: person {_text(person.get('index'))}"
    words += f", {age}" if age not in ("", "unknown") else ""
    return words + (f", {height:.2f} m" if height is not None else "")


def _labelled(record: dict[str, Any], name: str) -> str:
    return f"{name}: {text}" if (text := _text(record.get(name))) else ""


def _pair(value: object) -> tuple[int, int] | None:
    numbers = [n for n in _list(value) if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < _ABSURD]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _ABSURD else None  # false for NaN too


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _read(path: Path) -> dict[str, Any]:
    """A JSON object. Raises OSError, ValueError or RecursionError."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too large")
    record = json.loads(path.read_bytes())
    if not isinstance(record, dict):
        raise ValueError("it holds no JSON object")
    return record
