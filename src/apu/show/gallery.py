"""`report.html`: all pairs of many photos on one page that can be sorted and filtered, in any browser, offline."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from apu.show.canvas import thumbnail
from apu.show.gallery_entries import GalleryEntry, entries_of
from apu.show.offline_page import data_url, escaped, offline_page
from apu.show.result_names import FAILURE, GLB, PANEL, PEOPLE, RUN, SCENE, TURNTABLE

__all__ = ["GalleryEntry", "entries_of", "write_gallery"]

MOST_PICTURES = 300
"""Entries with a small picture in the page; the others have links only, so that ten thousand still make a page."""

_PICTURE_PX = 640
_LINKS = {SCENE: "3D", PANEL: "panel", TURNTABLE: "turntable", GLB: "GLB", PEOPLE: "people", RUN: "run", FAILURE: "why"}
_DESCRIBED = {"ok": "fitted", "failed": "failed", "skipped": "skipped"}


def write_gallery(path: Path, entries: Sequence[GalleryEntry]) -> None:
    """Write the page.

    Args:
        path: of the file; links lead from its folder to those of the entries.
        entries: in the order in which they are first shown.
    """
    cards = [_card(entry, path.parent, pictured=i < MOST_PICTURES) for i, entry in enumerate(entries)]
    texts = {"title": f"{path.parent.absolute().name}: {_counted(entries)}", "counted": _counted(entries)}
    texts |= {"folder": path.parent.absolute().name}
    path.write_bytes(offline_page("gallery", texts=texts, markup={"cards": "\n".join(cards)}).encode())


def _counted(entries: Sequence[GalleryEntry]) -> str:
    by_status = {status: sum(entry.status == status for entry in entries) for status in _DESCRIBED}
    words = [f"{count} {_DESCRIBED[status]}" for status, count in by_status.items() if count]
    accepted = sum(entry.accepted is True for entry in entries)
    judged = sum(entry.accepted is not None for entry in entries)
    return ", ".join(words + ([f"{accepted} accepted"] if judged else [])) or "nothing here"


def _card(entry: GalleryEntry, home: Path, *, pictured: bool) -> str:
    kind = "failed" if entry.status == "failed" else entry.status if entry.accepted is not False else "rejected"
    share = entry.contacts_met / entry.contacts if entry.contacts else None
    sortable = {
        "name": entry.photo.casefold(),
        "kind": kind,
        "contacts": _sortable(share),
        "penetration": _sortable(entry.penetration_m),
        "error": _sortable(entry.reprojection_percent),
    }
    attributes = "".join(f' data-{name}="{escaped(value)}"' for name, value in sortable.items())
    pair = f" <small>people {entry.pair[0]} and {entry.pair[1]}</small>" if entry.pair else ""
    label = {"failed": "failed", "skipped": "skipped", "rejected": "rejected"}.get(kind, "accepted")
    if entry.status == "ok" and entry.accepted is None:
        label = "fitted"
    return (
        f"<article{attributes}>{_picture(entry, home) if pictured else ''}"
        f'<h2>{escaped(entry.photo)}{pair}</h2><p class="mark {kind}">{label}</p>'
        f"{_facts(entry)}{_words(entry)}<nav>{_links(entry, home)}</nav></article>"
    )


def _picture(entry: GalleryEntry, home: Path) -> str:
    try:
        source = data_url("image/jpeg", thumbnail(entry.folder / PANEL, _PICTURE_PX))
    except OSError:
        return ""
    picture = f'<img src="{source}" alt="Panel of {escaped(entry.photo)}" loading="lazy">'
    return f'<a class="picture" href="{_address(entry.folder / PANEL, home)}">{picture}</a>'


def _facts(entry: GalleryEntry) -> str:
    if entry.status != "ok":
        return ""
    met = f"{entry.contacts_met} of {entry.contacts}" if entry.contacts else "none known"
    facts = {
        "Contacts met": met + (f" ({entry.contact_source})" if entry.contact_source else ""),
        "Penetration": _number(entry.penetration_m, 100.0, " cm"),
        "2D error": _number(entry.reprojection_percent, 1.0, " %"),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escaped(value)}</dd>" for name, value in facts.items())
    return f"<ul>{''.join(f'<li>{escaped(person)}</li>' for person in entry.people)}</ul><dl>{rows}</dl>"


def _words(entry: GalleryEntry) -> str:
    words = entry.reason or (entry.verdict if entry.accepted is False else "")
    return f'<p class="why">{escaped(words)}</p>' if words else ""


def _links(entry: GalleryEntry, home: Path) -> str:
    there = [name for name in _LINKS if (entry.folder / name).is_file()]
    return " ".join(f'<a href="{_address(entry.folder / name, home)}">{_LINKS[name]}</a>' for name in there)


def _address(file: Path, home: Path) -> str:
    """Relative, so that the folder can be moved; `./` first, so that no name is taken for a scheme."""
    relative = os.path.relpath(file, home).replace(os.sep, "/")
    return "./" + quote(os.fsencode(relative), safe="/")


def _sortable(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _number(value: float | None, scale: float, unit: str) -> str:
    return "unknown" if value is None else f"{scale * value:.1f}{unit}"
