"""Runs `apu eval prior`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
from apu.dataset.synthetic.observation_settings import InitialFamily, InitialSettings, ObservationSettings
from apu.evaluate.prior_arms import Arm, NamedPrior, Recipe, RecipeName, arms_of, named_priors, recipes
from apu.evaluate.prior_benchmark import PriorBenchmark, prior_versions, run_priors
from apu.evaluate.prior_findings import PriorFindings, combined, find_priors
from apu.evaluate.prior_plot import draw_priors
from apu.evaluate.prior_tables import arm_table, prior_tables
from apu.evaluate.report import JSON, PLOT, BenchmarkInfo, machine_readable, write_report
from apu.evaluate.rows import BenchmarkRow, json_of, mean_seconds
from apu.prior.checkpoint import read_config
from apu.prior.guidance import Pull
from apu.scene.true_pair import Split
from apu.unite.weights import GuidanceWeights


@dataclass(frozen=True)
class Asked:
    """The options of the command; see its help.

    Attributes:
        priors: `NAME=DIR` each.
        data: data sets; none: one is made by `split`, `seed`, `mocap`, `classes` and `pairs`.
        pairs: at most, of all of them.
        classes: names parted by commas; None for all.
        observation_seeds: of the observations.
        methods, recipe: names parted by commas.
        factor, times, start_steps, sigmas: None for the standard ones.
        out: folder of the results; None: only print, and keep the work in the cache.
    """

    priors: tuple[str, ...]
    data: tuple[Path, ...]
    pairs: int
    split: Split
    seed: int
    mocap: Path | None
    classes: str | None
    observation_seeds: tuple[int, ...]
    methods: str
    recipe: str
    family: InitialFamily
    factor: float | None
    times: tuple[int, ...] | None
    start_steps: int | None
    sigmas: tuple[float, ...] | None
    jobs: int
    out: Path | None
    overwrite: bool = False
    resume: bool = False

    def command(self) -> str:
        """The command line that gives the same tables."""
        words = ["apu", "eval", "prior", *(w for folder in self.data for w in ("--data", str(folder)))]
        words += ["--pairs", str(self.pairs)]
        if not self.data:
            words += ["--split", self.split, "--seed", str(self.seed)]
            words += [] if self.mocap is None else ["--mocap", str(self.mocap)]
        words += [] if self.classes is None else ["--classes", self.classes]
        words += ["--observation-seeds", ",".join(map(str, self.observation_seeds))]
        words += ["--methods", self.methods, "--recipe", self.recipe, "--family", self.family]
        words += [] if self.factor is None else ["--factor", f"{self.factor:g}"]
        words += [] if self.times is None else ["--times", ",".join(map(str, self.times))]
        words += [] if self.start_steps is None else ["--start-steps", str(self.start_steps)]
        words += [] if self.sigmas is None else ["--sigmas", ",".join(f"{one:g}" for one in self.sigmas)]
        return shlex.join([*words, *(w for prior in self.priors for w in ("--prior", prior))])

    def chosen_recipes(self) -> dict[RecipeName, Recipe]:
        """Raises InputError for an unknown one."""
        guidance, pull = GuidanceWeights(), Pull()
        if self.factor is not None:
            guidance = replace(guidance, factor=self.factor)
        if self.times is not None:
            a, b, c, d = self.times
            guidance = replace(guidance, contact_times=(a, b), penetration_times=(c, d))
        if self.start_steps is not None:
            guidance = replace(guidance, start_steps=self.start_steps)
        if self.sigmas is not None:
            pose, shape, orientation, translation = self.sigmas
            pull = Pull(pose, shape, orientation, translation)
        return recipes(_names(self.recipe), guidance, pull)

    def of_pairs(self) -> AskedPairs:
        """The part of the options that says which pairs there are."""
        return AskedPairs(
            data=None, pairs=self.pairs, split=self.split, seed=self.seed, mocap=self.mocap, classes=self.classes,
            observation_seeds=self.observation_seeds, methods=None, jobs=self.jobs, per_class=False, out=self.out,
        )  # fmt: skip


def run(asked: Asked) -> None:
    """Measure, print, and write the results.

    Raises:
        InputError: an option, a prior or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    torch.set_num_threads(1)  # as in the processes of an engine: sums must not depend on --jobs
    priors, chosen = named_priors(asked.priors), asked.chosen_recipes()
    arms = arms_of(priors, _names(asked.methods), tuple(chosen))
    making = None if asked.data else making_of(asked.of_pairs())
    pairs = given_pairs(asked.data, asked.of_pairs())
    if asked.out is not None:
        prepare_out(asked.out, overwrite=asked.overwrite, resume=asked.resume)
    engine = SerialEngine() if asked.jobs == 1 else LocalEngine(asked.jobs)
    settings = ObservationSettings(initial=InitialSettings(family=asked.family))
    with interruptible():
        if making is not None:
            pairs = given_pairs((made_folder(making, asked.out, engine),), asked.of_pairs())
        benchmark = PriorBenchmark(tuple(pairs), asked.observation_seeds, arms, chosen, settings)
        work = asked.out / WORK if asked.out is not None else cache_dir() / "eval"
        with shown_progress() as progress:
            rows = run_priors(
                benchmark, work, engine, watch=lambda done, total: progress("fitting and measuring", done / total)
            )
    known = benchmark_info(asked.command(), pairs, asked.observation_seeds)
    facts = {**known.facts, "initial_estimates": asked.family, "priors": {one.label: _fact(one) for one in priors}}
    versions = {**prior_versions(), "body_model": pairs[0].body_model}
    info = BenchmarkInfo("Contact priors on synthetic pairs", known.command, facts, versions, known.notes)
    found = find_priors(rows, arms)
    _print(info, found, rows, arms)
    if asked.out is not None:
        _write(asked.out, info, found, rows, arms, chosen)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _fact(prior: NamedPrior) -> str:
    """The digest of its weights, in short."""
    return read_config(prior.config.parent).weights_sha256[:12]


def _print(info: BenchmarkInfo, found: PriorFindings, rows: Sequence[BenchmarkRow], arms: Sequence[Arm]) -> None:
    tables = prior_tables(found, mean_seconds(combined(rows, arms)), compact=True)
    for text in ("\n".join(info.lines()), *(table.text() for table in tables)):
        click.echo(printable(text))
        click.echo()
    if found.lost:
        click.echo(f"{len(found.lost)} of {len(rows)} observations were lost, the first one: {found.lost[0].lost}")


def _write(
    out: Path, info: BenchmarkInfo, found: PriorFindings, rows: Sequence[BenchmarkRow], arms: Sequence[Arm],
    chosen: dict[RecipeName, Recipe],
) -> None:  # fmt: skip
    """All files; table.json, which comes last, has the comparisons and the trainings, too."""
    findings = replace(found.findings, lost=found.lost)
    draw_priors(out / PLOT, info, found)
    write_report(out, info, [arm_table(arms, chosen), *prior_tables(found, compact=False)], findings, rows)
    content = {
        **machine_readable(info, findings),
        "recipes": {name: asdict(recipe) for name, recipe in chosen.items()},
        "prior_comparisons": [asdict(one) for one in found.comparisons],
        "trainings": [asdict(one) for one in found.spreads],
    }
    with written_whole(out / JSON) as temporary:
        temporary.write_text(json_of(content, indent=1), encoding="utf-8")
