"""What it is worth to say that both people stand on one floor, without a contact prior and beside one.

    apu synth data/val --split validation --pairs 48 --seed 31
    python benchmarks/floor.py data/val --pairs 48 --prior shipped

Synthetic pairs, default noise; every pair is said to share a floor, true or not. Differences are pair by pair, with
95 % intervals over pairs.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from apu.body.anny import AnnyBody
from apu.dataset.store import PairStore
from apu.evaluate.batches import BATCH, Part
from apu.evaluate.cases import partners
from apu.evaluate.findings import find
from apu.evaluate.methods import ON_FLOOR, Method, solve
from apu.evaluate.rows import BenchmarkRow
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.evaluate.tables import Column, Table, difference_cells
from apu.prior.named import named_prior

METHODS: tuple[Method, ...] = ("keypoints", "keypoints+floor", "contacts", "contacts+floor")
METRICS = {"pair PA-MPJPE": "pair_pa_mpjpe_mm", "rel. transl.": "relative_translation_error_mm"}


def table(rows: Sequence[BenchmarkRow], prior: str) -> Table:
    """Means, and what the word on the floor changes."""
    found = find(rows, tuple(ON_FLOOR.values()))
    columns = [Column(header, metric, interval=True) for header, metric in METRICS.items()]
    lines = []
    for method in METHODS:
        overall = found.overall[method]
        cells = ("", "")
        if method in ON_FLOOR:
            cells = difference_cells(found.comparisons[ON_FLOOR[method]][method][columns[0].metric])
        count = str(overall[columns[0].metric].n)
        lines.append((method, count, *(c.cell(overall[c.metric], compact=True) for c in columns), *cells))
    header = ("method", "pairs", *METRICS, "the floor", "excludes 0")
    return Table(f"A shared floor (synthetic, mm; prior: {prior})", header, tuple(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0, help="of the observation and of the answers")
    parser.add_argument("--prior", default="none", help="shipped, a folder of apu train, or none")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody.load()
    guidance = None
    if asked.prior != "none":
        prior = named_prior("shipped" if asked.prior == "shipped" else Path(asked.prior), body, 0)
        guidance = None if prior is None else prior.guidance
    pairs = [record.to_true_pair() for record in PairStore(asked.data).records()][: asked.pairs]
    other = partners(pairs)
    rows: list[BenchmarkRow] = []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        part = Part(batch, [other[p.id] for p in batch], asked.seed)
        rows += evaluate_batch(body, part, METHODS, partial(solve, guidance=guidance))
        print(f"{min(start + BATCH, len(pairs))} of {len(pairs)} pairs", flush=True)
    print(table(rows, asked.prior).text())


if __name__ == "__main__":
    main()
