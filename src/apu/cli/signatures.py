"""`apu signatures`: contacts of many results in the formats of FlickrCI3D and CHI3D."""

import math
from pathlib import Path
from typing import Literal

import click

from apu.cli.group import ApuCommand
from apu.cli.output import check_file

PLACE = click.Path(path_type=Path)


@click.command("signatures", cls=ApuCommand, short_help="Write contacts as FlickrCI3D or CHI3D has them.")
@click.argument("results", nargs=-1, required=True, type=PLACE, metavar="RESULTS...")
@click.option("--out", type=PLACE, required=True, metavar="FILE", help="Where they go, as JSON.")
@click.option(
    "--contacts",
    "kind",
    type=click.Choice(["told", "measured"]),
    default="told",
    show_default=True,
    help="Those that the fit was given, or those of its meshes.",
)
@click.option(
    "--within",
    "within_cm",
    type=click.FloatRange(0, 10, min_open=True),
    metavar="CM",
    help="How near regions touch, with measured.  [default: 1.0]",
)
@click.option(
    "--layout",
    type=click.Choice(["flickrci3d", "chi3d"]),
    default="flickrci3d",
    show_default=True,
    help="Whose file it is to be.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file FILE.")
def command(
    results: tuple[Path, ...],
    out: Path,
    kind: Literal["told", "measured"],
    within_cm: float | None,
    layout: Literal["flickrci3d", "chi3d"],
    overwrite: bool,
) -> None:
    """Write the contacts of RESULTS as FlickrCI3D's interaction_contact_signature.json.

    RESULTS are folders that `apu fit` wrote, or folders that hold many of them. Each photo becomes an entry under its
    name, with the boxes of the people who are in a pair, and the numbers of the regions that touch.

    told: the contacts that the fit was given, in contacts.json; guesses among them. measured: every two regions of
    the fitted meshes that lie within 1 cm.

    chi3d: photos are called ACTION_FRAME, and become entries under their actions; A is the person with markers.

    A result that is failed or damaged is named and left out. docs/contact_files.md tells what the format cannot say.

    \b
    Examples:
      apu signatures results --out interaction_contact_signature.json
      apu signatures hug_apu --contacts measured --out measured.json
    """
    if within_cm is not None and kind == "told":
        raise click.UsageError(
            "--within is of --contacts measured; the contacts that a fit was given are no distances."
        )
    if within_cm is not None and math.isnan(within_cm):
        raise click.UsageError("--within is a distance in cm, not nan.")
    check_file(out, overwrite=overwrite)
    from apu.cli.signatures_run import write

    write(results, out, kind, within_cm, layout)
