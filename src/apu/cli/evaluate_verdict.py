"""Runs `apu eval verdict`. Loads torch: import it inside the command only."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch

from apu.cache import cache_dir, written_whole
from apu.cli.evaluate_ablation import given_pairs
from apu.cli.evaluate_folder import WORK, prepare_out
from apu.cli.evaluate_synthetic import Asked as AskedPairs
from apu.cli.evaluate_synthetic import benchmark_info, interruptible, made_folder, making_of
from apu.cli.progress import shown_progress
from apu.cli.request import printable
from apu.dataset.engine import LocalEngine, SerialEngine
from apu.evaluate.findings import find
from apu.evaluate.report import JSON, PLOT, BenchmarkInfo, machine_readable, write_report
from apu.evaluate.rows import BenchmarkRow, json_of
from apu.evaluate.verdict_benchmark import (
    CLUE,
    VerdictBenchmark,
    check_answers,
    run_verdict,
    verdict_versions,
)
from apu.evaluate.verdict_findings import VerdictFinding, find_verdict
from apu.evaluate.verdict_plot import draw_verdict
from apu.evaluate.verdict_tables import verdict_tables
from apu.scene.true_pair import Split
from apu.unite.confidence import shipped


@dataclass(frozen=True)
class Asked:
    """The options of the command; see its help.

    Attributes:
        data: data sets; none: one is made by `split`, `seed`, `mocap`, `classes` and `pairs`.
        pairs: at most, of all of them.
        classes: names parted by commas; None for all.
        observation_seeds: of the observations.
        answers: factors of noise and controls, parted by commas.
        out: folder of the results; None: only print, and keep the work in the cache.
    """

    data: tuple[Path, ...]
    pairs: int
    split: Split
    seed: int
    mocap: Path | None
    classes: str | None
    observation_seeds: tuple[int, ...]
    answers: str
    jobs: int
    out: Path | None
    overwrite: bool = False
    resume: bool = False

    def command(self) -> str:
        """The command line that gives the same tables."""
        words = ["apu", "eval", "verdict", *map(str, self.data), "--pairs", str(self.pairs)]
        if not self.data:
            words += ["--split", self.split, "--seed", str(self.seed)]
            words += [] if self.mocap is None else ["--mocap", str(self.mocap)]
        words += [] if self.classes is None else ["--classes", self.classes]
        words += ["--observation-seeds", ",".join(map(str, self.observation_seeds))]
        return shlex.join([*words, "--answers", ",".join(self.chosen_answers())])

    def chosen_answers(self) -> tuple[str, ...]:
        """Raises InputError for an unknown one."""
        return check_answers([name.strip() for name in self.answers.split(",") if name.strip()])

    def of_pairs(self) -> AskedPairs:
        """The part of the options that says which pairs there are."""
        return AskedPairs(
            data=None, pairs=self.pairs, split=self.split, seed=self.seed, mocap=self.mocap, classes=self.classes,
            observation_seeds=self.observation_seeds, methods=None, jobs=self.jobs, per_class=False, out=self.out,
        )  # fmt: skip


def run(asked: Asked) -> None:
    """Measure, print, and write the results.

    Raises:
        InputError: an option or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    answers = asked.chosen_answers()
    making = None if asked.data else making_of(asked.of_pairs())
    pairs = given_pairs(asked.data, asked.of_pairs())
    if asked.out is not None:
        prepare_out(asked.out, overwrite=asked.overwrite, resume=asked.resume)
    engine = SerialEngine() if asked.jobs == 1 else LocalEngine(asked.jobs)
    with interruptible():
        if making is not None:
            pairs = given_pairs((made_folder(making, asked.out, engine),), asked.of_pairs())
        benchmark = VerdictBenchmark(tuple(pairs), asked.observation_seeds, answers)
        work = asked.out / WORK if asked.out is not None else cache_dir() / "eval"
        with shown_progress() as progress:
            rows = run_verdict(
                benchmark, work, engine, watch=lambda done, total: progress("fitting and judging", done / total)
            )
    calibration = shipped()
    found = find_verdict(rows, calibration.accurate_mm)
    known = benchmark_info(asked.command(), pairs, asked.observation_seeds)
    facts = {**known.facts, "observation_noise": "default, errors of answers times the factors"}
    versions = {**verdict_versions(), "body_model": pairs[0].body_model}
    info = BenchmarkInfo("Verdict on synthetic pairs", known.command, facts, versions, known.notes)
    tables = verdict_tables(found, calibration.accurate_mm)
    click.echo(printable("\n".join(info.lines())))
    for table in tables:
        click.echo()
        click.echo(printable(table.text()))
    lost = [row for row in rows if row.lost]
    if lost:
        click.echo(f"{len(lost)} of {len(rows)} observations were lost, the first one: {lost[0].lost}")
    if asked.out is not None:
        _write(asked.out, info, tables, found, rows)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def _write(out: Path, info: BenchmarkInfo, tables: list, found: list[VerdictFinding], rows: list[BenchmarkRow]) -> None:
    """All files; table.json, which comes last, has the curves, too."""
    draw_verdict(out / PLOT, info, found)
    metrics = find([BenchmarkRow(**{**vars(row), "values": _without_clues(row)}) for row in rows], ())
    write_report(out, info, tables, metrics, rows)
    content: dict[str, Any] = {**machine_readable(info, metrics), "verdict": [_plain(one) for one in found]}
    with written_whole(out / JSON) as temporary:
        temporary.write_text(json_of(content, indent=1), encoding="utf-8")


def _plain(one: VerdictFinding) -> dict[str, Any]:
    curve = {"coverage": one.curve.coverage.tolist(), "risk": one.curve.risk.tolist(), "area": one.curve.area}
    return {**asdict(one), "curve": curve}


def _without_clues(row: BenchmarkRow) -> dict[str, float]:
    return {name: value for name, value in row.values.items() if not name.startswith(CLUE)}
