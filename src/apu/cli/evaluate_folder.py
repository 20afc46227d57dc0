"""The folder of a benchmark: checked before hours are spent, cleared when that is asked for. Loads nothing heavy."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from apu.cli.output import check_folder
from apu.errors import OutputError

DATA = "data"
"""The test set, when it was made for the benchmark."""
WORK = ".work"
"""Rows of finished batches; kept, so that tables can be made again at once."""
TABLES = ("table.md", "table.json", "table.csv", "timing.json", "plot.png")
"""As in `apu.evaluate.report`, which loads torch; a test compares the two."""


def prepare_out(folder: Path, *, overwrite: bool, resume: bool, more: Sequence[str] = ()) -> None:
    """Refuse a folder that cannot take the results, or delete an earlier benchmark when that is asked for.

    Args:
        folder: may be missing.
        overwrite: delete an earlier benchmark.
        resume: go on with an earlier one.
        more: names of files that this benchmark writes beside the usual ones.

    Raises:
        OutputError: it holds something else, or a benchmark and nobody said what to do with it.
    """
    check_folder(folder, overwrite=True)
    entries = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    others = [name for name in entries if name not in (DATA, WORK, *TABLES, *more) and not name.startswith(".apu-")]
    if others or (entries and not overwrite and not resume):
        raise OutputError(
            "The folder cannot take the benchmark.",
            where=folder,
            expected="a new or an empty folder",
            got=f"other things in it, such as {others[0]!r}" if others else "an earlier benchmark",
            remedy="name another folder."
            if others
            else "add --resume to go on with it, --overwrite to begin again, or name another folder.",
        )
    if overwrite:
        for name in entries:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
