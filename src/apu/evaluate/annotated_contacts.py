"""How well bodies agree with a human annotation of contacts, by parts. All of it is ours.

An annotated contact names a set of regions on each side, of which some place touches some place; a set may reach over
several parts. So a contact is found when any of its part pairs touches, and a touch of two parts is right when any
annotated contact allows it. Contacts with the same part pairs count once.

Annotations are sparse: people mark what they are sure of, not all that touches. So precision, and with it F1, is a
lower bound.
"""

from collections.abc import Callable, Collection, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from apu.contact.contact import ContactMap
from apu.contact.measured import MeasuredContact
from apu.evaluate.contact_agreement import THRESHOLDS_M, side_aware_part, side_blind_part

PartPair = tuple[str, str]


def annotation_rows(
    measured: Sequence[Collection[MeasuredContact]], annotated: Sequence[ContactMap]
) -> dict[str, Float[Tensor, " p"]]:
    """Precision, recall and F1 at both `THRESHOLDS_M`, with and without sides, percent, by name.

    Names are `part_` or `part_side_blind_`, then the share, then `10mm` or `13mm`. Precision is NaN where nothing
    touches, recall where nothing is annotated, F1 where both hold.

    Args:
        measured: of each pair, by `measure_contacts`.
        annotated: of each pair.
    """
    rows: dict[str, Float[Tensor, " p"]] = {}
    for start, part in (("part", side_aware_part), ("part_side_blind", side_blind_part)):
        goals = [annotated_part_pairs(one, part) for one in annotated]
        for threshold in THRESHOLDS_M:
            touching = [
                {(part(c.region_a), part(c.region_b)) for c in one if c.distance_m <= threshold} for one in measured
            ]
            shares = [part_shares(t, g) for t, g in zip(touching, goals, strict=True)]
            end = f"{round(1000 * threshold)}mm_percent"
            for k, name in enumerate(("precision", "recall", "f1")):
                rows[f"{start}_{name}_{end}"] = 100 * torch.tensor([s[k] for s in shares], dtype=torch.float64)
    return rows


def annotated_part_pairs(contacts: ContactMap, part: Callable[[str], str]) -> frozenset[frozenset[PartPair]]:
    """The part pairs that each contact allows; equal contacts once."""
    return frozenset(
        frozenset((part(a), part(b)) for a in contact.regions_a for b in contact.regions_b)
        for contact in contacts.contacts
    )


def part_shares(
    touching: Collection[PartPair], annotated: Collection[frozenset[PartPair]]
) -> tuple[float, float, float]:
    """Precision, recall and F1 in [0, 1]; NaN for a share of nothing.

    Args:
        touching: part pairs that touch in the meshes.
        annotated: for each contact the part pairs that it allows.
    """
    allowed = frozenset[PartPair]().union(*annotated)
    right = sum(pair in allowed for pair in touching)
    met = sum(not contact.isdisjoint(touching) for contact in annotated)
    precision = right / len(touching) if touching else float("nan")
    recall = met / len(annotated) if annotated else float("nan")
    if not touching or not annotated:
        return precision, recall, 0.0 if touching or annotated else float("nan")
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0
