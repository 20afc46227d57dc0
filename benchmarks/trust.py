"""What helps against noisy answers, alone and together: sides by keypoints, the gate, a side-blind loss, votes.

    apu synth data/val --split validation --pairs 65 --seed 1
    python benchmarks/trust.py data/val --pairs 24 --rows trust.json
    python benchmarks/trust.py data/val --pairs 24 --rows curves.json --curves

Synthetic pairs, default noise, every method against `contacts` with the gate, pair by pair. The gate is the doubt of
`apu.unite.plausible`: contacts that the picture denies are weighted less, or not used. Methods with `, no gate` do
without it; those with `, consensus` weigh contacts by whether they agree on the depth between the two
(`apu.unite.consensus`).

With `--curves`, simulated annotators instead (`apu.evaluate.ask_annotators`): how often one model is asked, which share
rho of its errors comes in every answer, and a second, worse model; sides are decided by keypoints, and what too few
answers say is left out. Rows of finished batches are kept in the file, so that a killed run goes on; delete it
after a change of the code.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import BodyModel
from apu.body.region_samples import sample_regions
from apu.contact.contact import ContactMap
from apu.contact.named_contact import NamedContact, contact_map
from apu.contact.votes import FEW_SAY_SO
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import SOURCE, simulate_answers
from apu.evaluate.ask_annotators import SINGLE, SimulatedAnnotator, said_by, simulated_annotators
from apu.evaluate.batches import BATCH, Part
from apu.evaluate.cases import partners
from apu.evaluate.findings import find
from apu.evaluate.methods import Case, Method, Outcome, contacts_of
from apu.evaluate.rows import BenchmarkRow, read_rows, write_rows
from apu.evaluate.synthetic_benchmark import evaluate_batch
from apu.evaluate.tables import Column, Table, difference_cells
from apu.evaluate.trusted_answers import sides_decided
from apu.scene.estimate import Estimate
from apu.scene.true_pair import TruePair
from apu.unite.consensus import agreeing
from apu.unite.solve import look, unite
from apu.unite.weights import UniteWeights

NO_GATE, CONSENSUS = ", no gate", ", consensus"
UNGATED = replace(UniteWeights(), across_sigma_m=1e6)
BASE = "contacts"
TOGETHER = (
    "keypoints", "contacts", "contacts+chirality", "contacts+chirality3d", "contacts+open-sides", "contacts+checks",
    "contacts+votes", "contacts+chirality+votes", "contacts+chirality3d+votes", "contacts+all", "contacts+oracle-sides",
    *(f"contacts{one}{CONSENSUS}" for one in ("", "+chirality+votes")),
    *(f"contacts{one}{NO_GATE}" for one in ("", "+chirality", "+open-sides", "+votes", "+chirality+votes")),
)  # fmt: skip
ANNOTATORS = {one.name: one for one in simulated_annotators() if not (one.checked or one.weighted)}
CURVES = (
    "keypoints", SINGLE, *(f"{k} answers, rho {rho:g}" for k in (3, 5) for rho in (0.0, 0.3, 0.6, 0.9)),
    "worse, 1 answer", "worse, 5 answers", "3 good + 2 worse",
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
        maps = [map_of(name, body, case, estimate) for case, estimate in zip(cases, first.estimates, strict=True)]
        fits = unite(body, first, maps, weights)
        out[name] = [Outcome(fit.parameters, (time.perf_counter() - began) / len(cases)) for fit in fits]
        print(f"{name}: {time.perf_counter() - began:.0f} s for {len(cases)} pairs", flush=True)
    return out


def map_of(name: str, body: BodyModel, case: Case, estimate: Estimate) -> ContactMap:
    """The contacts of a method of the benchmark, or of a simulated annotator whose sides are decided by keypoints."""
    if name.endswith(CONSENSUS):
        told = contacts_of(method_of(name), case, estimate)
        return agreeing(body.surface, sample_regions(body.surface), estimate.vertices, told)
    if name not in ANNOTATORS:
        return contacts_of(method_of(name), case, estimate)
    said = said_in(body, case, ANNOTATORS[name])
    return contact_map(sides_decided(said, case.observed.observation, "relation").contacts, SOURCE)


def said_in(body: BodyModel, case: Case, annotator: SimulatedAnnotator) -> tuple[NamedContact, ...]:
    """What an annotator says of a pair, without what too few of its answers say."""
    truth = case.observed.truth
    answers = [simulate_answers(truth, body.surface, k, case.seed, one).answers for one, k in annotator.models]
    return tuple(contact for contact in said_by(answers) if contact.weight >= FEW_SAY_SO)


def method_of(name: str) -> Method:
    """The method of the benchmark behind a name."""
    (method,) = [one for one in get_args(Method) if one == name.removesuffix(NO_GATE).removesuffix(CONSENSUS)]
    return method


def rows_of(rows: Sequence[BenchmarkRow], pairs: Sequence[TruePair], seed: int) -> list[BenchmarkRow]:
    """The rows of some pairs and one observation seed; a file may hold those of other runs, too."""
    ids = {pair.id for pair in pairs}
    return [row for row in rows if row.pair in ids and row.seed == seed]


def table(rows: Sequence[BenchmarkRow], base: str) -> Table:
    """Means, and differences from a method."""
    found = find(rows, (base,))
    columns = [Column(header, metric, interval=True) for header, metric in zip(HEADERS, METRICS, strict=True)]
    against = found.comparisons.get(base, {})
    lines = []
    for method in found.methods:
        overall = found.overall[method]
        own = against.get(method, {}).get(METRICS[0])
        cells = difference_cells(own) if own is not None else ("", "")
        lines.append(
            (method, str(overall[METRICS[0]].n), *(c.cell(overall[c.metric], compact=True) for c in columns), *cells)
        )
    header = ("method", "pairs", *HEADERS, f"against {base}", "excludes 0")
    return Table("What helps against noisy answers (synthetic, mm and %)", header, tuple(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0, help="of the observation and of the answers")
    parser.add_argument("--methods", nargs="+", choices=(*TOGETHER, *CURVES[1:]), metavar="METHOD")
    parser.add_argument("--curves", action="store_true", help="simulated annotators instead of methods")
    parser.add_argument("--against", metavar="METHOD", help="what the others are compared with; one of the methods")
    parser.add_argument("--rows", type=Path, help="keeps what is done, and is gone on with")
    asked = parser.parse_args()
    methods = asked.methods or (CURVES if asked.curves else TOGETHER)
    base = asked.against or (SINGLE if asked.curves else BASE)
    if asked.against is not None and base not in methods:
        parser.error(f"--against is one of the methods that are run: {', '.join(methods)}")
    torch.set_num_threads(1)
    body = AnnyBody.load()
    pairs = [record.to_true_pair() for record in PairStore(asked.data).records()][: asked.pairs]
    other = partners(pairs)
    rows = list(read_rows(asked.rows)) if asked.rows is not None and asked.rows.is_file() else []
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        there = rows_of(rows, batch, asked.seed)
        count = Counter(row.method for row in there)
        missing = [name for name in methods if count[name] < len(batch)]  # fewer in the last batch of fewer pairs
        if missing:
            again = [row for row in there if row.method in missing]
            rows = [row for row in rows if row not in again]
            part = Part(batch, [other[p.id] for p in batch], asked.seed)
            rows += evaluate_batch(body, part, missing, solver=solve)
            if asked.rows is not None:
                write_rows(asked.rows, rows)
        print(f"{min(start + BATCH, len(pairs))} of {len(pairs)} pairs", flush=True)
    print(table([row for row in rows_of(rows, pairs, asked.seed) if row.method in methods], base).text())


if __name__ == "__main__":
    main()
