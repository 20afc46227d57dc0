"""Options that several commands of `apu eval` share. Loads nothing heavy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from apu.cli.synth import SPLITS

Command = Callable[..., Any]
FOLDER = click.Path(path_type=Path)
TESTED_SPLITS = tuple(split for split in SPLITS if split != "train")
OF_MAKING = {"seed": "--seed", "split": "--split", "mocap": "--mocap"}
"""Options that say how the test set is made."""


class SeedsType(click.ParamType):
    """`0,1`: different seeds."""

    name = "A,B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parse a list of seeds; click calls this also with values that are parsed already."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and part.isascii() for part in parts) or len({int(p) for p in parts}) < len(parts):
            self.fail(f"expected different seeds, 0 or more, e.g. 0,1; got {value!r}.", param, ctx)
        return tuple(int(part) for part in parts)


def _as_several(ctx: click.Context, param: click.Parameter, value: Path | None) -> tuple[Path, ...]:
    return () if value is None else (value,)


DATA_ARGUMENT = click.argument("data", nargs=-1, type=FOLDER, metavar="[DATA]...")
DATA_OPTION = click.option(
    "--data", type=FOLDER, multiple=True, metavar="DIR", help="A data set of `apu synth`; may be given again."
)
SINGLE_DATA_OPTION = click.option(
    "--data", type=FOLDER, metavar="DIR", callback=_as_several,
    help="A data set of `apu synth`; made first when left out.",
)  # fmt: skip


def pair_options(
    pairs: int, split: str, data: Callable = DATA_ARGUMENT, seeds: str = "0"
) -> Callable[[Command], Command]:
    """The options that say which synthetic pairs there are, and how they are seen.

    Args:
        pairs, split, seeds: defaults.
        data: how the data sets are given.
    """
    return _all(
        data,
        click.option(
            "--pairs", type=click.IntRange(1), default=pairs, show_default=True, metavar="N", help="At most so many."
        ),
        click.option(
            "--split", type=click.Choice(TESTED_SPLITS), default=split, show_default=True, help="Of the pairs to make."
        ),
        click.option(
            "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of the pairs to make."
        ),
        click.option(
            "--mocap", type=FOLDER, metavar="FILE", help="Base poses of the pairs to make, from motion capture."
        ),
        click.option("--classes", metavar="A,B", help="Only these interaction classes."),
        click.option(
            "--observation-seeds", type=SeedsType(), default=seeds, show_default=True,
            help="Each pair is seen once with each.",
        ),
    )  # fmt: skip


def jobs_option(help: str = "Processes.") -> Callable[[Command], Command]:
    """How many processes."""
    return click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, metavar="J", help=help)


def folder_options(holds: str, replaced: str, *, resumed: bool = True) -> Callable[[Command], Command]:
    """The options of the folder of results.

    Args:
        holds: what it is for.
        replaced: what `--overwrite` replaces.
        resumed: whether the command has `--resume`.
    """
    resume = [click.option("--resume", is_flag=True, help="Go on with one that was interrupted.")] if resumed else []
    return _all(
        click.option("--out", type=FOLDER, metavar="DIR", help=f"Folder for {holds}."),
        click.option("--overwrite", is_flag=True, help=f"Replace {replaced} that lies there."),
        *resume,
    )


def _all(*options: Callable) -> Callable[[Command], Command]:
    """One decorator for several, the first on top."""

    def added(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return added


def check_folders(ctx: click.Context) -> None:
    """Refuse options of pairs and folders that contradict each other.

    Args:
        ctx: of a command with the options above.

    Raises:
        UsageError: they do.
    """
    data, out, overwrite = (ctx.params[name] for name in ("data", "out", "overwrite"))
    resume = ctx.params.get("resume", False)
    if overwrite and resume:
        raise click.UsageError("--overwrite begins again, --resume goes on; give one of them.")
    if out is None and (overwrite or resume):
        raise click.UsageError("--overwrite and --resume belong to a folder; name it with --out.")
    given = [o for n, o in OF_MAKING.items() if ctx.get_parameter_source(n) == ParameterSource.COMMANDLINE]
    if data and given:
        raise click.UsageError(f"{given[0]} says how pairs are made; the data set that is named has them already.")
    if overwrite and out is not None and any(one.resolve().is_relative_to(out.resolve()) for one in data):
        raise click.UsageError("--overwrite would delete the data set that is named; name another folder with --out.")
