"""`panel.png`: photo, overlay, side and top on one canvas, with what the fit says of itself below."""

import math
from collections.abc import Sequence

from apu.body.protocol import Surface
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.show.canvas import Pixels, Px, arrow, blank, disc, paste, rectangle, shortened, text, text_width
from apu.show.palette import (
    BODY_COLORS,
    CONTACT_COLORS,
    FAINT_INK,
    GRID,
    LINE_COLORS,
    MISSED_COLOR,
    PAPER,
    PERSON_NAMES,
    REACHED_COLOR,
    Color,
)
from apu.show.tiles import overlay_tile, pair_mesh, photo_tile, side_and_top_tiles

CONTACT_REACHED_M = 0.02
"""A contact within this distance counts as satisfied."""

_MARGIN, _GAP, _TITLE, _TILE_HEIGHT = 28, 14, 34, 560
_OVERLAY_WIDTH, _FLAT_WIDTH = 500, 430
_PHOTO_WIDTHS = (380, 720)
_ROW = 27
_TABLE_ROWS, _TABLE_COLUMNS = 7, 2
_FACTS_SHARE = 0.36
"""Of the canvas' width goes to the facts, the rest to the contact table."""


def draw_panel(
    photo: Photo,
    people: Sequence[Person],
    observation: PairObservation,
    fit: Fit,
    surface: Surface,
    contacts_note: str,
) -> Pixels:
    """The picture that shows one fitted pair and how well it came out.

    Args:
        photo: as it was given.
        people: all that were found in it.
        observation: the pair.
        fit: its two bodies.
        surface: the skin that the fit's vertices belong to.
        contacts_note: one line that says where the contacts come from.
    """
    mesh = pair_mesh(fit, surface)
    pair = (observation.people[0].index, observation.people[1].index)
    photo_width = round(min(max(_TILE_HEIGHT * photo.width / photo.height, _PHOTO_WIDTHS[0]), _PHOTO_WIDTHS[1]))
    side, top = side_and_top_tiles(mesh, _FLAT_WIDTH, _TILE_HEIGHT)
    tiles = (
        (f"Photo, {_counted(len(people), 'person', 'people')} found",
         photo_tile(photo, people, pair, photo_width, _TILE_HEIGHT)),
        ("Overlay", overlay_tile(photo, observation, mesh, _OVERLAY_WIDTH, _TILE_HEIGHT)),
        ("Side, from the photo's right", side),
        ("Top, from above", top),
    )  # fmt: skip
    width = 2 * _MARGIN + sum(tile.shape[1] for _, tile in tiles) + _GAP * (len(tiles) - 1)
    below = _MARGIN + 44 + _TITLE + _TILE_HEIGHT + 22
    canvas = blank(width, below + _ROW * (_TABLE_ROWS + 2) + 16, PAPER)
    _headline(canvas, photo, observation, contacts_note)
    x = _MARGIN
    for title, tile in tiles:
        text(canvas, x, _MARGIN + 44, title, size=17, bold=True)
        paste(canvas, tile, x, _MARGIN + 44 + _TITLE - 6)
        x += tile.shape[1] + _GAP
    split = _MARGIN + round((width - 2 * _MARGIN) * _FACTS_SHARE)
    _facts(canvas, _MARGIN, below, split - 40, observation, fit)
    _contact_table(canvas, split, below, width - _MARGIN, fit)
    return canvas


def _headline(canvas: Pixels, photo: Photo, observation: PairObservation, contacts_note: str) -> None:
    a, b = (person.index for person in observation.people)
    room = canvas.shape[1] - 2 * _MARGIN
    name = shortened(photo.name, 26, 0.34 * room, bold=True)
    x = _MARGIN + text(canvas, _MARGIN, _MARGIN + 12, name, size=26, anchor="lm", bold=True) + 20
    x += text(canvas, x, _MARGIN + 13, f"people {a} and {b}", size=20, color=FAINT_INK, anchor="lm") + 24
    note = shortened(contacts_note, 17, canvas.shape[1] - _MARGIN - x)
    text(canvas, canvas.shape[1] - _MARGIN, _MARGIN + 13, note, size=17, color=FAINT_INK, anchor="rm")


def _facts(canvas: Pixels, x: int, y: int, right: int, observation: PairObservation, fit: Fit) -> None:
    """Who A and B are, the colours, and three numbers."""
    text(canvas, x, y, "People", size=17, bold=True)
    text(canvas, right, y + 3, "reprojection error", size=14, color=FAINT_INK, anchor="ra")
    rectangle(canvas, x, y + _ROW, right, y + _ROW + 1, GRID)
    y += round(1.75 * _ROW)
    for person in (0, 1):
        _swatch(canvas, x, y, BODY_COLORS[person], LINE_COLORS[person])
        text(canvas, x + 26, y, PERSON_NAMES[person], size=17, anchor="lm", bold=True)
        words = f"person {observation.people[person].index}, {_body_words(fit, person)}"
        text(canvas, x + 50, y, words, size=16, anchor="lm")
        text(canvas, right, y, f"{_number(fit.reprojection_percent[person], '.1f')} %", size=16, anchor="rm")
        y += _ROW
    for person in (0, 1):
        _swatch(canvas, x, y, CONTACT_COLORS[person], CONTACT_COLORS[person])
        x += 26 + round(text(canvas, x + 26, y, f"{PERSON_NAMES[person]} touches here", size=15, anchor="lm")) + 28
    x, y = _MARGIN, y + round(1.45 * _ROW)
    reached = sum(result.after_m <= CONTACT_REACHED_M for result in fit.contact_results)
    lines = (
        (
            "Contacts within 2 cm",
            f"{reached} of {len(fit.contact_results)}" if fit.contact_results else "none asked for",
        ),
        ("Deepest penetration", f"{_number(100 * fit.penetration_max_m, '.1f')} cm"),
    )
    for label, value in lines:
        text(canvas, x, y, label, size=16, anchor="lm")
        text(canvas, right, y, value, size=16, anchor="rm", bold=True)
        y += _ROW
    if fit.verdict is None:
        return
    color = REACHED_COLOR if fit.verdict.accepted else MISSED_COLOR
    width = text(canvas, x, y, "Verdict", size=16, anchor="lm")
    words = shortened(str(fit.verdict), 16, right - x - width - 24, bold=True)
    text(canvas, right, y, words, size=16, color=color, anchor="rm", bold=True)


def _contact_table(canvas: Pixels, x: int, y: int, right: int, fit: Fit) -> None:
    """One line per contact: what touches what, and how far apart it was and is."""
    text(canvas, x, y, "Contacts, A - B", size=17, bold=True)
    text(canvas, right, y + 3, "distance before and after, cm", size=14, color=FAINT_INK, anchor="ra")
    rectangle(canvas, x, y + _ROW, right, y + _ROW + 1, GRID)
    y += round(1.75 * _ROW)
    rows = list(zip(fit.contacts.contacts, fit.contact_results, strict=False))
    if not rows:
        text(canvas, x, y, "No contact is known: nothing pulls these bodies together.", size=16, anchor="lm")
        return
    columns = 1 if len(rows) <= _TABLE_ROWS else _TABLE_COLUMNS
    room = _TABLE_ROWS * columns
    shown = rows if len(rows) <= room else rows[: room - 1]
    column_width = (right - x - (columns - 1) * 36) // columns
    for i, (contact, result) in enumerate(shown):
        column, row = divmod(i, _TABLE_ROWS)
        left = x + column * (column_width + 36)
        trust = "" if contact.weight == 1 else f"  (trust {contact.weight:.2f})"
        words = _both_shortened(contact.name, 15, column_width - 172 - text_width(trust, 15)) + trust
        _contact_line(canvas, left, y + row * _ROW, left + column_width, words, result.before_m, result.after_m)
    if len(shown) < len(rows):
        left = x + (columns - 1) * (column_width + 36)
        words = f"and {len(rows) - len(shown)} more, in run.json"
        text(canvas, left + 22, y + (_TABLE_ROWS - 1) * _ROW, words, size=15, color=FAINT_INK, anchor="lm")


def _both_shortened(name: str, size: int, width: Px) -> str:
    """A contact's name cut to `width` pixels, so that something of both sides is left."""
    first, dash, second = name.partition(" - ")
    if not dash or text_width(name, size) <= width:
        return shortened(name, size, width)
    room = width - text_width(" - ", size)
    first = shortened(first, size, max(room / 2, room - text_width(second, size)))
    return f"{first} - {shortened(second, size, room - text_width(first, size))}"


def _contact_line(canvas: Pixels, x: int, y: int, right: int, words: str, before_m: float, after_m: float) -> None:
    reached = after_m <= CONTACT_REACHED_M
    color = REACHED_COLOR if reached else MISSED_COLOR
    disc(canvas, (x + 7, y), 5.5, color)
    if not reached:  # told apart without its colour
        disc(canvas, (x + 7, y), 3.0, PAPER)
    text(canvas, x + 22, y, shortened(words, 15, right - x - 22 - 150), size=15, anchor="lm")
    text(canvas, right, y, _number(100 * after_m, ".1f"), size=15, anchor="rm", color=color, bold=True)
    arrow(canvas, (right - 76, y), (right - 52, y), FAINT_INK)
    text(canvas, right - 84, y, _number(100 * before_m, ".1f"), size=15, anchor="rm", color=FAINT_INK)


def _swatch(canvas: Pixels, x: int, y: int, fill: Color, rim: Color) -> None:
    rectangle(canvas, x, y - 8, x + 17, y + 9, rim)
    rectangle(canvas, x + 2, y - 6, x + 15, y + 7, fill)


def _body_words(fit: Fit, person: int) -> str:
    words = f"{_number(fit.heights_m[person], '.2f')} m tall"
    if "age" in fit.attributes:
        words += f", age attribute {_number(fit.attributes['age'][person], '.2f')}"
    return words


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "n/a"


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
