"""Runs `apu eval photos`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
import torch

from apu.body.anny import AnnyBody
from apu.cli.evaluate_folder import prepare_out
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.evaluate.annotated_photos import AnnotatedPhoto, KeypointSource, annotated_photos, check_files
from apu.evaluate.batches import benchmark_versions
from apu.evaluate.findings import find
from apu.evaluate.photo_tables import photo_method_table, photo_tables
from apu.evaluate.photos_benchmark import evaluate_photos
from apu.evaluate.report import BenchmarkInfo, write_report

NOTES = ("Few photos: the numbers show whether something is broken, not which method is better.",)


def run(folder: Path, keypoints: str, *, use_bev: bool, out: Path | None, overwrite: bool) -> None:
    """Measure, print, and write the results.

    Args:
        folder: of the photos.
        keypoints: `embedded`, `vitpose` or `both`.
        use_bev: whether BEV's estimates are starts of the fit.
        out: folder of the results; None: only print.
        overwrite: replace an earlier benchmark.

    Raises:
        InputError: a file is missing or wrong.
        OutputError: the folder cannot take the results.
        ModelFileError: a detector is missing.
    """
    torch.set_num_threads(1)
    sources: list[KeypointSource] = [s for s in get_args(KeypointSource) if keypoints in (s, "both")]
    photos = annotated_photos(folder)
    check_files(photos, sources, use_bev=use_bev)
    if out is not None:
        prepare_out(out, overwrite=overwrite, resume=False)
    body = AnnyBody.load()
    with shown_progress() as progress:
        rows = evaluate_photos(body, photos, sources, use_bev=use_bev, progress=progress)
    found = find(rows, ())
    info = _info(folder, keypoints, sources, use_bev, photos, body.name)
    tables = photo_tables(found, rows)
    for text in ("\n".join([*info.lines(), *info.notes]), *(table.text() for table in tables)):
        click.echo(printable(text))
        click.echo()
    for reason in dict.fromkeys(f"{row.pair}, {row.group} keypoints: {row.lost}" for row in found.lost):
        click.echo(printable(f"lost: {reason}"))
    if out is not None:
        write_report(out, info, [photo_method_table(), *tables], found, rows)
        click.echo(f"Tables in {printable(out)}/")


def _info(
    folder: Path, keypoints: str, sources: Sequence[str], use_bev: bool, photos: Sequence[AnnotatedPhoto], body: str
) -> BenchmarkInfo:
    facts = {
        "data": "photos with annotated contacts, no 3D truth",
        "photos": len(photos),
        "annotated_pairs": sum(len(photo.pairs) for photo in photos),
        "keypoints": list(sources),
        "starts": "keypoints and BEV" if use_bev else "keypoints",
    }
    words = ["apu", "eval", "photos", str(folder), "--keypoints", keypoints, *(["--bev"] if use_bev else [])]
    versions = {**benchmark_versions(), "body_model": body}
    return BenchmarkInfo("Benchmark on annotated photos", shlex.join(words), facts, versions, NOTES)
