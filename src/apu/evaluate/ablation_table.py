"""The table of the ablation: every variant, and its paired difference to the whole fit."""

from collections.abc import Mapping

from apu.evaluate.ablation_variants import FULL, Answers, Variant, method_name
from apu.evaluate.findings import Findings
from apu.evaluate.tables import NONE, Table, difference_cells, number

METRICS: Mapping[str, str] = {
    "pair_pa_mpjpe_mm": "pair PA-MPJPE",
    "relative_translation_error_mm": "rel. transl.",
    "pa_mpjpe_mm": "PA-MPJPE",
    "penetration_worst_mm": "worst penetr.",
}
NOTES = (
    "mm; less is better. +/-: the variant minus the whole fit with the same answers, each observation against itself, "
    "averaged by pair first, with 95 % bootstrap intervals over pairs; * where the interval excludes 0.",
    "Weights are chosen for the whole fit, so a variant may be unfairly bad; lost observations of either are left out.",
)


def ablation_table(found: Findings, variants: Mapping[str, Variant], answers: tuple[Answers, ...]) -> Table:
    """One row for each kind of answers and variant; differences to `FULL` with the same answers.

    Args:
        found: whose baselines are `FULL` with each kind of answers.
        variants: name -> variant.
        answers: in the order of the table.
    """
    header = ["answers", "variant"]
    for word in METRICS.values():
        header += [word, "+/-"]
    rows = [_row(found, name, one) for one in answers for name in variants]
    return Table("Ablation", (*header, "pairs"), tuple(rows), 2, NOTES)


def variant_table(variants: Mapping[str, Variant]) -> Table:
    """What each variant is."""
    return Table("Variants", ("variant", "what it is"), tuple((n, v.words) for n, v in variants.items()), 2)


def _row(found: Findings, variant: str, answers: Answers) -> tuple[str, ...]:
    method, base = method_name(variant, answers), method_name(FULL, answers)
    compared = found.comparisons.get(base, {}).get(method, {})
    cells, pairs = [answers, variant], NONE
    for metric in METRICS:
        summary = found.overall[method].get(metric)
        cells.append(NONE if summary is None else number(summary.mean))
        pairs = str(summary.n) if summary is not None and metric == "pair_pa_mpjpe_mm" else pairs
        if metric in compared:
            text, sure = difference_cells(compared[metric])
            cells.append(text + (" *" if sure == "yes" and compared[metric].n > 1 else ""))
        else:
            cells.append(NONE)
    return (*cells, pairs)
