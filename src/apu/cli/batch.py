"""Several photos, one after another, in one process: a bad one is recorded, and the others go on."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from apu.cache import written_whole
from apu.cli.asking import Asking
from apu.cli.batch_progress import BarBatch, PlainBatch, shown_batch
from apu.cli.batch_table import print_table, row_of
from apu.cli.companions import with_files_of
from apu.cli.failure_file import failure_record, write_failure
from apu.cli.failures import FAILED, describe
from apu.cli.output import FAILURE, REPORT, RUN, check_folder
from apu.cli.photos import folder_names
from apu.cli.request import Request, printable
from apu.cli.resume import check_place, sweep, why_again
from apu.errors import ApuError

if TYPE_CHECKING:
    from apu.ask.annotator import Annotator

_DISK = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True)
class Job:
    """One photo, and the folder of its results."""

    photo: Path
    folder: Path


@dataclass(frozen=True)
class Batch:
    """What is asked of all photos.

    Attributes:
        photos: in order.
        request: of each; may name folders of files.
        out: holds one folder for each photo, and `report.html`.
        overwrite: replace earlier results.
        resume: keep what is finished.
        video: make one of each pair.
        asking: how the annotator of the request is asked.
    """

    photos: Sequence[Path]
    request: Request
    out: Path
    overwrite: bool = False
    resume: bool = False
    video: bool = False
    asking: Asking = field(default_factory=Asking)

    def jobs(self) -> list[Job]:
        """One for each photo."""
        names = folder_names(self.photos)
        return [Job(photo, self.out / names[photo]) for photo in self.photos]

    def is_finished(self, job: Job) -> bool:
        """Whether a photo can be left as it is."""
        try:
            request = with_files_of(self.request, job.photo, self.photos)
        except ApuError:
            return False
        return why_again(job.folder, job.photo, request, video=self.video) is None


def fit_several(batch: Batch) -> None:
    """Fit all photos, print the table, and end the command with exit code 1 when something has failed.

    Raises:
        OutputError: the folder cannot take the results, or the disk is full.
        ModelFileError: a model file cannot be had, which no photo can do without.
        KeyboardInterrupt: with a message that says how to go on.
    """
    jobs = batch.jobs()
    check_folder(batch.out, overwrite=batch.overwrite or batch.resume)
    for job in jobs:
        check_place(job.folder)
    kept = {job for job in jobs if batch.resume and batch.is_finished(job)}
    left = [job for job in jobs if job not in kept]
    if kept:
        click.echo(f"{len(kept)} of {len(jobs)} photos are finished already.", err=True)
    if left:
        _fit_all(batch, left, len(kept))
    _finish(batch, jobs, kept, wrote=bool(left))


def _fit_all(batch: Batch, jobs: Sequence[Job], kept: int) -> None:
    outcomes: list[bool] = []

    def so_far() -> str:
        done, failed = kept + sum(outcomes), outcomes.count(False)
        told = f"{done} of {kept + len(jobs)} photos are done{f', {failed} failed' if failed else ''}"
        instead = " instead of --overwrite" if batch.overwrite else ""
        return f"{told}. To go on: the same command with --resume{instead}."

    try:
        with shown_batch(len(jobs)) as shown:
            from apu.cli.run import annotator_of, check_models, use_threads

            use_threads()
            check_models(batch.request)
            annotator = annotator_of(batch.request, batch.asking)
            for job in jobs:
                outcomes.append(_fit_one(batch, job, shown, annotator))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Interrupted. {so_far()}") from None
    except Exception:
        click.echo(so_far(), err=True)
        raise


def _fit_one(batch: Batch, job: Job, shown: PlainBatch | BarBatch, annotator: "Annotator | None") -> bool:
    """Fit one photo into its folder, or leave `failure.json` there; whether it went well."""
    from apu.cli.run import fit_and_save

    progress = shown.begin(printable(job.photo.name))
    sweep(job.folder)
    (job.folder / FAILURE).unlink(missing_ok=True)
    request = batch.request
    try:
        request = with_files_of(batch.request, job.photo, batch.photos)
        replace = batch.overwrite or batch.resume
        fit_and_save(
            job.photo, request, job.folder, progress, overwrite=replace, video=batch.video, annotator=annotator
        )
    except Exception as error:
        if _stops_all(error):
            raise
        _record(job, request, error)
        shown.end(failed=True)
        click.secho(printable(f"{job.photo.name}: {describe(error)}"), fg="red", err=True)
        return False
    shown.end(failed=False)
    return True


def _record(job: Job, request: Request, error: Exception) -> None:
    if (job.folder / RUN).is_file():  # of a run before; what it says is no longer what this folder means
        from apu.show.files import remove_results

        remove_results(job.folder)
    write_failure(job.folder, failure_record(job.photo, request, error))


def _stops_all(error: Exception) -> bool:
    """Whether it would happen to every photo: no detector, no room on the disk, no key, no budget left."""
    if isinstance(error, ApuError):
        return error.stops_run
    return isinstance(error, OSError) and error.errno in _DISK


def _finish(batch: Batch, jobs: Sequence[Job], kept: set[Job], *, wrote: bool) -> None:
    rows = [row_of(job.folder.name, job.folder, kept=job in kept) for job in jobs]
    print_table(rows)
    report = batch.out / REPORT
    if wrote or not report.is_file():
        _write_report(report)
    click.echo(f"\nResults in {printable(batch.out)}/")
    click.echo(f"  {REPORT}  all photos on one page, for any browser")
    click.echo("  one folder for each photo; look at its panel.png first")
    failed = sum(row.cells[1] in ("failed", "partly") for row in rows)
    if failed:
        click.secho(f"{failed} of {len(rows)} photos failed; {FAILURE} says why.", fg="red", err=True)
        click.get_current_context().exit(FAILED)


def _write_report(path: Path) -> None:
    from apu.show.gallery import entries_of, write_gallery

    with written_whole(path) as temporary:
        write_gallery(temporary, entries_of(path.parent))
