"""What a data set holds, in numbers: classes, contacts and how various they are, bodies, penetration, base poses."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from apu.body.protocol import BodyModel
from apu.contact.measured import TOUCHING_M, TOUCHING_WIDE_M
from apu.contact.parts import PART_OF_SURFACE, part_of_region
from apu.dataset.meshes import statures
from apu.dataset.store import PairStore

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
MOST_FREQUENT = 10
_COLUMNS = ("interaction", "group", "split", "kind", "base", "contacts", "penetration_max_m")


def statistics(store: PairStore, body: BodyModel | None = None) -> dict[str, Any]:
    """All statistics, as JSON has them.

    Args:
        store: the data set.
        body: its body model, for heights and ages; None leaves them out.

    Returns:
        pairs, kind; pairs by class, group and split; contacts per pair at both thresholds; part pairs with their
        entropy (`part_pairs`); penetration; base poses; heights and ages of all people. Quantiles: `QUANTILES`.
    """
    rows = list(store.rows(_COLUMNS))
    touching = [[c for c in row["contacts"] if c["distance_m"] <= TOUCHING_M] for row in rows]
    found: dict[str, Any] = {
        "pairs": len(rows),
        "kind": _counted(row["kind"] for row in rows),
        "classes": _counted(row["interaction"] for row in rows),
        "groups": _counted(row["group"] or "none" for row in rows),
        "splits": _counted(row["split"] for row in rows),
        "contacts_per_pair": {
            f"within {TOUCHING_M * 1000:g} mm": quantiles([len(near) for near in touching]),
            f"within {TOUCHING_WIDE_M * 1000:g} mm": quantiles([len(row["contacts"]) for row in rows]),
        },
        "part_pairs": diversity(part_pairs(near) for near in touching),
        "part_pairs_of_classes": {
            name: diversity(
                part_pairs(near) for near, row in zip(touching, rows, strict=True) if row["interaction"] == name
            )["entropy_bits"]
            for name in sorted({row["interaction"] for row in rows})
        },
        "penetration_max_m": quantiles([row["penetration_max_m"] for row in rows]),
        "base": _bases([base for row in rows for base in row["base"] or ()]),
        "candidates": {name: count.model_dump() for name, count in store.info.classes.items()},
    }
    return found | ({} if body is None else _people(store, body))


def quantiles(values: Sequence[float] | Sequence[int]) -> dict[str, float]:
    """Mean and `QUANTILES` of some numbers; empty of none."""
    if not len(values):
        return {}
    at = np.quantile(np.asarray(values, dtype=np.float64), QUANTILES)
    return {
        "mean": float(np.mean(values)),
        **{f"{round(100 * q)} %": float(value) for q, value in zip(QUANTILES, at, strict=True)},
    }


def part_pairs(contacts: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """The pairs of parts that touch in one pair of people, whoever of them is A."""
    pairs = {tuple(sorted(part_of_region(c[r]).name for r in ("region_a", "region_b"))) for c in contacts}
    return {(a, b) for a, b in pairs}


def diversity(each: Iterable[set[tuple[str, str]]]) -> dict[str, Any]:
    """How various the contacts are: Shannon entropy over pairs of parts; each pair of people votes for those it has."""
    votes: Counter[tuple[str, str]] = Counter()
    for pairs in each:
        votes.update(pairs)
    total = sum(votes.values())
    parts = len(set(PART_OF_SURFACE.values()))
    ranked = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    return {
        "entropy_bits": -sum(n / total * math.log2(n / total) for n in votes.values()) + 0.0,
        "largest_possible_bits": math.log2(parts * (parts + 1) / 2),
        "different": len(votes),
        "most_frequent": {f"{a} - {b}": count for (a, b), count in ranked[:MOST_FREQUENT]},
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _bases(bases: Sequence[str]) -> dict[str, Any]:
    sequences = {base for base in bases if base.startswith("mocap:")}
    return {"people": _counted(base.split(":")[0] for base in bases), "mocap_sequences": len(sequences)}


def _people(store: PairStore, body: BodyModel) -> dict[str, Any]:
    blocks = [statures(body, parameters) for parameters in store.parameters()]
    together = {name: torch.cat([block[name] for block in blocks]).tolist() for name in (blocks[0] if blocks else {})}
    found: dict[str, Any] = {"height_m": quantiles(together.pop("height_m", []))}
    return found | {"attributes": {name: quantiles(values) for name, values in together.items()}}
