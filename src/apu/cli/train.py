"""`apu train`: a contact prior out of data sets of pairs."""

from pathlib import Path

import click

from apu.cli.group import ApuCommand

FOLDER = click.Path(path_type=Path)


@click.command("train", cls=ApuCommand, short_help="Train a contact prior on data sets of pairs.")
@click.argument("datasets", nargs=-1, required=True, type=FOLDER, metavar="DATASET...")
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Gets the prior, its log, and its state.")
@click.option("--validation", type=FOLDER, metavar="DATASET", help="Pairs to validate on, instead of held-out ones.")
@click.option(
    "--held-out",
    type=click.FloatRange(0, 0.5),
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Of the pairs, to validate on.",
)
@click.option("--steps", type=click.IntRange(1), default=3000, show_default=True, metavar="N", help="Of the optimiser.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, metavar="N", help="Pairs of one step.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=5e-4, show_default=True, help="Of AdamW.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S", help="Of everything random.")
@click.option("--width", type=click.IntRange(2), default=152, show_default=True, metavar="N", help="Of the network.")
@click.option("--layers", type=click.IntRange(1), default=6, show_default=True, metavar="N", help="Of the network.")
@click.option("--heads", type=click.IntRange(1), default=8, show_default=True, metavar="N", help="Of the network.")
@click.option(
    "--skin",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    metavar="W",
    help="Weight of points on the skin, per square metre.",
)
@click.option("--no-contacts", is_flag=True, help="A prior that is not told what touches.")
@click.option("--no-tilt", is_flag=True, help="A prior that is not told where the camera's up is.")
@click.option("--no-view", is_flag=True, help="A prior that is not told whence the camera looks.")
@click.option("--one-class", is_flag=True, help="Allow pairs of a single interaction class.")
@click.option(
    "--sheet-every",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Steps from one sheet of samples to the next; 0 for no sheets.",
)
@click.option("--tensorboard", is_flag=True, help="Log for TensorBoard, too.")
@click.option("--resume", is_flag=True, help="Go on with a training that was interrupted.")
def command(datasets: tuple[Path, ...], out: Path, resume: bool, **options) -> None:
    """Train a diffusion prior over two people in contact on the pairs of every DATASET.

    Killed at any moment and resumed, it gives the same weights to the bit; so do the settings, the data and the
    versions. Started by torchrun, several processes share every batch. DIR gets model.safetensors, config.json and a
    README.md that says what the prior is; log.jsonl has a line for every 25 steps, and sheets/ has pictures of samples:
    anything, pairs with the contacts of held-out ones, and B for their A. The last sheet is that of the finished prior.

    \b
    Examples:
      apu train data/lab --out priors/lab
      apu train data/lab data/wild --out priors/both --seed 1 --resume
      torchrun --nproc-per-node 2 -m apu.cli.main train data/lab --out priors/lab
    """
    from apu.cli.train_run import train

    train(datasets, out, resume=resume, **options)
