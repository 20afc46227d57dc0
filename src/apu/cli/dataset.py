"""`apu dataset`: what a data set holds, whether it is sound, what its pairs look like, how two differ."""

from pathlib import Path

import click

from apu.cli.failures import FAILED
from apu.cli.group import ApuCommand
from apu.cli.request import printable

FOLDER = click.Path(path_type=Path)


@click.group("dataset", short_help="Check, count, draw and compare pairs of data sets.")
def command() -> None:
    """Look into data sets of pairs: statistics, soundness, pictures, diversity.

    \b
    Example:
      apu dataset stats data/train
    """


@command.command("stats", cls=ApuCommand, short_help="Say what a data set holds.")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def stats(folder: Path, as_json: bool) -> None:
    """Say what the data set in DIR holds: classes, contacts, bodies, penetration, base poses.

    The entropy tells how various the contacts are: over pairs of body parts that touch, one vote for each pair of
    people.

    \b
    Example:
      apu dataset stats data/train --json
    """
    import json

    from apu.cli.dataset_report import report
    from apu.dataset.meshes import body_of
    from apu.dataset.statistics import statistics
    from apu.dataset.store import PairStore

    store = PairStore(folder)
    found = statistics(store, body_of(store.info.body_model))
    click.echo(json.dumps(found, indent=1) if as_json else report(found))


@command.command("verify", cls=ApuCommand, short_help="Check every pair of a data set.")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--measure", type=click.IntRange(0), default=0, metavar="N", help="Measure N pairs again; slow.")
@click.pass_context
def verify(ctx: click.Context, folder: Path, measure: int) -> None:
    """Check the data set in DIR, and list everything that is wrong; the exit code is 1 when something is.

    Files, schema, ids, numbers, classes and contacts of every pair are checked. With --measure, N pairs evenly apart
    are posed, and their contacts and penetration are measured again.

    \b
    Example:
      apu dataset verify data/train --measure 100
    """
    from apu.cli.dataset_checks import all_problems

    found = 0
    for problem in all_problems(folder, measure):
        click.echo(printable(problem))
        found += 1
    if found:
        click.secho(f"{found} problems in {printable(folder)}/", fg="red", err=True)
        ctx.exit(FAILED)
    click.echo(f"No problem was found in {printable(folder)}/")


@command.command("show", cls=ApuCommand, short_help="Draw pairs of a data set.")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--out", type=FOLDER, required=True, metavar="PNG", help="The picture.")
@click.option("--class", "classes", multiple=True, metavar="NAME", help="Only this class; may be repeated.")
@click.option(
    "--count", type=click.IntRange(1), default=12, show_default=True, metavar="N", help="Pairs of each class."
)
def show(folder: Path, ids: tuple[str, ...], out: Path, classes: tuple[str, ...], count: int) -> None:
    """Draw pairs of the data set in DIR: from the front, the side, and from behind and above, on the floor.

    Person A is warm, B is cool, and the regions that touch are dark. With IDs, these pairs are drawn. Else there is
    one sheet for each class, with pairs evenly apart; of several classes, each sheet has its class in its name.

    \b
    Examples:
      apu dataset show data/train --class hug --count 20 --out hug.png
      apu dataset show data/train test-7-hug-00003-01 --out pair.png
    """
    if ids and classes:
        raise click.UsageError("IDs and --class exclude each other; give one of them.")
    from apu.cli.dataset_sheets import draw

    for path, drawn in draw(folder, ids, classes, count, out):
        click.echo(f"{printable(path)}  {drawn} pairs")


@command.command("compare", cls=ApuCommand, short_help="Say which of two data sets is more various.")
@click.argument("a", type=FOLDER, metavar="A")
@click.argument("b", type=FOLDER, metavar="B")
@click.option(
    "--pairs",
    type=click.IntRange(2),
    default=2000,
    show_default=True,
    metavar="N",
    help="Of each, at most so many.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of all draws.")
@click.option("--out", type=FOLDER, metavar="DIR", help="Gets table.md, table.json and plot.png.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def compare(a: Path, b: Path, pairs: int, seed: int, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Compare how various the data sets in A and B are: interaction types, contacts, poses, places, heights.

    Numbers that depend on the number of pairs are those at the size of the smaller set. Every number, and every
    difference B - A, has a 95 % interval over pairs. The order of the pairs does not matter.

    \b
    Examples:
      apu dataset compare data/lab data/wild
      apu dataset compare data/lab data/wild --out lab-wild
    """
    if overwrite and out is None:
        raise click.UsageError("--overwrite belongs to a folder; name it with --out.")
    from apu.cli.dataset_compare import run_comparison

    run_comparison((a, b), pairs, seed, out, overwrite=overwrite, as_json_text=as_json)
