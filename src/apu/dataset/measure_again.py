"""Do the stored numbers of a pair fit its bodies? Contacts and penetration, measured once more from the meshes."""

from collections.abc import Iterable, Iterator, Sequence

import torch

from apu.body.protocol import BodyModel
from apu.contact.measured import TOUCHING_WIDE_M, MeasuredContact, measure_contacts
from apu.dataset.meshes import meshes
from apu.dataset.record import PairRecord
from apu.unite.penetration import deepest

TOLERANCE_M = 2e-4
"""Other machines add in another order; what differs by more was not measured on these bodies."""


def differences(body: BodyModel, records: Iterable[PairRecord]) -> Iterator[str]:
    """What differs, in one line each: contacts that are missing, too many or elsewhere, and penetration.

    Args:
        body: whose parameters they are.
        records: any pairs.
    """
    for batch, vertices in meshes(body, records):
        with torch.no_grad():
            contacts = measure_contacts(body.surface, vertices, TOUCHING_WIDE_M + TOLERANCE_M)
            depths = deepest(body.surface, vertices)
        for record, found, depth in zip(batch, contacts, depths.tolist(), strict=True):
            yield from (f"pair {record.id}: {told}" for told in _of_pair(record, found, depth))


def spread(total: int, count: int) -> list[int]:
    """Places of `count` pairs out of `total`, evenly apart."""
    count = min(count, total)
    return [i * total // count for i in range(count)]


def _of_pair(record: PairRecord, found: Sequence[MeasuredContact], depth_m: float) -> Iterator[str]:
    stored = {(c.region_a, c.region_b): c.distance_m for c in record.contacts}
    measured = {(c.region_a, c.region_b): c.distance_m for c in found}
    for a, b in sorted({*stored, *measured}):
        was, now = stored.get((a, b)), measured.get((a, b))
        if was is None and now is not None and now > TOUCHING_WIDE_M - TOLERANCE_M:
            continue  # just about on the threshold
        if was is None or now is None or abs(was - now) > TOLERANCE_M:
            yield f"contact {a} - {b} is stored as {_mm(was)}, measured as {_mm(now)}"
    if abs(record.penetration_max_m - depth_m) > TOLERANCE_M:
        yield f"penetration is stored as {_mm(record.penetration_max_m)}, measured as {_mm(depth_m)}"


def _mm(metres: float | None) -> str:
    return "none" if metres is None else f"{1000 * metres:.2f} mm"
