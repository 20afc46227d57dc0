"""How much time a contact prior adds to a fit: processor time of the same pairs with it and without, in turns.

    apu synth data/val --split validation --pairs 104 --seed 11
    python benchmarks/prior_time.py data/val

Prints the ratios of whole fits, stage 0 included, without contact answers and with one noisy answer; exits 1 when the
median ratio of either is above the bound. The pairs are synthetic.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from apu.body.anny import AnnyBody
from apu.dataset.store import PairStore
from apu.evaluate.cases import make_cases, partners
from apu.evaluate.methods import Case, Method, contacts_of
from apu.prior.named import named_prior
from apu.prior.shipped import Shipped, prior_of_word
from apu.scene.guidance import Guidance
from apu.unite.solve import look, unite

BOUND = 1.2
BATCH = 8


def seconds(body: AnnyBody, cases: Sequence[Case], method: Method, guidance: Guidance | None) -> float:
    """Processor time of fitting all cases."""
    began = time.process_time()
    for start in range(0, len(cases), BATCH):
        some = cases[start : start + BATCH]
        first = look(body, [case.observed.observation for case in some])
        unite(body, first, [contacts_of(method, case) for case in some], guidance=guidance)
    return time.process_time() - began


def main(data: Path, prior: Path | Shipped | None, count: int, repeats: int) -> int:
    torch.set_num_threads(1)
    body = AnnyBody.load()
    named = None if prior is None else named_prior(prior, body, 0)
    if named is None:
        raise SystemExit(f"There is no prior {prior} for this body.")
    pairs = [record.to_true_pair() for record in PairStore(data).records()][:count]
    others, cases = partners(pairs), []
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        cases += make_cases(body, some, [others[pair.id] for pair in some], 0)
    worst = 0.0
    methods: tuple[Method, ...] = ("keypoints", "contacts")
    for method in methods:
        seconds(body, cases[:BATCH], method, named.guidance)  # what is compiled or loaded once
        turns = [(seconds(body, cases, method, None), seconds(body, cases, method, named.guidance))
                 for _ in range(repeats)]  # fmt: skip
        ratios = [after / before for before, after in turns]
        median = statistics.median(ratios)
        without = min(before for before, _ in turns) / len(pairs)
        print(f"{method}, {len(pairs)} pairs: {without:.2f} s a pair without, x{median:.2f} with the prior "
              f"(x{min(ratios):.2f} to x{max(ratios):.2f})")  # fmt: skip
        worst = max(worst, median)
    return 1 if worst > BOUND else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--prior", default="shipped", help="a folder, instead of the shipped one")
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    sys.exit(main(given.data, prior_of_word(given.prior), given.pairs, given.repeats))
