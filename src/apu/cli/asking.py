"""How a language model is asked: where answers are kept, what it may cost, and whether to begin a large run.

Loads nothing heavy.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

MANY = 100
"""Requests above which a run asks before it begins."""


@dataclass(frozen=True)
class Asking:
    """How a model is asked; no part of what a fit is, so it is not recorded with the results.

    Attributes:
        store: the file of all answers; None for the one in the cache folder.
        budget_usd: what the run may cost.
        allow_http: let pictures and keys go to another machine unencrypted.
        yes: do not ask before a large run.
        concurrency: requests at once; None for the standard number.
        requests_per_minute: None for no limit.
    """

    store: Path | None = None
    budget_usd: float | None = None
    allow_http: bool = False
    yes: bool = False
    concurrency: int | None = None
    requests_per_minute: float | None = None


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command that may ask a model has."""
    options = (
        click.option(
            "--store",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Where questions and answers are kept.  [default: answers.sqlite in the cache folder]",
        ),
        click.option(
            "--budget",
            type=click.FloatRange(min=0.0, min_open=True),
            metavar="USD",
            help="Stop before asking costs more than this.",
        ),
        click.option("--yes", is_flag=True, help=f"Do not ask before a run of more than {MANY} requests."),
        click.option("--allow-http", is_flag=True, help="Let pictures go to another machine unencrypted."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def samples_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the number of answers that an annotator is asked for."""
    option = click.option(
        "--samples",
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        metavar="K",
        help="Answers of the annotator about each pair; they vote.",
    )
    return option(command)


def confirm(requests: int, told: str, *, yes: bool) -> None:
    """Show a large run, and let the user decide.

    Args:
        requests: how many will be sent; up to `MANY`, nothing is asked.
        told: number and cost, in words.
        yes: the user has decided already.

    Raises:
        click.UsageError: nobody can be asked, because the input is no terminal.
        click.Abort: the user says no.
    """
    if requests <= MANY:
        return
    click.echo(told, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"More than {MANY} requests, and nobody to ask: add --yes to send them.")
    click.confirm("Send them?", abort=True, err=True)
