"""How wrong contacts hurt: pair PA-MPJPE against the share that is wrong, for each loss, with and without doubt.

    apu synth data/val --split validation --pairs 65 --seed 1
    python benchmarks/wrong_contacts.py data/val --pairs 16 --out docs/pictures/wrong_contacts.png

Synthetic pairs. Each is given its true contacts, in the parts of a perfect answer; a share of them is replaced by
contacts that the simulated model would invent (`apu.dataset.synthetic.invented_contacts`). What is wrong at one share
stays wrong at the larger ones. With doubt, `apu.unite.plausible` may drop what the picture denies; it is not told which
are wrong.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Surface
from apu.contact.contact import Contact, ContactMap
from apu.dataset.store import PairStore
from apu.dataset.synthetic.answers import simulate_answers
from apu.dataset.synthetic.coarse_contacts import coarse_contacts, contact_of
from apu.dataset.synthetic.invented_contacts import InventedContacts
from apu.dataset.synthetic.random_streams import Streams
from apu.evaluate.batches import BATCH
from apu.evaluate.bootstrap import Interval, mean_interval
from apu.evaluate.cases import make_cases, partners, score
from apu.evaluate.methods import Case, Outcome
from apu.scene.true_pair import TruePair
from apu.unite.contact_alternatives import ContactLoss
from apu.unite.solve import FirstLook, look, unite
from apu.unite.weights import UniteWeights

SHARES = (0.0, 0.2, 0.4, 0.6)
LOSSES: tuple[ContactLoss, ...] = ("soft", "hard", "chamfer")
DOUBTS = {"with doubt": UniteWeights(), "without": replace(UniteWeights(), across_sigma_m=1e6)}
METRIC = "pair_pa_mpjpe_mm"
COLOURS = {"soft": "#0072B2", "hard": "#D55E00", "chamfer": "#009E73", "no contacts": "#000000"}
"""Of Okabe and Ito's palette."""

Curve = tuple[ContactLoss, str]
"""Loss, and with or without doubt."""


def corrupted(pair: TruePair, surface: Surface, seed: int) -> list[ContactMap]:
    """The true contacts of a pair with each share of them replaced by invented ones.

    A share that is no whole number of contacts is rounded up or down at random, such that it is right on average.
    """
    streams = Streams(seed, pair.id)
    draws = streams("wrong contacts")
    truth = simulate_answers(pair, surface, 0, seed).truth
    invent = InventedContacts(coarse_contacts(pair, surface))
    wrong: list[Contact] = []
    while len(wrong) < len(truth):
        a, b = invent(*draws.random(3).tolist())
        contact = contact_of(a, b, "simulated")
        wrong += [contact] if contact not in wrong else []
    right = [contact_of(c.a, c.b, "simulated") for c in truth]
    order, rounding = draws.permutation(len(truth)).tolist(), float(draws.random())
    maps = []
    for share in SHARES:
        replaced = set(order[: min(len(truth), math.floor(share * len(truth) + rounding))])
        chosen = [wrong[i] if i in replaced else right[i] for i in range(len(truth))]
        maps.append(ContactMap(tuple(chosen), "simulated"))
    return maps


def errors(
    body: AnnyBody, cases: Sequence[Case], first: FirstLook, maps: Sequence[ContactMap], loss: ContactLoss,
    weights: UniteWeights,
) -> list[float]:  # fmt: skip
    """Pair PA-MPJPE of each case, mm."""
    fits = unite(body, first, maps, weights, contact_loss=loss)
    return [row[METRIC] for row in score(body, cases, [Outcome(fit.parameters, 0.0) for fit in fits])]


def measured(
    body: AnnyBody, pairs: Sequence[TruePair], seed: int, losses: Sequence[ContactLoss]
) -> tuple[dict[Curve, np.ndarray], np.ndarray]:
    """(share, pair) errors of each curve, and those without contacts."""
    curves: dict[Curve, list[list[list[float]]]] = {(loss, doubt): [] for loss in losses for doubt in DOUBTS}
    blind: list[float] = []
    others = partners(pairs)
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        cases = make_cases(body, some, [others[p.id] for p in some], seed)
        first = look(body, [c.observed.observation for c in cases])
        blind += errors(body, cases, first, [ContactMap((), "none")] * len(some), "soft", UniteWeights())
        maps = [corrupted(pair, body.surface, seed) for pair in some]
        for (loss, doubt), batches in curves.items():
            batches.append(
                [errors(body, cases, first, [m[k] for m in maps], loss, DOUBTS[doubt]) for k in range(len(SHARES))]
            )
        print(f"{min(start + BATCH, len(pairs))} of {len(pairs)} pairs", flush=True)
    joined = {curve: np.concatenate([np.array(one) for one in batches], 1) for curve, batches in curves.items()}
    return joined, np.array(blind)


def table(curves: dict[Curve, np.ndarray], blind: np.ndarray) -> str:
    """Means with 95 % intervals; below, each loss against ours with the same doubt, pair by pair."""
    lines = [f"pair PA-MPJPE, mm, of {len(blind)} pairs; no contacts: {_cell(blind)}"]
    lines.append(f"{'loss':<16}{'doubt':<12}" + "".join(f"{f'{100 * share:.0f} % wrong':>24}" for share in SHARES))
    for (loss, doubt), values in curves.items():
        lines.append(f"{loss:<16}{doubt:<12}" + "".join(f"{_cell(row):>24}" for row in values))
    for (loss, doubt), values in curves.items():
        if loss != "soft" and ("soft", doubt) in curves:
            paired = values - curves["soft", doubt]
            lines.append(f"{f'{loss} - soft, {doubt}':<28}" + "".join(f"{_cell(row):>24}" for row in paired))
    return "\n".join(lines)


def _cell(values: np.ndarray) -> str:
    found: Interval = mean_interval(values)
    return f"{values.mean():.1f} [{found.low:.1f}, {found.high:.1f}]"


def draw(path: Path, curves: dict[Curve, np.ndarray], blind: np.ndarray) -> None:
    """Curves with 95 % intervals; dashed without doubt."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.8), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    at = 100 * np.array(SHARES)
    for i, ((loss, doubt), values) in enumerate(curves.items()):
        means, found = values.mean(1), [mean_interval(row) for row in values]
        ends = np.abs([[one.low for one in found] - means, [one.high for one in found] - means])
        aside = 0.6 * (i - len(curves) / 2)  # so that intervals do not cover each other
        axes.errorbar(
            at + aside, means, ends, color=COLOURS.get(loss, "#CC79A7"), marker="o", capsize=3,
            linestyle="-" if doubt == "with doubt" else "--", label=f"{loss}, {doubt}",
        )  # fmt: skip
    axes.axhline(blind.mean(), color=COLOURS["no contacts"], linestyle=":", label="no contacts")
    axes.set_xlabel("contacts that are wrong, %")
    axes.set_ylabel("pair PA-MPJPE, mm (lower is better)")
    axes.set_title(f"{len(blind)} synthetic validation pairs, 95 % intervals", fontsize=10)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.legend(fontsize=8, handlelength=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0, help="of the observation and of the wrong contacts")
    parser.add_argument("--losses", nargs="+", choices=get_args(ContactLoss), default=LOSSES)
    parser.add_argument("--out", type=Path, help="a picture, e.g. docs/pictures/wrong_contacts.png")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody.load()
    pairs = [record.to_true_pair() for record in PairStore(asked.data).records()][: asked.pairs]
    curves, blind = measured(body, pairs, asked.seed, asked.losses)
    print(table(curves, blind))
    if asked.out is not None:
        draw(asked.out, curves, blind)


if __name__ == "__main__":
    main()
