"""Makes the synthetic data set of `apu synth`. Loads torch: import it inside the command only."""

from collections.abc import Mapping
from pathlib import Path

import click
import torch

from apu.body.anny import AnnyBody
from apu.cli.request import printable
from apu.cli.synth_progress import shown_synthesis
from apu.dataset import synthesis
from apu.dataset.engine import LocalEngine, SerialEngine
from apu.dataset.layout import Layout
from apu.dataset.quota import even_quotas
from apu.dataset.record import ClassCount, DatasetInfo
from apu.dataset.synthesis import Synthesis
from apu.dataset.synthetic.interaction import GROUPS_OF_SPLIT, interactions
from apu.dataset.versions import versions
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup, Split


def asked_for(split: Split, pairs: int, seed: int, classes: str | None, mocap: Path | None) -> Synthesis:
    """What the options ask for.

    Raises:
        InputError: a class is not of the split, or the motion capture file is missing.
    """
    groups: dict[str, ClassGroup] = {
        name: one.group for name, one in interactions().items() if one.group in GROUPS_OF_SPLIT[split]
    }
    chosen = _chosen(classes, split, groups)
    if mocap is not None and not mocap.is_file():
        raise InputError(
            "The motion capture file is not there.",
            where=mocap,
            expected="a file with base poses",
            got="a folder" if mocap.is_dir() else "nothing of that name",
            remedy="check the path, or leave --mocap out for the base poses that come with apu.",
        )
    body = AnnyBody.load()
    return Synthesis(
        split=split,
        seed=seed,
        quotas=even_quotas(list(chosen), pairs),
        groups=chosen,
        layout=Layout.of_body(body.name, body.parameter_spec),
        versions=versions(),
        mocap=None if mocap is None else mocap.absolute(),
    )


def make(out: Path, asked: Synthesis, jobs: int) -> None:
    """Make it, show the progress, and print what the candidates came to.

    Raises:
        ApuError: a class yields nothing.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    engine = SerialEngine() if jobs == 1 else LocalEngine(jobs)
    with shown_synthesis(sum(asked.quotas.values())) as shown:
        try:
            info = synthesis.synthesise(out, asked, engine, synthesis.make_chunk, shown)
        except KeyboardInterrupt:
            told = f"{shown.pairs} of {sum(asked.quotas.values())} pairs are made"
            raise KeyboardInterrupt(f"Interrupted. {told}. To go on: the same command with --resume.") from None
    click.echo(rejection_table(info.classes))
    click.echo()
    click.echo(f"{info.pairs} synthetic pairs in {printable(out)}/{_failed(info)}")


def rejection_table(classes: Mapping[str, ClassCount]) -> str:
    """One row for each class: pairs, candidates, and why they were rejected, the most frequent reason first."""
    rows = [("class", "group", "pairs", "tried", "accepted", "rejected by")]
    for name, one in classes.items():
        share = f"{one.accepted} ({one.accepted / one.tried:.0%})" if one.tried else "0"
        reasons = sorted(one.rejected.items(), key=lambda reason: (-reason[1], reason[0]))
        why = ", ".join(f"{reason} {count}" for reason, count in reasons)
        rows.append((name, one.group, str(one.pairs), str(one.tried), share, why))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[5]]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _failed(info: DatasetInfo) -> str:
    failed = sum(len(one.failed) for one in info.classes.values())
    return f"; {failed} chunks could not be computed, dataset.json says why" if failed else ""


def _chosen(classes: str | None, split: str, known: Mapping[str, ClassGroup]) -> dict[str, ClassGroup]:
    names = list(known) if classes is None else [name.strip() for name in classes.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(
            "A class is not in this split." if unknown else "No class is named.",
            where="--classes",
            expected=f"of split {split}: {', '.join(known)}",
            got=", ".join(map(repr, unknown)) or "nothing",
            remedy="check the spelling, or take the split that has it.",
        )
    return {name: known[name] for name in sorted(names)}
