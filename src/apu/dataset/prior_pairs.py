"""Stored pairs as the arrays that a prior learns from."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch

from apu.contact.contact import Contact, ContactMap
from apu.dataset.meshes import parameters_of
from apu.dataset.record import PairRecord
from apu.prior.contact_tokens import contact_tokens
from apu.prior.pairs import PairArrays

AT_ONCE = 1000


def prior_pairs(records: Iterable[PairRecord]) -> Iterator[PairArrays]:
    """Many pairs at a time; where an estimate is missing, it is unknown.

    The contacts are those that a pair was made with: what its class asked for, or the map that its fit used. They are
    what an annotator says, not all that touches in the meshes.

    Args:
        records: any pairs of one body model.
    """
    records = iter(records)
    while batch := list(islice(records, AT_ONCE)):
        yield _arrays(batch)


def _arrays(records: Sequence[PairRecord]) -> PairArrays:
    parameters = parameters_of(records)
    initial = {
        name: torch.tensor([(record.initial or record.parameters)[name] for record in records]) for name in parameters
    }
    known = torch.tensor([record.initial is not None for record in records])
    return PairArrays.of(
        records[0].body_model,
        parameters,
        initial,
        known[:, None].expand(-1, 2).clone(),
        contact_tokens([contact_map_of(record) for record in records]),
        [record.interaction for record in records],
        [record.id for record in records],
        torch.tensor([record.frame == "camera" for record in records]),
    )


def contact_map_of(record: PairRecord) -> ContactMap:
    """The contacts that a pair was made with."""
    told = [
        Contact(frozenset(c.regions_a), frozenset(c.regions_b), c.weight, c.source, c.label_a, c.label_b)
        for c in record.intended
    ]
    return ContactMap(tuple(told), "data set")
