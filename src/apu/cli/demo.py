"""`apu demo`: the whole path on a photo that is fetched, so that a fresh machine shows what the package does."""

from pathlib import Path

import click

from apu.cli.group import ApuCommand
from apu.cli.output import RUN, check_folder
from apu.cli.progress import shown_progress
from apu.cli.request import Request


@click.command("demo", cls=ApuCommand, short_help="Try it: fetch a photo and fit the pair that touches in it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("apu_demo"),
    show_default=True,
    metavar="DIR",
    help="Folder for the results; those of an earlier demo are replaced.",
)
@click.option("--overwrite", is_flag=True, help="Write into a folder that holds something else.")
def command(out: Path, overwrite: bool) -> None:
    """Fetch a photo of people who touch, and turn one pair into two 3D meshes.

    The first run also fetches the detector and prepares the body model, which takes some minutes. Afterwards
    everything is in the cache, and the network is not needed.

    \b
    Example:
      apu demo --out my_demo
    """
    overwrite = overwrite or (out / RUN).is_file()
    check_folder(out, overwrite=overwrite)
    with shown_progress() as progress:
        progress("loading the libraries")
        from apu.cli.run import fit_and_save, report
        from apu.pose.weights import ensure_demo_photo

        photo = ensure_demo_photo(progress)
        result, files = fit_and_save(photo, Request(), out, progress, overwrite=overwrite)
    report(result, out, files)
