"""Writes the file of `apu signatures`. Loads torch: import it inside the command only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from apu.cli.failures import FAILED
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.cli.run import use_threads
from apu.contact.chi3d_file import write_actions
from apu.contact.measured import TOUCHING_M
from apu.contact.signature_writer import region_pairs, write_signatures
from apu.show.stored_signatures import LeftOut, StoredSignatures, stored_signatures


def write(
    results: Sequence[Path],
    out: Path,
    kind: Literal["told", "measured"],
    within_cm: float | None,
    layout: Literal["flickrci3d", "chi3d"],
) -> None:
    """Write the file, say what is in it and what is not, and end with exit code 1 where something was left out.

    Where nothing at all can be read, no file is written.

    Raises:
        InputError: there are no results, two photos have one name, or one cannot be written in this layout.
        OutputError: the file cannot be written.
    """
    use_threads()
    within_m = None if kind == "told" else TOUCHING_M if within_cm is None else within_cm / 100
    with shown_progress() as progress:
        found = stored_signatures(results, within_m, progress)
    for one in found.left_out:
        click.secho(printable(_words(one)), fg="red", err=True)
    if found.photos:
        (write_signatures if layout == "flickrci3d" else write_actions)(out, found.photos)
        click.echo(_summary(found, out, within_m))
    if found.left_out:
        told = f"{len(found.left_out)} {_plural('result', len(found.left_out))} left out."
        click.secho(told if found.photos else f"{told} Nothing was written.", fg="red", err=True)
        click.get_current_context().exit(FAILED)


def _words(one: LeftOut) -> str:
    who = "" if one.pair is None else f", pair {one.pair[0]},{one.pair[1]}"
    return f"{one.photo}{who} ({one.folder}): {one.reason}"


def _summary(found: StoredSignatures, out: Path, within_m: float | None) -> str:
    maps = [contacts for photo in found.photos.values() for contacts in photo.pairs.values()]
    touching = sum(len(region_pairs(contacts)) for contacts in maps)
    counts = ((len(found.photos), "photo"), (len(maps), "pair"), (touching, "correspondence"))
    told = ", ".join(f"{n} {_plural(word, n)}" for n, word in counts)
    source = "as the fits were given them" if within_m is None else f"of meshes within {within_m * 100:g} cm"
    return f"{printable(out)}: {told}, {source}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
