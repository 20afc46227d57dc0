"""The result folder. Every file appears in it whole, by rename; `run.json` comes last and says: all is there."""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from apu.body.protocol import ParameterSpec, Surface
from apu.cache import written_whole
from apu.contact.contact import ContactMap
from apu.errors import OutputError
from apu.scene.pair import Fit, PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo
from apu.show.arrays import write_npz
from apu.show.canvas import save_png
from apu.show.glb import write_glb, write_obj
from apu.show.panel import draw_panel
from apu.show.people import draw_people
from apu.show.report import RunInfo, clean_text, plain, run_report
from apu.show.result_names import CONTACTS, GLB, NPZ, OBJ, PANEL, PEOPLE, RUN, SCENE, TURNTABLE
from apu.show.scene_html import write_scene_html
from apu.show.schema import RunReport
from apu.show.turntable import write_turntable

CONTACTS_VERSION = 1
_PAIR_FOLDER = re.compile(r"pair_\d+_\d+")


def prepare_folder(folder: Path, overwrite: bool) -> None:
    """Make the result folder, or find out early that it cannot be used.

    Raises:
        OutputError: it holds files and `overwrite` is not set, it is a file, or it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            "The results cannot be written: a file has the folder's name.",
            where=folder,
            expected="a folder, or a name that is free",
            got="a file",
            remedy="name another folder with --out, or move the file away.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = sorted(entry.name for entry in folder.iterdir())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            "The results cannot be written.",
            where=folder,
            expected="a folder that can be made and written",
            got=error.strerror or error,
            remedy="check the permissions and the disk, or name another folder with --out.",
        ) from error
    if entries and not overwrite:
        raise OutputError(
            "The result folder is not empty.",
            where=folder,
            expected="an empty or a new folder",
            got=", ".join(entries[:5]) + (f" and {len(entries) - 5} more" if len(entries) > 5 else ""),
            remedy="add --overwrite to replace the results in it, or name another folder with --out.",
        )


def remove_results(folder: Path) -> None:
    """Delete what an earlier run wrote into `folder`, its pairs' sub-folders included; other files stay.

    To be called just before the first new file is written, so that old and new results never mix. Links to folders
    elsewhere are not followed.

    Raises:
        OutputError: a file cannot be deleted.
    """
    pairs = [p for p in folder.glob("pair_*_*") if _PAIR_FOLDER.fullmatch(p.name) and p.is_dir() and not p.is_symlink()]
    try:
        for place in (folder, *pairs):
            for name in (RUN, PANEL, GLB, OBJ, SCENE, TURNTABLE, NPZ, CONTACTS, PEOPLE):
                (place / name).unlink(missing_ok=True)
            if place != folder and not any(place.iterdir()):
                place.rmdir()
    except OSError as error:
        raise OutputError(
            "The results of an earlier run cannot be removed.",
            where=error.filename or folder,
            expected="files that may be deleted",
            got=error.strerror or error,
            remedy="check the folder's permissions, or name another folder with --out.",
        ) from error


def pair_folder(folder: Path, observation: PairObservation) -> Path:
    """Where one of several pairs goes: `pair_I_J`."""
    a, b = (person.index for person in observation.people)
    return folder / f"pair_{a}_{b}"


def save_pair(
    folder: Path,
    photo: Photo,
    people: Sequence[Person],
    observation: PairObservation,
    fit: Fit,
    surface: Surface,
    run_info: RunInfo,
    *,
    spec: Mapping[str, ParameterSpec] | None = None,
    obj: bool = False,
    video: bool = False,
) -> list[Path]:
    """Write all files of one pair.

    Args:
        folder: made where it is missing.
        photo: as it was given.
        people: all that were found in it.
        observation: the pair.
        fit: its two bodies.
        surface: the skin that the fit's vertices belong to.
        run_info: what only the caller knows.
        spec: the body model's `parameter_spec`; names the parameters in `pair.npz`.
        obj: also write `pair.obj`.
        video: also write `turntable.gif`, which takes some five seconds.

    Returns:
        The paths, in the order of writing.

    Raises:
        OutputError: a file cannot be written.
    """
    (folder / RUN).unlink(missing_ok=True)
    panel = draw_panel(photo, people, observation, fit, surface, run_info.contacts_note)
    with written_whole(folder / PANEL) as path:
        save_png(panel, path)
    with written_whole(folder / GLB) as path:
        write_glb(path, fit, surface)
    if obj:
        with written_whole(folder / OBJ) as path:
            write_obj(path, fit, surface)
    with written_whole(folder / SCENE) as path:
        write_scene_html(path, photo, observation, fit, surface)
    if video:
        with written_whole(folder / TURNTABLE) as path:
            write_turntable(path, fit, surface)
    with written_whole(folder / NPZ) as path:
        write_npz(path, observation, fit, surface, spec)
    answer = run_info.answers.get(observation.indices)
    used = answer is not None and answer.model == fit.contacts.source  # else the answer told nothing
    write_json(folder / CONTACTS, contacts_record(observation, fit, answer.trust if answer and used else None))
    run = save_run(folder, photo, people, [(observation, fit)], run_info)
    names = (PANEL, GLB, *([OBJ] if obj else []), SCENE, *([TURNTABLE] if video else []), NPZ, CONTACTS)
    return [*(folder / name for name in names), run]


def save_run(
    folder: Path,
    photo: Photo,
    people: Sequence[Person],
    pairs: Sequence[tuple[PairObservation, Fit]],
    run_info: RunInfo,
) -> Path:
    """Write the `run.json` of all pairs of a photo. Raises OutputError when it cannot be written."""
    report: RunReport = run_report(photo, people, pairs, run_info)
    write_json(folder / RUN, report.model_dump(mode="json"))
    return folder / RUN


def save_people(folder: Path, photo: Photo, people: Sequence[Person]) -> Path:
    """Write `people.png`: the photo with everybody numbered, for choosing a pair."""
    picture = draw_people(photo.pixels, people, size=_readable(photo.width, photo.height))
    with written_whole(folder / PEOPLE) as path:
        save_png(picture, path)
    return folder / PEOPLE


def contacts_record(
    observation: PairObservation, fit: Fit, trust: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The contact map as `--contacts` reads it back, and how a language model's answer became it, where one did."""
    return {"version": CONTACTS_VERSION, **pair_entry(observation.indices, fit.contacts, trust)}


def contacts_of_pairs(
    maps: Mapping[tuple[int, int], ContactMap], trust: Mapping[tuple[int, int], Mapping[str, object] | None]
) -> dict[str, object]:
    """Contact maps of several pairs, by the numbers of A and B, as `--contacts` reads them back.

    Args:
        maps: of each pair.
        trust: how answers became them, where answers did.
    """
    return {
        "version": CONTACTS_VERSION,
        "pairs": [pair_entry(pair, one, trust.get(pair)) for pair, one in maps.items()],
    }


def pair_entry(
    pair: tuple[int, int], contacts: ContactMap, trust: Mapping[str, object] | None = None
) -> dict[str, object]:
    """One pair of a contact file."""
    entry: dict[str, object] = {
        "people": list(pair),
        "source": clean_text(contacts.source),
        "contacts": [
            {
                "a": sorted(contact.regions_a),
                "b": sorted(contact.regions_b),
                "label_a": clean_text(contact.label_a),
                "label_b": clean_text(contact.label_b),
                "weight": contact.weight,
                "source": clean_text(contact.source),
            }
            for contact in contacts.contacts
        ],
    }
    return entry if trust is None else {**entry, "trust": plain(trust)}


def _readable(width: int, height: int) -> tuple[int, int]:
    """Size at which numbers can be read: longer side 1000 to 2000 pixels."""
    longer = max(width, height)
    scale = min(max(longer, 1000), 2000) / longer
    return max(1, round(width * scale)), max(1, round(height * scale))


def write_json(target: Path, record: object) -> None:
    """Write it whole. Raises OutputError when it cannot be written."""
    with written_whole(target) as path:
        path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
