"""Runs the pipeline for `apu fit` and `apu demo`. Loads torch: import it inside the commands only."""

import os
from pathlib import Path

import click
import torch

from apu import pipeline
from apu.cli.failures import FAILED
from apu.cli.output import describe_folder
from apu.cli.summary import summary
from apu.errors import InputError
from apu.pipeline import FitOptions, PhotoResult
from apu.progress import Progress

THREADS_VARIABLE = "APU_THREADS"
"""One thread by default: the tensors are small, and threads that fight over busy cores cost a factor of two to five."""


def fit_and_save(
    photo: Path, options: FitOptions, folder: Path, progress: Progress, *, overwrite: bool
) -> tuple[PhotoResult, list[Path]]:
    """Fit one photo and write its folder; give back the result and the files."""
    torch.set_num_threads(_threads())
    result = pipeline.fit(photo, options, progress)
    return result, pipeline.save(result, folder, overwrite=overwrite, options=options)


def report(result: PhotoResult, folder: Path, files: list[Path]) -> None:
    """Print the summary; end the command with exit code 1 when a pair has failed."""
    click.echo(summary(result))
    click.echo()
    click.echo(describe_folder(folder, files))
    for (i, j), why in result.failures:
        click.secho(f"Pair {i},{j} failed: {why}", fg="red", err=True)
    if result.failures:
        click.get_current_context().exit(FAILED)


def _threads() -> int:
    text = os.environ.get(THREADS_VARIABLE, "1")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            "The number of threads is not a number.",
            where=f"environment variable {THREADS_VARIABLE}",
            expected="a whole number from 1",
            got=repr(text),
            remedy=f"unset {THREADS_VARIABLE}, or give it the number of free cores.",
        )
    return int(text)
