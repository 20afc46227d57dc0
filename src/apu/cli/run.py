"""Runs the pipeline for `apu fit` and `apu demo`. Loads torch: import it inside the commands only."""

import os
from pathlib import Path

import click
import torch

from apu import pipeline
from apu.ask.annotator import Annotator
from apu.cli.asking import Asking
from apu.cli.failures import FAILED
from apu.cli.output import describe_folder
from apu.cli.request import Request
from apu.cli.summary import summary
from apu.errors import InputError
from apu.pipeline import FitOptions, PhotoResult
from apu.pose.optional_detectors import check_taken, load_detector
from apu.pose.overrides import check_no_detector
from apu.progress import Progress
from apu.scene.photo import Photo

THREADS_VARIABLE = "APU_THREADS"
"""One thread by default: the tensors are small, and threads that fight over busy cores cost a factor of two to five."""


def fit_and_save(
    photo: Path | Photo,
    request: Request,
    folder: Path,
    progress: Progress,
    *,
    overwrite: bool,
    video: bool = False,
    annotator: Annotator | None = None,
) -> tuple[PhotoResult, list[Path]]:
    """Fit one photo and write its folder; give back the result and the files."""
    use_threads()
    options = FitOptions(**vars(request))
    result = pipeline.fit(photo, options, progress, annotator=annotator)
    progress("writing the results")
    return result, pipeline.save(result, folder, overwrite=overwrite, options=options, video=video)


def check_models(request: Request) -> None:
    """Load the body, the prior and the detector that the user names, before anything is spent on a photo.

    Raises:
        ModelFileError: the body's file is missing.
        InputError: a file is not what it should be, or the prior is for other bodies.
    """
    options = FitOptions(**vars(request))
    check_no_detector(options)
    check_taken(options.detector, options.detector_weights, options.person_boxes)
    load_detector(options.detector, options.detector_weights)
    if request.body != "anny" or request.prior is not None:
        pipeline.load_models(options)


def annotator_of(request: Request, asking: Asking) -> Annotator | None:
    """The annotator that the request names, ready to be asked: its name, packages and key are checked here.

    Raises:
        InputError: one of them is wrong or missing, or the store cannot be used.
    """
    if request.annotator is None:
        return None
    from apu.ask.lvlm import lvlm_annotator

    return lvlm_annotator(
        request.annotator, store=asking.store, budget_usd=asking.budget_usd, allow_http=asking.allow_http,
        samples=request.samples,
    )  # fmt: skip


def report(result: PhotoResult, folder: Path, files: list[Path]) -> None:
    """Print the summary; end the command with exit code 1 when a pair has failed."""
    click.echo(summary(result))
    click.echo()
    click.echo(describe_folder(folder, files))
    for (i, j), why in result.failures:
        click.secho(f"Pair {i},{j} failed: {why}", fg="red", err=True)
    if result.failures:
        click.get_current_context().exit(FAILED)


def use_threads() -> None:
    """Give torch the number of threads that the environment names, or one.

    Raises:
        InputError: it is no number.
    """
    text = os.environ.get(THREADS_VARIABLE, "1")
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            "The number of threads is not a number.",
            where=f"environment variable {THREADS_VARIABLE}",
            expected="a whole number from 1",
            got=repr(text),
            remedy=f"unset {THREADS_VARIABLE}, or give it the number of free cores.",
        )
    torch.set_num_threads(int(text))
