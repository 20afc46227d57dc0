"""The `apu` command: one small file per subcommand, loaded when it is asked for."""

import click

from apu import __version__
from apu.cli.group import ApuGroup

COMMANDS = {
    "fit": "apu.cli.fit",
    "ask": "apu.cli.ask",
    "export": "apu.cli.export",
    "convert": "apu.cli.convert",
    "signatures": "apu.cli.signatures",
    "demo": "apu.cli.demo",
    "synth": "apu.cli.synth",
    "build": "apu.cli.build",
    "dataset": "apu.cli.dataset",
    "train": "apu.cli.train",
    "sample": "apu.cli.sample",
    "eval": "apu.cli.evaluate",
    "models": "apu.cli.models",
    "doctor": "apu.cli.doctor",
    "regions": "apu.cli.regions",
}
"""Command -> the module whose `command` it is; in the order of the help text."""


@click.group(cls=ApuGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback when something goes wrong.")
@click.version_option(__version__, prog_name="apu")
def main(debug: bool) -> None:
    """Ask, Pose, Unite: pairs of 3D body meshes that really touch, from photos of people in contact.

    \b
    Example:
      apu fit photo.jpg --out hug
    """


if __name__ == "__main__":
    main()
