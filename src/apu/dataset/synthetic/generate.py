"""A chunk of synthetic pairs: draw, bring together, measure, accept."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.anny import AnnyBody
from apu.body.pose_density import PoseDensity
from apu.body.protocol import BodyModel, Parts
from apu.contact.contact import Contact, ContactMap
from apu.contact.distance import ContactDistances
from apu.contact.measured import MeasuredContact, measure_contacts
from apu.dataset.synthetic.acceptance import REASONS, measure, on_floor
from apu.dataset.synthetic.base_poses import BasePoses, DensityPoses, MocapPoses
from apu.dataset.synthetic.candidates import Candidates, draw_candidates
from apu.dataset.synthetic.chunk import Chunk, ChunkResult
from apu.dataset.synthetic.interaction import Interaction, interaction
from apu.dataset.synthetic.mocap import Mocap, read_mocap
from apu.dataset.synthetic.solve import Scene, bring_together
from apu.scene.true_pair import Split, TruePair
from apu.unite.penetration import deepest

CHUNK_SIZE = 8
"""Candidates that are solved together."""


def generate_chunk(body: AnnyBody, chunk: Chunk) -> ChunkResult:
    """Make the candidates of a chunk and keep those that are pairs in contact.

    Args:
        body: the body model.
        chunk: which candidates.
    """
    one = interaction(chunk.interaction)
    drawn = draw_candidates(body, one, chunk, base_poses(body, chunk.split, chunk.mocap), CHUNK_SIZE)
    solved = bring_together(body, drawn.parameters, Scene(drawn.contacts, on_floor(one), one.balance))
    with torch.no_grad():
        vertices = body.forward(solved, Parts(vertices="all")).vertices
        assert vertices is not None
        distances = ContactDistances(body.surface, [ContactMap(c, "intended") for c in drawn.contacts])
        near = distances.smallest(vertices)
        depth = deepest(body.surface, vertices).tolist()
    rejected: Counter[str] = Counter()
    kept = []
    for i in range(CHUNK_SIZE):
        mine = {name: value[i] for name, value in solved.items()}
        farthest = float(near[distances.pair_of_contact == i].amax())
        reason = measure(body, one, mine, vertices[i], farthest, depth[i]).reason
        if reason is None:
            kept.append(i)
        else:
            rejected[reason] += 1
    touching = measure_contacts(body.surface, vertices[kept]) if kept else []
    pairs = [
        _pair(body, one, chunk, i, drawn, {n: v[i] for n, v in solved.items()}, found, depth[i])
        for i, found in zip(kept, touching, strict=True)
    ]
    return ChunkResult(tuple(pairs), CHUNK_SIZE, {r: rejected[r] for r in REASONS if rejected[r]})


def base_poses(body: AnnyBody, split: Split, mocap: Path | None) -> BasePoses:
    """The shipped density, or the frames of a motion capture file that belong to a split."""
    return DensityPoses(_density()) if mocap is None else MocapPoses(_frames(mocap), body, split)


@cache
def _density() -> PoseDensity:
    return PoseDensity.load()


@cache
def _frames(path: Path) -> Mocap:
    return read_mocap(path)


def _pair(
    body: BodyModel, one: Interaction, chunk: Chunk, place: int, drawn: Candidates,
    parameters: Mapping[str, Float[Tensor, "2 _"]], contacts: tuple[MeasuredContact, ...], depth_m: float,
) -> TruePair:  # fmt: skip
    """The pair in its final order: half of the time role a is person B."""
    intended: tuple[Contact, ...] = drawn.contacts[place]
    base = drawn.base[place]
    if drawn.swapped[place]:
        parameters = {name: value.flip(0) for name, value in parameters.items()}
        contacts = tuple(MeasuredContact(c.region_b, c.region_a, c.distance_m) for c in contacts)
        intended, base = tuple(c.swapped() for c in intended), (base[1], base[0])
    return TruePair(
        id=f"{chunk.split}-{chunk.seed}-{chunk.interaction}-{chunk.number:05d}-{place:02d}",
        interaction=one.name,
        group=one.group,
        split=chunk.split,
        base=base,
        body_model=body.name,
        parameters=parameters,
        contacts=contacts,
        intended=intended,
        penetration_max_m=depth_m,
        seed=chunk.seed,
    )
