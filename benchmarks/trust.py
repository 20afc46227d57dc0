"""What helps against noisy answers, alone and together: sides by keypoints, the gate, a side-blind loss, votes.

    apu synth data/val --split validation --pairs 65 --seed 1
    python benchmarks/trust.py data/val --pairs 24 --rows trust.json

Synthetic pairs, default noise, every method against `contacts` with the gate, pair by pair. The gate is the doubt of
`apu.unite.plausible`: contacts that the picture denies are weighted less, or not used. Methods with `, no gate` do
without it. Rows of finished batches are kept in the file, so that a killed run goes on; delete it after a change of
the code.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel
from apu.dataset.store import PairStore
from apu.evaluate.cases import partners
from apu.evaluate.findings import find
from apu.evaluate.methods import Case, Method, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.synthetic_benchmark import BATCH, evaluate_batch
from apu.evaluate.tables import Column, Table, difference_cells
from apu.unite.solve import look, unite
from apu.unite.weights import UniteWeights

NO_GATE = ", no gate"
UNGATED = replace(UniteWeights(), across_sigma_m=1e6)
BASE = "contacts"
TOGETHER = (
    "keypoints", "contacts", "contacts+chirality", "contacts+chirality3d", "contacts+open-sides", "contacts+checks",
    "contacts+votes", "contacts+chirality+votes", "contacts+chirality3d+votes", "contacts+all", "contacts+oracle-sides",
    *(f"contacts{one}{NO_GATE}" for one in ("", "+chirality", "+open-sides", "+votes", "+chirality+votes")),
)  # fmt: skip
METRICS = ("pair_pa_mpjpe_mm", "relative_translation_error_mm", "pcc_5cm_percent")
HEADERS = ("pair PA-MPJPE", "rel. transl.", "PCC@5")


def solve(body: BodyModel, cases: Sequence[Case], methods: Sequence[str]) -> dict[str, list[Outcome]]:
    """Every method on every case; all share one first fit."""
    first = look(body, [case.observed.observation for case in cases])
    out = {}
    for name in methods:
        began = time.perf_counter()
        weights = UNGATED if name.endswith(NO_GATE) else UniteWeights()
        maps = [
            contacts_of(method_of(name), case, estimate) for case, estimate in zip(cases, first.estimates, strict=True)
        ]
        fits = unite(body, first, maps, weights)
        out[name] = [Outcome(fit.parameters, (time.perf_counter() - began) / len(cases)) for fit in fits]
        print(f"{name}: {time.perf_counter() - began:.0f} s for {len(cases)} pairs", flush=True)
    return out


def method_of(name: str) -> Method:
    """The method of the benchmark behind a name."""
    (method,) = [one for one in get_args(Method) if one == name.removesuffix(NO_GATE)]
    return method


def table(rows: Sequence[BenchmarkRow]) -> Table:
    """Means, and differences from `contacts` with the gate."""
    found = find(rows, (BASE,))
    columns = [Column(header, metric, interval=True) for header, metric in zip(HEADERS, METRICS, strict=True)]
    against = found.comparisons.get(BASE, {})
    lines = []
    for method in found.methods:
        overall = found.overall[method]
        own = against.get(method, {}).get(METRICS[0])
        cells = difference_cells(own) if own is not None else ("", "")
        lines.append(
            (method, str(overall[METRICS[0]].n), *(c.cell(overall[c.metric], compact=True) for c in columns), *cells)
        )
    header = ("method", "pairs", *HEADERS, f"against {BASE}", "excludes 0")
    return Table("What helps against noisy answers (synthetic, mm and %)", header, tuple(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0, help="of the observation and of the answers")
    parser.add_argument("--methods", nargs="+", default=TOGETHER, choices=TOGETHER, metavar="METHOD")
    parser.add_argument("--rows", type=Path, help="keeps what is done, and is gone on with")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody.load()
    pairs = [record.to_true_pair() for record in PairStore(asked.data).records()][: asked.pairs]
    other = partners(pairs)
    rows = list(read_rows(asked.rows)) if asked.rows is not None and asked.rows.is_file() else []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        done = {row.method for row in rows if (row.pair, row.seed) == (batch[0].id, asked.seed)}
        missing = [name for name in asked.methods if name not in done]
        if missing:
            rows += evaluate_batch(body, batch, [other[p.id] for p in batch], asked.seed, missing, solver=solve)
            if asked.rows is not None:
                write_rows(asked.rows, rows)
        print(f"{min(start + BATCH, len(pairs))} of {len(pairs)} pairs", flush=True)
    print(table([row for row in rows if row.method in asked.methods]).text())


if __name__ == "__main__":
    main()
