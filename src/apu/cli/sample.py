"""`apu sample`: pairs drawn from a contact prior."""

from pathlib import Path

import click

from apu.cli.group import ApuCommand

FOLDER = click.Path(path_type=Path)


@click.command("sample", cls=ApuCommand, short_help="Draw pairs from a contact prior.")
@click.option("--prior", type=FOLDER, required=True, metavar="DIR", help="A folder of `apu train`.")
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Gets a picture and meshes.")
@click.option("--count", type=click.IntRange(1, 200), default=8, show_default=True, metavar="N", help="How many pairs.")
@click.option("--like", type=(FOLDER, str), metavar="DATASET ID", help="A pair of a data set, for --given.")
@click.option(
    "--given",
    type=click.Choice(["contacts", "a", "initial"]),
    multiple=True,
    help="Tell the prior the pair's contacts, its A, or its initial estimates; may be repeated.",
)
@click.option(
    "--steps", type=click.IntRange(1, 1000), default=50, show_default=True, metavar="N", help="Of the sampler."
)
@click.option("--eta", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Fresh noise at every step.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of the noise.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something.")
def command(
    prior: Path,
    out: Path,
    count: int,
    like: tuple[Path, str] | None,
    given: tuple[str, ...],
    steps: int,
    eta: float,
    seed: int,
    overwrite: bool,
) -> None:
    """Draw pairs from the prior in a folder: a picture of all of them, and a GLB file of each.

    Without --given, a sample may be any pair that the prior thinks likely. A stands upright at the origin: the prior
    does not know how a pair is turned.

    \b
    Examples:
      apu sample --prior priors/lab --out samples --count 16
      apu sample --prior priors/lab --out b --like data/test ID --given a
    """
    if bool(given) != (like is not None):
        raise click.UsageError("--like names a pair, --given says what of it is told; give both or none.")
    from apu.cli.sample_run import draw

    draw(prior, out, count, like, given, steps, eta, seed, overwrite=overwrite)
