"""Trains the prior of `apu train`. Loads torch: import it inside the command only."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click
import torch
import torch.distributed as dist

from apu.body.protocol import BodyModel
from apu.cli.output import check_folder
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.cli.run import use_threads
from apu.cli.train_sheets import SampleSheets
from apu.dataset.meshes import body_of
from apu.dataset.prior_pairs import prior_pairs
from apu.dataset.store import PairStore
from apu.dataset.versions import versions
from apu.prior.draws import generator
from apu.prior.pairs import PairArrays, joined
from apu.prior.settings import LossWeights, NetworkSettings, TrainSettings
from apu.prior.tensorboard_scalars import TensorboardScalars
from apu.prior.train import Trainer
from apu.prior.watch import Watch
from apu.progress import silent


def train(
    datasets: Sequence[Path],
    out: Path,
    *,
    validation: Path | None,
    held_out: float,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    width: int,
    layers: int,
    heads: int,
    skin: float,
    no_contacts: bool,
    no_tilt: bool,
    no_view: bool,
    one_class: bool,
    sheet_every: int,
    tensorboard: bool,
    resume: bool,
) -> None:
    """Train, show the progress, and say where the prior is.

    Raises:
        InputError: a data set is wrong, or no prior can be learned from it.
        OutputError: the folder holds something, and nobody said to go on with it.
    """
    use_threads()
    slots = 0 if no_contacts else NetworkSettings.contacts
    network = NetworkSettings(width, layers, heads, contacts=slots, tilt=not no_tilt, view=not no_view)
    settings = TrainSettings(
        steps, batch, rate, seed=seed, one_class=one_class, network=network, loss=LossWeights(points=skin)
    )
    with _processes() as first:
        if first and not resume:
            check_folder(out, overwrite=False)
        body, pairs = _pairs(datasets)
        if validation is not None:
            kept, seen = _pairs([validation])[1], pairs
        else:
            seen, kept = _split(pairs, held_out, seed)
        watches = []
        if first and sheet_every:
            sheets = SampleSheets(out, body, seen if kept is None else kept, seed)
            watches.append(Watch(shown=sheets, every=sheet_every))
        facts = {"data_sets": [folder.name for folder in datasets], "versions": versions()}
        with shown_progress() as shown, _scalars(out, wanted=first and tensorboard) as more:
            progress = shown if first else silent
            trainer = Trainer(body, seen, settings, out, kept, progress, facts, [*watches, *more])
            try:
                trainer.run()
            except KeyboardInterrupt:
                told = f"Interrupted after step {trainer.step} of {steps}."
                raise KeyboardInterrupt(f"{told} To go on: the same command with --resume.") from None
        if first:
            found = "" if kept is None else f"; validation loss {trainer.validate()['validation_loss']:.4f}"
            click.echo(f"A prior of {len(seen)} pairs in {printable(out)}/{found}")


def _pairs(folders: Sequence[Path]) -> tuple[BodyModel, PairArrays]:
    stores = [PairStore(folder) for folder in folders]
    body = body_of(stores[0].info.body_model)
    return body, joined(part for store in stores for part in prior_pairs(store.records()))


def _split(pairs: PairArrays, share: float, seed: int) -> tuple[PairArrays, PairArrays | None]:
    """Pairs to learn from, and those that are held out."""
    order = torch.randperm(len(pairs), generator=generator(seed, "held out", 0))
    count = round(share * len(pairs))
    kept = pairs.rows(order[:count].sort().values) if count else None
    return pairs.rows(order[count:].sort().values), kept


@contextmanager
def _scalars(out: Path, *, wanted: bool) -> Iterator[list[Watch]]:
    """What writes the log for TensorBoard, when it is wanted."""
    if not wanted:
        yield []
        return
    with closing(TensorboardScalars(out)) as scalars:
        yield [Watch(logged=scalars)]


@contextmanager
def _processes() -> Iterator[bool]:
    """Join the others when torchrun has started several; gives whether this is the first."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield True
        return
    dist.init_process_group("gloo")
    try:
        yield dist.get_rank() == 0
    finally:
        dist.destroy_process_group()
