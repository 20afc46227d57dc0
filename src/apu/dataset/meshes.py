"""The bodies of stored pairs, as meshes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel, Parts, Surface
from apu.contact.measured import TOUCHING_M
from apu.dataset.record import PairRecord
from apu.errors import InputError

BATCH = 16
"""Pairs that are posed at once."""


def body_of(body_model: str) -> BodyModel:
    """The body model of a data set.

    Raises:
        InputError: it is not the one that is installed.
    """
    body = AnnyBody.load()
    if body.name != body_model:
        raise InputError(
            "The data set has another body model than this installation.",
            expected=body.name,
            got=body_model,
            remedy="install the version of the body that the data set was made with.",
        )
    return body


def parameters_of(records: Sequence[PairRecord]) -> dict[str, Float[Tensor, "p 2 _"]]:
    """Name -> (p, 2, size) of some pairs."""
    return {n: torch.tensor([r.parameters[n] for r in records], dtype=torch.float32) for n in records[0].parameters}


@torch.no_grad()
def meshes(
    body: BodyModel, records: Iterable[PairRecord]
) -> Iterator[tuple[list[PairRecord], Float[Tensor, "p 2 v 3"]]]:
    """Some pairs at a time, with their vertices, metres, in the frame of their record.

    Args:
        body: whose parameters they are.
        records: any pairs.
    """
    records = iter(records)
    while batch := list(islice(records, BATCH)):
        vertices = body.forward(parameters_of(batch), Parts(vertices="all")).vertices
        assert vertices is not None
        yield batch, vertices


def touching_vertices(surface: Surface, record: PairRecord) -> tuple[Bool[np.ndarray, " v"], Bool[np.ndarray, " v"]]:
    """The vertices of all regions of A, and of B, that touch the other (`TOUCHING_M`)."""
    near = [contact for contact in record.contacts if contact.distance_m <= TOUCHING_M]
    sides = ({c.region_a for c in near}, {c.region_b for c in near})
    region = surface.region_of_vertex.detach().cpu().numpy()
    masks = [np.array([name in regions for name in surface.region_names], dtype=bool)[region] for regions in sides]
    return masks[0], masks[1]


def statures(body: BodyModel, parameters: Mapping[str, Float[np.ndarray, "p 2 _"]]) -> dict[str, Float[Tensor, " n"]]:
    """`height_m`, and every readable attribute of all people.

    Args:
        body: whose parameters they are.
        parameters: name -> (p, 2, size).
    """
    people = {name: torch.from_numpy(np.array(value)).flatten(0, 1) for name, value in parameters.items()}
    with torch.no_grad():
        return {"height_m": body.height(people), **body.attributes(people)}
