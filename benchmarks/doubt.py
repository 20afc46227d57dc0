"""How far apart the regions of right and of wrong contacts lie after the first fit: across the line of sight, in space.

    apu synth data/val --split validation --pairs 65 --seed 1
    python benchmarks/doubt.py data/val --pairs 40

Synthetic pairs, one noisy simulated answer each; the wrong contacts are what the simulated model invents or mistakes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.region_samples import sample_regions
from apu.contact.distance import ContactDistances
from apu.contact.measured import TOUCHING_WIDE_M
from apu.dataset.store import PairStore
from apu.evaluate.cases import make_cases, partners
from apu.unite.plausible import distances_across
from apu.unite.solve import look

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the observation")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody.load()
    pairs = [record.to_true_pair() for record in PairStore(asked.data).records()][: asked.pairs]
    others, samples, rows = partners(pairs), sample_regions(body.surface), []
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        cases = make_cases(body, some, [others[p.id] for p in some], asked.seed)
        for case, estimate in zip(cases, look(body, [c.observed.observation for c in cases]).estimates, strict=True):
            told = case.answer.contact_map()
            if not told.contacts:
                continue
            across = distances_across(body.surface, samples, estimate.vertices, told)
            in_space = ContactDistances(body.surface, [told]).smallest(estimate.vertices[None])
            near = [c for c in case.observed.truth.contacts if c.distance_m <= TOUCHING_WIDE_M]
            truth = {(c.region_a, c.region_b) for c in near}
            right = [any((a, b) in truth for a in c.regions_a for b in c.regions_b) for c in told.contacts]
            rows += zip(right, across.tolist(), in_space.tolist(), strict=True)
    table = np.array(rows)
    print("contacts  number  distance, cm   10 %   25 %   50 %   75 %   90 %")
    for word, value in (("right", 1), ("wrong", 0)):
        mine = table[table[:, 0] == value]
        for column, name in ((1, "across"), (2, "in space")):
            at = 100 * np.percentile(mine[:, column], [10, 25, 50, 75, 90])
            print(f"{word:<8}  {len(mine):>6}  {name:<12}" + "".join(f"{x:7.1f}" for x in at))


if __name__ == "__main__":
    main()
