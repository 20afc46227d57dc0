"""Drawn pairs as pictures. Loads torch: import it inside the command only."""

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.contact.contact import Contact, ContactMap
from apu.contact.measured import TOUCHING_M, measure_contacts
from apu.show.sheet import SheetRow


def on_the_floor(body: BodyModel, pairs: dict[str, Float[Tensor, "n 2 _"]]) -> Float[Tensor, "n 2 v 3"]:
    """Vertices, shifted so that the lowest point of each pair is at y = 0."""
    vertices = body.forward(pairs, Parts(vertices="all")).vertices
    assert vertices is not None
    shift = vertices[..., 1].flatten(1).amax(1)
    return vertices - torch.stack([torch.zeros_like(shift), shift, torch.zeros_like(shift)], -1)[:, None, None]


def touching(body: BodyModel, vertices: Float[Tensor, "2 v 3"]) -> ContactMap:
    """What touches in a sample."""
    near = measure_contacts(body.surface, vertices[None], TOUCHING_M)[0]
    return ContactMap(tuple(Contact(frozenset({c.region_a}), frozenset({c.region_b})) for c in near), "measured")


def sheet_row(body: BodyModel, vertices: Float[Tensor, "2 v 3"], contacts: ContactMap, words: str) -> SheetRow:
    """A sample on a sheet.

    Args:
        body: of the vertices.
        vertices: on the floor.
        contacts: what touches; is painted and counted.
        words: what the sample is.
    """
    region, names = body.surface.region_of_vertex.cpu().numpy(), body.surface.region_names
    sides = [contacts.regions(person) for person in (0, 1)]
    masks = [torch.tensor([name in side for name in names]).numpy()[region] for side in sides]
    title = f"{words}: {len(contacts.contacts)} region pairs touch"
    return SheetRow(title, vertices.cpu().numpy(), (masks[0], masks[1]))
