"""Contacts that a language model makes up: plausible ones rather than any. Weights are hand-set, not measured."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from jaxtyping import Float

from apu.contact.end import End, is_paired
from apu.contact.parts import PARTS
from apu.dataset.synthetic.coarse_contacts import CoarseContact

PLAUSIBLE: Mapping[str, float] = {
    "head": 1.0, "face": 0.5, "neck": 0.8, "shoulder front": 1.5, "shoulder back": 2.0, "chest": 2.0, "belly": 1.0,
    "back": 3.0, "waist front": 0.7, "waist back": 1.0, "buttocks": 0.3, "upper arm": 2.0, "elbow": 0.7,
    "forearm": 2.0, "hand": 4.0, "thigh": 0.8, "knee": 0.4, "lower leg": 0.3, "foot": 0.2,
}  # fmt: skip
"""How readily each part is named."""

SAME_HEIGHT: Mapping[str, float] = {
    part: level
    for level, parts in (
        (1.0, ("head", "face", "neck")),
        (0.8, ("shoulder front", "shoulder back", "chest", "upper arm", "back")),
        (0.6, ("belly", "waist front", "waist back", "elbow", "forearm")),
        (0.4, ("buttocks", "thigh")),
        (0.2, ("knee", "lower leg")),
        (0.0, ("foot",)),
    )
    for part in parts
}
"""Rough height of a part on a standing person; hands reach any."""

HEIGHT_SPREAD = 0.3
WITH_A_HAND = 3.0
"""Factor for contacts that have a hand at one end or both."""


class InventedContacts:
    """Draws contacts between parts that do not touch.

    Args:
        true: all true contacts of the pair; pairs of parts that touch on any side are never made up.
    """

    def __init__(self, true: Sequence[CoarseContact]) -> None:
        self._parts = list(PARTS)
        weight = _weights().copy()
        for contact in true:
            weight[self._parts.index(contact.a.part), self._parts.index(contact.b.part)] = 0.0
        running = weight.flatten().cumsum()
        self._running = running / running[-1]

    def __call__(self, pair: float, side_a: float, side_b: float) -> tuple[End, End]:
        """The contact that three uniform numbers in [0, 1) stand for."""
        flat = min(int(np.searchsorted(self._running, pair, side="right")), len(self._running) - 1)
        a, b = divmod(flat, len(self._parts))
        return _end(self._parts[a], side_a), _end(self._parts[b], side_b)


@cache
def _weights() -> Float[np.ndarray, "p p"]:
    return np.array([[_plausible(a, b) for b in PARTS] for a in PARTS])


def _plausible(a: str, b: str) -> float:
    """Large for parts that are often named and meet when two people stand before each other."""
    near = 1.0
    if a in SAME_HEIGHT and b in SAME_HEIGHT:
        near = float(np.exp(-0.5 * ((SAME_HEIGHT[a] - SAME_HEIGHT[b]) / HEIGHT_SPREAD) ** 2))
    return PLAUSIBLE[a] * PLAUSIBLE[b] * near * (WITH_A_HAND if "hand" in (a, b) else 1.0)


def _end(part: str, chance: float) -> End:
    if not is_paired(part):
        return End(part, "none")
    return End(part, "left" if chance < 0.5 else "right")
