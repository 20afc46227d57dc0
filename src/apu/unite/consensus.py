"""Which contacts agree on how deep the two people stand to each other. A measure to compare with: no fit uses it.

After the first fit the depth between two people is what is least known. Right contacts want the same change of it,
wrong ones any. So B is moved along the line of sight, and the move that most of the contacts' weight can live with
decides.
The bounded contact loss over several hypotheses of depth does much the same by itself, and without a grid; whether this
adds to it is measured by `benchmarks/trust.py`.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import Surface
from apu.body.region_samples import RegionSamples
from apu.contact.contact import ContactMap
from apu.unite.plausible import smallest_distances, touching_points

FEWEST = 3
"""Two contacts that disagree do not tell which of them is wrong."""
LEAST_SHARE = 0.1
"""What is left of the weight of a contact that disagrees. Hand-set, as are the moves and their sigma."""


def moves(reach_m: float = 0.8, step_m: float = 0.02) -> Float[Tensor, " m"]:
    """Depths by which B may be moved, metres: from -reach to reach."""
    return torch.arange(-round(reach_m / step_m), round(reach_m / step_m) + 1) * step_m


@torch.no_grad()
def distances_after_moves(
    surface: Surface,
    samples: RegionSamples,
    vertices: Float[Tensor, "2 v 3"],
    contacts: ContactMap,
    moved_m: Float[Tensor, " m"],
) -> Float[Tensor, "m c"]:
    """Smallest distance of each contact's regions when B, seen as it is, stands so much deeper.

    Args:
        surface: of the body that both people have.
        samples: of its regions; the distance is that of sampled vertices.
        vertices: (2, v, 3) camera frame, metres.
        contacts: `c` of them.
        moved_m: `m` moves of B's mean depth, metres. B is scaled about the camera, so no vertex leaves its pixel.
    """
    points = vertices[:, samples.vertices]
    a, b, both = touching_points(surface, samples, points, contacts)
    scale = 1 + moved_m.to(points) / points[1, :, 2].mean()
    return smallest_distances(a.expand(len(scale), *a.shape), scale[:, None, None, None] * b, both)


def agreeing(
    surface: Surface,
    samples: RegionSamples,
    vertices: Float[Tensor, "2 v 3"],
    contacts: ContactMap,
    sigma_m: float = 0.06,
) -> ContactMap:
    """The contacts, weighted by how well each gets along with the move that most of their weight supports.

    Fewer than `FEWEST` contacts stay as they are, and so do those of a certain source.

    Args:
        surface, samples, vertices, contacts: as for `distances_after_moves`.
        sigma_m: distance at which a contact supports a move by exp(-1/2).
    """
    if len(contacts.contacts) < FEWEST:
        return contacts
    apart = distances_after_moves(surface, samples, vertices, contacts, moves())
    support = torch.exp(-0.5 * (apart / sigma_m) ** 2)
    weight = support.new_tensor([contact.weight for contact in contacts.contacts])
    best = support[int((support * weight).sum(1).argmax())].clamp_min(LEAST_SHARE).tolist()
    weighted = [
        contact if contact.certain else replace(contact, weight=share * contact.weight)
        for contact, share in zip(contacts.contacts, best, strict=True)
    ]
    return replace(contacts, contacts=tuple(weighted))
