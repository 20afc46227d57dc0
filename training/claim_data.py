"""The data sets of `claim.py` that no command makes: true pairs with estimates, parts of others, shuffled partners."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from apu.body.protocol import BodyModel
from apu.dataset.layout import Layout
from apu.dataset.meshes import body_of
from apu.dataset.record import PairRecord, validated
from apu.dataset.store import PairStore, write_dataset
from apu.dataset.synthetic.observation_settings import InitialFamily, InitialSettings, ObservationSettings
from apu.dataset.synthetic.observe import observe
from apu.dataset.versions import versions


def with_estimates(
    body: BodyModel, records: Iterable[PairRecord], seed: int, family: InitialFamily = "bev"
) -> Iterator[PairRecord]:
    """True pairs as a camera sees them, with initial estimates.

    Args:
        body: of the pairs.
        records: synthetic pairs.
        seed: of the observations.
        family: of the errors of the estimates.
    """
    settings = ObservationSettings(initial=InitialSettings(family=family))
    for record in records:
        seen = observe(body, [record.to_true_pair()], seed, settings)[0]
        a, b = seen.initial
        changes = {
            "frame": "camera",
            "parameters": {name: value.tolist() for name, value in seen.true_parameters.items()},
            "initial": {name: [a.parameters[name].tolist(), b.parameters[name].tolist()] for name in a.parameters},
            "seeds": {**record.seeds, "observation": seed},
        }
        yield validated(PairRecord, {**record.model_dump(), **changes}, "claim", record.id)


def shuffled(records: Sequence[PairRecord], seed: int) -> list[PairRecord]:
    """Pairs whose B, and B's estimate, are those of another photo: all is as it was, but nobody belongs to anybody.

    Args:
        records: two or more, in the frames of their cameras.
        seed: of the order.
    """
    order = torch.randperm(len(records), generator=torch.Generator().manual_seed(seed)).tolist()
    other = dict(zip(order, [*order[1:], order[0]], strict=True))  # one ring, so nobody keeps the partner
    return [_with_partner(record, records[other[i]]) for i, record in enumerate(records)]


def _with_partner(record: PairRecord, other: PairRecord) -> PairRecord:
    def mixed(mine: dict, theirs: dict) -> dict:
        return {name: [a, theirs[name][1]] for name, (a, _) in mine.items()}

    initial = None
    if record.initial is not None and other.initial is not None:
        initial = mixed(record.initial, other.initial)
    changes = {"parameters": mixed(record.parameters, other.parameters), "initial": initial}
    return record.model_copy(update={**changes, "id": f"{record.id}-shuffled"})


def of_classes(records: Sequence[PairRecord], classes: Sequence[str], count: int) -> list[PairRecord]:
    """The first pairs of some classes, in turn.

    Args:
        records: any.
        classes: names.
        count: at most so many.
    """
    waiting = {name: [record for record in records if record.interaction == name] for name in classes}
    found = []
    while len(found) < count and any(waiting.values()):
        for own in waiting.values():
            if own and len(found) < count:
                found.append(own.pop(0))
    return found


def records_of(*folders: Path) -> list[PairRecord]:
    """All pairs of data sets."""
    return [record for folder in folders for record in PairStore(folder).records()]


def write(folder: Path, records: Iterable[PairRecord], body_model: str, kind: str, settings: dict) -> int:
    """Write a data set; gives the number of its pairs."""
    body = body_of(body_model)
    layout = Layout.of_body(body.name, body.parameter_spec)
    return write_dataset(folder, records, layout, kind=kind, settings=settings, versions=versions()).pairs
