"""The pairs of a data set as its diversity is measured: classes, contact maps, poses, places.

Nothing of it depends on where a pair is, how it is turned, which frame its record has, or on the order of the records.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts, default_parameters
from apu.contact.measured import TOUCHING_M
from apu.dataset.meshes import parameters_of
from apu.dataset.record import PairRecord, RegionContact
from apu.dataset.store import PairStore
from apu.errors import InputError
from apu.evaluate.joint_errors import JOINT_SET, mid_hip
from apu.prior.rotation_6d import matrix_of_rotvec

FEWEST = 2
"""Pairs; one alone differs from nothing."""
FORWARD = (0.0, 0.0, -1.0)
"""Where a body of orientation zero looks, in the camera frame and in the level frame."""

NamePair = tuple[str, str]


@dataclass(frozen=True)
class DiversityPairs:
    """`n` pairs of one data set, sorted by id.

    Attributes:
        ids: of the pairs.
        interactions: name of each pair's class; empty where nobody knows.
        regions: the two names of every region pair that touches (`TOUCHING_M`), whoever of the people is A.
        poses: (n, 2, 14, 3) J14 of A and B in the pose of each, on the default shape, turned to zero orientation, the
            middle of the hips at the origin; metres.
        places: (n, 2, 1, 3) middle of B's hips as A's root frame has it, and of A's as B's has it; metres.
        distances: (n,) between the middles of the hips, metres.
        facing: (n,) angle between the directions in which both look, radians: 0 the same, pi opposite.
        heights: (n, 2, 1, 1) standing heights of A and B, metres.
    """

    ids: tuple[str, ...]
    interactions: tuple[str, ...]
    regions: tuple[frozenset[NamePair], ...]
    poses: Float[Tensor, "n 2 14 3"]
    places: Float[Tensor, "n 2 1 3"]
    distances: Float[Tensor, " n"]
    facing: Float[Tensor, " n"]
    heights: Float[Tensor, "n 2 1 1"]

    def __len__(self) -> int:
        return len(self.ids)


def pairs_of_store(store: PairStore, body: BodyModel, most: int, seed: int = 0) -> DiversityPairs:
    """The pairs of a data set, or some of them.

    Args:
        store: the data set.
        body: its body model.
        most: of more pairs, so many are drawn, without replacement.
        seed: of the draw.

    Raises:
        InputError: there are fewer than two pairs, or a pair is wrong.
    """
    ids = sorted(row["id"] for row in store.rows(["id"]))
    if len(ids) < FEWEST:
        raise InputError(
            "The data set is too small to be various.",
            where=store.folder,
            expected=f"at least {FEWEST} pairs",
            got=len(ids),
            remedy="give a data set with more pairs.",
        )
    if len(ids) > most:
        chosen = np.random.default_rng(seed).permutation(len(ids))[:most].tolist()
        ids = [ids[i] for i in sorted(chosen)]
    return diversity_pairs(store.with_ids(ids), body)


@torch.no_grad()
def diversity_pairs(records: Sequence[PairRecord], body: BodyModel) -> DiversityPairs:
    """What is measured of some pairs.

    Args:
        records: one or more pairs of one body model, in any order.
        body: the model.
    """
    records = sorted(records, key=lambda record: record.id)
    parameters = parameters_of(records)
    (orientation,) = (name for name, one in body.parameter_spec.items() if one.role == "orientation")
    turn = matrix_of_rotvec(parameters[orientation])
    hips = mid_hip(_joints(body, parameters))
    across = hips[:, 1] - hips[:, 0]
    places = [_seen_in(turn[:, 0], across), _seen_in(turn[:, 1], -across)]
    looks = turn @ turn.new_tensor(FORWARD)
    return DiversityPairs(
        tuple(record.id for record in records),
        tuple(record.interaction for record in records),
        tuple(touching_regions(record.contacts) for record in records),
        _poses(body, parameters),
        torch.stack(places, 1)[:, :, None],
        across.norm(dim=-1),
        (looks[:, 0] * looks[:, 1]).sum(-1).clamp(-1.0, 1.0).arccos(),
        body.height(parameters)[:, :, None, None],
    )


def touching_regions(contacts: Sequence[RegionContact]) -> frozenset[NamePair]:
    """The region pairs that touch, in the order of their names: which of the people is A does not matter."""
    return frozenset(
        (min(c.region_a, c.region_b), max(c.region_a, c.region_b)) for c in contacts if c.distance_m <= TOUCHING_M
    )


def _poses(body: BodyModel, parameters: dict[str, Float[Tensor, "n 2 _"]]) -> Float[Tensor, "n 2 14 3"]:
    """Joint angles alone: all else is that of the default body, at the origin."""
    spec = body.parameter_spec
    n = len(next(iter(parameters.values())))
    still = default_parameters(spec, (n, 2))
    posed = {name: value if spec[name].role == "angles" else still[name] for name, value in parameters.items()}
    joints = _joints(body, posed)
    return joints - mid_hip(joints)[:, :, None]


def _joints(body: BodyModel, parameters: dict[str, Float[Tensor, "n 2 _"]]) -> Float[Tensor, "n 2 14 3"]:
    joints = body.forward(parameters, Parts(JOINT_SET)).joints
    assert joints is not None
    return joints


def _seen_in(turn: Float[Tensor, "n 3 3"], vector: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    return (turn.mT @ vector[..., None])[..., 0]
