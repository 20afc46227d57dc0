"""A training of seconds on the 24 synthetic pairs of the repository; also run by other processes.

`python small_training.py FOLDER UNTIL` trains on in the folder up to a step.
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from apu.body.anny import AnnyBody
from apu.dataset.store import PairStore
from apu.prior.contact_tokens import contact_tokens
from apu.prior.pairs import PairArrays
from apu.prior.settings import LossWeights, NetworkSettings, TrainSettings
from apu.prior.train import Trainer

TINY = NetworkSettings(width=32, layers=2, heads=2, feedforward=48, contacts=4)
SIX_STEPS = TrainSettings(
    steps=6,
    batch=8,
    warm_up=2,
    network=TINY,
    loss=LossWeights(points=10.0),
    save_every=2,
    log_every=1,
    validate_every=3,
)
FIXTURE_PAIRS = Path(__file__).resolve().parents[1] / "dataset" / "fixture_pairs"


def fixture_pairs(body: AnnyBody) -> PairArrays:
    """Their bodies, a little wrong estimates of both (of every third B none), and what they were asked to touch.

    Every other pair is said to be in a camera's frame.
    """
    truth = [record.to_true_pair() for record in PairStore(FIXTURE_PAIRS).records()]
    parameters = {name: torch.stack([one.parameters[name] for one in truth]) for name in body.parameter_spec}
    random = torch.Generator().manual_seed(5)
    initial = {name: v + 0.1 * torch.randn(v.shape, generator=random) for name, v in parameters.items()}
    known = torch.ones(len(truth), 2, dtype=torch.bool)
    known[::3, 1] = False
    return PairArrays.of(
        body.name,
        parameters,
        initial,
        known,
        contact_tokens([one.contact_map() for one in truth]),
        [one.interaction for one in truth],
        [one.id for one in truth],
        torch.arange(len(truth)) % 2 == 0,
    )


def trainer(folder: Path, settings: TrainSettings = SIX_STEPS, body: AnnyBody | None = None) -> Trainer:
    """On 18 of the pairs, validated on the other 6."""
    body = body or AnnyBody.load()
    pairs = fixture_pairs(body)
    return Trainer(body, pairs.rows(torch.arange(18)), settings, folder, pairs.rows(torch.arange(18, 24)))


def one_of_two(rank: int, folder: str, settings: TrainSettings) -> None:
    """One of two processes that train together."""
    torch.set_num_threads(1)
    rendezvous = f"file://{folder}/rendezvous"
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    try:
        trainer(Path(folder), settings).run()
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    trainer(Path(sys.argv[1])).run(int(sys.argv[2]))
