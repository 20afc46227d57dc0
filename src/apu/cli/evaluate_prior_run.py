"""Runs `apu eval prior`. Loads torch: import it inside the command only."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from apu.cli.evaluate_pairs import AskedPairs, benchmark_info, measured, names_in, tell_lost
from apu.cli.request import printable
from apu.dataset.synthetic.observation_settings import InitialFamily, InitialSettings, ObservationSettings
from apu.errors import InputError
from apu.evaluate.batches import versions_of
from apu.evaluate.prior_arms import Arm, ComparedPrior, Recipe, RecipeName, arms_of, named_priors, recipes
from apu.evaluate.prior_benchmark import Priors
from apu.evaluate.prior_findings import PriorFindings, combined, find_priors
from apu.evaluate.prior_plot import draw_priors
from apu.evaluate.prior_tables import arm_table, prior_tables
from apu.evaluate.report import PLOT, BenchmarkInfo, write_report
from apu.evaluate.rows import BenchmarkRow, mean_seconds
from apu.prior.checkpoint import read_config
from apu.prior.guidance import Pull
from apu.unite.weights import GuidanceWeights


@dataclass(frozen=True)
class AskedPriors:
    """The options that say what is compared; see the help of the command.

    Attributes:
        priors: `NAME=DIR` each.
        methods, recipe: names parted by commas.
        family: of the errors of initial estimates.
        factor, times, start_steps, sigmas: None for the standard ones.
    """

    priors: tuple[str, ...]
    methods: str
    recipe: str
    family: InitialFamily
    factor: float | None
    times: tuple[int, ...] | None
    start_steps: int | None
    sigmas: tuple[float, ...] | None

    def words(self) -> list[str]:
        """Words of the command line that give the same tables."""
        words = ["--methods", self.methods, "--recipe", self.recipe, "--family", self.family]
        words += [] if self.factor is None else ["--factor", f"{self.factor:g}"]
        words += [] if self.times is None else ["--times", ",".join(map(str, self.times))]
        words += [] if self.start_steps is None else ["--start-steps", str(self.start_steps)]
        words += [] if self.sigmas is None else ["--sigmas", ",".join(f"{one:g}" for one in self.sigmas)]
        return [*words, *(word for prior in self.priors for word in ("--prior", prior))]

    def chosen_recipes(self) -> dict[RecipeName, Recipe]:
        """Raises InputError for an unknown one, or one that cannot be."""
        guidance, pull = GuidanceWeights(), Pull()
        if self.factor is not None:
            guidance = replace(guidance, factor=self.factor)
        if self.times is not None:
            a, b, c, d = self.times
            guidance = replace(guidance, contact_times=(a, b), penetration_times=(c, d))
        if self.start_steps is not None:
            if not self.start_steps and "start" in names_in(self.recipe):
                raise InputError(
                    "The recipe start begins from a sample.",
                    where="--start-steps",
                    expected="at least 1",
                    got=0,
                    remedy="give more steps, or leave start out of --recipe.",
                )
            guidance = replace(guidance, start_steps=self.start_steps)
        if self.sigmas is not None:
            pose, shape, orientation, translation, depth, told = self.sigmas
            pull = Pull(pose, shape, orientation, translation, depth, told)
        return recipes(names_in(self.recipe), guidance, pull)


def run(asked: AskedPairs, heard: AskedPriors) -> None:
    """Measure, print, and write the results.

    Args:
        asked: which pairs.
        heard: which priors, and how.

    Raises:
        InputError: an option, a prior or a data set is wrong.
        OutputError: a folder cannot take the results.
        KeyboardInterrupt: with a message that says how to go on.
    """
    priors, chosen = named_priors(heard.priors), heard.chosen_recipes()
    arms = arms_of(priors, names_in(heard.methods), tuple(chosen))
    question, settings = Priors(arms, chosen), ObservationSettings(initial=InitialSettings(family=heard.family))
    pairs, rows = measured(asked, question, "fitting and measuring", settings)
    words = ["apu", "eval", "prior", *(word for folder in asked.data for word in ("--data", str(folder)))]
    info = benchmark_info(
        "Contact priors on synthetic pairs",
        shlex.join([*words, "--pairs", str(asked.pairs), *asked.words(), *heard.words()]), asked, pairs,
        versions_of(question), initial_estimates=heard.family, priors={one.label: _fact(one) for one in priors},
    )  # fmt: skip
    found = find_priors(rows, arms)
    _print(info, found, rows, arms)
    if asked.out is not None:
        _write(asked.out, info, found, rows, question)
        click.echo(f"Tables and plot in {printable(asked.out)}/")


def _fact(prior: ComparedPrior) -> str:
    """The digest of its weights, in short."""
    return read_config(prior.config.parent).weights_sha256[:12]


def _print(info: BenchmarkInfo, found: PriorFindings, rows: Sequence[BenchmarkRow], arms: Sequence[Arm]) -> None:
    tables = prior_tables(found, mean_seconds(combined(rows, arms)), compact=True)
    for text in ("\n".join(info.lines()), *(table.text() for table in tables)):
        click.echo(printable(text))
        click.echo()
    tell_lost(rows)


def _write(
    out: Path, info: BenchmarkInfo, found: PriorFindings, rows: Sequence[BenchmarkRow], question: Priors
) -> None:
    """All files; table.json has the comparisons and the trainings, too."""
    draw_priors(out / PLOT, info, found)
    tables = [arm_table(question.arms, question.recipes), *prior_tables(found, compact=False)]
    more = {
        "recipes": {name: asdict(recipe) for name, recipe in question.recipes.items()},
        "prior_comparisons": [asdict(one) for one in found.comparisons],
        "trainings": [asdict(one) for one in found.spreads],
    }
    write_report(out, info, tables, replace(found.findings, lost=found.lost), rows, more)
