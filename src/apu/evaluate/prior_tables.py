"""The tables of `apu eval prior`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from apu.evaluate.findings import COMPARED_METRICS
from apu.evaluate.prior_arms import NONE, WORDS, Arm, Recipe, RecipeName
from apu.evaluate.prior_bootstrap import CrossedDifference
from apu.evaluate.prior_findings import PriorComparison, PriorFindings
from apu.evaluate.synthetic_tables import COMPARED_WORDS, main_tables, part_tables
from apu.evaluate.tables import NONE as NOTHING
from apu.evaluate.tables import Table, excludes, number, with_interval

METRIC = "pair_pa_mpjpe_mm"
SEEDS_NOTE = "Several trainings of a prior count as one, the mean of their values; intervals draw pairs and seeds."


def prior_tables(found: PriorFindings, seconds: Mapping[str, float] | None = None, *, compact: bool) -> list[Table]:
    """Accuracy, contact and penetration of every arm, and what priors change.

    Args:
        found: of the benchmark.
        seconds: arm without its seed -> wall time for each pair, shown when given; no part of what is reproducible.
        compact: for a terminal: without the table of classes, and differences of pair PA-MPJPE alone.
    """
    findings = found.findings
    accuracy, *others = main_tables(findings, seconds, compact=compact)
    if found.spreads:
        accuracy = replace(accuracy, notes=(*accuracy.notes, SEEDS_NOTE))
    tables = [accuracy, *others, *part_tables(findings, compact=compact, classes=not compact)]
    tables.append(difference_table(found.comparisons, (METRIC,)))
    if not compact:
        rest = tuple(name for name in COMPARED_METRICS if name != METRIC)
        tables.append(difference_table(found.comparisons, rest, "What priors change, other metrics"))
        classes = [one for one in found.comparisons if one.against == NONE]
        tables.append(difference_table(classes, (METRIC,), "What priors change, by class", ("class",)))
    return [*tables, *([seed_table(found)] if found.spreads else [])]


def difference_table(
    comparisons: Sequence[PriorComparison],
    metrics: Sequence[str],
    title: str = "What priors change",
    kinds: Sequence[str] = ("all", "group"),
) -> Table:
    """Paired differences between any two.

    Args:
        comparisons: of any pairs and metrics.
        metrics: which are told.
        title: of the table.
        kinds: of parts that are told.
    """
    several = len(metrics) > 1
    header = ("pairs of", "fit", "prior", "against", *(("metric",) if several else ()))
    rows = [
        (
            one.part, one.method, _word(one.prior), _word(one.against),
            *((COMPARED_WORDS[one.metric],) if several else ()), *_cells(one.found, one.pairs), str(one.pairs),
        )
        for metric in metrics
        for one in comparisons
        if one.metric == metric and one.kind in kinds
    ]  # fmt: skip
    told = "" if several else f"{COMPARED_WORDS[metrics[0]]}, mm, of "
    notes = (
        f"{told}prior minus against, each pair against itself, with 95 % intervals over pairs and training seeds; "
        "excludes 0: whether that of the difference does. Of errors and penetration, negative is better; of PCC, "
        "positive.",
    )
    columns = ("difference", "excludes 0", "%", "pairs")
    return Table(title, (*header, *columns), tuple(rows), len(header), notes)


def seed_table(found: PriorFindings) -> Table:
    """The mean of every training."""
    rows = []
    for one in (s for s in found.spreads if s.metric == METRIC):
        means = ", ".join(number(mean) for mean in one.means.values())
        average = sum(one.means.values()) / len(one.means)
        share = number(100 * one.spread / average) if average else NOTHING
        rows.append((one.part, one.method, one.prior, means, number(one.spread, 2), share, str(one.pairs)))
    header = ("pairs of", "fit", "prior", "mean of each seed", "spread, mm", "%", "pairs")
    notes = ("Pair PA-MPJPE, mm, of every training seed; spread: standard deviation of these means.",)
    return Table("Trainings", header, tuple(rows), 4, notes)


def arm_table(arms: Sequence[Arm], recipes: Mapping[RecipeName, Recipe]) -> Table:
    """What was fitted, how."""
    seeds: dict[str, list[str]] = {}
    for arm in arms:
        seeds.setdefault(arm.without_seed, []).append("" if arm.prior is None else str(arm.prior.seed or 0))
    rows = [
        (name, NOTHING if arm.prior is None else WORDS[arm.recipe], ", ".join(seeds[name]) or NOTHING)
        for name, arm in {arm.without_seed: arm for arm in arms}.items()
    ]
    notes = tuple(f"{name}: {_numbers(recipe)}" for name, recipe in recipes.items())
    return Table("Fits", ("fit", "how the prior is heard", "training seeds"), tuple(rows), 3, notes)


def _numbers(recipe: Recipe) -> str:
    pull, asked = recipe.pull, recipe.guidance
    told = asdict(pull)
    sigmas = ", ".join(f"{name.replace('_', ' ')} {told[name]:.3g}" for name in told if name != "norm")
    times = " to ".join(map(str, asked.contact_times)), " to ".join(map(str, asked.penetration_times))
    return (
        f"factor {asked.factor:g}, t {times[0]} and {times[1]}, a target every {asked.refresh} steps, "
        f"{asked.start_steps} steps of a sample to start from, penetration x{asked.penetration:g}; "
        f"{pull.norm} norms, standard deviations {sigmas}; "
        f"keypoint errors robust beyond {recipe.keypoint_robust:g} box diagonals"
    )


def _cells(found: CrossedDifference, pairs: int) -> tuple[str, str, str]:
    """Difference, whether it is sure, and per cent; one pair tells nothing of others."""
    if pairs < 2:
        return number(found.difference, sign=True), NOTHING, number(found.percent)
    ends = [number(end, sign=True) for end in vars(found.difference_interval).values()]
    sure = "yes" if excludes(found.difference_interval, 0.0) else "no"
    difference = f"{number(found.difference, sign=True)} [{ends[0]}, {ends[1]}]"
    return difference, sure, with_interval(found.percent, found.percent_interval)


def _word(prior: str) -> str:
    return "no prior" if prior == NONE else prior
