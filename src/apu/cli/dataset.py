"""`apu dataset`: what a data set holds, whether it is sound, and what its pairs look like."""

from pathlib import Path

import click

from apu.cli.failures import FAILED
from apu.cli.group import ApuCommand
from apu.cli.request import printable

FOLDER = click.Path(path_type=Path)


@click.group("dataset", short_help="Check, count and draw the pairs of a data set.")
def command() -> None:
    """Look into a data set of pairs: its statistics, its soundness, its pictures.

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
