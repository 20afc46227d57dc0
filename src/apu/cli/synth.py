"""`apu synth`: a synthetic data set of pairs in contact, whose bodies are known."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from apu.cli.group import ApuCommand
from apu.cli.request import printable
from apu.dataset.folder import check_same, prepare

if TYPE_CHECKING:
    from apu.scene.true_pair import Split

SPLITS = ("train", "validation", "test")
"""As in `apu.scene.true_pair`, which loads torch; a test compares the two."""


@click.command("synth", cls=ApuCommand, short_help="Make a synthetic data set of pairs that touch.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--split", type=click.Choice(SPLITS), required=True, help="Which classes, base poses and shapes.")
@click.option("--pairs", type=click.IntRange(1), required=True, metavar="N", help="How many, over all classes.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of the random numbers."
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, metavar="J", help="Processes.")
@click.option("--classes", metavar="A,B", help="Only these interaction classes of the split.")
@click.option("--mocap", type=click.Path(path_type=Path), metavar="FILE", help="Base poses from motion capture.")
@click.option("--overwrite", is_flag=True, help="Replace a data set that lies there.")
@click.option("--resume", is_flag=True, help="Go on with one that was interrupted.")
def command(
    out: Path,
    split: "Split",
    pairs: int,
    seed: int,
    jobs: int,
    classes: str | None,
    mocap: Path | None,
    overwrite: bool,
    resume: bool,
) -> None:
    """Make a data set of synthetic pairs in contact, in folder OUT.

    The classes of the split share the pairs evenly. The training split has the seen classes; validation and test also
    have classes that training never sees. The same split, pairs, seed and versions give the same files, whatever
    --jobs is, and however often the run was killed and resumed.

    \b
    Examples:
      apu synth data/train --split train --pairs 10000 --jobs 8
      apu synth data/hugs --split test --pairs 200 --classes hug,side_hug
      apu synth data/train --split train --pairs 10000 --jobs 8 --resume
    """
    if overwrite and resume:
        raise click.UsageError("--overwrite begins again, --resume goes on; give one of them.")
    state = prepare(out, overwrite=overwrite, resume=resume)
    from apu.cli.synth_run import asked_for, make

    asked = asked_for(split, pairs, seed, classes, mocap)
    if state == "finished":
        check_same(out, asked.settings(), dict(asked.versions))
        click.echo(f"The data set in {printable(out)}/ is finished already.")
        return
    make(out, asked, jobs)
