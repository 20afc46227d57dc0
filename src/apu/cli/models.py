"""`apu models`: the files that are fetched or prepared once and then live in the cache."""

import click

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


@command.command("fetch", short_help="Fetch the detector and prepare the body model.")
def fetch() -> None:
    """Fetch the detector and prepare the body model; what is in the cache already is only checked.

    \b
    Example:
      apu models fetch
    """
    with shown_progress() as progress:
        progress("loading the libraries")
        from apu.pose.weights import ensure_movenet

        ensure_movenet(progress)
    _print_status()


@command.command("list")
def list_models() -> None:
    """Say which model files are in the cache.

    \b
    Example:
      apu models list
    """
    _print_status()


def _print_status() -> None:
    from apu.cache import cache_dir
    from apu.pose.weights import status

    click.echo(f"Cache: {cache_dir()}")
    for entry in status():
        click.echo(f"  {entry}")
